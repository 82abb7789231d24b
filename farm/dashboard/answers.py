"""Requests taken apart, and answers put together: JSON both ways, and nothing that came from a wire as HTML."""

from typing import Any

from flask import Response, request

from farm.dashboard.refusal import Refusal, bad_request
from farm.dashboard.snapshot import serialise

JSON = "application/json"


def answer(body: Any, status: int = 200) -> Response:
    """A value as JSON, which nobody keeps."""
    return packed(serialise(body), status)


def packed(body: bytes, status: int = 200, kind: str = JSON) -> Response:
    """Bytes that were serialised before."""
    response = Response(body, status, content_type=kind)
    response.headers["Cache-Control"] = "no-store"
    return response


def refused(refusal: Refusal) -> Response:
    """An answer that says no."""
    response = answer(refusal.body, refusal.status)
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    if refusal.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="farm dashboard"'
    return response


def body_of_request(*known: str) -> dict[str, Any]:
    """The JSON object of a request's body, which has no fields but these. Raises `Refusal` 400."""
    try:
        body = request.get_json(force=True, silent=False, cache=False)
    except RecursionError:
        raise bad_request("the body is nested too deeply") from None
    if not isinstance(body, dict):
        raise bad_request(f"the body must be a JSON object with {' '.join(known)}")
    unknown = [key for key in body if key not in known]
    if unknown:
        raise bad_request(f"there is no field {unknown[0]!r:.60}", f"fields are {' '.join(known)}")
    return body


def argument(name: str, default: str = "") -> str:
    """A word of the query string."""
    return request.args.get(name, default)


def whole(name: str, default: int, least: int, most: int) -> int:
    """A whole number of the query string. Raises `Refusal` 400 for one that is none, or out of its bounds."""
    text = request.args.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.removeprefix("-").isdecimal() or len(text) > 18 or not least <= int(text) <= most:
        raise bad_request(f"{name}={text:.40}: wanted a whole number from {least} to {most}")
    return int(text)


def number(name: str, default: float) -> float:
    """A number of the query string, not below zero. Raises `Refusal` 400."""
    text = request.args.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e15:
        raise bad_request(f"{name}={text:.40}: wanted a number from 0 on")
    return value


def words(name: str, most: int) -> list[str]:
    """Comma-separated words of the query string, each once. Raises `Refusal` 400 for too many."""
    found = list(dict.fromkeys(word for word in request.args.get(name, "").split(",") if word))
    if len(found) > most:
        raise bad_request(f"{name}: {len(found)} are wanted; at most {most} may be")
    return found
