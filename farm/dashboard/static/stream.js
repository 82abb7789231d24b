// How a tab gets at the stream: a shared worker's, else that of the tab that holds a lock, else its own.
import { Hub } from "./feed.js";

const CHANNEL = "plcfarm-stream";
const ME = Math.random().toString(36).slice(2);

function byWorker(tell) {
	const worker = new SharedWorker(new URL("stream-worker.js", import.meta.url), { type: "module", name: CHANNEL });
	worker.port.onmessage = ({ data }) => tell(data);
	return (wants) => worker.port.postMessage({ wants });
}

// The leader takes everybody's wants over the channel; when it goes, another tab gets the lock and asks all.
function byLeader(tell) {
	const channel = new BroadcastChannel(CHANNEL);
	let mine = null;
	let hub = null;
	channel.onmessage = ({ data }) => {
		if (data.message && !hub) tell(data.message);
		if (data.ask && mine) channel.postMessage({ from: ME, wants: mine });
		if (data.from && hub) hub.set(data.from, data.wants);
	};
	navigator.locks.request(CHANNEL, () => {
		hub = new Hub((message) => {
			tell(message);
			channel.postMessage({ message });
		});
		if (mine) hub.set(ME, mine);
		channel.postMessage({ ask: true });
		return new Promise(() => {}); // held until this tab goes
	});
	return (wants) => {
		mine = wants;
		if (hub) hub.set(ME, wants);
		else channel.postMessage({ from: ME, wants });
	};
}

function alone(tell) {
	const hub = new Hub(tell);
	return (wants) => hub.set(ME, wants);
}

/** Calls `tell` with what `Feed` tells; returns a function that takes {nodes, tags}. */
export function openStream(tell) {
	let send;
	for (const way of [byWorker, byLeader, alone]) {
		try {
			send = way(tell);
			break;
		} catch {
			// a browser lacks it, or forbids it as in private windows
		}
	}
	let wants = { nodes: [], tags: [] };
	send(wants);
	addEventListener("pagehide", () => send(null));
	addEventListener("pageshow", (event) => event.persisted && send(wants));
	return (changed) => send((wants = changed));
}
