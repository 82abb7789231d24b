// A node's tags: what they hold now, where that came from, and changing it in place.
import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/preact-htm.js";
import { READ_ONLY, forceTag, releaseTag, typed, writeTag } from "../actions.js";
import { get, node } from "../api.js";
import { useAsked } from "../asking.js";
import { Shape } from "../condition.js";
import { fleet } from "../fleet.js";
import { age, value } from "../format.js";
import { format, isLong } from "../json.js";
import { drawSparklines } from "../sparkline.js";
import { Search, Table, matches } from "../list.js";

const WATCHED = 64; // tags a node reports each second at most; the others are asked for with the list
const ASKED = 16; // tags whose past one answer bears
const KEPT_S = 60;
const MARKED = { forced: "FORCED", faulted: "FAULTED" };

const kindOf = (tag) => tag.type + (tag.dimensions?.length ? `[${tag.dimensions.join(",")}]` : "");

function program(tag) {
	return tag.name.startsWith("Program:") ? tag.name.slice(8).split(".")[0] : "";
}

/** The last minute of each watched tag, by name: [[epoch s, number], ...]. */
function useMinutes(name, names, told) {
	const minutes = useRef(new Map());
	useEffect(() => {
		const take = (found) => Object.entries(found.tags).forEach(([tag, points]) => {
			const since = minutes.current.get(tag) || [];
			const before = points.filter(([time, of]) => typeof of === "number" && !(time >= since[0]?.[0])).slice(-KEPT_S);
			minutes.current.set(tag, [...before, ...since]);
		});
		for (let from = 0; from < names.length; from += ASKED) {
			const tags = names.slice(from, from + ASKED).map(encodeURIComponent).join(",");
			get(`${node(name, "trend")}?tags=${tags}&since=${Date.now() / 1000 - KEPT_S}`).then(take, () => {}); // else lines begin now
		}
	}, [name, names.join()]);
	const now = Date.now() / 1000;
	for (const [tag, of] of Object.entries(told.tags)) {
		const points = minutes.current.get(tag) || [];
		const number = typeof of === "boolean" || isLong(of) ? Number(of) : of;
		if (typeof number === "number" && points.at(-1)?.[0] !== told.at / 1000) points.push([told.at / 1000, number]);
		minutes.current.set(tag, points.filter(([time]) => time > now - KEPT_S));
	}
	return minutes.current;
}

function Editor({ tag, now, force, done }) {
	const box = useRef(null);
	useLayoutEffect(() => box.current.select(), []); // at once: the next key is the value's first
	const keys = async (event) => {
		if (event.key === "Escape") done();
		if (event.key !== "Enter") return;
		event.preventDefault();
		done(typed(event.target.value, tag.type));
	};
	const [text] = useState(typeof now === "string" ? now : format(now)); // not what it becomes while somebody types
	return html`<input ref=${box} class="edit" aria-label=${`${force ? "force" : "write"} ${tag.name}`} defaultValue=${text}
		onKeyDown=${keys} onBlur=${() => done(undefined, true)} size=${Math.min(40, Math.max(10, text.length + 2))} />
		<span class="hint">${force ? "Enter forces" : "Enter writes"}, Esc leaves it</span>`;
}

function TagRow({ tag, now, node: of, reload }) {
	const [editing, edit] = useState("");
	const row = useRef(null);
	const locked = !fleet.canWrite || now === undefined;
	const begin = (mode) => !locked && (mode === "force" || tag.writable) && edit(mode);
	const done = async (typedValue, left) => {
		const mode = editing;
		edit("");
		if (!left) row.current?.focus(); // the next key is for the row again
		if (typedValue === undefined) return;
		await (mode === "force" ? forceTag(of, tag.name, typedValue) : writeTag(of, tag.name, typedValue));
		reload();
	};
	const release = async () => {
		if (locked) return;
		await releaseTag(of, tag.name);
		reload();
	};
	const act = ({ detail }) => {
		if (detail === "w") begin("write");
		if (detail === "F") begin("force");
		if (detail === "R") release();
	};
	const keys = (event) => {
		if (event.key !== "Enter" || event.target !== row.current) return;
		event.preventDefault();
		begin("write");
	};
	const mark = MARKED[tag.source] || (tag.forced ? "FORCED" : "");
	const failed = tag.error !== undefined && tag.error !== null;
	const writer = tag.writer ? `by ${tag.writer}` : "";
	return html`<tr ref=${row} tabindex="0" data-item=${tag.name} onact=${act} onKeyDown=${keys} class=${mark || failed ? "fault" : ""}>
		<th scope="row">${tag.name}</th>
		<td>${kindOf(tag)}</td>
		<td class="value" onDblClick=${() => begin("write")}>${editing ? html`<${Editor} tag=${tag} now=${now} force=${editing === "force"} done=${done} />`
			: html`${value(now, 48)} <span class="unit">${tag.unit || ""}</span>`}</td>
		<td class="spark"></td>
		<td>${mark || failed ? html`<span class="condition"><${Shape} of="fault" /> ${failed ? `ERROR ${value(tag.error)}` : mark}</span>`
			: tag.source || tag.signal || ""}${tag.signal && tag.source === "signal" ? ` (${tag.signal})` : ""}</td>
		<td>${tag.written_s === null || tag.written_s === undefined ? "" : `${age(tag.written_s)} ago`} ${writer}</td>
		<td>${tag.registers || tag.address || ""}</td>
		<td class="row-acts">
			<button tabindex="-1" class="act" disabled=${locked || !tag.writable} onClick=${() => begin("write")}>Write</button>
			${tag.forced ? html`<button tabindex="-1" class="act" disabled=${locked} onClick=${release}>Release</button>`
				: html`<button tabindex="-1" class="act" disabled=${locked} onClick=${() => begin("force")}>Force</button>`}
		</td>
	</tr>`;
}

const HEADINGS = ["Name", "Type", "Value", "Last minute", "Source", "Written", "Place", "Change"];

export function Tags({ name, told, params }) {
	const [found, problem, reload] = useAsked(node(name, "tags"), 3);
	const table = useRef(null);
	const canvas = useRef(null);
	const tags = (found?.tags || []).filter((tag) => matches(params, tag.name));
	tags.sort((a, b) => program(a).localeCompare(program(b)) || 0);
	const watched = tags.filter((tag) => typeof tag.value !== "object").slice(0, WATCHED).map((tag) => tag.name);
	useEffect(() => fleet.watch([name], watched), [name, watched.join()]);
	const minutes = useMinutes(name, watched, told);
	useLayoutEffect(() => {
		if (table.current) drawSparklines(canvas.current, table.current, minutes, KEPT_S);
	});
	if (!found) return html`<p class="hint">${problem ? problem.message : "Asking…"}</p>`;
	const fresh = Date.now() - told.at < 3000;
	return html`<div class="tools">
			<${Search} params=${params} />
			<span class="hint">${tags.length} of ${found.tags.length} tags. ${fleet.canWrite ? "Enter changes a value, F forces, R releases." : READ_ONLY}</span>
			${problem && html`<span class="problem">${problem.message}</span>`}
		</div>
		<div class="under tags" ref=${table}><${Table} label="Tags" heads=${HEADINGS} rows=${tags} empty="No tag of that name.">${tags.map((tag) => html`<${TagRow} key=${tag.name} tag=${tag} node=${name} reload=${reload}
				now=${fresh && tag.name in told.tags && !tag.forced ? told.tags[tag.name] : tag.value} />`)}<//><canvas ref=${canvas} class="sparks" aria-hidden="true"></canvas></div>`;
}
