// JSON of LINT and ULINT, which go further than the 53 bits of a number here.
const LONG = /(^|[^.\d])\d{16}/;

/** What `text` says, but a whole number that would be rounded stays text (where the browser shows it). */
export const parse = (text) => JSON.parse(text, LONG.test(text) ? asItStands : undefined);

/** The text of a value that `parse` made. */
export const format = (value) => JSON.stringify(value).replace(/"(-?\d{16,20})"/g, "$1");

/** Whether this is a whole number that stayed a text. */
export const isLong = (value) => typeof value === "string" && /^-?\d{16,20}$/.test(value);

function asItStands(_key, value, context) {
	return typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source) ? context.source : value;
}
