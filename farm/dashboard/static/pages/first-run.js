// What is shown where there is nothing to show: no plant runs, or this browser may not read.
import { html } from "../vendor/preact-htm.js";
import { signIn } from "../dialogs.js";
import { copy } from "../export.js";
import { fleet } from "../fleet.js";

export const FirstRun = () => html`<div class="page first"><h1>No plant runs yet</h1>
	<p>Start one in a terminal; this page shows it as soon as it is there.</p>
	<ul class="demos">${fleet.demos.map(({ name, title, command }) => html`<li key=${name}><h2>${name}</h2><p>${title}</p>
		<code>${command}</code> <button onClick=${() => copy(command, "the command")}>Copy<span class="unseen"> ${command}</span></button></li>`)}</ul>
	<p class="hint"><code>farm doctor</code> says what this machine lacks, if it lacks something.</p></div>`;

export const Locked = () => html`<div class="page first"><h1>Sign in</h1>
	<p>This dashboard can be reached from other machines, so reading needs a token too: <code>farm dashboard --print-token</code> prints both.</p>
	<p><button class="act" onClick=${signIn}>Sign in…</button></p></div>`;
