// Numbers for people. An unknown one is a dash and never a zero.
import { format } from "./json.js";

const DASH = "–";
const missing = (value) => value === null || value === undefined || Number.isNaN(value);

export function number(value, digits = 1) {
	if (missing(value)) return DASH;
	const size = Math.abs(value);
	if (size >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
	if (size >= 1e4) return `${(value / 1e3).toFixed(size >= 1e5 ? 0 : 1)} k`;
	return size >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(digits);
}

export const count = (value) => (missing(value) ? DASH : Number(value).toLocaleString("en"));

export function ms(value) {
	if (missing(value)) return DASH;
	return value >= 10000 ? `${(value / 1000).toFixed(0)} s` : value >= 100 ? value.toFixed(0) : value.toFixed(value < 1 ? 2 : 1);
}

export function bytes(value) {
	if (missing(value)) return DASH;
	if (value < 1024) return `${value.toFixed(0)} B`;
	return value < 1048576 ? `${(value / 1024).toFixed(1)} KiB` : `${(value / 1048576).toFixed(1)} MiB`;
}

export function age(seconds) {
	if (missing(seconds)) return DASH;
	const s = Math.max(0, seconds);
	if (s < 10) return `${s.toFixed(1)} s`;
	if (s < 120) return `${s.toFixed(0)} s`;
	if (s < 7200) return `${Math.floor(s / 60)} min`;
	return s < 172800 ? `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min` : `${Math.floor(s / 86400)} d`;
}

/** Any value of a tag as one line of text; objects must never reach the page as anything else. */
export function value(of, longest = 120) {
	if (missing(of)) return DASH;
	if (typeof of === "number") return Number.isInteger(of) ? String(of) : String(Number(of.toPrecision(7)));
	const text = typeof of === "string" ? of : format(of);
	return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

export const clock = (iso) => String(iso || "").slice(11, 23);

export const plural = (n, one) => `${count(n)} ${one}${n === 1 ? "" : "s"}`;
