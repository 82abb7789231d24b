// Every kind of fault with its parameters, and how each is asked for: the form on the page of faults is made of this.
const text = (key, text, initial, required = true) => ({ key, text, type: "text", initial, required });
const number = (key, text, initial, more) => ({ key, text, type: "number", min: 0, step: "any", initial, required: true, ...more });
const whole = (key, text, initial, more) => number(key, text, initial, { min: 1, step: 1, ...more });
const free = { required: false };
const percent = (initial, text = "% of replies") => number("percent", text, initial, { max: 100, ...free });
const replies = (initial) => [percent(initial), whole("every", "or each Nth", "", free)];
const after = [whole("after", "requests", 20)];
const tag = text("tag", "tag, * is all", "*");
const by = (initial) => number("by", "by", initial, { min: undefined });
const slow = (distribution, ...fields) => [[...fields, number("most", "at most s", "", free)], { kind: "slow", distribution }];

/** kind: [what a client sees, fields, further members of the fault]. */
export const FAULTS = {
	slow: ["slow, by a fixed time", [number("seconds", "seconds", 0.2)]],
	"slow normal": ["slow, normally distributed", ...slow("normal", number("mean", "mean s", 0.2), number("deviation", "deviation s", 0.05))],
	"slow pareto": ["slow, with a long tail (Pareto)", ...slow("pareto", number("scale", "scale s", 0.05), number("shape", "shape", 1.5, { min: 0.1 }))],
	offline: ["offline: ports closed, connections ended", []],
	refuse: ["refuse new connections", []],
	drop: ["drop replies", replies(10)],
	reset: ["reset a connection after so many requests", after],
	close: ["close it after so many", after],
	status: ["answer with an error status", [text("code", "CIP status, or general, extended", "0x08"), text("tag", "tag, empty is every request", "", false)]],
	exception: ["Modbus exception", [whole("code", "code", 4), ...replies(100)]],
	truncate: ["cut replies short", [...replies(100), whole("keep", "bytes kept, empty is half", "", free)]],
	corrupt: ["corrupt bytes of replies", replies(100)],
	"wrong-transaction": ["wrong transaction id", replies(100)],
	"wrong-unit": ["wrong Modbus unit", replies(100)],
	freeze: ["freeze a value", [tag]],
	bias: ["bias a value", [tag, by(5)]],
	spike: ["spikes in a value", [tag, by(50), percent(5, "% of reads")]],
	"bad-quality": ["bad quality: reads fail as of a broken sensor", [tag]],
};

/** What the server takes as a fault, of a kind above and what was typed into its fields. */
export function faultOf(kind, typed) {
	const [, fields, more = { kind }] = FAULTS[kind];
	const fault = { ...more };
	for (const { key, type } of fields) {
		const value = typed[key].trim();
		if (!value || (key === "percent" && typed.every)) continue;
		const codes = value.split(",").map(Number);
		fault[key] = type === "number" ? Number(value) : key !== "code" ? value : codes.length > 1 ? codes : codes[0];
	}
	return fault;
}
