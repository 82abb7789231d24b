// The frame around every page: the strip on top, the ways to pages, the page that the hash names.
import { html, render, useEffect, useErrorBoundary } from "./vendor/preact-htm.js";
import { Dialogs } from "./dialogs.js";
import { fleet, useFleet } from "./fleet.js";
import { listen } from "./keyboard.js";
import { Strip } from "./strip.js";
import { PAGES, format, useView } from "./view.js";
import { Clients } from "./pages/clients.js";
import { Events } from "./pages/events.js";
import { Faults } from "./pages/faults.js";
import { FirstRun, Locked } from "./pages/first-run.js";
import { PlantMap } from "./pages/map.js";
import { NodePage } from "./pages/node.js";
import { Nodes } from "./pages/nodes.js";
import { Overview } from "./pages/overview.js";

const SHOWN = { overview: Overview, nodes: Nodes, map: PlantMap, node: NodePage, events: Events, faults: Faults, clients: Clients };

const title = (page) => page[0].toUpperCase() + page.slice(1);

function Ways({ page }) {
	return html`<nav class="ways" aria-label="Pages">
		<ul>
			${PAGES.map((name) => html`<li key=${name}>
				<a href=${format(name)} aria-current=${name === page ? "page" : null}>${title(name)}</a></li>`)}
			<li><a href="api/v1/openapi.json">API</a></li>
		</ul>
	</nav>`;
}

// A mistake in one page must not take the way to the others with it.
function Page({ view }) {
	const [error, forget] = useErrorBoundary();
	useEffect(() => error && forget(), [view.page, view.name]);
	if (error) return html`<p class="problem" role="alert">This page failed: ${String(error.message || error)}</p>`;
	const Shown = SHOWN[view.page];
	if (!Shown) return html`<h1>No such page</h1><p>There is none named ${view.page}. <a href=${format("overview")}>Overview</a></p>`;
	return html`<${Shown} key=${view.page + view.name} view=${view} />`;
}

function App() {
	const view = useView();
	const { phase, silent, farm, paused } = useFleet();
	useEffect(() => {
		document.title = `${view.name || title(view.page)} · ${farm?.farm || "plcfarm"}`;
	}, [view.page, view.name, farm?.farm]);
	const page =
		phase === "none" ? html`<${FirstRun} />`
		: phase === "locked" ? html`<${Locked} />`
		: phase === "loading" ? html`<p class="boot">Loading the plant…</p>`
		: html`<${Page} view=${view} />`;
	return html`
		<a class="skip" href="#main" onClick=${(event) => {
			event.preventDefault(); // the hash is the view
			document.getElementById("main").focus();
		}}>Skip to the page</a>
		<${Strip} />
		<${Ways} page=${view.page === "node" ? "nodes" : view.page} />
		<main id="main" tabindex="-1" class=${silent || paused ? "dimmed" : ""}>${page}</main>
		<${Dialogs} />`;
}

const root = document.getElementById("app");
root.replaceChildren();
render(html`<${App} />`, root);
listen();
fleet.start();
