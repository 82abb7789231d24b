// JSON as it was meant: LINT and ULINT go further than a number here does, which keeps 53 bits of them.
const LONG = /(^|[^.\d])\d{16}/;

/** What `text` says, but each whole number that would be rounded stays its own text (where the browser shows it). */
export function parse(text) {
	return LONG.test(text) ? JSON.parse(text, asItStands) : JSON.parse(text);
}

/** The text of a value that `parse` made. */
export const format = (value) => JSON.stringify(value).replace(/"(-?\d{16,20})"/g, "$1");

/** Whether this is a whole number that stayed a text. */
export const isLong = (value) => typeof value === "string" && /^-?\d{16,20}$/.test(value);

function asItStands(_key, value, context) {
	if (typeof value !== "number" || Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value;
	return /^-?\d+$/.test(context?.source) ? context.source : value;
}
