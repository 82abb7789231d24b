// What stands over a page: a question to be answered first, the line that tells how an act went.
import { html, useEffect, useReducer, useRef, useState } from "./vendor/preact-htm.js";
import { post } from "./api.js";
import { fleet } from "./fleet.js";
import { KEY_HELP } from "./keyboard.js";
import { plural } from "./format.js";

const SHOWN_MS = 8000;
const state = { question: null, lines: [] };
let draw = () => {};
let made = 0;

/** Tells how something went. What went wrong stays until it is closed. */
export function say(text, wrong = false) {
	const line = { id: ++made, text, wrong };
	state.lines = [...state.lines.slice(-3), line];
	draw();
	if (!wrong) setTimeout(() => hide(line), SHOWN_MS);
}

function hide(line) {
	state.lines = state.lines.filter((other) => other !== line);
	draw();
}

/** Asks in a dialog; `Body` gets {done} and calls it with the answer. Esc answers undefined. */
export function ask(title, Body) {
	return new Promise((resolve) => {
		state.question?.resolve();
		state.question = { title, Body, resolve };
		draw();
	});
}

/** Acts on more than ten nodes ask for the count to be typed: no slip of the hand does that. */
export function confirmCount(act, names) {
	if (names.length <= 10) return Promise.resolve(true);
	return ask(`${act} ${plural(names.length, "node")}?`, ({ done }) => {
		const [typed, type] = useState("");
		const right = typed.trim() === String(names.length);
		return html`<form onSubmit=${(event) => { event.preventDefault(); if (right) done(true); }}>
			<p>${names.slice(0, 6).join(", ")}${names.length > 6 ? " and more" : ""}.</p>
			<label><span>Type <b>${names.length}</b> to go on</span>
				<input autofocus inputmode="numeric" autocomplete="off" value=${typed} onInput=${(event) => type(event.target.value)} /></label>
			<p class="answers"><button class="act" disabled=${!right}>${act}</button>
				<button type="button" onClick=${() => done()}>Cancel</button></p>
		</form>`;
	});
}

export function signIn() {
	return ask("Sign in", ({ done }) => {
		const [problem, tell] = useState("");
		const submit = async (event) => {
			event.preventDefault();
			try {
				await post("session", { token: event.target.elements.token.value.trim() });
				await fleet.load();
				done(true);
				if (!fleet.canWrite) say("Signed in to read. Changing things needs the other token.");
			} catch (error) {
				tell([error.message, error.hint].filter(Boolean).join(": "));
			}
		};
		return html`<form onSubmit=${submit}>
			<p>Whoever changes the plant needs its token: <code>farm dashboard --print-token</code> prints it.</p>
			<label>Token <input name="token" type="password" autofocus autocomplete="current-password" required /></label>
			${problem && html`<p class="problem" role="alert">${problem}</p>`}
			<p class="answers"><button class="act">Sign in</button>
				<button type="button" onClick=${() => done()}>Cancel</button></p>
		</form>`;
	});
}

export const showKeys = () => ask("Keys", ({ done }) => html`<table class="keys"><tbody>
	${KEY_HELP.map(([keys, text]) => html`<tr key=${keys}><th scope="row"><kbd>${keys}</kbd></th><td>${text}</td></tr>`)}
	</tbody></table><p class="answers"><button autofocus onClick=${() => done()}>Close</button></p>`);

function Question({ question }) {
	const box = useRef(null);
	const done = (answer) => {
		question.resolve(answer);
		if (state.question === question) state.question = null;
		draw();
	};
	useEffect(() => {
		const before = document.activeElement;
		box.current.showModal();
		box.current.querySelector("[autofocus]")?.focus();
		return () => before?.focus?.();
	}, []);
	return html`<dialog ref=${box} aria-labelledby="question" onClose=${() => done()}>
		<h2 id="question">${question.title}</h2><${question.Body} done=${done} /></dialog>`;
}

export function Dialogs() {
	[, draw] = useReducer((n) => n + 1, 0);
	return html`${state.question && html`<${Question} key=${state.question.title} question=${state.question} />`}
		<div class="said">${state.lines.map((line) => html`<p key=${line.id} class=${line.wrong ? "problem" : ""}
			role=${line.wrong ? "alert" : "status"}>${line.text} <button class="quiet" onClick=${() => hide(line)}>Close</button></p>`)}
		</div>`;
}
