// What lists of the pages share: a table with its headings, and the box that narrows it.
import { html } from "./vendor/preact-htm.js";
import { change } from "./view.js";

/** A table whose rows are `children`, or `empty` as a sentence when there are no `rows`. */
export const Table = ({ label, heads, children, empty, rows, ...more }) => rows.length === 0 ? html`<p class="hint">${empty}</p>`
	: html`<table class="list" aria-label=${label} ...${more}>
		<thead><tr>${heads.map((text) => html`<th scope="col" key=${text}>${text}</th>`)}</tr></thead>
		<tbody>${children}</tbody></table>`;

/** A field whose text stands in the hash, so that the view can be sent to somebody. */
export const Search = ({ label = "Find", name = "q", params, ...more }) => html`<label>${label} <input type="search" value=${params[name] || ""}
	spellcheck=${false} autocomplete="off" data-key-filter=${name === "q" || null} onInput=${(event) => change({ [name]: event.target.value })} ...${more} /></label>`;

export const Fact = ({ name, children }) => html`<div class="fact"><dt>${name}</dt><dd>${children}</dd></div>`;

export const matches = (params, ...texts) => texts.some((text) => String(text ?? "").toLowerCase().includes((params.q || "").toLowerCase()));
