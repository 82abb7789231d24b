// The field of tiles. What changed is written straight to its tile: a fifth of the work of comparing five hundred
// components each second.
import { known, wordOf } from "./condition.js";
import { ms, number, plural } from "./format.js";
import { nodeLink } from "./view.js";

const TINY = 1500; // more nodes than that are cells without text
const ROOMY = 60; // so few have room for long names

export const MEASURES = {
	requests: ["requests/s", (row) => `${number(row.requests_per_s)}/s`],
	p99: ["p99 ms", (row) => `${ms(row.p99_ms)} ms`],
	connections: ["connections", (row) => `${number(row.connections)} conn`],
	errors: ["errors/min", (row) => `${number(row.errors_per_min)} err`],
	restarts: ["restarts", (row) => `${number(row.restarts)} rst`],
};

const LEVELS = { 0: "process", 1: "control", 2: "supervision", 3: "operations", 3.5: "DMZ", 4: "site business", 5: "enterprise" };
export const levelName = (level) => (level === null || level === undefined ? "no level" : `level ${level}${LEVELS[level] ? ` · ${LEVELS[level]}` : ""}`);

export const GROUPS = {
	group: ["group", (row) => row.group || "on their own"],
	network: ["network", (row) => row.network || "no network"],
	subnet: ["subnet", (row) => row.subnet || "no subnet"],
	level: ["level", (row) => levelName(row.level)],
	profile: ["profile", (row) => row.profile],
	kind: ["kind", (row) => row.kind],
	none: ["nothing", () => "all nodes"],
};

function make(tag, className, text) {
	const element = document.createElement(tag);
	element.className = className;
	if (text !== undefined) element.textContent = text;
	return element;
}

class Tile {
	constructor(row) {
		this.row = row;
		this.said = ["", "", "", ""];
		this.link = make("a", "tile");
		this.link.href = nodeLink(row.name);
		this.link.tabIndex = -1;
		this.link.dataset.item = row.name;
		this.shape = make("i", "shape");
		this.word = make("span", "word");
		this.measure = make("span", "measure");
		this.mark = make("span", "mark");
		this.link.append(this.shape, make("b", "name", row.name), this.word, this.measure, this.mark);
	}

	/** Writes what is not on screen yet. */
	write(measure, selected) {
		const { row, said } = this;
		const condition = known(row.condition);
		const age = row.condition === "stale" ? ` ${Math.round(row.age_s)} s` : "";
		const forced = row.forced && condition === "fault" && !row.faultCount ? "FORCED" : "";
		const say = [
			`tile ${condition}${selected ? " selected" : ""}`,
			row.condition === "up" ? "" : (forced || wordOf(row.condition)) + age,
			measure(row),
			selected ? "selected" : "",
		];
		if (say[0] !== said[0]) {
			this.link.className = say[0];
			this.shape.className = `shape ${condition}`;
		}
		if (say[1] !== said[1]) this.word.textContent = say[1];
		if (say[2] !== said[2]) this.measure.textContent = say[2];
		if (say[3] !== said[3]) this.mark.textContent = say[3];
		this.said = say;
	}
}

/** Tiles in `host`, one for each row, under the names of their groups. */
export class TileField {
	#host;
	#tiles = new Map();
	#heads = [];
	#measure = MEASURES.requests[1];

	constructor(host) {
		this.#host = host;
	}

	/** Draws all anew: other rows, or another order. `selected` tells of a name whether it is. */
	build(rows, group, measure, selected) {
		this.#measure = MEASURES[measure][1];
		const groups = grouped(rows, GROUPS[group][1]);
		this.#tiles = new Map();
		this.#heads = [];
		const sections = [...groups].map(([name, members]) => {
			const section = make("section", "tiles");
			const head = make("h2", "", name);
			const note = make("small", "");
			head.append(" ", note);
			const field = make("div", "field");
			for (const row of members) {
				const tile = new Tile(row);
				tile.write(this.#measure, selected(row.name));
				this.#tiles.set(row.id, tile);
				field.append(tile.link);
			}
			this.#heads.push([note, members]);
			section.append(head, field);
			return section;
		});
		this.#host.classList.toggle("tiny", rows.length > TINY);
		this.#host.classList.toggle("roomy", rows.length <= ROOMY);
		const held = document.activeElement?.dataset?.item;
		this.#host.replaceChildren(...sections);
		this.#count();
		this.reach(held);
	}

	/** Writes the tiles of the rows with these ids. */
	update(ids, selected) {
		for (const id of ids) {
			const tile = this.#tiles.get(id);
			if (tile) tile.write(this.#measure, selected(tile.row.name));
		}
		this.#count();
	}

	select(selected) {
		this.update(this.#tiles.keys(), selected);
	}

	// One tile is in the tab order, the one that had the focus last: five hundred stops would be none.
	reach(name) {
		const tiles = [...this.#host.querySelectorAll(".tile")];
		const held = tiles.find((tile) => tile.dataset.item === name);
		const one = held || tiles[0];
		for (const tile of tiles) if (tile.tabIndex === 0) tile.tabIndex = -1;
		if (one) one.tabIndex = 0;
		if (held && name) held.focus();
	}

	#count() {
		for (const [note, members] of this.#heads) {
			const off = members.filter((row) => row.condition !== "up").length;
			const text = plural(members.length, "node") + (off ? `, ${off} not up` : "");
			if (note.textContent !== text) note.textContent = text;
		}
	}
}

function grouped(rows, key) {
	const groups = new Map();
	for (const row of rows) {
		const name = key(row);
		if (!groups.has(name)) groups.set(name, []);
		groups.get(name).push(row);
	}
	return groups;
}
