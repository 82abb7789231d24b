// The table of all nodes: what is abnormal first, unless somebody wants another order.
import { Component, html, useEffect, useRef } from "../vendor/preact-htm.js";
import { Condition, rank } from "../condition.js";
import { copy, rowsAsCsv } from "../export.js";
import { FilterBox } from "../filter-box.js";
import { applyFilter } from "../filter.js";
import { fleet, useFleet } from "../fleet.js";
import { age, ms, number } from "../format.js";
import { BulkBar, actOn, selection, useSelection } from "../selection.js";
import { change, filterOf, go, nodeLink } from "../view.js";

const REFRESH_MS = 10000; // memory and the last request's age come with the rows, not with frames
const ORDER_MS = 4000;

const ports = (row) => Object.values(row.ports || {}).join(",");

const counted = (heading, field, shown = number) => [heading, (row) => row[field], (row) => shown(row[field]), true];

/** key: [heading, value to sort by, what stands in the cell, whether a large one is wanted first]. */
const COLUMNS = {
	condition: ["State", (row) => rank(row.condition), (row) => html`<${Condition} row=${row} />`],
	name: ["Name", (row) => row.id, (row) => html`<a href=${nodeLink(row.name)}>${row.name}</a>`],
	address: ["Address", (row) => row.address.replace(/\d+/g, (part) => part.padStart(3, "0")), (row) => `${row.address}:${ports(row)}`],
	profile: ["Profile", (row) => row.profile, (row) => row.profile],
	connections: counted("Clients", "connections"),
	requests: counted("req/s", "requests_per_s"),
	p50: counted("p50 ms", "p50_ms", ms),
	p99: counted("p99 ms", "p99_ms", ms),
	errors: counted("errors/min", "errors_per_min"),
	restarts: counted("Restarts", "restarts"),
	last: ["Last request", (row) => row.last_request_s, (row) => age(row.last_request_s)],
	rss: counted("MiB", "rss_mib"),
	note: ["Note", (row) => row.error || row.link, (row) => row.error || row.link || (row.forced ? `${row.forced} forced` : "")],
};
const LEFT = ["condition", "name", "address", "profile", "note"];

// Only rows whose node changed are drawn anew.
class Row extends Component {
	shouldComponentUpdate(next) {
		return next.revision !== this.props.revision || next.row !== this.props.row || next.selected !== this.props.selected;
	}

	render({ row, selected }) {
		return html`<tr role="row" tabindex="0" data-item=${row.name} class=${`${row.condition === "up" ? "" : row.condition} ${selected ? "selected" : ""}`}>
			<td role="cell" class="pick"><input type="checkbox" checked=${selected} tabindex="-1" aria-label=${`select ${row.name}`}
				onChange=${() => selection.toggle(row.name)} /></td>
			${Object.entries(COLUMNS).map(([key, [, , cell]]) => html`<td role="cell" key=${key} class=${LEFT.includes(key) ? "" : "n"}>${cell(row)}</td>`)}
		</tr>`;
	}
}

function compare(sort) {
	const down = sort.startsWith("-");
	const [, of, , large] = COLUMNS[sort.replace("-", "")] || COLUMNS.condition;
	const sign = (large ? -1 : 1) * (down ? -1 : 1);
	const none = (value) => value === null || value === undefined || value === "";
	return (a, b) => {
		const [x, y] = [of(a), of(b)];
		if (none(x) || none(y)) return none(x) - none(y) || a.id - b.id; // what is not known comes last, either way
		return x < y ? -sign : x > y ? sign : a.id - b.id;
	};
}

/** Rows in an order that is kept for some seconds, and while somebody is in the table: none runs from the mouse. */
function useOrder(rows, sort, body) {
	const kept = useRef({ key: "", at: 0, places: new Map() });
	const key = [sort, rows.length, ...rows.map((row) => row.name + row.condition)].join("|");
	const busy = body.current?.matches(":hover, :focus-within");
	if (key !== kept.current.key || (!busy && Date.now() - kept.current.at > ORDER_MS)) {
		const ordered = [...rows].sort(compare(sort));
		kept.current = { key, at: Date.now(), places: new Map(ordered.map((row, index) => [row.name, index])) };
	}
	const { places } = kept.current;
	return [...rows].sort((a, b) => places.get(a.name) - places.get(b.name));
}

function Heading({ name, sort }) {
	const [text] = COLUMNS[name];
	const [active, reversed] = [sort.replace("-", "") === name, sort.startsWith("-")];
	const order = active ? (Boolean(COLUMNS[name][3]) !== reversed ? "descending" : "ascending") : null;
	return html`<th role="columnheader" scope="col" aria-sort=${order} class=${LEFT.includes(name) ? "" : "n"}>
		<button class="quiet" data-key-sort=${name === "condition" || null} onClick=${() => change({ sort: active && !reversed ? `-${name}` : name })}>${text}${
			active ? html` <span aria-hidden="true">${order === "descending" ? "▼" : "▲"}</span>` : ""}</button></th>`;
}

export function Nodes({ view: { params } }) {
	useFleet();
	useSelection();
	const body = useRef(null);
	useEffect(() => {
		const timer = setInterval(() => fleet.refresh(), REFRESH_MS);
		return () => clearInterval(timer);
	}, []);
	const { rows, faultKinds } = fleet;
	const [found, problem] = applyFilter(rows, filterOf(params), faultKinds);
	const sort = params.sort || "condition";
	const shown = useOrder(found, sort, body);
	const open = (event) => {
		if (event.key === "Enter" && event.target.matches("tr")) go("node", event.target.dataset.item);
	};
	const click = (event) => {
		const row = event.target.closest("tr[data-item]");
		if (row && !event.target.closest("a, input") && event.shiftKey) selection.toggle(row.dataset.item);
	};
	return html`<div class="page nodes" onact=${actOn}>
		<h1 class="unseen">Nodes</h1>
		<div class="tools">
			<${FilterBox} params=${params} problem=${problem} shown=${shown.length} all=${rows.length} />
			<button onClick=${() => copy(rowsAsCsv(shown), `${shown.length} rows as CSV`)}>Copy as CSV</button>
			<button onClick=${() => selection.set(shown.map((row) => row.name))}>Select all shown</button>
		</div>
		<${BulkBar} />
		<table role="table" class="grid" aria-label="Nodes">
			<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col" class="pick"><span class="unseen">Selected</span></th>
				${Object.keys(COLUMNS).map((name) => html`<${Heading} key=${name} name=${name} sort=${sort} />`)}</tr></thead>
			<tbody role="rowgroup" ref=${body} onKeyDown=${open} onClick=${click}>
				${shown.map((row) => html`<${Row} key=${row.name} row=${row} revision=${row.revision} selected=${selection.has(row.name)} />`)}
			</tbody>
		</table>
		${shown.length === 0 && html`<p class="hint">No node fits this filter.</p>`}
	</div>`;
}
