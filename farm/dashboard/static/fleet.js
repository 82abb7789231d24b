// What is known of the plant: rows in its order, the farm's numbers, events; how old all of it is.
import { useEffect, useReducer } from "./vendor/preact-htm.js";
import { get } from "./api.js";
import { openStream } from "./stream.js";

/** Seconds without a frame after which the page says so; one comes each second. */
export const SILENT = 3;
const KEPT_EVENTS = 2000;
export const FRAME_FIELDS = ["condition", "requests_per_s", "p50_ms", "p99_ms", "connections", "errors_per_min", "restarts", "age_s"];

class Fleet {
	rows = [];
	byId = new Map();
	byName = new Map();
	farm = null;
	events = [];
	faults = [];
	demos = []; // plants to begin with, where none runs
	faultKinds = new Map();
	phase = "loading"; // then "live", "none" (no farm runs) or "locked" (reading needs a token here)
	canWrite = false;
	how = "none";
	paused = false;
	generation = -1;
	listed = 0; // when the rows came, by this browser's clock
	frameTime = 0;
	changed = new Set(); // ids that the last frame changed
	#skew = null; // this browser's clock less the server's, in seconds
	#listeners = { frame: new Set(), event: new Set(), node: new Set() };
	#watched = { nodes: [], tags: [] };
	#want = null;
	#refresher = 0;
	#loading = null;

	async start() {
		this.#want = openStream((message) => this.#take(message));
		await this.load();
		setInterval(() => this.#tell("frame"), 1000); // so that an age grows on screen when nothing comes
	}

	/** Everything anew: at first, for another generation, after signing in and after a pause. */
	load() {
		return (this.#loading ||= this.#load().finally(() => (this.#loading = null)));
	}

	async #load() {
		try {
			this.#takeFarm(await get("farm"));
			if (this.phase !== "none") {
				this.#takeNodes(await get("nodes")); // had while the supervisor is away, what follows is not
				this.phase = "live";
				const before = new Set(this.events);
				const { events, last } = await get("events?since=0&limit=500");
				this.events = [...events, ...this.events.filter((entry) => entry.id > last && !before.has(entry))];
				await this.loadFaults();
			}
		} catch (error) {
			if (error.status === 401 || error.status === 403) this.phase = "locked";
		}
		this.#tell("frame");
		this.#tell("event");
	}

	async loadFaults() {
		this.faults = (await get("faults")).faults;
		this.faultKinds = new Map(this.faults.map((fault) => [fault.id, fault.kind]));
	}

	/** Seconds since the last frame was made, by the server's clock: this one may be wrong. */
	age() {
		return this.#skew === null ? 0 : Math.max(0, Date.now() / 1000 - this.#skew - this.frameTime);
	}

	get silent() {
		return this.phase === "live" && this.age() > (this.how === "polling" ? 2 * SILENT + 5 : SILENT);
	}

	watch(nodes, tags) {
		this.#watched = { nodes, tags };
		this.#want?.(this.#watched);
	}

	pause() {
		this.paused = !this.paused;
		if (!this.paused) this.load();
		this.#tell("frame");
	}

	on(kind, listener) {
		this.#listeners[kind].add(listener);
		return () => this.#listeners[kind].delete(listener);
	}

	#tell(kind, body) {
		for (const listener of this.#listeners[kind]) listener(body);
	}

	#take(message) {
		if (message.kind === "link") {
			this.how = message.how;
			if (message.status === 401 || message.status === 403) this.phase = "locked";
		}
		if (this.paused) return;
		if (message.kind === "fleet") this.#takeFrame(message.frame);
		if (message.kind === "node") this.#tell("node", message);
		if (message.kind === "poll") this.#takePoll(message);
		if (message.kind === "log") {
			this.events.push(message.entry);
			if (this.events.length > KEPT_EVENTS * 1.1) this.events.splice(0, this.events.length - KEPT_EVENTS);
			this.#tell("event", message.entry);
		}
	}

	#takeFrame(frame) {
		if (frame.t < this.frameTime) return;
		this.frameTime = frame.t;
		this.#skew ??= Date.now() / 1000 - frame.t;
		if (this.farm?.faults !== frame.farm.faults) this.loadFaults().catch(() => {});
		this.farm = frame.farm;
		this.changed = new Set();
		// An id is a place in the plant: among other nodes it is another's.
		if (this.phase !== "live" || frame.generation !== this.generation) this.load();
		else for (const [id, ...values] of frame.nodes) this.#takeValues(this.byId.get(id), values);
		this.#tell("frame");
	}

	#takeValues(row, values) {
		if (!row) return;
		if (row.condition !== values[0] || row.faultCount !== values[8]) this.#refreshSoon(); // the words beside it, as `error`
		FRAME_FIELDS.forEach((field, index) => (row[field] = values[index]));
		row.faultCount = values[8];
		row.revision += 1;
		this.changed.add(row.id);
	}

	// What frames do not bear (an error's text, memory, the last request) comes with the rows themselves.
	#refreshSoon() {
		this.#refresher ||= setTimeout(() => {
			this.#refresher = 0;
			this.refresh();
		}, 500);
	}

	async refresh() {
		if (this.paused) return;
		try {
			this.#takeNodes(await get("nodes"));
			this.#tell("frame");
		} catch {
			// the age of what is shown says it
		}
	}

	#takePoll({ farm, nodes }) {
		const before = this.phase;
		this.#takeFarm(farm);
		if (!nodes) return this.#tell("frame");
		if (before !== "live") return void this.load();
		this.#takeNodes(nodes);
		this.#tell("frame");
	}

	#takeFarm(farm) {
		this.canWrite = Boolean(farm.can_write);
		this.demos = farm.demos || [];
		if (!farm.farm) {
			this.phase = "none";
			this.farm = null;
			return;
		}
		if (this.phase === "none") this.phase = "loading";
		if (!farm.t) return; // its supervisor was not heard yet: the first frame tells
		this.farm = farm;
		this.frameTime = farm.t;
		this.#skew = Date.now() / 1000 - farm.t - farm.age_s;
	}

	#takeNodes({ nodes, generation }) {
		const known = this.byName;
		this.generation = generation;
		this.listed = Date.now();
		const rows = nodes.map((row) => {
			const old = known.get(row.name);
			return Object.assign(old?.id === row.id ? old : {}, row, { revision: (old?.revision || 0) + 1, faultCount: row.faults.length });
		});
		// The same array while it is the same nodes: pages lay themselves out anew for another one.
		if (rows.length !== this.rows.length || rows.some((row, index) => row !== this.rows[index])) this.rows = rows;
		this.byId = new Map(rows.map((row) => [row.id, row]));
		this.byName = new Map(rows.map((row) => [row.name, row]));
		this.changed = new Set(this.byId.keys());
	}
}

export const fleet = new Fleet();

/** Draws a component anew with each frame, or each event. */
export function useFleet(kind = "frame") {
	const [, draw] = useReducer((n) => n + 1, 0);
	useEffect(() => fleet.on(kind, draw), [kind]);
	return fleet;
}
