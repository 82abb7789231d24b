// The page, alive: asks once a second for what its path names and puts it into tables, as text. It asks for nothing
// while nobody sees it, and less often while an answer takes long. What a person changes goes out by PUT.

const EVERY = 1000, PATIENCE = 8000;
const { group, match } = document.body.dataset;
const look = ["api", group, match].map(encodeURIComponent).join("/");
const state = document.getElementById("state");
const said = document.getElementById("said");
const live = document.getElementById("live");
const answer = document.getElementById("answer");
const json = answer.querySelector("pre");

function make(name, properties = {}, ...children) {
	const made = Object.assign(document.createElement(name), properties);
	made.append(...children);
	return made;
}

function put(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

function show(element, shown) {
	if (element.hidden === shown) element.hidden = !shown;
}

async function ask(path, options = {}) {
	const headers = { Accept: "application/json", ...options.headers };
	const reply = await fetch(`/${path}`, { ...options, headers, signal: AbortSignal.timeout(PATIENCE) });
	const body = await reply.json();
	if (!body.data) throw new Error([body.error, body.hint].filter(Boolean).join(": "));
	return body;
}

// --- changes ------------------------------------------------------------------------------------------------------

async function set(words, value) {
	const path = ["api", ...words].map(encodeURIComponent).join("/");
	let command;
	try {
		const body = JSON.stringify({ value });
		({ command } = await ask(path, { method: "PUT", body, headers: { "Content-Type": "application/json" } }));
	} catch (error) {
		command = { success: false, message: error.message };
	}
	tell(command);
	refresh();
	return command;
}

function tell({ success, message }) {
	said.classList.toggle("problem", !success);
	said.replaceChildren(make("b", { textContent: success ? "Done" : "Not done" }), ` ${message}`);
	said.hidden = false;
}

function field(label, properties = {}) {
	const input = make("input", { autocomplete: "off", spellcheck: false, ...properties });
	return { input, label: make("label", {}, label, input) };
}

function form(fields, word, submit) {
	const made = make("form", {}, ...fields.map((each) => each.label), make("button", { textContent: word }));
	made.addEventListener("submit", (event) => {
		event.preventDefault();
		submit(...fields.map((each) => each.input.value.trim()));
	});
	return made;
}

// A figure that somebody is typing stays as it is typed.
function follow(input, value) {
	const text = String(value);
	if (input.dataset.was === text) return;
	if (document.activeElement !== input) input.value = text;
	input.dataset.was = text;
}

// What cannot be taken back wants a second press.
function twice(button, word, act) {
	button.addEventListener("click", () => {
		if (button.dataset.sure) return act();
		const first = button.textContent;
		button.dataset.sure = "1";
		button.textContent = word;
		setTimeout(() => {
			delete button.dataset.sure;
			button.textContent = first;
		}, 4000);
	});
}

// --- tables: a row for each name, of which only the text that changed is touched ----------------------------------

class Table {
	constructor(title, columns, begin, fill) {
		this.rows = new Map();
		this.begin = begin;
		this.fill = fill;
		this.body = make("tbody");
		const head = make("tr", {}, ...columns.map((text) => make("th", { scope: "col", textContent: text })));
		this.table = make("table", {}, make("thead", {}, head), this.body);
		this.none = make("p", { className: "none" });
		this.count = make("h2", { textContent: title });
		this.bar = make("div", { className: "bar" }, this.count);
		this.section = make("section", { hidden: true }, this.bar, make("div", { className: "scroll" }, this.table), this.none);
		this.title = title;
		live.append(this.section);
	}

	update(things, wanted, nothing) {
		const names = Object.keys(things);
		show(this.section, wanted || names.length > 0);
		put(this.count, names.length ? `${this.title} (${names.length})` : this.title);
		show(this.table, names.length > 0);
		show(this.none, names.length === 0);
		put(this.none, nothing);
		for (const [name, row] of this.rows) {
			if (!(name in things)) {
				row.element.remove();
				this.rows.delete(name);
			}
		}
		for (const name of names) {
			let row = this.rows.get(name);
			if (!row) {
				row = this.begin(name);
				this.rows.set(name, row);
				this.body.append(row.element);
			}
			this.fill(row, things[name], name);
		}
	}
}

function rowOf(classes, button) {
	const cells = classes.map((className) => make("td", { className }));
	return { cells, element: make("tr", {}, ...cells, make("td", { className: "acts" }, button)) };
}

const tags = new Table("Tags", ["Name", "Type", "Value", "Error", "Change"],
	(name) => {
		const button = make("button", { type: "button", textContent: "Set …" });
		button.setAttribute("aria-label", `Set ${name}`);
		button.addEventListener("click", () => edit(name));
		const row = rowOf(["name", "type", "value", "error"], button);
		put(row.cells[0], name);
		return row;
	},
	(row, tag, name) => {
		const { type, value } = parts(name, tag.attribute);
		const error = tag.error ? [].concat(tag.error).map(hex).join(", ") : "";
		[name, type, value, error].forEach((text, index) => put(row.cells[index], text));
		row.element.classList.toggle("errs", error !== "");
		show(row.element, fits(name));
	});

const connections = new Table("Connections", ["Peer", "Requests", "Bytes received", "Change"],
	(name) => {
		const button = make("button", { type: "button", textContent: "End" });
		button.setAttribute("aria-label", `End ${name}`);
		button.addEventListener("click", () => set(["connections", name, "eof"], true));
		return rowOf(["name", "value", "value"], button);
	},
	(row, peer) => {
		put(row.cells[0], `${peer.interface}:${peer.port}`);
		put(row.cells[1], String(peer.requests));
		put(row.cells[2], String(peer.received));
	});

function hex(code) {
	return `0x${code.toString(16).padStart(2, "0").toUpperCase()}`;
}

function parts(name, attribute) {
	const rest = attribute.slice(name.length).trimStart();
	const at = rest.indexOf(" == ");
	return { type: rest.slice(0, at), value: rest.slice(at + 4) };
}

const filter = field("Filter", { type: "search" });
tags.bar.append(filter.label);
filter.input.addEventListener("input", () => {
	for (const [name, row] of tags.rows) show(row.element, fits(name));
});

function fits(name) {
	return name.toLowerCase().includes(filter.input.value.trim().toLowerCase());
}

// --- one tag ------------------------------------------------------------------------------------------------------

const dialog = make("dialog");
document.body.append(dialog);

async function edit(name) {
	const { type } = parts(name, known.tags[name].attribute);
	const isArray = type.includes("[");
	const heading = make("h2", { id: "tag", textContent: `${name} ${type}` });
	const count = isArray ? type.match(/[\d,]+(?=\]$)/)[0].split(",").reduce((all, each) => all * each, 1) : 1;
	const part = make("p", { className: "none", textContent: "The first 100 elements:", hidden: count <= 100 });
	const all = make("pre", { tabIndex: 0 });
	const told = make("p", { className: "said", hidden: true });
	told.setAttribute("role", "status");
	const value = field("Value", { className: "wide", required: true });
	const index = field("Element", { value: "0", inputMode: "numeric" });
	const error = field("Status of every access, 0 for none", { value: [].concat(known.tags[name].error).join(",") });
	const after = (command) => {
		told.classList.toggle("problem", !command.success);
		put(told, command.message);
		told.hidden = false;
		fill();
	};
	const fill = async () => {
		try {
			const { command } = await ask(["api", "tags", name, "attribute"].map(encodeURIComponent).join("/"));
			put(all, command.message.replace(/^.*?: /, ""));
		} catch (error) {
			put(all, error.message);
		}
	};
	const write = form(isArray ? [index, value] : [value], "Write", async (...typed) => {
		const at = isArray ? `attribute[${typed[0]}]` : "attribute";
		after(await set(["tags", name, at], typed.at(-1)));
	});
	const refuse = form([error], "Set error", async (code) => after(await set(["tags", name, "error"], code)));
	const close = make("button", { type: "button", textContent: "Close" });
	close.addEventListener("click", () => dialog.close());
	dialog.setAttribute("aria-labelledby", "tag");
	dialog.replaceChildren(heading, part, all, write, refuse, told, close);
	dialog.showModal();
	value.input.focus();
	await fill();
}

// --- options and the server ---------------------------------------------------------------------------------------

const delay = field("Delay of replies, s");
const latency = field("Closing begins after, s"), timeout = field("and takes at most, s");
const disable = make("button", { type: "button" });
const done = make("button", { type: "button", className: "grave", textContent: "End the simulator" });
const server = make("section", { hidden: true }, make("div", { className: "bar" }, make("h2", { textContent: "Server" }),
	form([delay], "Set delay", (text) => set(["options", "delay", /\d-/.test(text) ? "range" : "value"], text)),
	form([latency, timeout], "Set", async (soon, long) => {
		if (soon !== latency.input.dataset.was) await set(["server", "control", "latency"], soon);
		if (long !== timeout.input.dataset.was) await set(["server", "control", "timeout"], long);
	}),
	make("fieldset", {}, disable, done)));
live.prepend(server);
disable.addEventListener("click", () => set(["server", "control", "disable"], !disabled));
twice(done, "Press again: it ends", () => set(["server", "control", "done"], true));

let disabled = false, known = { tags: {} };

function showServer(options, control) {
	show(server, Boolean(options || control));
	show(delay.label.parentElement, Boolean(options));
	show(latency.label.parentElement, Boolean(control));
	show(disable.parentElement, Boolean(control));
	if (options) follow(delay.input, options.delay.value ?? options.delay.range);
	if (!control) return;
	disabled = control.disable;
	follow(latency.input, control.latency);
	follow(timeout.input, control.timeout);
	put(disable, disabled ? "Enable: open its ports" : "Disable: close its ports");
	put(state, control.done ? "ending" : disabled ? "disabled" : "serving");
	state.className = disabled ? "disabled" : "serving";
}

// --- the clock ----------------------------------------------------------------------------------------------------

let timer = 0, heard = performance.now(), asking = false;

async function refresh() {
	clearTimeout(timer);
	if (asking) return;
	asking = true;
	const began = performance.now();
	try {
		const { data } = await ask(look);
		known = { ...data, tags: data.tags ?? {} };
		heard = performance.now();
		live.classList.remove("stale");
		showServer(data.options, data.server?.control);
		if (!data.server) {
			put(state, "live");
			state.className = "";
		}
		const of = (name) => ["*", name].includes(group);
		tags.update(known.tags, of("tags"), "There is none here.");
		connections.update(data.connections ?? {}, of("connections"), "Nobody is connected.");
		if (answer.open && live.childElementCount && !alive) answer.open = false;
		alive = true;
		if (answer.open) put(json, JSON.stringify(data, null, 4));
	} catch (error) {
		live.classList.add("stale");
		put(state, `no answer for ${Math.round((performance.now() - heard) / 1000)} s`);
		state.className = "silent";
	}
	asking = false;
	const took = performance.now() - began;
	if (!document.hidden) timer = setTimeout(refresh, Math.max(EVERY - took, 3 * took, 100));
}

let alive = false;
document.addEventListener("visibilitychange", () => document.hidden || refresh());
answer.addEventListener("toggle", () => answer.open && put(json, JSON.stringify(known, null, 4)));
refresh();
