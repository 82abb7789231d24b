// One stream from the server, for all tabs of a browser: it may open only about six connections to one host.
//
// What it tells: {kind: "fleet", frame}, {kind: "log", entry}, {kind: "node", ...}, {kind: "poll", farm, nodes, events}
// when streams are refused, and {kind: "link", how: "stream" | "polling" | "none", status}.
import { at, get, name } from "./api.js";
import { parse } from "./json.js";

const FLEET = "stream?topics=fleet,events";
const POLL_MS = 5000;
const RETRY_MS = 30000;
const SILENT_MS = 20000; // frames come each second: a stream that says nothing so long may be half a connection

export class Feed {
	#tell;
	#source = null;
	#wanted = ""; // address of the stream that was asked for
	#address = ""; // of the one that is open: without its nodes when they spoilt it
	#last = 0; // id of the last event
	#heard = Date.now();
	#poller = 0;
	#opened = 0;

	constructor(tell) {
		this.#tell = tell;
		setInterval(() => {
			if (!this.#source) return;
			if (this.#address !== this.#wanted && Date.now() - this.#opened > RETRY_MS) this.#openWhole();
			else if (Date.now() - this.#heard > SILENT_MS) this.#open();
		}, POLL_MS);
	}

	/** Has the stream carry `nodes` (names) with `tags` beside the fleet and its events. */
	want(nodes, tags) {
		const looks = nodes.map((node) => "," + name(`node:${node}`)).join("");
		const address = FLEET + looks + (tags.length ? `&tags=${tags.map(name).join(",")}` : "");
		if (address === this.#wanted) return;
		this.#wanted = address;
		this.#openWhole();
	}

	#openWhole() {
		this.#address = this.#wanted;
		this.#open();
	}

	#open() {
		this.#source?.close();
		this.#stopPolling();
		this.#heard = this.#opened = Date.now();
		const source = (this.#source = new EventSource(at(this.#address)));
		const on = (kind, act) =>
			source.addEventListener(kind, (event) => {
				this.#heard = Date.now();
				act(parse(event.data));
			});
		on("fleet", (frame) => this.#tell({ kind: "fleet", frame }));
		on("node", (body) => this.#tell({ ...body, kind: "node" }));
		on("log", (entry) => this.#event(entry));
		source.onopen = () => {
			this.#tell({ kind: "link", how: "stream" });
			this.#catchUp();
		};
		source.onerror = () => {
			this.#tell({ kind: "link", how: "none" });
			if (source.readyState === EventSource.CLOSED) this.#refused(); // and the browser will not ask again
		};
	}

	// A browser does not say why. It may be a node that is no more: first without any.
	#refused() {
		if (!this.#address.includes("node%3A")) return this.#startPolling();
		this.#address = FLEET;
		this.#open();
	}

	#event(entry) {
		if (entry.id <= this.#last) return;
		this.#last = entry.id;
		this.#tell({ kind: "log", entry });
	}

	#events({ events, last }) {
		if (last < this.#last) this.#last = last; // a plant that began anew counts anew
		for (const entry of events) this.#event(entry);
	}

	// A stream opened anew bears no Last-Event-ID: what happened in between is asked for.
	async #catchUp() {
		if (!this.#last) return;
		try {
			this.#events(await get(`events?since=${this.#last}`));
		} catch {
			// the stream itself says that the server is gone
		}
	}

	#startPolling() {
		this.#source = null;
		this.#stopPolling();
		let due = Date.now() + RETRY_MS;
		const poll = async () => {
			try {
				const farm = await get("farm");
				if (!farm.farm) {
					due = 0; // where there was nothing, a stream is as soon as there is
					return this.#tell({ kind: "poll", farm });
				}
				if (Date.now() > due) return this.#openWhole();
				const [nodes, log] = await Promise.all([get("nodes"), get(`events?since=${this.#last}&limit=200`)]);
				if (this.#source) return; // another was wanted
				if (this.#last) this.#events(log);
				this.#last = log.last;
				this.#tell({ kind: "poll", farm, nodes });
				this.#tell({ kind: "link", how: "polling" });
			} catch (error) {
				due = 0;
				this.#tell({ kind: "link", how: "none", status: error.status });
			}
		};
		this.#poller = setInterval(poll, POLL_MS);
		poll();
	}

	#stopPolling() {
		clearInterval(this.#poller);
		this.#poller = 0;
	}
}

const MOST_NODES = 16; // of one stream, and of tags: the server refuses more, and would do so to all tabs
const MOST_TAGS = 64;

/** Whoever of a browser's tabs shares one feed, each with nodes and tags of its own. */
export class Hub {
	#members = new Map();
	#feed;
	#link = null;
	#timer = 0;

	constructor(tell) {
		this.#feed = new Feed((message) => {
			if (message.kind === "link") this.#link = message;
			tell(message);
		});
	}

	/** The last thing known about the link, for a member that has just come. */
	get link() {
		return this.#link;
	}

	set(member, wants) {
		if (wants) this.#members.set(member, wants);
		else this.#members.delete(member);
		clearTimeout(this.#timer); // a page that changes takes its wants back and sets others: one stream anew, not two
		this.#timer = setTimeout(() => {
			const all = [...this.#members.values()];
			const union = (key, most) => [...new Set(all.flatMap((wants) => wants[key]))].slice(-most).sort();
			if (all.length) this.#feed.want(union("nodes", MOST_NODES), union("tags", MOST_TAGS));
		}, 30);
	}
}
