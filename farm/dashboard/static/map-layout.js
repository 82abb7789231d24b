// Where everything stands on the map: the same plant is the same picture every time.
import { levelName } from "./tiles.js";

export const WIDTH = 1180;
const LABELLED = 60; // more nodes than that are shapes without a name each
const CELLS = { large: [112, 56], small: [21, 21] };
const HEAD = 20; // a box's title
const GAP = 12;
const MARGIN = 118; // a band's title, on its left

const bits = (address) => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

/** Whether an IPv4 address is in a subnet such as 10.1.0.0/24; any other pair is not. */
export function within(address, subnet) {
	const [net, length] = String(subnet).split("/");
	if (!/^[\d.]+$/.test(address) || !/^[\d.]+$/.test(net) || !length) return false;
	const size = 2 ** (32 - Number(length));
	return Math.floor(bits(address) / size) === Math.floor(bits(net) / size);
}

function boxesOf(rows, clients) {
	const boxes = new Map();
	const box = (key, title, level) => {
		if (!boxes.has(key)) boxes.set(key, { key, title, level, items: [] });
		return boxes.get(key);
	};
	for (const row of rows) {
		const title = [row.network, row.subnet].filter(Boolean).join(" ") || "no subnet";
		box(row.subnet || row.network, title, row.level ?? null).items.push({ name: row.name, row });
	}
	for (const client of clients) {
		if (client.inside) continue; // a node of the plant: it stands there already
		const home = [...boxes.values()].find(({ key }) => within(client.address, key));
		(home || box("outside", "from elsewhere", Infinity)).items.push({ name: client.address, client });
	}
	return [...boxes.values()];
}

/** Sets the boxes of a band side by side, each as wide as its share, in as many rows as it takes. */
function place(boxes, top, usual) {
	const room = WIDTH - MARGIN - 2 * GAP * boxes.length;
	const all = boxes.reduce((sum, { items }) => sum + items.length, 0);
	let [x, y, tall] = [MARGIN, top + GAP, 0];
	for (const one of boxes) {
		const cell = one.items.every(({ client }) => client) ? CELLS.large : usual; // what comes from outside always has a name
		const widest = Math.floor((WIDTH - MARGIN - GAP) / cell[0]);
		const share = Math.floor((room * one.items.length) / all / cell[0]);
		const titled = Math.ceil((one.title.length * 6.6 + 16) / cell[0]);
		const columns = Math.min(widest, Math.max(titled, Math.min(share, one.items.length), Math.ceil(Math.sqrt(one.items.length))));
		one.width = columns * cell[0] + GAP;
		one.height = Math.ceil(one.items.length / columns) * cell[1] + HEAD + GAP / 2;
		if (x > MARGIN && x + one.width > WIDTH) [x, y, tall] = [MARGIN, y + tall + GAP, 0];
		Object.assign(one, { x, y });
		one.items.forEach((item, index) => {
			item.labelled = cell === CELLS.large;
			item.x = x + GAP / 2 + ((index % columns) + 0.5) * cell[0];
			item.y = y + HEAD + (Math.floor(index / columns) + 0.5) * cell[1];
		});
		x += one.width + GAP;
		tall = Math.max(tall, one.height);
	}
	return y + tall + GAP;
}

/** {bands, boxes, spots, height, large}: `spots` maps a node's name and a client's address to where it stands. */
export function layOut(rows, clients) {
	const boxes = boxesOf(rows, clients);
	const large = rows.length <= LABELLED;
	const cell = large ? CELLS.large : CELLS.small;
	const height = (level) => (level === null ? -1 : level);
	const levels = [...new Set(boxes.map(({ level }) => level))].sort((a, b) => height(b) - height(a));
	let top = 0;
	const bands = levels.map((level) => {
		const begin = top;
		top = place(boxes.filter((box) => box.level === level), begin, cell);
		return { level, title: level === Infinity ? "outside" : levelName(level), top: begin, height: top - begin };
	});
	const spots = new Map(boxes.flatMap(({ items }) => items).map((item) => [item.name, item]));
	for (const client of clients) if (client.inside && spots.has(client.inside)) spots.set(client.address, spots.get(client.inside));
	return { bands, boxes, spots, height: top, large };
}

/** Has the nodes of each box change places, to stand nearest to those they talk with: by the mean place of these (the
 *  barycentre), column by column. */
export function bringTogether({ boxes, spots }, edges) {
	const partners = new Map();
	for (const { client, node } of edges) {
		const pair = [spots.get(client), spots.get(node)];
		if (!pair[0] || !pair[1] || pair[0] === pair[1]) continue;
		pair.forEach((item, index) => partners.set(item, [...(partners.get(item) || []), pair[1 - index].x]));
	}
	const wanted = (item) => (partners.has(item) ? partners.get(item).reduce((sum, x) => sum + x, 0) / partners.get(item).length : Infinity);
	for (const { items } of boxes) {
		const places = items.map(({ x, y }) => [x, y]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
		const order = new Map(items.map((item) => [item, wanted(item)]));
		[...items].sort((a, b) => order.get(a) - order.get(b) || 0).forEach((item, index) => ([item.x, item.y] = places[index]));
	}
}
