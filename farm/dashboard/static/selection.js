// Which nodes are chosen, on whatever page: a choice among the tiles is still there in the table.
import { html, useEffect, useReducer, useState } from "./vendor/preact-htm.js";
import { READ_ONLY, changeNodes, typed, writeMany } from "./actions.js";
import { ask } from "./dialogs.js";
import { download, rowsAsCsv } from "./export.js";
import { fleet } from "./fleet.js";
import { plural } from "./format.js";
import { go } from "./view.js";

const chosen = new Set();
const listeners = new Set();
const tell = () => listeners.forEach((listener) => listener());

export const selection = {
	has: (name) => chosen.has(name),
	get names() {
		return [...chosen].filter((name) => fleet.byName.has(name));
	},
	toggle(name) {
		if (!chosen.delete(name)) chosen.add(name);
		tell();
	},
	set(names) {
		chosen.clear();
		names.forEach((name) => chosen.add(name));
		tell();
	},
	on(listener) {
		listeners.add(listener);
		return () => listeners.delete(listener);
	},
};

export function useSelection() {
	const [, draw] = useReducer((n) => n + 1, 0);
	useEffect(() => selection.on(draw), []);
	return selection;
}

/** To the form of faults, with these nodes in it. */
export const faultOn = (names) => go("faults", "", { nodes: names.join(",") });

/** A key on a tile or a row of the table: it is selected, or a fault is put on what is. */
export function actOn(event) {
	const name = event.target.closest?.("[data-item]")?.dataset.item;
	if (event.detail === "x" && name) selection.toggle(name);
	if (event.detail === "f") faultOn(selection.names.length || !name ? selection.names : [name]);
}

function askTag(names) {
	return ask(`Write a tag of ${plural(names.length, "node")}`, ({ done }) => {
		const [mode, choose] = useState("write");
		const submit = (event) => {
			event.preventDefault();
			const { tag, value } = event.target.elements;
			done();
			writeMany(names, tag.value.trim(), mode === "release" ? null : typed(value.value), mode);
		};
		return html`<form onSubmit=${submit}>
			<label>Tag <input name="tag" required autofocus autocomplete="off" /></label>
			<label>How <select value=${mode} onChange=${(event) => choose(event.target.value)}>
				<option value="write">write once, as a client does</option>
				<option value="force">force: it stays whatever clients write</option>
				<option value="release">release what is forced</option></select></label>
			<label>Value <input name="value" required=${mode !== "release"} disabled=${mode === "release"} autocomplete="off" /></label>
			<p class="answers"><button class="act">Go on</button><button type="button" onClick=${() => done()}>Cancel</button></p>
		</form>`;
	});
}

export function BulkBar() {
	const { names } = useSelection();
	if (!names.length) return null;
	const locked = !fleet.canWrite;
	const button = (text, act) => html`<button class="act" disabled=${locked} onClick=${act}>${text}</button>`;
	return html`<div class="bulk" role="region" aria-label="What is selected">
		<b>${plural(names.length, "node")} selected</b>
		${button("Restart", () => changeNodes("restart", names))}
		${button("Stop", () => changeNodes("stop", names))}
		${button("Start", () => changeNodes("start", names))}
		${button("Write a tag…", () => askTag(names))}
		<button onClick=${() => faultOn(names)}>Fault…</button>
		<button onClick=${() => download("nodes.csv", "text/csv", rowsAsCsv(names.map((name) => fleet.byName.get(name))))}>Export CSV</button>
		<button class="quiet" onClick=${() => selection.set([])}>Clear</button>
		${locked && html`<span class="hint">${READ_ONLY}</span>`}
	</div>`;
}
