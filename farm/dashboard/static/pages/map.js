// The map: Purdue levels as bands, subnets as boxes, lines for who really talks to whom.
import { Component, html, useMemo, useRef, useState } from "../vendor/preact-htm.js";
import { useAsked } from "../asking.js";
import { known, wordOf } from "../condition.js";
import { download } from "../export.js";
import { fleet, useFleet } from "../fleet.js";
import { number, plural } from "../format.js";
import { WIDTH, bringTogether, layOut } from "../map-layout.js";
import { change, format, nodeLink } from "../view.js";

const BUNDLED = 150; // more talks than that are a line to a box each, or nobody sees anything

const PATHS = {
	up: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z", down: "M-8-8h16v16h-16z", fault: "M0-9 9 0 0 9-9 0z", degraded: "M0-8 9 8h-18z",
	stale: "M-6-6h12v12h-12z", starting: "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0z", stopped: "M-5-5h10v10h-10z",
	client: "M-7-6h14v9h-14zM-4 6h8",
};

class Spot extends Component {
	shouldComponentUpdate(next) {
		return ["item", "condition", "on", "large", "x", "y"].some((key) => next[key] !== this.props[key]);
	}

	render({ item, condition, large, on, first, x, y }) {
		const { name, client } = item;
		const abnormal = condition !== "up" && !client;
		const kind = client ? "client" : known(condition);
		return html`<a class=${`spot ${kind}${on ? " on" : ""}`} href=${client ? format("clients", "", { q: name }) : nodeLink(name)} tabindex=${first ? 0 : -1}
			data-item=${name} aria-label=${client || !large ? `${name} ${client ? "client" : wordOf(condition)}` : null} transform=${`translate(${x},${y})`}>
			<path d=${PATHS[kind]} />
			${(large || on || item.labelled) && html`<text y="20">${name.length > 16 ? `${name.slice(0, 15)}…` : name}</text>`}
			${abnormal && large && html` <text class="word" y="-13">${wordOf(condition)}</text>`}
		</a>`;
	}
}

/** The page's style with everything in it, for a file that stands alone. */
function standAlone(svg) {
	const copy = svg.cloneNode(true);
	const [from, to] = [svg, copy].map((root) => [root, ...root.querySelectorAll("*")]);
	from.forEach((element, index) => {
		const style = getComputedStyle(element);
		for (const key of ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-size", "font-weight", "font-family", "text-anchor"]) {
			to[index].setAttribute(key, style.getPropertyValue(key));
		}
		for (const key of ["class", "tabindex", "href"]) to[index].removeAttribute(key);
	});
	const paper = document.createElementNS("http://www.w3.org/2000/svg", "rect");
	for (const [key, value] of Object.entries({ width: "100%", height: "100%", fill: getComputedStyle(document.body).backgroundColor })) paper.setAttribute(key, value);
	copy.prepend(paper);
	copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
	return new XMLSerializer().serializeToString(copy);
}

const thick = (rate) => Math.min(6, 0.6 + Math.log10(1 + rate) * 1.8).toFixed(1);

/** Lines to draw: each talk of `at`; of the others, when they are many, one from each client to each box. */
function linesOf(edges, { spots, boxes }, at) {
	const lines = new Map();
	const home = new Map(boxes.flatMap((box) => box.items.map((item) => [item, box])));
	for (const { client, node, requests_per_s: rate } of edges) {
		const [from, to] = [spots.get(client), spots.get(node)];
		if (!from || !to || from === to) continue;
		const on = from.name === at || to.name === at;
		const box = edges.length > BUNDLED && !on && home.get(to) !== home.get(from) && home.get(to);
		const key = `${client}>${box ? box.key : node}`;
		const line = lines.get(key) || { key, on, from, to: box ? { x: box.x + box.width / 2, y: box.y } : to, rate: 0 };
		line.rate += rate;
		lines.set(key, line);
	}
	return [...lines.values()];
}

const Edges = ({ edges, layout, at }) => html`<g class=${`edges${at ? " some" : ""}`} aria-hidden="true">
	${linesOf(edges, layout, at).map(({ key, on, from, to, rate }) => html`<path key=${key} class=${on ? "on" : ""} stroke-width=${thick(rate)}
		d=${`M${from.x},${from.y}Q${(from.x + to.x) / 2 + (to.y - from.y) / 12},${(from.y + to.y) / 2} ${to.x},${to.y}`} />`)}</g>`;

function Told({ at, edges, spots }) {
	const item = spots.get(at);
	if (!item) return html`<p class="hint">Lines are who really talks to whom, the thicker the more requests. Choose a node or client to follow its own.</p>`;
	const here = edges.filter(({ client, node }) => spots.get(client) === item || node === at);
	const rate = here.reduce((sum, edge) => sum + edge.requests_per_s, 0);
	const what = item.client ? `client${item.client.software ? `, ${item.client.software}` : ""}` : `${item.row.address}, ${item.row.profile}, ${wordOf(item.row.condition)}`;
	return html`<p><b>${at}</b>: ${what}; ${plural(here.length, "line")}, ${number(rate)} requests/s${item.client ? "" : here.length ? `, with ${here.slice(0, 6).map((edge) => (edge.node === at ? edge.client : edge.node)).join(", ")}` : ""}</p>`;
}

export function PlantMap({ view: { params } }) {
	useFleet();
	const [found, problem] = useAsked("map", 2);
	const [at, point] = useState("");
	const svg = useRef(null);
	const clients = found?.clients || [];
	const edges = found?.edges || [];
	const together = params.order === "talk";
	const who = clients.map((client) => client.address + client.inside).sort().join();
	const layout = useMemo(() => {
		const made = layOut(fleet.rows, [...clients].sort((a, b) => (a.address < b.address ? -1 : 1)));
		if (together) bringTogether(made, edges);
		return made;
	}, [fleet.rows, who, together]);
	const { bands, boxes, spots, height, large } = layout;
	const over = (event) => point(event.target.closest?.("[data-item]")?.dataset.item || "");
	const items = boxes.flatMap((box) => box.items);
	return html`<div class="page map"><h1 class="unseen">Map</h1>
		<div class="tools">
			<label>Order <select data-key-sort value=${params.order || "grid"} onChange=${(event) => change({ order: event.target.value })}>
				<option value="grid">as in the file</option><option value="talk">near those they talk with</option></select></label>
			<span class="hint">${problem ? problem.message : `${plural(items.length - items.filter((item) => item.client).length, "node")}, ${plural(clients.length, "client")}, ${plural(edges.length, "line")}`}</span>
			<span class="grow"></span>
			<button onClick=${() => download(`${fleet.farm.farm}-map.svg`, "image/svg+xml", standAlone(svg.current))}>Export SVG</button>
		</div>
		<div class="told"><${Told} at=${at} edges=${edges} spots=${spots} /></div>
		<svg ref=${svg} viewBox=${`0 0 ${WIDTH} ${height}`} role="group" aria-label="Map of the plant" onMouseOver=${over} onfocusin=${over}>
			${bands.map((band) => html`<g key=${band.title} class="band"><rect x="0" y=${band.top} width=${WIDTH} height=${band.height} />
				${band.title.split(" · ").map((text, index) => html`<text x="10" y=${band.top + 24 + index * 15}>${text}</text>`)}</g>`)}
			${boxes.map((box) => html`<g key=${box.key} class="box"><rect x=${box.x} y=${box.y} width=${box.width} height=${box.height} rx="3" />
				<text x=${box.x + 6} y=${box.y + 14}>${box.title}</text></g>`)}
			<${Edges} edges=${edges} layout=${layout} at=${at} />
			${items.map((item, index) => html`<${Spot} key=${item.name} item=${item} large=${large} condition=${item.row?.condition} on=${item.name === at} first=${index === 0} x=${item.x} y=${item.y} />`)}
		</svg>
	</div>`;
}
