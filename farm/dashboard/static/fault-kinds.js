// Every kind of fault with its parameters, and how each is asked for: the form on the page of faults is made of this.
const percent = (initial, text = "% of replies") => ({ key: "percent", text, type: "number", min: 0, max: 100, step: "any", initial });
const tag = (text = "tag, * is all") => ({ key: "tag", text, type: "text", initial: "*", required: true });
const seconds = (key, text, initial, more = {}) => ({ key, text, type: "number", min: 0, step: "any", initial, required: true, ...more });
const most = seconds("most", "at most s", "", { required: false });

/** kind: [what a client sees, fields, further members of the fault]. */
export const FAULTS = {
	slow: ["slow, by a fixed time", [seconds("seconds", "seconds", 0.2)]],
	"slow normal": ["slow, normally distributed", [seconds("mean", "mean s", 0.2), seconds("deviation", "deviation s", 0.05), most], { kind: "slow", distribution: "normal" }],
	"slow pareto": ["slow, with a long tail (Pareto)", [seconds("scale", "scale s", 0.05), { key: "shape", text: "shape", type: "number", min: 0.1, step: "any", initial: 1.5, required: true }, most],
		{ kind: "slow", distribution: "pareto" }],
	offline: ["offline: ports closed, connections ended", []],
	refuse: ["refuse new connections", []],
	drop: ["drop replies", [percent(10)]],
	reset: ["reset a connection after so many requests", [{ key: "after", text: "requests", type: "number", min: 1, step: 1, initial: 20, required: true }]],
	status: ["answer with an error status", [{ key: "code", text: "CIP status, or general, extended", type: "text", initial: "0x08", required: true }, { ...tag("tag, empty is every request"), initial: "", required: false }]],
	truncate: ["cut replies short", [percent(100), { key: "keep", text: "bytes kept, empty is half", type: "number", min: 0, step: 1, initial: "" }]],
	corrupt: ["corrupt bytes of replies", [percent(100)]],
	freeze: ["freeze a value", [tag()]],
	bias: ["bias a value", [tag(), { key: "by", text: "by", type: "number", step: "any", initial: 5, required: true }]],
	spike: ["spikes in a value", [tag(), { key: "by", text: "by", type: "number", step: "any", initial: 50, required: true }, percent(5, "% of reads")]],
	"bad-quality": ["bad quality: reads fail as of a broken sensor", [tag()]],
};

function member({ key, type }, text) {
	if (key !== "code") return type === "number" ? Number(text) : text;
	const codes = text.split(",").map(Number);
	return codes.length > 1 ? codes : codes[0];
}

/** What the server takes as a fault, of a kind above and what was typed into its fields. */
export function faultOf(kind, typed) {
	const [, fields, more = { kind }] = FAULTS[kind];
	const given = fields.filter(({ key }) => String(typed[key] ?? "").trim() !== "");
	return { ...more, ...Object.fromEntries(given.map((field) => [field.key, member(field, typed[field.key].trim())])) };
}
