// What is taken away from a page: files, and text on the clipboard.
import { say } from "./dialogs.js";

export function download(name, type, body) {
	const link = document.createElement("a");
	link.href = URL.createObjectURL(body instanceof Blob ? body : new Blob([body], { type }));
	link.download = name.replace(/[^\w.-]+/g, "_");
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// A cell that begins with one of =+-@ is a formula to a spreadsheet, and names come off the wire.
function cell(value) {
	const text = value === null || value === undefined ? "" : Array.isArray(value) ? value.join(" ") : String(value);
	const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
	return /[",\n\r]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

export const csv = (rows) => rows.map((row) => row.map(cell).join(",")).join("\n") + "\n";

const COLUMNS = ["name", "condition", "state", "error", "address", "protocols", "kind", "profile", "network", "group", "level",
	"connections", "requests_per_s", "p50_ms", "p99_ms", "errors_per_min", "restarts", "uptime_s", "rss_mib"];

export const rowsAsCsv = (rows) => csv([COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column]))]);

export async function copy(text, what) {
	try {
		await navigator.clipboard.writeText(text);
	} catch {
		// a page that does not come over https or from this machine has no clipboard of that kind
		const area = document.createElement("textarea");
		area.value = text;
		document.body.append(area);
		area.select();
		document.execCommand("copy");
		area.remove();
	}
	say(`${what} copied`);
}
