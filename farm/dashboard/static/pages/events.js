// What happened, the newest first: filtered, paused, taken away as JSON lines.
import { html, useState } from "../vendor/preact-htm.js";
import { get } from "../api.js";
import { attempt } from "../actions.js";
import { download } from "../export.js";
import { fleet, useFleet } from "../fleet.js";
import { clock, count } from "../format.js";
import { Search, Table, matches } from "../list.js";
import { change, nodeLink } from "../view.js";

const KINDS = ["state", "write", "fault", "client", "config", "command", "farm"];
const SHOWN = 500;

// For trainers: writes that did not come from the usual writer. `hmi` is an address, or several with commas.
const byHmi = (entry, hmi) => hmi.split(",").some((address) => address && (entry.actor === address || entry.actor.startsWith(`${address}:`)));

function fits(entry, { kind = "", q = "", node = "", hmi = "" }) {
	if (kind && !kind.split(",").includes(entry.kind)) return false;
	if (node && entry.node !== node) return false;
	if (hmi && entry.kind === "write" && byHmi(entry, hmi)) return false;
	return matches({ q }, entry.node, entry.text, entry.actor, entry.state);
}

export function Events({ view: { params } }) {
	useFleet("event");
	const [held, hold] = useState(null);
	const [older, addOlder] = useState([]);
	const first = fleet.events[0]?.id ?? Infinity;
	const known = [...older.filter((entry) => entry.id < first), ...fleet.events];
	const all = held || known;
	const found = all.filter((entry) => fits(entry, params));
	const shown = found.slice(-SHOWN).reverse();
	const loadAll = () => attempt(async () => addOlder((await get("events?since=0&limit=10000")).events));
	const preset = params.kind === "write";
	return html`<div class="page events">
		<h1 class="unseen">Events</h1>
		<div class="tools">
			<${Search} params=${params} />
			<label>Kind <select value=${params.kind || ""} data-key-sort onChange=${(event) => change({ kind: event.target.value })}>
				<option value="">all</option>${KINDS.map((kind) => html`<option key=${kind} value=${kind}>${kind}</option>`)}</select></label>
			<button aria-pressed=${preset ? "true" : "false"} onClick=${() => change({ kind: preset ? "" : "write", hmi: "" })}>Writes</button>
			${preset && html`<${Search} label="not by the HMI at" name="hmi" params=${params} size="14" placeholder="10.20.0.5" />`}
			<span class="grow"></span>
			<span class="hint">${count(found.length)} of ${count(all.length)}${found.length > SHOWN ? `, the last ${SHOWN} shown` : ""}</span>
			<button aria-pressed=${held ? "true" : "false"} onClick=${() => hold(held ? null : all)}>${held ? `Go on (${known.length - held.length} more)` : "Pause"}</button>
			<button onClick=${loadAll}>Load all kept</button>
			<button onClick=${() => download("events.jsonl", "application/x-ndjson", found.map((entry) => `${JSON.stringify(entry)}\n`).join(""))}>Export JSONL</button>
		</div>
		<${Table} label="Events" heads=${["Time", "Node", "Kind", "What", "By"]} rows=${shown} empty="No event fits.">
			${shown.map((entry) => html`<tr key=${entry.id} tabindex="0" data-item=${entry.id}>
				<td><time datetime=${entry.time}>${clock(entry.time)}</time></td>
				<td>${entry.node && html`<a href=${nodeLink(entry.node)}>${entry.node}</a>`}</td>
				<td>${entry.kind}</td><td class="wire">${entry.text || entry.state}</td><td>${entry.actor}</td></tr>`)}<//>
	</div>`;
}
