// The filter of a page: what is typed goes to the hash, so that the view can be sent to somebody.
import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { change, filterOf, filterParams } from "./view.js";

export function FilterBox({ params, problem, shown, all }) {
	const wanted = filterOf(params);
	const [text, type] = useState(wanted);
	const box = useRef(null);
	useEffect(() => {
		if (document.activeElement !== box.current) type(wanted); // a count was clicked, or "back"
	}, [wanted]);
	const input = (event) => {
		type(event.target.value);
		change(filterParams(event.target.value));
	};
	return html`<span class="filter">
		<label>Filter <input ref=${box} type="search" data-key-filter value=${text} onInput=${input} size="34" spellcheck=${false}
			autocomplete="off" placeholder="profile:1756* p99>50 -condition:up" aria-describedby="filter-help"
			aria-invalid=${problem ? "true" : null} /></label>
		<span id="filter-help" class=${problem ? "problem" : "hint"}>${problem || (shown === all ? `${all} nodes` : `${shown} of ${all} nodes`)}</span>
		</span>`;
}

export const Choice = ({ label, name, value, options, sort }) => html`<label>${label} <select value=${value} data-key-sort=${sort}
	onChange=${(event) => change({ [name]: event.target.value })}>
	${Object.entries(options).map(([key, text]) => html`<option key=${key} value=${key}>${text}</option>`)}</select></label>`;
