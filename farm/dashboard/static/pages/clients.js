// Who talks to the plant: an address a row, the busiest first.
import { html } from "../vendor/preact-htm.js";
import { useAsked } from "../asking.js";
import { age, count, number, value } from "../format.js";
import { change, format, nodeLink } from "../view.js";
import { Table } from "./node-facts.js";

const HEADS = ["Address", "Nodes", "Connections", "req/s", "Requests", "Errors", "Services", "Software, guessed", "First seen", "Last seen"];
const SHOWN_NAMES = 3;

const Reached = ({ client }) => html`${count(client.nodes)}: ${client.names.slice(0, SHOWN_NAMES).map((name, index) => html`${index ? ", " : ""}<a key=${name}
  href=${nodeLink(name, { tab: "connections" })}>${name}</a>`)}${client.nodes > SHOWN_NAMES ? " …" : ""}`;

export function Clients({ view: { params } }) {
  const [found, problem] = useAsked("clients", 2);
  const sought = (params.q || "").toLowerCase();
  const shown = (found?.clients || [])
    .filter((client) => [client.address, client.software, client.inside, ...client.names].some((text) => String(text || "").toLowerCase().includes(sought)))
    .sort((a, b) => b.requests_per_s - a.requests_per_s || (a.address < b.address ? -1 : 1));
  return html`<div class="page clients"><h1 class="unseen">Clients</h1>
    <div class="tools"><label>Find <input type="search" data-key-filter value=${params.q || ""} onInput=${(event) => change({ q: event.target.value })} /></label>
      <span class="hint">${problem ? problem.message : found ? `${shown.length} of ${found.clients.length} clients` : "Asking…"}</span></div>
    ${found && html`<${Table} label="Clients" heads=${HEADS} rows=${shown} empty="Nobody talks to this plant yet.">
      ${shown.map((client) => html`<tr key=${client.address} tabindex="0" data-item=${client.address}>
        <th scope="row">${client.address}${client.inside && html` <a href=${nodeLink(client.inside)}>${client.inside}</a>`}</th>
        <td><${Reached} client=${client} /></td><td class="n">${count(client.connections)}</td><td class="n">${number(client.requests_per_s)}</td>
        <td class="n">${count(client.requests)}</td>
        <td class="n">${client.errors ? html`<i class="shape degraded" aria-hidden="true"></i> ${count(client.errors)}` : 0}</td>
        <td>${client.services.map((service) => value(service)).join(", ")}</td><td class="wire">${value(client.software || "unknown")}</td>
        <td class="n">${age(client.first_seen_s)} ago</td><td class="n">${age(client.last_seen_s)} ago</td></tr>`)}<//>`}
    <p class="hint"><a href=${format("events", "", { kind: "write" })}>What they wrote</a></p>
  </div>`;
}
