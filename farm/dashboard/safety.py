"""Who may ask for what. A page on this machine's browser is an open door: any site can have it send requests here.

    421  a `Host` that is not ours: a name that was bound to this address to get around the same-origin rule
    403  a request that another site's page made; a token that may only look, and wants to change something
    401  no token where one is needed
    415  a body that is not JSON, which another site's form could have sent

Looking is free where the server listens on loopback only. Changing needs the token, or the cookie together with a sign
that our own page sent it. There are no CORS headers at all. Everything here is a function of headers.
"""

from dataclasses import dataclass

from farm.dashboard.refusal import Refusal
from farm.dashboard.tokens import WRITE, Keys
from node.web import origin
from node.web.origin import HEADERS, LOCAL_NAMES, Headers, is_foreign, is_ours

__all__ = ["HEADERS", "LOCAL_NAMES", "is_foreign"]

SIGN_IN_HINT = "`farm dashboard` prints a link that lets a browser in; `farm dashboard --print-token` prints the tokens"


@dataclass(frozen=True, slots=True)
class Doors:
    """`names` are the hosts that the server answers to, lower case; with `any_address` also every address as such, for
    one that listens on all. `free_reading`: it listens on loopback only."""

    names: frozenset[str]
    any_address: bool
    free_reading: bool


def check_host(host: str, doors: Doors) -> None:
    """Raises `Refusal` 421 unless the request is for us."""
    origin.check_host(host, doors.names, doors.any_address)


@dataclass(frozen=True, slots=True)
class Caller:
    """What the bearer of a request may (None: nothing but what is free), and whether the cookie says so."""

    role: str | None
    by_cookie: bool


def caller_of(headers: Headers, cookie: str, keys: Keys | None) -> Caller:
    """By the token of the `Authorization` header, else by the cookie. Raises `Refusal` 401 for a token that is none of
    ours: who sends one wants to know."""
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    if scheme:
        role = keys.tokens.role(token.strip()) if scheme.lower() == "bearer" and keys is not None else None
        if role is None:
            raise Refusal(401, "that token is not known here", SIGN_IN_HINT)
        return Caller(role, by_cookie=False)
    return Caller(keys.session_role(cookie) if cookie and keys is not None else None, by_cookie=True)


def check_read(caller: Caller, doors: Doors) -> None:
    """Raises `Refusal` 401 where looking is not free and the caller may not."""
    if caller.role is None and not doors.free_reading:
        raise Refusal(401, "a token is needed to look at this farm", SIGN_IN_HINT)


def check_change(caller: Caller, headers: Headers, *, cookie_will_do: bool = True) -> None:
    """Raises `Refusal` unless the caller may change something, and it was not another site's page that wanted it."""
    if caller.role is None or (caller.by_cookie and not cookie_will_do):
        raise Refusal(401, "a token is needed to change something", SIGN_IN_HINT)
    if caller.by_cookie and not is_ours(headers):
        raise Refusal(403, "a browser must say that our own page wants this", "send `Origin`, or the token as Bearer")
    if caller.role != WRITE:
        raise Refusal(403, "this token is for looking only", "use the one in dashboard/token")


def check_json(content_type: str) -> None:
    """Raises `Refusal` 415 for a body that is not JSON."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Refusal(415, f"got {content_type[:80] or 'no content type'}, wanted application/json")
