"""Who made a request. A server on this machine is an open door for every page in its browser: any site can have it send
requests here, GETs above all, and the grammar of 2016 changes things by GET.

    421  a `Host` that is not ours: a name that was bound to this address to get around the same-origin rule
    403  a request that another site's page made, or one whose browser does not say whose page it was

Browsers say `Sec-Fetch-Site` where the address is of loopback, or the connection encrypted; `Origin` with all that is
no GET; `Referer` unless the page would not have it. Programs such as curl say none of them. Everything here is a
function of headers.
"""

import ipaddress
import re
from collections.abc import Set
from typing import Protocol

from node.web.refusal import Refusal

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of every answer."""

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

BROWSERS = ("Mozilla/", "Opera/")
"""How a `User-Agent` begins where a page can have made the request."""

_HOST = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_.-]+)(?::(?P<port>\d{1,5}))?")


class Headers(Protocol):
    """Of a request, by name in any case."""

    def get(self, key: str, default: str, /) -> str:
        """One of them."""


def check_host(host: str, names: Set[str], any_address: bool) -> None:
    """Raises `Refusal` 421 unless the request is for us: for one of `names`, lower case, or with `any_address` for an
    address as such. Any port will do, for a tunnel has one of its own."""
    match = _HOST.fullmatch(host)
    name = match["name"].lower().rstrip(".") if match else ""
    if name in names or (any_address and _is_address(name)):
        return
    raise Refusal(421, f"this server is not {host:.80}", f"it answers to {', '.join(sorted(names))}")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def is_foreign(headers: Headers) -> bool:
    """Whether another site's page made the request, as the browser says."""
    site = headers.get("Sec-Fetch-Site", "")
    if site in ("cross-site", "same-site"):
        return True
    origin = headers.get("Origin", "")
    return bool(origin) and not is_own(origin, headers.get("Host", ""))


def is_ours(headers: Headers) -> bool:
    """Whether there is a sign that our own page made it."""
    origin = headers.get("Origin", "")
    if origin:
        return is_own(origin, headers.get("Host", ""))
    return headers.get("Sec-Fetch-Site", "") == "same-origin"


def is_own(url: str, host: str) -> bool:
    """Whether an origin, or the address of a page, is of the server that was asked as `host`."""
    scheme, _, rest = url.partition("://")
    return scheme in ("http", "https") and bool(host) and rest.partition("/")[0].lower() == host.lower()


def is_link(headers: Headers) -> bool:
    """Whether a person followed a link to here: the page that comes is theirs to see, wherever the link was, and no
    script's."""
    return headers.get("Sec-Fetch-Mode", "") == "navigate" and headers.get("Sec-Fetch-Dest", "") == "document"


def check_change(headers: Headers) -> None:
    """Raises `Refusal` 403 unless it was our own page that wants something changed, a person who typed the address, or
    a program that is no browser."""
    referer = headers.get("Referer", "")
    if is_foreign(headers) or (referer and not is_own(referer, headers.get("Host", ""))):
        raise Refusal(403, "another site's page may not change anything here")
    typed = headers.get("Sec-Fetch-Site", "") == "none"
    if not (typed or referer or is_ours(headers)) and headers.get("User-Agent", "").startswith(BROWSERS):
        raise Refusal(
            403, "this browser does not say which page wants this", "press the button, or use a program such as curl"
        )
