"""Where a web interface listens, and the names that it answers to."""

import socket
from typing import NamedTuple

from node.web.origin import LOCAL_NAMES


class Door(NamedTuple):
    """`host` "" is every interface; with `any_address` a request may name any address as such, else one of `names`,
    which are lower case."""

    host: str
    port: int
    names: frozenset[str]
    any_address: bool


def door_at(typed: str, host: str, port: int) -> Door:
    """A door at the IPv4 address `host`, which somebody `typed` in his own words."""
    names = {socket.gethostname().lower()} | {name.lower() for name in (typed, host) if name}
    if not host or host.startswith("127."):
        names |= LOCAL_NAMES
    return Door(host, port, frozenset(names), not host)
