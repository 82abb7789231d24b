// What a node's condition looks like: normal is grey; everything else has a colour, a shape and a word.
import { html } from "./vendor/preact-htm.js";

/** In order of what needs a person first. */
export const CONDITIONS = ["down", "degraded", "fault", "stale", "starting", "stopped", "up"];

export const rank = (condition) => Math.max(0, CONDITIONS.indexOf(condition));

export const wordOf = (condition) => (condition === "up" ? "up" : String(condition).toUpperCase());

// The shape is drawn by the style sheet: glyphs would depend on which fonts a machine has.
export const Shape = ({ of }) => html`<i class="shape ${known(of)}" aria-hidden="true"></i>`;

export const known = (condition) => (CONDITIONS.includes(condition) ? condition : "down");

export const Condition = ({ row }) => html`<span class="condition"><${Shape} of=${row.condition} /> ${wordOf(row.condition)}${
	row.condition === "stale" ? ` ${Math.round(row.age_s)} s` : ""}</span>`;
