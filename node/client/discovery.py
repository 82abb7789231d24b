"""Who is there: ListIdentity, ListServices and ListInterfaces, to one device or to all of a network.

    for device in discover("10.0.0.255"):
        print(device.peer, device.identity.product_name)

A broadcast is answered by however many there are, so the whole time-out is waited for; one device by one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic
from typing import TypeVar

from node.client.client import Client
from node.client.dotted import dotdict
from node.client.failure import BadAnswer, TimedOut
from node.client.transport import Peer
from node.enip.commands import (
    IdentityItem,
    ServiceItem,
    decode_list_identity,
    decode_list_interfaces,
    decode_list_services,
)
from node.enip.cpf import Item
from node.enip.header import PORT, SUCCESS
from node.errors import RemoteProtocolError
from node.record import dataclass

EVERYBODY = "255.255.255.255"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Device:
    """A device that answered: `peer` from where, `identity` who it says it is."""

    peer: Peer
    identity: IdentityItem


def discover(
    host: str = EVERYBODY, port: int = PORT, timeout: float = 1.0, *, source_address: str | None = None
) -> list[Device]:
    """The devices that answer a ListIdentity to `host`, an address that may be a broadcast, within `timeout` seconds:
    each once, in the order of their addresses. `source_address` picks the interface it goes out of."""
    with Client(host, port, timeout, udp=True, broadcast=True, source_address=source_address) as client:
        client.list_identity()
        found = dict(_bodies(client, timeout, decode_list_identity))
    return [Device(peer, found[peer]) for peer in sorted(found)]


def identity_of(host: str, port: int = PORT, timeout: float = 5.0, *, udp: bool = False) -> IdentityItem:
    """Who one device is. Raises `NoAnswer` of its kind."""
    return _asked(host, port, timeout, udp, Client.list_identity, decode_list_identity)


def services_of(host: str, port: int = PORT, timeout: float = 5.0, *, udp: bool = False) -> list[ServiceItem]:
    """What one device offers. Raises `NoAnswer` of its kind."""
    return _asked(host, port, timeout, udp, Client.list_services, decode_list_services)


def interfaces_of(host: str, port: int = PORT, timeout: float = 5.0, *, udp: bool = False) -> list[Item]:
    """The interfaces one device has beside EtherNet/IP. Raises `NoAnswer` of its kind."""
    return _asked(host, port, timeout, udp, Client.list_interfaces, decode_list_interfaces)


def responses(client: Client, timeout: float | None = None, most: int | None = None) -> Iterator[dotdict]:
    """The replies, as trees, that come to what `client` sent until `timeout` seconds are over in all, or there are
    `most`: without it one, and of a broadcast all."""
    if most is None and not client.broadcast:
        most = 1
    limit = client.timeout if timeout is None else timeout
    deadline = None if limit is None else monotonic() + limit
    got = 0
    while most is None or got < most:
        left = None if deadline is None else deadline - monotonic()
        if (left is not None and left <= 0) or not client.readable(left):
            return
        try:
            reply = next(client, None)
        except RemoteProtocolError:
            if not client.broadcast:
                raise
            continue  # one of many that talks nonsense
        if reply is None:
            if client.closed:
                return
            continue
        got += 1
        yield reply


def _bodies(client: Client, timeout: float | None, decode: Callable[[bytes], T]) -> Iterator[tuple[Peer, T]]:
    for reply in responses(client, timeout):
        if reply["enip.status"] == SUCCESS:
            try:
                yield reply["peer"], decode(reply["enip.input"])
            except RemoteProtocolError as exc:
                if not client.broadcast:
                    raise BadAnswer(client.host, client.port, f"a malformed answer: {exc}") from exc


def _asked(
    host: str,
    port: int,
    timeout: float,
    udp: bool,
    ask: Callable[[Client], object],
    decode: Callable[[bytes], T],
) -> T:
    with Client(host, port, timeout, udp=udp) as client:
        ask(client)
        for _, answer in _bodies(client, timeout, decode):
            return answer
        raise TimedOut(host, port, f"no answer within {timeout:g} s")
