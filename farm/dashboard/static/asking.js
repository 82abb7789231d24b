// Asking the server for what a page shows beside the fleet, once or again and again.
import { useCallback, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { get } from "./api.js";
import { fleet } from "./fleet.js";

/** [the last answer of `path`, the last error or null, ask again]. `seconds` 0 asks once; a pause asks nothing. */
export function useAsked(path, seconds = 0) {
	const [state, set] = useState([null, null]);
	const { current: turn } = useRef({ asked: 0, told: 0 });
	const ask = useCallback(async () => {
		const mine = ++turn.asked;
		const next = await get(path).then((found) => [found, null], (error) => ([last]) => [last, error]);
		if (mine <= turn.told) return; // what was asked later is known, or something else is wanted
		turn.told = mine;
		set(next);
	}, [path]);
	useEffect(() => {
		set([null, null]);
		turn.told = turn.asked;
		if (!path) return undefined; // there is nothing to ask about
		ask();
		if (!seconds) return undefined;
		const timer = setInterval(() => fleet.paused || document.hidden || ask(), seconds * 1000);
		return () => clearInterval(timer);
	}, [ask, seconds]);
	return [...state, ask];
}

const scripts = new Map();

/** A library that is a plain script, fetched when a page first needs it. */
export function library(...files) {
	const load = (file) => {
		if (!scripts.has(file)) {
			scripts.set(file, new Promise((resolve, reject) => {
				const style = file.endsWith(".css");
				const element = document.createElement(style ? "link" : "script");
				element[style ? "href" : "src"] = new URL(`vendor/${file}`, import.meta.url);
				if (style) element.rel = "stylesheet";
				element.onload = resolve;
				element.onerror = () => reject(new Error(`${file} cannot be loaded`));
				document.head.append(element);
			}));
		}
		return scripts.get(file);
	};
	return files.reduce((before, file) => before.then(() => load(file)), Promise.resolve());
}
