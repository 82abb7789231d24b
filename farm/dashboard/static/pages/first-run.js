// What is shown where there is nothing to show: no plant runs, or this browser may not read.
import { html } from "../vendor/preact-htm.js";
import { signIn } from "../dialogs.js";
import { copy } from "../export.js";

const DEMOS = [
  ["A water works", "farm demo", "Twelve controllers and meters, as a plant has them: levels, flows, pumps, registers."],
  ["Five hundred tanks", "farm up topologies/tank-farm-500.yaml", "What your SCADA, historian or driver has to bear."],
  ["A brewery by the Purdue model", "farm up topologies/purdue.yaml", "Four zones with firewalls between; needs network namespaces."],
];

export const FirstRun = () => html`<div class="page first"><h1>No plant runs yet</h1>
  <p>Start one in a terminal; this page shows it as soon as it is there.</p>
  <ul class="demos">${DEMOS.map(([name, command, text]) => html`<li key=${name}><h2>${name}</h2><p>${text}</p>
    <code>${command}</code> <button onClick=${() => copy(command, "the command")}>Copy<span class="unseen"> ${command}</span></button></li>`)}</ul>
  <p class="hint"><code>farm doctor</code> says what this machine lacks, if it lacks something.</p></div>`;

export const Locked = () => html`<div class="page first"><h1>Sign in</h1>
  <p>This dashboard can be reached from other machines, so reading needs a token too: <code>farm dashboard --print-token</code> prints both.</p>
  <p><button class="act" onClick=${signIn}>Sign in…</button></p></div>`;
