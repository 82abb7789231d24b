// The URL's hash is the view, to be sent to a colleague: #nodes?condition=down&sort=p99, #node/intake?tab=tags
import { useEffect, useState } from "./vendor/preact-htm.js";
import { KEYS, words } from "./filter.js";

export const PAGES = ["overview", "nodes", "map", "events", "faults", "clients"];

export function parse(hash) {
	const [, path, query] = hash.match(/^#?([^?]*)\??(.*)$/s);
	const [page, ...rest] = path.split("/");
	const params = Object.fromEntries(new URLSearchParams(query));
	let name = rest.join("/");
	try {
		name = decodeURIComponent(name);
	} catch {
		// a stray % that somebody typed: it is a name that no node has, and the page says so
	}
	return { page: page || "overview", name, params };
}

export function format(page, name = "", params = {}) {
	const kept = Object.entries(params).filter(([, value]) => value !== "" && value !== null && value !== undefined);
	const query = new URLSearchParams(kept).toString();
	return `#${page}${name ? "/" + encodeURIComponent(name) : ""}${query ? "?" + query : ""}`;
}

export const nodeLink = (name, params) => format("node", name, params);

// A change of one's own replaces the entry: "back" leads to the page before, not through every letter of a filter.
export function change(params) {
	const view = parse(location.hash);
	history.replaceState(null, "", format(view.page, view.name, { ...view.params, ...params }));
	dispatchEvent(new HashChangeEvent("hashchange"));
}

export function go(page, name, params) {
	location.hash = format(page, name, params);
}

export function useView() {
	const [view, set] = useState(() => parse(location.hash));
	useEffect(() => {
		const read = () => set(parse(location.hash));
		addEventListener("hashchange", read);
		return () => removeEventListener("hashchange", read);
	}, []);
	return view;
}

// A filter's `key:pattern` words stand in the hash as key=pattern, everything else in q.
export function filterOf(params) {
	const named = KEYS.filter((key) => params[key]).map((key) => `${key}:${params[key]}`);
	return [...named.map((word) => (/\s/.test(word) ? `"${word}"` : word)), params.q || ""].filter(Boolean).join(" ");
}

export function filterParams(text) {
	const params = Object.fromEntries([...KEYS, "q"].map((key) => [key, ""]));
	const rest = [];
	for (const word of words(text)) {
		const [, key, pattern] = word.replace(/^"|"$/g, "").match(/^([a-z]+):(.+)$/) || [];
		if (KEYS.includes(key) && !params[key]) params[key] = pattern;
		else rest.push(word);
	}
	return { ...params, q: rest.join(" ") };
}
