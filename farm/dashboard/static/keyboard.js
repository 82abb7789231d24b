// Keys of every page. What can be walked through bears data-item; a page acts on what bears data-key-….
import { fleet } from "./fleet.js";
import { showKeys } from "./dialogs.js";
import { go } from "./view.js";

export const KEY_HELP = [
	["/", "to the filter"],
	["g o", "Overview"], ["g n", "Nodes"], ["g m", "Map"], ["g e", "Events"], ["g f", "Faults"], ["g c", "Clients"],
	["j k", "next, previous"],
	["Enter", "open, or change a tag's value"],
	["x", "select"],
	["s", "to the order"],
	["w", "write a tag"], ["F", "force a tag"], ["R", "release a tag"],
	["f", "fault on what is chosen"],
	[".", "pause, go on"],
	["Esc", "leave what is being changed"],
	["?", "this list"],
];

const PAGE_OF = { o: "overview", n: "nodes", m: "map", e: "events", f: "faults", c: "clients" };
const GOING_MS = 1200;
let going = 0;

function move(step) {
	const items = [...document.querySelectorAll("main [data-item]")];
	if (!items.length) return;
	const here = items.indexOf(document.activeElement?.closest("[data-item]"));
	const next = items[Math.min(items.length - 1, Math.max(0, here < 0 ? 0 : here + step))];
	next.focus();
	next.scrollIntoView({ block: "nearest" });
}

const focus = (selector) => document.querySelector(`main ${selector}`)?.focus();

/** Has the page act: on the item that has the focus, else on itself. */
function hand(key) {
	const from = document.activeElement?.closest("[data-item]") || document.querySelector("main");
	return from.dispatchEvent(new CustomEvent("act", { bubbles: true, detail: key }));
}

const KEYS = {
	"/": () => focus("[data-key-filter]"),
	s: () => focus("[data-key-sort]"),
	j: () => move(1),
	k: () => move(-1),
	".": () => fleet.pause(),
	"?": () => showKeys(),
	g: () => (going = Date.now()),
};
const HANDED = ["x", "w", "f", "F", "R"];

const typing = (target) => target.closest("input, select, textarea, [contenteditable]") !== null;

export function listen() {
	addEventListener("keydown", (event) => {
		if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
		if (typing(event.target)) {
			if (event.key === "Escape") event.target.blur();
			return;
		}
		const page = Date.now() - going < GOING_MS && PAGE_OF[event.key];
		going = 0;
		if (page) go(page);
		else if (KEYS[event.key]) KEYS[event.key]();
		else if (HANDED.includes(event.key)) hand(event.key);
		else return;
		event.preventDefault();
	});
}
