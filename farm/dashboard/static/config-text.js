// A configuration as YAML, a line at a time: each can stand beside where it comes from.
const plain = /^[A-Za-z_][\w .@/:-]*$/;
const reserved = /^(y|n|yes|no|on|off|true|false|null|~)$/i;

function scalar(value) {
	if (typeof value !== "string") return JSON.stringify(value);
	return plain.test(value) && !reserved.test(value) && !/: |:$| $/.test(value) ? value : JSON.stringify(value);
}

const isMap = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const short = (value) => Array.isArray(value) && value.every((item) => item === null || typeof item !== "object");

// A list's items are known by what they are called, there and in a plant file.
const keyOf = (item, index) => String(item?.name ?? item?.unit_id ?? index);

/** [{text, origin}] of `config`; `origins` maps a path such as `tags.Level.type` to `plant.yaml:12:5`. */
export function configLines(config, origins) {
	const lines = [];
	const walk = (value, path, indent) => {
		const entries = isMap(value) ? Object.entries(value) : value.map((item, index) => [keyOf(item, index), item]);
		for (const [key, item] of entries) {
			const here = path ? `${path}.${key}` : key;
			const lead = "  ".repeat(indent) + (isMap(value) ? `${scalar(key)}:` : "-");
			const origin = origins[here] || "";
			const nested = isMap(item) ? Object.keys(item).length > 0 : Array.isArray(item) && !short(item);
			if (nested) {
				const at = lines.push({ text: lead, origin });
				walk(item, here, indent + 1);
				if (lead.endsWith("-")) {
					const [{ text, origin: own }] = lines.splice(at, 1); // the first key stands behind the dash
					lines[at - 1] = { text: `${lead} ${text.trimStart()}`, origin: own || origin };
				}
			} else {
				const text = short(item) ? `[${item.map(scalar).join(", ")}]` : isMap(item) ? "{}" : scalar(item);
				lines.push({ text: `${lead} ${text}`, origin });
			}
		}
	};
	walk(config, "", 0);
	return lines;
}
