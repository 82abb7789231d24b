// Holds the stream of all tabs of a browser. It ends with the last of them.
import { Hub } from "./feed.js";

const ports = new Set();
const hub = new Hub((message) => ports.forEach((port) => port.postMessage(message)));

self.onconnect = ({ ports: [port] }) => {
	ports.add(port);
	if (hub.link) port.postMessage(hub.link);
	port.onmessage = ({ data }) => {
		hub.set(port, data.wants);
		if (data.wants) ports.add(port);
		else ports.delete(port);
	};
};
