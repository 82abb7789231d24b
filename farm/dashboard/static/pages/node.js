// One node: who it says it is, what can be done with it, a tab for each thing one wants to know.
import { html, useEffect, useLayoutEffect, useState } from "../vendor/preact-htm.js";
import { READ_ONLY, changeNodes } from "../actions.js";
import { node } from "../api.js";
import { useAsked } from "../asking.js";
import { Condition, Shape } from "../condition.js";
import { copy } from "../export.js";
import { FRAME_FIELDS, fleet, useFleet } from "../fleet.js";
import { age, bytes, ms, number, value } from "../format.js";
import { Fact } from "../list.js";
import { faultOn } from "../selection.js";
import { format, nodeLink } from "../view.js";
import { Config, Connections, Log, NodeFaults, Requests } from "./node-facts.js";
import { Tags } from "./node-tags.js";
import { Trend } from "./node-trend.js";

const TABS = { tags: Tags, trend: Trend, connections: Connections, requests: Requests, faults: NodeFaults, log: Log, config: Config };

const words = (key) => (key[0].toUpperCase() + key.slice(1)).replace(/_/g, " ");

/** As a scanner sees it, over each protocol. */
function Identity({ of, row }) {
	return Object.values(of).map(({ protocol, address, port, ...facts }) => html`<dl class="facts bar" key=${protocol} aria-label="Identity">
		<${Fact} name=${protocol}><b>${address}:${port}</b><//>
		${Object.entries(facts).map(([key, found]) => html`<${Fact} key=${key} name=${words(key)}>
			${Array.isArray(found) ? found.join(", ") : value(found)}<//>`)}
		${row.outside?.length > 0 && html`<${Fact} name="From outside">${[].concat(row.outside).join(", ")}<//>`}
	</dl>`);
}

function Numbers({ row }) {
	const facts = { "requests/s": number(row.requests_per_s), "p50 ms": ms(row.p50_ms), "p99 ms": ms(row.p99_ms), connections: number(row.connections),
		"errors/min": number(row.errors_per_min), restarts: number(row.restarts), "up for": age(row.uptime_s), "in/s": bytes(row.bytes_in_per_s),
		"out/s": bytes(row.bytes_out_per_s), "last report": age(row.age_s) };
	return html`<dl class="facts bar">${Object.entries(facts).map(([name, text]) => html`<${Fact} key=${name} name=${name}>${text}<//>`)}</dl>`;
}

function Acts({ row }) {
	const locked = !fleet.canWrite;
	const act = (text, verb, off) => html`<button class="act" disabled=${locked || off} onClick=${() => changeNodes(verb, [row.name])}>${text}</button>`;
	const stopped = row.condition === "stopped";
	return html`<div class="acts">
		${stopped ? act("Start", "start") : act("Stop", "stop")}
		${act("Restart", "restart", stopped)}
		<button onClick=${() => faultOn([row.name])}>Fault…</button>
		<button onClick=${() => copy(row.address, row.address)}>Copy address</button>
		${locked && html`<span class="hint">${READ_ONLY}</span>`}
	</div>`;
}

/** The row as the stream tells it, fuller than in frames, with the tags watched; of a node that is `there`. */
function useNode(name, there) {
	const [told, tell] = useState({ row: null, tags: {}, at: 0 });
	useLayoutEffect(() => {
		if (!there) return undefined;
		fleet.watch([name], []); // before its tab says which tags
		const stop = fleet.on("node", (message) => {
			if (message.node === name && message.row) tell({ row: message.row, tags: message.tags || {}, at: Date.now() });
		});
		return () => {
			stop();
			fleet.watch([], []);
		};
	}, [name, there]);
	return told;
}

export function NodePage({ view: { name, params } }) {
	useFleet();
	const known = fleet.byName.get(name);
	const told = useNode(name, Boolean(known));
	const [asked, problem, again] = useAsked(known && node(name));
	useEffect(() => {
		if (known) again(); // who it is may be another after it was started anew
	}, [known?.pid, fleet.generation]);
	if (!known) return html`<h1>${name}</h1><p>This plant has no such node. <a href=${format("nodes")}>All nodes</a></p>`;
	// A frame may be newer than the node's stream, above all when the node is gone: it wins.
	const row = told.at > fleet.listed ? { ...known, ...told.row, ...Object.fromEntries(FRAME_FIELDS.map((key) => [key, known[key]])) } : known;
	const tab = TABS[params.tab] ? params.tab : "tags";
	const Tab = TABS[tab];
	const act = (event) => event.detail === "f" && faultOn([name]);
	return html`<div class="page node" onact=${act}>
		<header class="head">
			<h1>${name} <${Condition} row=${row} /></h1>
			<span class="hint">${[row.kind, row.profile, row.network, row.group && `group ${row.group}`].filter(Boolean).join(" · ")}</span>
			<${Acts} row=${row} />
		</header>
		${row.error && html`<p class="problem">${row.error}</p>`}
		${row.link && html`<p class="hint">Link: ${row.link}</p>`}
		${row.forced > 0 && html`<p class="note-forced"><${Shape} of="fault" /> ${row.forced} forced: what clients write there is not what they read.</p>`}
		${asked ? html`<${Identity} of=${asked.identity || {}} row=${row} />` : problem && html`<p class="hint">${problem.message}</p>`}
		<${Numbers} row=${row} />
		<nav class="tabs" aria-label="About this node"><ul>${Object.keys(TABS).map((key) => html`<li key=${key}>
			<a href=${nodeLink(name, { tab: key })} aria-current=${key === tab ? "page" : null}>${words(key)}</a></li>`)}</ul></nav>
		<section aria-label=${words(tab)}><${Tab} key=${tab} name=${name} row=${row} told=${told} params=${params} /></section>
	</div>`;
}
