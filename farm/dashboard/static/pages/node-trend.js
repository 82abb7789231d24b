// Ten minutes of a node, live: up to eight of its tags above, what clients got below, one cursor over both.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact-htm.js";
import { get, node } from "../api.js";
import { library, useAsked } from "../asking.js";
import { csv, download } from "../export.js";
import { fleet } from "../fleet.js";
import { change } from "../view.js";

const MOST = 8;
const KEPT_S = 600;
// Lines differ in their dashes too: a projector may be grey.
const HUES = [210, 30, 285, 140, 350, 185, 55, 250];
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2], [1, 4], [12, 6], [4, 4, 1, 4]];

const COLUMNS = ["times", "requests", "errors", "p50", "p99", "connections"];
const AXIS = { size: 52, labelSize: 20 };
const timeOfDay = (epoch) => new Date(epoch * 1000).toTimeString().slice(0, 8);
const numeric = (tag) => !tag.dimensions?.length && !/STRING/.test(tag.type) && typeof tag.value !== "object";

/** Adds what came since to what is kept; the last second, which may not have been whole, is told again. */
function merge(kept, news) {
	if (!kept) return news;
	const begin = (news.times.at(-1) ?? 0) - KEPT_S;
	const stays = (time, next) => time > begin && !(time >= next);
	const column = (key) => [...kept[key].filter((_, row) => stays(kept.times[row], news.times[0])), ...news[key]];
	const merged = Object.fromEntries(COLUMNS.map((key) => [key, column(key)]));
	merged.tags = Object.fromEntries(Object.entries(news.tags).map(([name, points]) =>
		[name, [...(kept.tags[name] || []).filter(([time]) => stays(time, points[0]?.[0])), ...points]]));
	return merged;
}

function useTrend(name, tags) {
	const [trend, set] = useState(null);
	const key = tags.join();
	useEffect(() => {
		let kept = null;
		let over = false;
		const ask = async () => {
			const since = kept?.times.length ? kept.times.at(-1) - 1 : 0;
			try {
				const news = await get(`${node(name, "trend")}?tags=${tags.map(encodeURIComponent).join(",")}&since=${since}`);
				if (over) return;
				kept = merge(kept, news);
				set(kept);
			} catch {
				// the strip says that nothing comes; the curves stay where they are
			}
		};
		ask();
		const timer = setInterval(() => fleet.paused || document.hidden || ask(), 1000);
		return () => {
			over = true;
			clearInterval(timer);
		};
	}, [name, key]);
	return trend;
}

const tagData = (trend, tags) => {
	const tables = [[trend.times]]; // both charts have the same ten minutes
	tags.forEach((tag) => {
		const points = (trend.tags[tag] || []).map(([time, of]) => [time, typeof of === "boolean" ? Number(of) : typeof of === "number" ? of : null]);
		tables.push([points.map(([time]) => time), points.map(([, of]) => of)]);
	});
	return globalThis.uPlot.join(tables);
};

function Chart({ data, series, title, height, axes, stepped }) {
	const host = useRef(null);
	const chart = useRef(null);
	const key = series.join();
	useLayoutEffect(() => {
		const UPlot = globalThis.uPlot;
		const style = getComputedStyle(host.current);
		const dark = matchMedia("(prefers-color-scheme: dark)").matches;
		const axis = { stroke: style.color, grid: { stroke: style.getPropertyValue("--line"), width: 1 }, ticks: { stroke: style.getPropertyValue("--line") } };
		chart.current = new UPlot({
			title, height, width: host.current.clientWidth, cursor: { sync: { key: "node" } },
			scales: { x: { time: true } },
			axes: [{ ...axis, space: 90, incrs: [1, 5, 15, 30, 60, 120], values: (_, times) => times.map(timeOfDay) }, ...axes.map((more) => ({ ...axis, ...more }))],
			series: [{ label: "time", value: (_, time) => (time ? timeOfDay(time) : "–") }, ...series.map(([label, scale], index) => ({
				label, scale, stroke: `hsl(${HUES[index]} 75% ${dark ? 68 : 34}%)`, dash: DASHES[index], width: 1.5, spanGaps: false,
				paths: stepped ? UPlot.paths.stepped({ align: 1 }) : undefined,
			}))],
		}, data, host.current);
		const fit = new ResizeObserver(() => chart.current.setSize({ width: host.current.clientWidth, height }));
		fit.observe(host.current);
		return () => {
			fit.disconnect();
			chart.current.destroy();
		};
	}, [key]);
	useEffect(() => chart.current.setData(data), [data]);
	return html`<div class="chart" ref=${host} role="img" aria-label=${title}></div>`;
}

function savePicture(name) {
	const drawn = [...document.querySelectorAll(".chart canvas")];
	const whole = document.createElement("canvas");
	whole.width = Math.max(...drawn.map((canvas) => canvas.width));
	whole.height = drawn.reduce((sum, canvas) => sum + canvas.height, 0);
	const pen = whole.getContext("2d");
	pen.fillStyle = getComputedStyle(document.body).backgroundColor;
	pen.fillRect(0, 0, whole.width, whole.height);
	let top = 0;
	for (const canvas of drawn) {
		pen.drawImage(canvas, 0, top);
		top += canvas.height;
	}
	whole.toBlob((blob) => download(`${name}-trend.png`, "image/png", blob));
}

const saveNumbers = (name, trend, tags) => {
	const joined = globalThis.uPlot.join([COLUMNS.map((key) => trend[key]), tagData(trend, tags)]);
	const heads = ["time", "requests/s", "errors/s", "p50 ms", "p99 ms", "connections", ...tags];
	download(`${name}-trend.csv`, "text/csv", csv([heads, ...joined[0].map((time, row) => [new Date(time * 1000).toISOString(), ...joined.slice(1).map((column) => column[row])])]));
};

export function Trend({ name, params }) {
	const [ready, set] = useState(false);
	const [listed] = useAsked(node(name, "tags"), 10);
	const unitOf = new Map((listed?.tags || []).filter(numeric).map((tag) => [tag.name, tag.unit || "no unit"]));
	const possible = [...unitOf.keys()];
	const moving = (listed?.tags || []).filter((tag) => numeric(tag) && tag.signal && /REAL/.test(tag.type)).map((tag) => tag.name);
	const usual = (moving.length ? moving : possible).slice(0, 2);
	const tags = (params.tags === undefined ? usual : params.tags.split(",").filter(Boolean)).slice(0, MOST);
	const trend = useTrend(name, tags);
	useEffect(() => fleet.watch([name], tags), [name, tags.join()]);
	useEffect(() => {
		library("uPlot.min.css", "uPlot.iife.min.js").then(() => set(true));
	}, []);
	if (!ready || !trend || !listed) return html`<p class="hint">Asking…</p>`;
	const units = [...new Set(tags.map((tag) => unitOf.get(tag)))].slice(0, 2); // a third unit has its own scale and no axis
	const toggle = (tag) => change({ tags: (tags.includes(tag) ? tags.filter((other) => other !== tag) : [...tags, tag]).join(",") || "," });
	return html`<div class="tools">
			<label>Tags <select data-key-filter onChange=${(event) => { toggle(event.target.value); event.target.value = ""; }} disabled=${tags.length >= MOST}>
				<option value="">add one…</option>${possible.filter((tag) => !tags.includes(tag)).map((tag) => html`<option key=${tag} value=${tag}>${tag}</option>`)}</select></label>
			${tags.map((tag) => html`<button key=${tag} onClick=${() => toggle(tag)}>${tag} <span aria-hidden="true">×</span><span class="unseen">take away</span></button>`)}
			<span class="grow"></span>
			<button onClick=${() => saveNumbers(name, trend, tags)}>CSV</button><button onClick=${() => savePicture(name)}>PNG</button>
		</div>
		${tags.length > 0 && html`<${Chart} title="Tags" height=${230} data=${tagData(trend, tags)} stepped
			series=${tags.map((tag) => [tag, unitOf.get(tag)])} axes=${units.map((unit, index) => ({ ...AXIS, scale: unit, label: unit, side: index ? 1 : 3, grid: { show: !index } }))} />`}
		<${Chart} title="Requests" height=${190} data=${[trend.times, trend.requests, trend.p50, trend.p99]}
			series=${[["requests/s", "rate"], ["p50 ms", "ms"], ["p99 ms", "ms"]]} axes=${[{ ...AXIS, scale: "rate", label: "requests/s" }, { ...AXIS, scale: "ms", side: 1, label: "ms", grid: { show: false } }]} />`;
}
