// Faults on purpose: which are on, for how long yet, one button that ends all, a form for a new one.
import { html, useState } from "../vendor/preact-htm.js";
import { READ_ONLY, addFault, clearFaults } from "../actions.js";
import { useAsked } from "../asking.js";
import { Shape } from "../condition.js";
import { FAULTS, faultOf } from "../fault-kinds.js";
import { applyFilter } from "../filter.js";
import { fleet, useFleet } from "../fleet.js";
import { age, count, plural } from "../format.js";
import { Table } from "../list.js";
import { change, nodeLink } from "../view.js";

const SHOWN_NAMES = 4;

const Where = ({ fault }) => html`${fault.nodes.slice(0, SHOWN_NAMES).map((name, index) => html`${index ? ", " : ""}<a key=${name} href=${nodeLink(name)}>${name}</a>`)}
	${fault.nodes.length > SHOWN_NAMES ? ` and ${count(fault.nodes.length - SHOWN_NAMES)} more` : ""}${fault.where && !fault.where.split(/[\s,]+/).every((name) => fault.nodes.includes(name)) ? ` (${fault.where})` : ""}`;

const left = (fault) => (fault.left_s === null || fault.left_s === undefined ? "until taken off" : age(fault.left_s));

export const FaultTable = ({ faults, empty, again = () => {} }) => html`<${Table} label="Active faults" rows=${faults} empty=${empty}
	heads=${["No.", "Fault", "Nodes", "Left", "Seed", "By", "Act"]}>${faults.map((fault) => html`<tr key=${fault.id} tabindex="0" data-item=${fault.id}>
		<td class="n">${fault.id}</td><th scope="row"><${Shape} of="fault" /> ${fault.text}</th><td><${Where} fault=${fault} /></td>
		<td>${left(fault)}</td><td class="n">${fault.seed}</td><td>${fault.actor}</td>
		<td><button class="act" disabled=${!fleet.canWrite} onClick=${() => clearFaults(fault.id).then(again)}>Take off<span class="unseen"> fault ${fault.id}</span></button></td></tr>`)}<//>`;

const Field = ({ field, value, type }) => html`<label>${field.text} <input type=${field.type} value=${value} min=${field.min} max=${field.max}
	step=${field.step} required=${field.required} size=${field.type === "text" ? 18 : 8} onInput=${(event) => type(event.target.value)} /></label>`;

/** Nodes by name with commas, or else by a filter; both stand in the hash, so a form can be sent to somebody. */
function chosen(params) {
	const named = (params.nodes || "").split(",").map((name) => name.trim()).filter(Boolean);
	if (named.length) {
		const unknown = named.filter((name) => !fleet.byName.has(name));
		return [named.filter((name) => fleet.byName.has(name)), unknown.length ? `no such node: ${unknown.join(", ")}` : ""];
	}
	const [rows, problem] = applyFilter(params.q ? fleet.rows : [], params.q || "", fleet.faultKinds);
	return [problem ? [] : rows.map((row) => row.name), problem];
}

function Form({ params, again }) {
	const kind = FAULTS[params.kind] ? params.kind : "slow";
	const [, fields] = FAULTS[kind];
	const [typed, type] = useState({});
	const [where, limit] = useState({ percent: "100", for: "60", seed: "0" });
	const [names, problem] = chosen(params);
	const value = (field) => String(typed[`${kind} ${field.key}`] ?? field.initial);
	const submit = (event) => {
		event.preventDefault();
		const fault = faultOf(kind, Object.fromEntries(fields.map((field) => [field.key, value(field)])));
		const more = { percent: Number(where.percent), seed: Number(where.seed) };
		if (where.for.trim()) more.for = Number(where.for);
		addFault(fault, names, more).then(again);
	};
	const part = (key, text, more) => html`<${Field} field=${{ text, type: "number", ...more }} value=${where[key]} type=${(typedNow) => limit({ ...where, [key]: typedNow })} />`;
	return html`<form class="fault-form" onSubmit=${submit}>
		<h2>Put a fault on</h2>
		<fieldset><legend>What</legend>
			<label>Kind <select data-key-sort value=${kind} onChange=${(event) => change({ kind: event.target.value })}>
				${Object.entries(FAULTS).map(([key, [text]]) => html`<option key=${key} value=${key}>${text}</option>`)}</select></label>
			${fields.map((field) => html`<${Field} key=${kind + field.key} field=${field} value=${value(field)} type=${(text) => type({ ...typed, [`${kind} ${field.key}`]: text })} />`)}
		</fieldset>
		<fieldset><legend>Where</legend>
			<label>Nodes <input value=${params.nodes || ""} size="34" placeholder="names, with commas" spellcheck=${false} onInput=${(event) => change({ nodes: event.target.value })} /></label>
			<label>or filter <input data-key-filter value=${params.q || ""} size="28" placeholder="profile:1756*" spellcheck=${false} disabled=${Boolean(params.nodes)} onInput=${(event) => change({ q: event.target.value })} /></label>
			${part("percent", "% of these", { min: 0.1, max: 100, step: "any", required: true })}
			${part("seed", "seed", { min: 0, step: 1, required: true })}
			<span class=${problem ? "problem" : "hint"}>${problem || (names.length ? plural(names.length, "node") : "name nodes, or a filter")}</span>
		</fieldset>
		<fieldset><legend>How long</legend>${part("for", "seconds, empty is until taken off", { min: 0.1, step: "any" })}</fieldset>
		<p class="answers"><button class="act" disabled=${!fleet.canWrite || !names.length}>Put it on${names.length > 0 && ` ${plural(names.length, "node")}`}</button>
			${!fleet.canWrite && html`<span class="hint">${READ_ONLY}</span>`}</p>
	</form>`;
}

export function Faults({ view: { params } }) {
	useFleet();
	const [found, problem, again] = useAsked("faults", 1);
	const faults = found?.faults || fleet.faults;
	return html`<div class="page faults"><h1 class="unseen">Faults</h1>
		<div class="tools"><b>${faults.length ? plural(faults.length, "fault") : "No fault"} active</b>
			<button class="act stop" disabled=${!fleet.canWrite || !faults.length} onClick=${() => clearFaults().then(again)}>Stop all</button>
			${!fleet.canWrite && html`<span class="hint">${READ_ONLY}</span>`} ${problem && html`<span class="problem">${problem.message}</span>`}</div>
		<${FaultTable} faults=${faults} again=${again} empty="Nodes answer as they are configured." />
		<${Form} params=${params} again=${again} />
	</div>`;
}
