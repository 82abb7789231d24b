// The strip on top of every page: what is abnormal, how much goes on, how old that is, where the plant is.
import { html } from "./vendor/preact-htm.js";
import { clearFaults } from "./actions.js";
import { CONDITIONS, Shape, wordOf } from "./condition.js";
import { showKeys, signIn } from "./dialogs.js";
import { SILENT, useFleet } from "./fleet.js";
import { age, count, ms, number, plural } from "./format.js";
import { Fact } from "./list.js";
import { format, useView } from "./view.js";

const FILTERED = ["overview", "nodes"]; // pages whose filter a count sets; from all others it leads to the table

function Counts({ conditions }) {
	const view = useView();
	const page = FILTERED.includes(view.page) ? view.page : "nodes";
	const params = FILTERED.includes(view.page) ? view.params : {};
	const shown = ["up", ...CONDITIONS.filter((name) => name !== "up")].filter((name) => name === "up" || conditions[name]);
	return html`<ul class="counts" aria-live="polite" aria-label="Nodes by condition">
		${shown.map((name) => {
			const chosen = params.condition === name;
			return html`<li key=${name}>
				<a class="count ${name}" href=${format(page, "", { ...params, condition: chosen ? "" : name })}
					aria-current=${chosen ? "true" : null}>
					<${Shape} of=${name} /><b>${count(conditions[name] || 0)}</b> ${wordOf(name).toLowerCase()}</a></li>`;
		})}
	</ul>`;
}

function Age({ fleet }) {
	const seconds = fleet.age();
	if (fleet.paused) return html`<span class="age paused">paused, ${age(seconds)} old</span>`;
	if (fleet.silent) return html`<span class="age silent"><${Shape} of="stale" /> no data for ${Math.round(seconds)} s</span>`;
	return html`<span class="age">${fleet.how === "polling" ? "asked every 5 s" : `${Math.min(seconds, SILENT).toFixed(1)} s old`}</span>`;
}

export function Strip() {
	const fleet = useFleet();
	const { farm, canWrite } = fleet;
	if (!farm) return html`<header class="strip"><b class="plant">plcfarm</b><span class="grow"></span>
		<button class="quiet" onClick=${showKeys}>Keys <kbd>?</kbd></button></header>`;
	const real = farm.reach_kind === "real";
	return html`<header class="strip">
		<a class="plant" href=${format("overview")}>${farm.farm}</a>
		<${Counts} conditions=${farm.conditions} />
		<dl class="facts">
			<${Fact} name="requests/s">${number(farm.requests_per_s)}<//>
			<${Fact} name="p99 ms">${ms(farm.p99_ms)}<//>
			<${Fact} name="clients"><a href=${format("clients")}>${count(farm.clients)}</a><//>
			<${Fact} name="supervisor">${number(farm.supervisor?.cpu_percent)} % · ${number(farm.supervisor?.rss_mib, 0)} MiB<//>
			<${Fact} name="data"><${Age} fleet=${fleet} /><//>
			<div class=${`fact reach ${real ? "real" : ""}`}><dt>${farm.backend}</dt>
				<dd>${real && html`<${Shape} of="degraded" /> `}${farm.reach}${real && " (a real network)"}</dd></div>
		</dl>
		<span class="grow"></span>
		${farm.faults > 0 && html`<span class="stop-faults"><a href=${format("faults")}>${plural(farm.faults, "fault")}</a>
			<button class="act" disabled=${!canWrite} onClick=${() => clearFaults()}>Stop all</button></span>`}
		${canWrite ? "" : html`<button class="quiet sign-in" onClick=${signIn}>Read only: sign in</button>`}
		<button class="quiet" onClick=${showKeys} aria-label="Keys"><kbd>?</kbd></button>
	</header>`;
}
