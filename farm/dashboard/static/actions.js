// What the pages do to the plant. Each says how it went; none throws.
import { node, post, put, remove, tag } from "./api.js";
import { confirmCount, say } from "./dialogs.js";
import { fleet } from "./fleet.js";
import { count, plural } from "./format.js";
import { parse } from "./json.js";

export const READ_ONLY = "read only: sign in to change things";

export async function attempt(act, done = "") {
	try {
		const answer = await act();
		if (done) say(done);
		return answer ?? {};
	} catch (error) {
		say([error.message, error.detail, error.hint].filter(Boolean).join(" · "), true);
		return null;
	}
}

const whom = (names) => (names.length === 1 ? names[0] : plural(names.length, "node"));
const confirmed = (names) => (names.length > 10 ? { confirm: names.length } : {});

/** `verb` is restart, stop or start. */
export async function changeNodes(verb, names) {
	if (!names.length || !(await confirmCount(verb[0].toUpperCase() + verb.slice(1), names))) return null;
	return attempt(() => post(`nodes:${verb}`, { nodes: names, ...confirmed(names) }), `${verb}: ${whom(names)}`);
}

export const writeTag = (of, name, value) => attempt(() => put(tag(of, name), { value, mode: "write" }));
export const forceTag = (of, name, value) => attempt(() => put(tag(of, name), { value, mode: "force" }), `${of}: ${name} is forced`);
export const releaseTag = (of, name) => attempt(() => put(tag(of, name), { mode: "release" }), `${of}: ${name} is released`);

export async function writeMany(names, tagName, value, mode) {
	if (!(await confirmCount("Write to", names))) return null;
	const writes = names.map((of) => ({ node: of, tag: tagName, value, mode }));
	const answer = await attempt(() => post("tags:batch", { writes, ...confirmed(names) }));
	const failed = answer?.results.filter((one) => one.error) || [];
	if (failed.length) say(`${mode}: ${tagName} of ${count(failed.length)} of ${whom(names)} failed · ${failed[0].node}: ${failed[0].error}`, true);
	else if (answer) say(`${mode}: ${tagName} of ${whom(names)}`);
	return answer;
}

export async function addFault(fault, names, more) {
	if (!(await confirmCount("Put a fault on", names))) return null;
	const answer = await attempt(() => post("faults", { fault, nodes: names, ...more, ...confirmed(names) }));
	if (answer) say(answer.fault.text);
	await attempt(() => fleet.loadFaults());
	return answer;
}

export async function clearFaults(id) {
	const answer = await attempt(() => remove(id === undefined ? "faults" : `faults/${id}`), id === undefined ? "all faults are gone" : "the fault is gone");
	await attempt(() => fleet.loadFaults());
	return answer;
}

export const kick = (of, peer) => attempt(() => remove(`${node(of)}/connections/${encodeURIComponent(peer)}`), `${peer} was sent off`);

/** A value as people type it: JSON where it is some, else text as it stands. */
export function typed(text, type = "") {
	if (/STRING/.test(type)) return text;
	try {
		return parse(text);
	} catch {
		return text; // the node says what does not fit
	}
}
