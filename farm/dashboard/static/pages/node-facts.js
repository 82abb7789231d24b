// Tabs of a node that show answers as they are: who is connected, what was asked, faults, log, configuration.
import { html, useState } from "../vendor/preact-htm.js";
import { kick } from "../actions.js";
import { node } from "../api.js";
import { useAsked } from "../asking.js";
import { configLines } from "../config-text.js";
import { Shape } from "../condition.js";
import { copy } from "../export.js";
import { fleet } from "../fleet.js";
import { age, bytes, count, value } from "../format.js";
import { Table } from "../list.js";
import { faultOn } from "../selection.js";
import { FaultTable } from "./faults.js";

const Waiting = ({ problem }) => html`<p class=${problem ? "problem" : "hint"}>${problem ? problem.message : "Asking…"}</p>`;

const connected = (one) => [one.kind, one.rpi_ms && `RPI ${one.rpi_ms} ms`].filter(Boolean).join(", ");

export function Connections({ name }) {
	const [found, problem, again] = useAsked(node(name, "connections"), 2);
	if (!found) return html`<${Waiting} problem=${problem} />`;
	const heads = ["Peer", "Protocol", "For", "Session", "Connected", "Requests", "In", "Out", "Last request", "Act"];
	return html`<${Table} label="Connections" heads=${heads} rows=${found.connections} empty="Nobody is connected.">
		${found.connections.map((one) => html`<tr key=${one.protocol + one.peer} tabindex="0" data-item=${one.peer}>
			<th scope="row">${one.peer}</th><td>${one.protocol}</td><td>${age(one.seconds)}</td><td>${one.session || ""}</td>
			<td>${(one.connected || []).map(connected).join("; ") || "unconnected"}</td><td class="n">${count(one.requests)}</td>
			<td class="n">${bytes(one.bytes_in)}</td><td class="n">${bytes(one.bytes_out)}</td><td>${value(one.last)}</td>
			<td><button class="act" disabled=${!fleet.canWrite} onClick=${() => kick(name, one.peer).then(again)}>Kick<span class="unseen"> ${one.peer}</span></button></td>
		</tr>`)}<//>`;
}

export function Requests({ name }) {
	const [found, problem] = useAsked(node(name, "requests"), 2);
	const [wrong, only] = useState(false);
	if (!found) return html`<${Waiting} problem=${problem} />`;
	const shown = found.requests.filter((one) => !wrong || !one.ok);
	return html`<div class="beside"><div>
			<div class="tools"><label><input type="checkbox" checked=${wrong} onChange=${(event) => only(event.target.checked)} /> errors only</label>
				<span class="hint">the last ${found.requests.length}</span></div>
			<${Table} label="Last requests" heads=${["Ago", "Peer", "Request", "Reply"]} rows=${shown} empty="None.">
				${shown.map((one, index) => html`<tr key=${index} tabindex="0" data-item=${index} class=${one.ok ? "" : "degraded"}>
					<td class="n">${age(one.age_s)}</td><td class="n">${one.peer}</td><td class="wire">${value(one.request)}</td>
					<td class="wire">${one.ok ? value(one.reply) : html`<span class="condition"><${Shape} of="degraded" /> ERROR</span> ${value(one.status)}`}</td></tr>`)}<//>
		</div><section><h2>Asked for but not defined</h2>
			<${Table} label="Asked for but not defined" heads=${["Name", "Times", "Last"]} rows=${found.undefined} empty="Nothing: clients find all they ask for.">
				${found.undefined.map((one) => html`<tr key=${one.name}><th scope="row" class="wire">${value(one.name)}</th><td class="n">${count(one.count)}</td>
					<td class="n">${age(one.last_s)} ago</td></tr>`)}<//>
		</section></div>`;
}

export function NodeFaults({ name }) {
	const [found, , again] = useAsked("faults", 1);
	const here = (found?.faults || fleet.faults).filter((fault) => fault.nodes.includes(name));
	return html`<${FaultTable} faults=${here} again=${again} empty="No fault is on this node." />
		<p><button onClick=${() => faultOn([name])}>Put one on…</button></p>`;
}

export function Log({ name }) {
	const [found, problem, again] = useAsked(node(name, "log"), 5);
	if (!found) return html`<${Waiting} problem=${problem} />`;
	return html`<div class="tools"><span class="hint">the last ${found.log.length} lines</span><button onClick=${again}>Ask again</button></div>
		<pre class="wire" tabindex="0" role="region" aria-label="Lines of the log">${found.log.map((line) => `${value(line, 2000)}\n`)}</pre>`;
}

export function Config({ name }) {
	const [found, problem] = useAsked(node(name, "config"), 5);
	if (!found) return html`<${Waiting} problem=${problem} />`;
	const lines = configLines(found.config, found.origins || {});
	const folder = (Object.values(found.origins || {})[0] || "").replace(/[^/]*$/, ""); // told once, not on every line
	return html`<div class="tools"><span class="hint">What the node was started with, and the file${folder && ` (in ${folder})`}, line and column each value comes from.</span>
			<button onClick=${() => copy(lines.map((line) => line.text).join("\n"), "the configuration")}>Copy</button></div>
		<table class="config wire" aria-label="Configuration"><thead class="unseen"><tr><th scope="col">Value</th><th scope="col">From</th></tr></thead>
			<tbody>${lines.map(({ text, origin }, index) => html`<tr key=${index}><td>${text}</td><td>${origin.replace(folder, "") || html`<span class="unseen">by default</span>`}</td></tr>`)}</tbody></table>`;
}
