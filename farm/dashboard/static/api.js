// All HTTP. Addresses are relative to this file: a path in front of the server does no harm.
import { parse } from "./json.js";

const BASE = new URL("../api/v1/", import.meta.url);

// Not new URL(path, BASE): what stands before the colon of "nodes:restart" would be a scheme.
export const at = (path) => new URL(BASE.href + path);

/** A refusal, or a server out of reach (`status` 0). `hint` says what to do, if anything. */
export class ApiError extends Error {
	constructor(status, body) {
		super(body.error || `the server answered ${status}`);
		this.status = status;
		this.detail = body.detail || "";
		this.hint = body.hint || "";
	}
}

async function ask(method, path, body) {
	const request = { method, headers: { Accept: "application/json" }, credentials: "same-origin", cache: "no-store" };
	if (body !== undefined) {
		request.headers["Content-Type"] = "application/json";
		request.body = JSON.stringify(body);
	}
	let answer;
	try {
		answer = await fetch(at(path), request);
	} catch {
		throw new ApiError(0, { error: "the dashboard's server cannot be reached" });
	}
	const text = await answer.text();
	let parsed = {};
	try {
		parsed = text ? parse(text) : {};
	} catch {
		// not our server: its status says enough
	}
	if (!answer.ok) throw new ApiError(answer.status, parsed);
	return parsed;
}

export const get = (path) => ask("GET", path);
export const post = (path, body = {}) => ask("POST", path, body);
export const put = (path, body) => ask("PUT", path, body);
export const remove = (path) => ask("DELETE", path, {});

const name = encodeURIComponent;
export const node = (of, rest = "") => `nodes/${name(of)}${rest && "/" + rest}`;
export const tag = (of, tagName) => `nodes/${name(of)}/tags/${name(tagName)}`;
export { name };
