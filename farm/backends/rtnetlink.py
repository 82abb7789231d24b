"""The few messages that make links, addresses, routes and neighbours, many in one send: for what is done once a node.

pyroute2 does all of this and much more, at ten times the price: most of a node's time would be spent on encoding. Here
a message is a `struct.pack`, all of a node go out in one send, and the kernel's acknowledgements are matched to them,
so that an error names what failed. Building and parsing are pure; `Rtnetlink` is the socket. (RFC 3549; rtnetlink(7);
linux/rtnetlink.h, if_link.h, veth.h, neighbour.h; all in the machine's byte order.)

    nlmsghdr    length u32 | type u16 | flags u16 | sequence u32 | port u32
    ifinfomsg   family u8 | 0 u8 | type u16 | index i32 | flags u32 | change u32
    ifaddrmsg   family u8 | prefix u8 | flags u8 | scope u8 | index u32
    rtmsg       family u8 | dst u8 | src u8 | tos u8 | table u8 | protocol u8 | scope u8 | type u8 | flags u32
    ndmsg       family u8 | 0 u8 | 0 u16 | index i32 | state u16 | flags u8 | type u8
    rtattr      length u16 | type u16 | value, each padded to four bytes
    nlmsgerr    error i32 | the header it is about | attributes
"""

import contextlib
import ipaddress
import os
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_HEADER = struct.Struct("=IHHII")
_LINK = struct.Struct("=BBHiII")
_ADDRESS = struct.Struct("=BBBBI")
_ROUTE = struct.Struct("=BBBBBBBBI")
_NEIGHBOUR = struct.Struct("=BBHiHBB")
_ATTRIBUTE = struct.Struct("=HH")
_INT = struct.Struct("=i")

ERROR, DONE = 2, 3
NEW_LINK, DELETE_LINK, GET_LINK = 16, 17, 18
NEW_ADDRESS, NEW_ROUTE = 20, 24
NEW_NEIGHBOUR, DELETE_NEIGHBOUR, GET_NEIGHBOUR = 28, 29, 30

_REQUEST, _ACK, _DUMP, _REPLACE, _EXCLUSIVE, _CREATE = 0x1, 0x4, 0x300, 0x100, 0x200, 0x400

# IFLA_*, IFA_*, RTA_* and NDA_*
_MAC, _NAME, _MTU, _PEER_INDEX, _MASTER, _LINK_INFO, _ALIAS, _NAMESPACE, _EXTENT = 1, 3, 4, 5, 10, 18, 20, 28, 29
_KIND, _DATA = 1, 2
_VETH_PEER = 1
_SKIP_STATISTICS = 8
_IFA_ADDRESS, _IFA_LOCAL, _IFA_BROADCAST = 1, 2, 4
_RTA_TARGET, _RTA_OUT, _RTA_GATEWAY = 1, 4, 5
_NDA_TARGET, _NDA_MAC = 1, 2

_UP = 1
_NO_DUPLICATES_CHECK = 0x02
"""IFA_F_NODAD: an IPv6 address serves at once; nobody else can have it here."""
_MAIN_TABLE, _BOOT, _UNICAST = 254, 3, 1
_PERMANENT, _NO_ARP = 0x80, 0x40
_OF_MASTER = 0x02
"""NTF_MASTER: an entry of the bridge that the port is on."""

LOOPBACK = 1
"""The index of lo in every namespace."""

_SOL_NETLINK, _CAP_ACK, _EXT_ACK = 270, 10, 11
_ERROR_TEXT = 1
_BUFFER = 1 << 20
_READ = 1 << 18
_PATIENCE = 30.0
"""Seconds for the kernel's answer: all namespaces share one lock, and taking many away holds it for long."""
_AT_ONCE = 64
"""Messages in one send: their acknowledgements must fit into the socket's buffer."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request without its header. `what` says what it does, for errors; `missing_ok` makes it no error when what it
    takes away is not there."""

    kind: int
    flags: int
    body: bytes
    what: str
    missing_ok: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A link as the kernel lists it. `master` is the index of its bridge, 0 for none, `peer` that of the other end of
    a veth pair in that end's namespace, `mac` as `02:fa:00:00:00:01`."""

    index: int
    name: str
    up: bool
    mac: str = ""
    mtu: int = 0
    master: int = 0
    peer: int = 0
    alias: str = ""
    kind: str = ""


def add_veth(
    name: str,
    inner: str,
    namespace: int,
    *,
    index: int,
    inner_index: int,
    inner_mac: str,
    master: int = 0,
    mtu: int = 1500,
) -> Message:
    """A veth pair: `name` here as link `index`, up and on the bridge `master`; `inner`, not yet up, as link
    `inner_index` of the namespace that the descriptor `namespace` holds."""
    peer = (
        _LINK.pack(0, 0, 0, inner_index, 0, 0)
        + _text(_NAME, inner)
        + _number(_NAMESPACE, namespace)
        + attribute(_MAC, encode_mac(inner_mac))
        + _number(_MTU, mtu)
    )
    info = _text(_KIND, "veth") + attribute(_DATA, attribute(_VETH_PEER, peer))
    body = _LINK.pack(0, 0, 0, index, _UP, _UP) + _text(_NAME, name) + _number(_MTU, mtu)
    if master:
        body += _number(_MASTER, master)
    return Message(NEW_LINK, _CREATE | _EXCLUSIVE, body + attribute(_LINK_INFO, info), f"add veth {name} to {inner}")


def set_link(index: int, *, up: bool) -> Message:
    """Switches a link on or off."""
    body = _LINK.pack(0, 0, 0, index, _UP if up else 0, _UP)
    return Message(NEW_LINK, 0, body, f"set link {index} {'up' if up else 'down'}")


def switch_link(name: str, *, up: bool) -> Message:
    """The same for a link whose index is not known."""
    body = _LINK.pack(0, 0, 0, 0, _UP if up else 0, _UP) + _text(_NAME, name)
    return Message(NEW_LINK, 0, body, f"set link {name} {'up' if up else 'down'}")


def set_alias(name: str, alias: str) -> Message:
    """Notes on a link whatever is to be found there again: 255 bytes at most."""
    body = _LINK.pack(0, 0, 0, 0, 0, 0) + _text(_NAME, name) + attribute(_ALIAS, alias.encode())
    return Message(NEW_LINK, 0, body, f"set alias of {name}")


def delete_link(name: str) -> Message:
    """Takes a link away, and its other end with it."""
    body = _LINK.pack(0, 0, 0, 0, 0, 0) + _text(_NAME, name)
    return Message(DELETE_LINK, 0, body, f"delete link {name}", missing_ok=True)


def add_address(index: int, address: str, prefix: int) -> Message:
    """Gives a link an IPv4 or IPv6 address; the subnet's route comes with it once the link is up."""
    ip = ipaddress.ip_interface(f"{address}/{prefix}")
    flags = _NO_DUPLICATES_CHECK if ip.version == 6 else 0
    body = _ADDRESS.pack(_family(ip.version), prefix, flags, 0, index)
    body += attribute(_IFA_LOCAL, ip.packed) + attribute(_IFA_ADDRESS, ip.packed)
    if ip.version == 4 and prefix < 31:
        body += attribute(_IFA_BROADCAST, ip.network.broadcast_address.packed)
    return Message(NEW_ADDRESS, _CREATE | _EXCLUSIVE, body, f"add address {ip}")


def add_route(subnet: str, gateway: str, index: int = 0) -> Message:
    """Sends what is for `subnet` (`0.0.0.0/0` for all) by way of `gateway`."""
    target, hop = ipaddress.ip_network(subnet), ipaddress.ip_address(gateway)
    body = _ROUTE.pack(_family(target.version), target.prefixlen, 0, 0, _MAIN_TABLE, _BOOT, 0, _UNICAST, 0)
    if target.prefixlen:
        body += attribute(_RTA_TARGET, target.network_address.packed)
    body += attribute(_RTA_GATEWAY, hop.packed)
    if index:
        body += _number(_RTA_OUT, index)
    return Message(NEW_ROUTE, _CREATE | _REPLACE, body, f"add route {target} via {hop}")


def add_neighbour(index: int, address: str, mac: str) -> Message:
    """An entry for good: never asked for by ARP, never counted against the neighbour table's limit."""
    ip = ipaddress.ip_address(address)
    body = _NEIGHBOUR.pack(_family(ip.version), 0, 0, index, _PERMANENT, 0, 0)
    body += attribute(_NDA_TARGET, ip.packed) + attribute(_NDA_MAC, encode_mac(mac))
    return Message(NEW_NEIGHBOUR, _CREATE | _REPLACE, body, f"add neighbour {ip}")


def delete_neighbour(index: int, address: str) -> Message:
    """Takes such an entry away."""
    ip = ipaddress.ip_address(address)
    body = _NEIGHBOUR.pack(_family(ip.version), 0, 0, index, 0, 0, 0) + attribute(_NDA_TARGET, ip.packed)
    return Message(DELETE_NEIGHBOUR, 0, body, f"delete neighbour {ip}", missing_ok=True)


def add_station(port: int, mac: str) -> Message:
    """Tells a bridge behind which of its ports `mac` is: what is sent there is never flooded to all."""
    body = _NEIGHBOUR.pack(socket.AF_BRIDGE, 0, 0, port, _PERMANENT | _NO_ARP, _OF_MASTER, 0)
    return Message(NEW_NEIGHBOUR, _CREATE | _REPLACE, body + attribute(_NDA_MAC, encode_mac(mac)), f"add station {mac}")


def delete_station(port: int, mac: str) -> Message:
    """Has the bridge forget it; with a port go its stations."""
    body = _NEIGHBOUR.pack(socket.AF_BRIDGE, 0, 0, port, 0, _OF_MASTER, 0) + attribute(_NDA_MAC, encode_mac(mac))
    return Message(DELETE_NEIGHBOUR, 0, body, f"delete station {mac}", missing_ok=True)


def list_links() -> Message:
    """Asks for all links of the namespace, without their counters."""
    body = _LINK.pack(0, 0, 0, 0, 0, 0) + _number(_EXTENT, _SKIP_STATISTICS)
    return Message(GET_LINK, _DUMP, body, "list links")


def find_link(name: str) -> Message:
    """Asks for one link."""
    body = _LINK.pack(0, 0, 0, 0, 0, 0) + _number(_EXTENT, _SKIP_STATISTICS) + _text(_NAME, name)
    return Message(GET_LINK, 0, body, f"find link {name}", missing_ok=True)


def list_stations() -> Message:
    """Asks for whatever the bridges of the namespace know to be behind their ports."""
    return Message(GET_NEIGHBOUR, _DUMP, _LINK.pack(socket.AF_BRIDGE, 0, 0, 0, 0, 0), "list stations")


def encode(messages: Sequence[Message], first: int) -> bytes:
    """The messages as they are sent, numbered from `first` on, each to be acknowledged."""
    out = []
    for sequence, message in enumerate(messages, first):
        flags = message.flags | _REQUEST | (0 if message.flags & _DUMP == _DUMP else _ACK)
        length = _HEADER.size + len(message.body)
        out.append(_HEADER.pack(length, message.kind, flags, sequence, 0) + message.body)
    return b"".join(out)


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def decode(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(type, sequence, body) of each message in what was received."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, _, sequence, _ = _HEADER.unpack_from(data, at)
        if length < _HEADER.size:
            return
        yield kind, sequence, data[at + _HEADER.size : at + length]
        at += length + 3 & ~3


def decode_attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(type, value) of each attribute; the flag that marks nested ones is left out."""
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if length < _ATTRIBUTE.size:
            return
        yield kind & 0x3FFF, data[at + _ATTRIBUTE.size : at + length]
        at += length + 3 & ~3


def decode_error(body: bytes) -> tuple[int, str]:
    """(errno, the kernel's own words or "") of an acknowledgement; errno 0 is success."""
    code = -_INT.unpack_from(body)[0]
    words = dict(decode_attributes(body[_INT.size + _HEADER.size :])) if code else {}
    return code, words.get(_ERROR_TEXT, b"").rstrip(b"\0").decode(errors="replace")


def decode_link(body: bytes) -> Link:
    """One link of a list."""
    _, _, _, index, flags, _ = _LINK.unpack_from(body)
    found = dict(decode_attributes(body[_LINK.size :]))
    info = dict(decode_attributes(found.get(_LINK_INFO, b"")))

    def number(kind: int) -> int:
        return _INT.unpack_from(found[kind])[0] if kind in found else 0

    def text(data: bytes) -> str:
        return data.rstrip(b"\0").decode(errors="replace")

    return Link(
        index,
        text(found.get(_NAME, b"")),
        bool(flags & _UP),
        found.get(_MAC, b"").hex(":"),
        number(_MTU),
        number(_MASTER),
        number(_PEER_INDEX),
        text(found.get(_ALIAS, b"")),
        text(info.get(_KIND, b"")),
    )


def decode_station(body: bytes) -> tuple[int, bytes]:
    """(index of the port, MAC) of one station of a list."""
    return _NEIGHBOUR.unpack_from(body)[3], dict(decode_attributes(body[_NEIGHBOUR.size :])).get(_NDA_MAC, b"")


def encode_mac(mac: str) -> bytes:
    """Six bytes of `02:fa:00:00:00:01`."""
    return bytes.fromhex(mac.replace(":", ""))


class Rtnetlink:
    """A socket in the namespace of the thread that makes it, and in no other for ever. Threads may share it."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        for option in (_CAP_ACK, _EXT_ACK):
            with contextlib.suppress(OSError):
                self._socket.setsockopt(_SOL_NETLINK, option, 1)
        self._socket.settimeout(_PATIENCE)
        self._lock = threading.Lock()
        self._sequence = 0

    def __enter__(self) -> "Rtnetlink":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()

    def send(self, messages: Sequence[Message]) -> None:
        """Has the kernel do all of `messages`, in order. One that fails does not keep it from those after it. Raises
        `OSError` with the first that failed, when all are done."""
        failures: list[OSError] = []
        with self._lock:
            for at in range(0, len(messages), _AT_ONCE):
                failures += self._exchange(messages[at : at + _AT_ONCE])
        if failures:
            raise failures[0]

    def links(self) -> list[Link]:
        """All links of the namespace. Raises `OSError`."""
        return [decode_link(body) for body in self._ask(list_links(), NEW_LINK, DONE)]

    def link(self, name: str) -> Link | None:
        """The link of that name, if there is one. Raises `OSError`."""
        return next((decode_link(body) for body in self._ask(find_link(name), NEW_LINK, ERROR)), None)

    def stations(self) -> list[tuple[int, bytes]]:
        """(index of the port, MAC) of all that the bridges of the namespace know. Raises `OSError`."""
        return [decode_station(body) for body in self._ask(list_stations(), NEW_NEIGHBOUR, DONE)]

    def _ask(self, request: Message, wanted: int, last: int) -> list[bytes]:
        """The bodies of the messages of the type `wanted` that the kernel answers with, until one of the type
        `last`."""
        with self._lock:
            first = self._number(1)
            self._socket.send(encode([request], first))
            found: list[bytes] = []
            while True:
                for kind, sequence, body in decode(self._socket.recv(_READ)):
                    if sequence != first:
                        continue  # of a request that was given up
                    if kind == wanted:
                        found.append(body)
                        continue
                    code, words = decode_error(body) if kind == ERROR else (0, "")
                    if code and not (request.missing_ok and code in _MISSING):
                        raise _failure(request.what, code, words)
                    if kind in (last, ERROR):
                        return found

    def _number(self, count: int) -> int:
        first = self._sequence + 1
        self._sequence += count
        return first

    def _exchange(self, messages: Sequence[Message]) -> list[OSError]:
        first = self._number(len(messages))
        self._socket.send(encode(messages, first))
        failures: list[OSError] = []
        waiting = len(messages)
        while waiting:
            for kind, sequence, body in decode(self._socket.recv(_READ)):
                if kind != ERROR or not first <= sequence < first + len(messages):
                    continue
                waiting -= 1
                code, words = decode_error(body)
                message = messages[sequence - first]
                if code and not (message.missing_ok and code in _MISSING):
                    failures.append(_failure(message.what, code, words))
        return failures


_MISSING = frozenset((2, 6, 19, 3, 99))
"""ENOENT, ENXIO, ENODEV, ESRCH, EADDRNOTAVAIL."""


def _failure(what: str, code: int, words: str) -> OSError:
    return OSError(code, f"{what}: {words or os.strerror(code)}")


def _text(kind: int, text: str) -> bytes:
    return attribute(kind, text.encode() + b"\0")


def _number(kind: int, number: int) -> bytes:
    return attribute(kind, _INT.pack(number))


def _family(version: int) -> int:
    return socket.AF_INET6 if version == 6 else socket.AF_INET
