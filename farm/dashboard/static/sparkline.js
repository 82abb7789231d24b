// All sparklines of a table on one canvas over it: a chart each would be five hundred charts.
const PAD = 4;

/** Draws into each row's cell of class `spark` the points of `lines` (Map of item to [[time, number], ...]). */
export function drawSparklines(canvas, table, lines, seconds) {
	const rows = [...table.querySelectorAll("tr[data-item]")].filter((row) => lines.has(row.dataset.item));
	const first = rows[0]?.querySelector(".spark");
	if (!first) {
		canvas.width = canvas.height = 0;
		return;
	}
	const outer = table.getBoundingClientRect();
	const cells = rows.map((row) => [row.dataset.item, row.querySelector(".spark").getBoundingClientRect()]);
	const width = cells[0][1].width;
	const height = cells.at(-1)[1].bottom - outer.top;
	const scale = devicePixelRatio || 1;
	canvas.width = width * scale;
	canvas.height = height * scale;
	// Properties and not an attribute: the page's policy allows no style attributes.
	Object.assign(canvas.style, { width: `${width}px`, height: `${height}px`, left: `${cells[0][1].left - outer.left}px` });
	const ink = getComputedStyle(table).color;
	const pen = canvas.getContext("2d");
	pen.scale(scale, scale);
	pen.strokeStyle = ink;
	pen.lineWidth = 1.2;
	const now = Date.now() / 1000;
	for (const [item, box] of cells) line(pen, lines.get(item), box.top - outer.top + PAD, box.height - 2 * PAD, width - 2 * PAD, now, seconds);
}

function line(pen, points, top, height, width, now, seconds) {
	if (points.length < 2) return;
	let [low, high] = [Infinity, -Infinity];
	for (const [, value] of points) {
		low = Math.min(low, value);
		high = Math.max(high, value);
	}
	const span = high - low || 1;
	const flat = high === low ? 0.5 : 0;
	pen.beginPath();
	for (const [time, value] of points) {
		pen.lineTo(PAD + width * (1 - (now - time) / seconds), top + height * (1 - (value - low) / span - flat));
	}
	pen.stroke();
}
