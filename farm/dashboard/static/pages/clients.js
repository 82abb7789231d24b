// Who talks to the plant: an address a row, the busiest first.
import { html } from "../vendor/preact-htm.js";
import { useAsked } from "../asking.js";
import { Shape } from "../condition.js";
import { age, count, number, value } from "../format.js";
import { Search, Table, matches } from "../list.js";
import { format, nodeLink } from "../view.js";

const HEADS = ["Address", "Nodes", "Connections", "req/s", "Requests", "Errors", "Services", "Software, guessed", "First seen", "Last seen"];
const SHOWN_NAMES = 3;

const Reached = ({ client }) => html`${count(client.nodes)}: ${client.names.slice(0, SHOWN_NAMES).map((name, index) => html`${index ? ", " : ""}<a key=${name}
	href=${nodeLink(name, { tab: "connections" })}>${name}</a>`)}${client.nodes > SHOWN_NAMES ? " …" : ""}`;

export function Clients({ view: { params } }) {
	const [found, problem] = useAsked("clients", 2);
	const shown = (found?.clients || [])
		.filter((client) => matches(params, client.address, client.software, client.inside, ...client.names))
		.sort((a, b) => b.requests_per_s - a.requests_per_s || (a.address < b.address ? -1 : 1));
	return html`<div class="page clients"><h1 class="unseen">Clients</h1>
		<div class="tools"><${Search} params=${params} />
			<span class="hint">${problem ? problem.message : found ? `${shown.length} of ${found.clients.length} clients` : "Asking…"}</span></div>
		${found && html`<${Table} label="Clients" heads=${HEADS} rows=${shown} empty="Nobody talks to this plant yet.">
			${shown.map((client) => html`<tr key=${client.address} tabindex="0" data-item=${client.address}>
				<th scope="row">${client.address}${client.inside && html` <a href=${nodeLink(client.inside)}>${client.inside}</a>`}</th>
				<td><${Reached} client=${client} /></td><td class="n">${count(client.connections)}</td><td class="n">${number(client.requests_per_s)}</td>
				<td class="n">${count(client.requests)}</td>
				<td class="n">${client.errors ? html`<${Shape} of="degraded" /> ${count(client.errors)}` : 0}</td>
				<td>${client.services.map((service) => value(service)).join(", ")}</td><td class="wire">${value(client.software || "unknown")}</td>
				<td class="n">${age(client.first_seen_s)} ago</td><td class="n">${age(client.last_seen_s)} ago</td></tr>`)}<//>`}
		<p class="hint"><a href=${format("events", "", { kind: "write" })}>What they wrote</a></p>
	</div>`;
}
