// A quiet grey field of all nodes, beside it who stands out and what happened last.
import { html, useEffect, useLayoutEffect, useRef } from "../vendor/preact-htm.js";
import { Shape } from "../condition.js";
import { Choice, FilterBox } from "../filter-box.js";
import { applyFilter } from "../filter.js";
import { fleet, useFleet } from "../fleet.js";
import { clock, ms, number } from "../format.js";
import { BulkBar, actOn, selection } from "../selection.js";
import { GROUPS, MEASURES, TileField } from "../tiles.js";
import { filterOf, format, nodeLink } from "../view.js";

const TOP = 10;
const LAST = 20;

const names = (options) => Object.fromEntries(Object.entries(options).map(([key, [text]]) => [key, text]));

/** The label that tells most about this plant: groups where it has some, else networks, else kinds. */
function usualGroup(rows) {
	const distinct = (key) => new Set(rows.map((row) => row[key])).size;
	if (rows.filter((row) => row.group).length > rows.length / 2) return "group";
	return distinct("network") > 1 ? "network" : "kind";
}

function useTiles(rows, group, show) {
	const host = useRef(null);
	const field = useRef(null);
	const key = [group, show, ...rows.map((row) => row.name)].join("\n");
	useLayoutEffect(() => {
		field.current ||= new TileField(host.current);
		field.current.build(rows, group, show, selection.has);
	}, [key, fleet.rows]);
	useEffect(() => {
		const stop = [
			fleet.on("frame", () => field.current.update(fleet.changed, selection.has)),
			selection.on(() => field.current.select(selection.has)),
		];
		return () => stop.forEach((end) => end());
	}, []);
	const click = (event) => {
		const name = event.target.closest("[data-item]")?.dataset.item;
		if (!name || !(event.shiftKey || event.ctrlKey || event.metaKey)) return;
		event.preventDefault();
		selection.toggle(name);
	};
	const focused = (event) => {
		const tile = event.target.closest(".tile");
		if (!tile) return;
		for (const other of host.current.querySelectorAll('.tile[tabindex="0"]')) other.tabIndex = -1;
		tile.tabIndex = 0;
	};
	return html`<div class="fields" ref=${host} onClick=${click} onfocusin=${focused}></div>`;
}

function Ranking({ title, rows, by, shown, empty }) {
	const top = rows.filter((row) => by(row) > 0).sort((a, b) => by(b) - by(a) || a.id - b.id).slice(0, TOP);
	return html`<section class="ranking"><h2>${title}</h2>
		${top.length === 0 ? html`<p class="hint">${empty}</p>` : html`<ol>${top.map((row) => html`<li key=${row.id}>
			<${Shape} of=${row.condition} /><a href=${nodeLink(row.name)}>${row.name}</a><span>${shown(row)}</span></li>`)}</ol>`}
	</section>`;
}

function LastEvents() {
	const { events } = useFleet("event");
	const last = events.slice(-LAST).reverse();
	return html`<section class="ranking last"><h2><a href=${format("events")}>Last events</a></h2>
		${last.length === 0 ? html`<p class="hint">Nothing happened yet.</p>` : html`<ol>${last.map((entry) => html`<li key=${entry.id}>
			<time>${clock(entry.time).slice(0, 8)}</time>
			<span class="what"><b>${entry.node}</b> ${entry.text || entry.state}</span></li>`)}</ol>`}
	</section>`;
}

export function Overview({ view: { params } }) {
	useFleet();
	const { rows, faultKinds } = fleet;
	const [shown, problem] = applyFilter(rows, filterOf(params), faultKinds);
	const group = GROUPS[params.group] ? params.group : usualGroup(rows);
	const show = MEASURES[params.show] ? params.show : "requests";
	const tiles = useTiles(shown, group, show);
	return html`<div class="page overview" onact=${actOn}>
		<h1 class="unseen">Overview</h1>
		<div class="tools">
			<${FilterBox} params=${params} problem=${problem} shown=${shown.length} all=${rows.length} />
			<${Choice} label="Group by" name="group" value=${group} options=${names(GROUPS)} sort />
			<${Choice} label="Show" name="show" value=${show} options=${names(MEASURES)} />
			<button onClick=${() => selection.set(shown.map((row) => row.name))}>Select all shown</button>
		</div>
		<${BulkBar} />
		${tiles}
		<aside class="side" aria-label="What stands out">
			<${Ranking} title="Most errors" rows=${shown} by=${(row) => row.errors_per_min} shown=${(row) => `${number(row.errors_per_min)}/min`} empty="None in the last minute." />
			<${Ranking} title="Slowest, p99" rows=${shown} by=${(row) => row.p99_ms} shown=${(row) => `${ms(row.p99_ms)} ms`} empty="Nobody asked anything." />
			<${Ranking} title="Most traffic" rows=${shown} by=${(row) => row.requests_per_s} shown=${(row) => `${number(row.requests_per_s)}/s`} empty="Nobody asked anything." />
			<${LastEvents} />
		</aside>
	</div>`;
}
