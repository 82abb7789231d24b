// A configuration as YAML would have it, a line at a time, so that each line can stand beside where it comes from.
const plain = /^[A-Za-z_][\w .@/:-]*$/;
const reserved = /^(y|n|yes|no|on|off|true|false|null|~)$/i;

function scalar(value) {
  if (typeof value !== "string") return JSON.stringify(value);
  return plain.test(value) && !reserved.test(value) && !/: |:$| $/.test(value) ? value : JSON.stringify(value);
}

const isMap = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const short = (value) => Array.isArray(value) && value.every((item) => item === null || typeof item !== "object");

/** [{text, origin}] of `config`; `origins` maps a path such as `tags.Level.type` to `plant.yaml:12:5`. */
export function configLines(config, origins) {
  const lines = [];
  const walk = (value, path, indent) => {
    const entries = isMap(value) ? Object.entries(value) : value.map((item, index) => [String(index), item]);
    for (const [key, item] of entries) {
      const here = path ? `${path}.${key}` : key;
      const lead = "  ".repeat(indent) + (isMap(value) ? `${scalar(key)}:` : "-");
      const origin = origins[here] || "";
      const nested = isMap(item) ? Object.keys(item).length > 0 : Array.isArray(item) && !short(item);
      if (nested) {
        lines.push({ text: lead, origin });
        walk(item, here, indent + 1);
      } else {
        const text = short(item) ? `[${item.map(scalar).join(", ")}]` : isMap(item) ? "{}" : scalar(item);
        lines.push({ text: `${lead} ${text}`, origin });
      }
    }
  };
  walk(config, "", 0);
  return lines;
}
