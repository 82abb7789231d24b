// The filter language, the same grammar as the server's (farm/dashboard/filters.py): blanks mean "and", `key:pattern`
// with commas for "or", `key>n`, free text, `-` negates, quotes hold a blank.
const TEXTS = {
	name: "name", state: "state", condition: "condition", profile: "profile", kind: "kind", network: "networks",
	address: "address", level: "level", group: "group", protocol: "protocols", fault: "faults", link: "link",
};
const NUMBERS = {
	p99: "p99_ms", p50: "p50_ms", requests: "requests_per_s", errors: "errors_per_min", connections: "connections",
	restarts: "restarts", age: "age_s",
};
const COMPARE = { ">": (a, b) => a > b, "<": (a, b) => a < b, ">=": (a, b) => a >= b, "<=": (a, b) => a <= b };

export const KEYS = Object.keys(TEXTS);
export const FILTER_HELP = `${KEYS.join(" ")} (as key:pattern) and ${Object.keys(NUMBERS).join(" ")} (as key>number)`;

export const words = (text) => text.match(/-?"[^"]*"|\S+/g) || [];

// Only * and ? are special; everything else stands for itself.
function glob(pattern) {
	const escaped = pattern.replace(/[.+^${}()|\\[\]]/g, "\\$&").replace(/\*/g, ".*").replace(/\?/g, ".");
	return new RegExp(`^${escaped}$`, "is");
}

function textsOf(key, value, kinds) {
	const blank = value === null || value === undefined;
	const found = key === "fault" ? value.flatMap((id) => [String(id), kinds.get(id) || ""])
		: Array.isArray(value) ? value.map(String) : [blank ? "" : String(value)];
	return found.length ? found : [""];
}

function positive(text) {
	const [, number, sign, digits] = text.match(/^([a-z0-9]+)(>=|<=|>|<)(.*)$/) || [];
	if (number) {
		const field = Object.hasOwn(NUMBERS, number) && NUMBERS[number];
		if (!field) throw new Error(`there is no number ${number} to compare; there are ${FILTER_HELP}`);
		if (!/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(digits)) throw new Error(`${text}: wanted a number, as ${number}${sign}50`);
		return (row) => row[field] !== null && row[field] !== undefined && COMPARE[sign](row[field], Number(digits));
	}
	const [, key, patterns] = text.match(/^([a-z][a-z0-9]*):(.*)$/) || [];
	if (key) {
		if (!Object.hasOwn(TEXTS, key)) throw new Error(`there is no key ${key}; there are ${FILTER_HELP}`);
		const wanted = patterns.split(",").map(glob);
		return (row, kinds) => textsOf(key, row[TEXTS[key]], kinds).some((value) => wanted.some((one) => one.test(value)));
	}
	const sought = text.toLowerCase();
	return (row) => [row.name, row.address, row.profile].some((value) => String(value).toLowerCase().includes(sought));
}

/** A test of a row and a Map of fault ids to their kinds. Throws an Error with one line for what is no filter. */
export function parseFilter(text) {
	const tests = words(text).map((word) => {
		const negated = word.startsWith("-") && word.length > 1;
		const test = positive((negated ? word.slice(1) : word).replace(/^"+|"+$/g, "").trim());
		return negated ? (row, kinds) => !test(row, kinds) : test;
	});
	return (row, kinds = new Map()) => tests.every((test) => test(row, kinds));
}

/** [rows that pass, what is wrong with the filter or ""]. A filter that is being typed must not empty the page. */
export function applyFilter(rows, text, kinds) {
	try {
		const test = parseFilter(text);
		return [rows.filter((row) => test(row, kinds)), ""];
	} catch (error) {
		return [rows, error.message];
	}
}
