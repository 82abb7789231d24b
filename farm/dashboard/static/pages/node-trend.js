// Ten minutes of a node, live: up to eight of its tags above, what clients got below, one cursor over both.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact-htm.js";
import { get, node } from "../api.js";
import { library, useAsked } from "../asking.js";
import { csv, download } from "../export.js";
import { fleet } from "../fleet.js";
import { change } from "../view.js";

const MOST = 8;
const KEPT_S = 600;
// Lines are told apart by their dashes too: colour alone is nothing on a grey projector.
const STROKES = ["#0b5fa5", "#b26a00", "#8e24aa", "#2e7d32", "#b00020", "#00838f", "#6d4c41", "#555"];
const DASHES = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 2], [1, 4], [12, 6], [4, 4, 1, 4]];

const AXIS = { size: 52, labelSize: 20 };
const pad = (of) => String(of).padStart(2, "0");

/** The time of day, which is all that ten minutes need. */
const timeOfDay = (epoch) => {
  const at = new Date(epoch * 1000);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map(pad).join(":");
};

const numeric = (tag) => !tag.dimensions?.length && !/STRING/.test(tag.type) && typeof tag.value !== "object";

/** Adds what came since to what is kept; the last second is told again, since it may not have been whole. */
function merge(kept, news) {
  if (!kept) return news;
  const since = news.times[0] ?? Infinity;
  const cut = kept.times.findIndex((time) => time >= since);
  const end = cut < 0 ? kept.times.length : cut;
  const first = kept.times.findIndex((time) => time > (news.times.at(-1) ?? 0) - KEPT_S);
  const column = (key) => [...kept[key].slice(Math.max(0, first), end), ...news[key]];
  const merged = Object.fromEntries(["times", "requests", "errors", "p50", "p99", "connections"].map((key) => [key, column(key)]));
  merged.tags = {};
  for (const [name, points] of Object.entries(news.tags)) {
    const from = points[0]?.[0] ?? Infinity;
    const old = (kept.tags[name] || []).filter(([time]) => time < from);
    merged.tags[name] = [...old, ...points].filter(([time]) => time > merged.times[0]);
  }
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
  const tables = tags.map((tag) => {
    const points = (trend.tags[tag] || []).map(([time, of]) => [time, typeof of === "boolean" ? Number(of) : typeof of === "number" ? of : null]);
    return [points.map(([time]) => time), points.map(([, of]) => of)];
  });
  return tables.length ? globalThis.uPlot.join(tables) : [trend.times];
};

function Chart({ data, series, title, height, axes, stepped }) {
  const host = useRef(null);
  const chart = useRef(null);
  const key = series.join();
  useLayoutEffect(() => {
    const UPlot = globalThis.uPlot;
    const style = getComputedStyle(host.current);
    const axis = { stroke: style.color, grid: { stroke: style.getPropertyValue("--line"), width: 1 }, ticks: { stroke: style.getPropertyValue("--line") } };
    chart.current = new UPlot({
      title, height, width: host.current.clientWidth, cursor: { sync: { key: "node" } },
      scales: { x: { time: true } },
      axes: [{ ...axis, space: 90, values: (_, times) => times.map(timeOfDay) }, ...axes.map((more) => ({ ...axis, ...more }))],
      series: [{ label: "time", value: (_, time) => (time ? timeOfDay(time) : "–") }, ...series.map(([label, scale], index) => ({
        label, scale, stroke: STROKES[index], dash: DASHES[index], width: 1.5, spanGaps: false,
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
  const joined = globalThis.uPlot.join([[trend.times, trend.requests, trend.errors, trend.p50, trend.p99, trend.connections], ...(tags.length ? [tagData(trend, tags)] : [])]);
  const heads = ["time", "requests/s", "errors/s", "p50 ms", "p99 ms", "connections", ...tags];
  download(`${name}-trend.csv`, "text/csv", csv([heads, ...joined[0].map((time, row) => [new Date(time * 1000).toISOString(), ...joined.slice(1).map((column) => column[row])])]));
};

export function Trend({ name, params }) {
  const [ready, set] = useState(false);
  const [listed] = useAsked(node(name, "tags"));
  const unitOf = new Map((listed?.tags || []).filter(numeric).map((tag) => [tag.name, tag.unit || "no unit"]));
  const possible = [...unitOf.keys()];
  const tags = (params.tags === undefined ? possible.slice(0, 2) : params.tags.split(",").filter(Boolean)).slice(0, MOST);
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
        <option value="">add one…</option>${possible.filter((tag) => !tags.includes(tag)).map((tag) => html`<option key=${tag}>${tag}</option>`)}</select></label>
      ${tags.map((tag) => html`<button key=${tag} onClick=${() => toggle(tag)}>${tag} <span aria-hidden="true">×</span><span class="unseen">take away</span></button>`)}
      <span class="grow"></span>
      <button onClick=${() => saveNumbers(name, trend, tags)}>CSV</button><button onClick=${() => savePicture(name)}>PNG</button>
    </div>
    ${tags.length > 0 && html`<${Chart} title="Tags" height=${230} data=${tagData(trend, tags)} stepped
      series=${tags.map((tag) => [tag, unitOf.get(tag)])} axes=${units.map((unit, index) => ({ ...AXIS, scale: unit, label: unit, side: index ? 1 : 3, grid: { show: !index } }))} />`}
    <${Chart} title="Requests" height=${190} data=${[trend.times, trend.requests, trend.p50, trend.p99]}
      series=${[["requests/s", "rate"], ["p50 ms", "ms"], ["p99 ms", "ms"]]} axes=${[{ ...AXIS, scale: "rate", label: "requests/s" }, { ...AXIS, scale: "ms", side: 1, label: "ms", grid: { show: false } }]} />`;
}
