"""A network of a plant on a real segment: looked at before, joined to it, and parted from it.

    machine   eth1 ═╗ macvlan, passthru          switch   b….0 ── ports of nodes
                    ╚═════════════════════════════ u… ──┘

The real interface stays in the machine's namespace with all its settings; a macvlan on top of it, made in the switch's
namespace, is the bridge's port (docs/decisions/0020). It is a virtual link: with the switch's namespace it is gone,
whoever was killed, and the interface is as it was. Only `passthru` brings in what is addressed to nodes, whose MACs the
interface has never heard of; it takes all that comes to the interface, so the machine must not use that itself.
"""

import contextlib
import fcntl
import ipaddress
import itertools
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from farm.backends.arp_probe import Heard, probe
from farm.backends.makers import maker_of
from farm.backends.netns_spaces import inside, opened
from farm.backends.rtnetlink import NEW_LINK, Link, Message, Rtnetlink, attribute, delete_link, switch_link
from farm.errors import BackendError
from farm.topology.wiring import NetworkSpec

OVERRIDE = "--beside-controllers"
ASKED = 1024
"""Addresses of a subnet, from its first on, that are asked for so that controllers show themselves."""
_GET_ADDRESS = 0x8915
_REQUEST = struct.Struct("16s24x")
_GLOBAL_SCOPE = "00"
_LINK = struct.Struct("=BBHiII")
_NUMBER = struct.Struct("=I")
_CREATE, _EXCLUSIVE, _UP = 0x400, 0x200, 1
# IFLA_* and IFLA_MACVLAN_*
_NAME, _MTU, _LOWER, _MASTER, _INFO, _NAMESPACE = 3, 4, 5, 10, 18, 28
_KIND, _DATA, _MODE, _PASSTHRU = 1, 2, 1, 8
_BUSY = {16, 22}
"""What the kernel says when another macvlan is on the interface."""


@dataclass(frozen=True, slots=True)
class Answering:
    """An address that will answer on a real segment: whose it is, and what is served there (`EtherNet/IP 44818`)."""

    address: str
    name: str
    protocols: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.address}  {self.name}  {', '.join(self.protocols) or 'ARP and ping'}"


def check_uplink(
    network: NetworkSpec, addresses: Sequence[Answering], *, shared: bool = False, beside_controllers: bool = False
) -> list[str]:
    """What will answer on the real interface of `network`, a line each, the first of them about all; for any backend,
    from the machine's own namespace. It asks the segment, which takes two seconds and up to four more.

    `shared` is for a platform that leaves the machine its own use of the interface. Raises `BackendError` when the
    interface cannot be used, when one of `addresses` is taken there, and, unless `beside_controllers`, when a device of
    a maker of controllers is seen there.
    """
    name = network.name
    link = _real_link(network)
    if shared:
        _refuse_own(name, addresses)
    else:
        _refuse_in_use(name, link)
    try:
        heard = probe(link.name, [each.address for each in addresses], _others(network, addresses))
    except OSError as exc:
        reason = "only root may ask who is there" if isinstance(exc, PermissionError) else str(exc)
        raise BackendError(name, "check", f"{link.name}: {reason}") from exc
    _refuse_taken(name, link.name, addresses, heard)
    if not beside_controllers:
        _refuse_controllers(name, link.name, heard)
    count = f"{len(addresses)} address{'es' if len(addresses) != 1 else ''}"
    return [f"network {name} on {link.name}: {count} will answer there", *(str(each) for each in addresses)]


def join(switch: int | Path, bridge: str, network: NetworkSpec, machine: int | Path | None = None) -> None:
    """Puts `bridge`, of the namespace `switch`, on the real interface of `network`, which is in the namespace
    `machine`, by default in the calling thread's. What joined them before is replaced. Raises `BackendError`; they are
    not joined then."""
    port = uplink_port(network.name)
    leave(switch, network)

    def in_the_machine() -> None:
        link = _real_link(network)
        _refuse_in_use(network.name, link)
        with Rtnetlink() as kernel, contextlib.ExitStack() as stack:
            namespace = switch if isinstance(switch, int) else stack.enter_context(opened(switch))
            kernel.send([_add_passthru(port, link.index, namespace, network.mtu)])

    def in_the_switch() -> None:
        with Rtnetlink() as kernel:
            kernel.send([switch_link(port, up=True), _put_on(socket.if_nametoindex(bridge), port)])

    try:
        if machine is None:
            in_the_machine()
        else:
            inside(machine, in_the_machine)
        inside(switch, in_the_switch)
    except OSError as exc:
        with contextlib.suppress(BackendError):
            leave(switch, network)
        hint = "; another macvlan is on it, as of Docker" if exc.errno in _BUSY else ""
        raise BackendError(network.name, "create", f"{network.uplink}: {exc}{hint}") from exc


def leave(switch: int | Path, network: NetworkSpec) -> None:
    """Parts the network from its real interface; not an error when they are not joined. Raises `BackendError`."""

    def work() -> None:
        with Rtnetlink() as kernel:
            kernel.send([_put_on(0, uplink_port(network.name)), delete_link(uplink_port(network.name))])

    try:
        inside(switch, work)
    except OSError as exc:
        raise BackendError(network.name, "remove", str(exc)) from exc


def uplink_port(network: str) -> str:
    """The port of the bridge behind which the real interface is, in the switch."""
    return f"u{blake2b(network.encode(), digest_size=5).hexdigest()}"


def _real_link(network: NetworkSpec) -> Link:
    """The interface as it is in the calling thread's namespace. Raises `BackendError` when it is no use."""
    name, uplink = network.name, network.uplink
    with Rtnetlink() as kernel:
        links = {link.name: link for link in kernel.links()}
    link = links.get(uplink)
    if link is None:
        there = ", ".join(sorted(set(links) - {"lo"})) or "none"
        raise BackendError(name, "check", f"uplink {uplink} is not there; interfaces of this machine: {there}")
    if link.name == "lo":
        raise BackendError(name, "check", "uplink lo is no real interface")
    if not link.up:
        raise BackendError(name, "check", f"uplink {uplink} is down: ip link set {uplink} up")
    if link.mtu < network.mtu:
        raise BackendError(name, "check", f"uplink {uplink} has an MTU of {link.mtu}, the network one of {network.mtu}")
    return link


def _refuse_in_use(name: str, link: Link) -> None:
    """A network takes the whole interface: whoever works through it would be cut off."""
    if link.master:
        raise BackendError(name, "check", f"uplink {link.name} is a port of a bridge or bond of this machine already")
    used = _own_address(link.name)
    if used:
        why = f"uplink {link.name} has this machine's own address {used}, and a network takes all that comes to it"
        cure = "give it an interface of its own"
        raise BackendError(name, "check", f"{why}: {cure}")


def _others(network: NetworkSpec, addresses: Sequence[Answering]) -> list[str]:
    """The other addresses of the segment, as many as may be asked for."""
    ours = {each.address for each in addresses}
    hosts = itertools.islice(ipaddress.ip_network(network.subnet).hosts(), ASKED)
    return [text for host in hosts if (text := str(host)) not in ours]


def _refuse_own(name: str, addresses: Sequence[Answering]) -> None:
    """The machine does not answer itself when it asks who has its own address."""
    for each in addresses:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried, contextlib.suppress(OSError):
            tried.bind((each.address, 0))
            raise BackendError(
                name, "check", f"{each.address} ({each.name}) is this machine's own; nothing was started"
            )


def _refuse_taken(name: str, uplink: str, addresses: Sequence[Answering], heard: Heard) -> None:
    taken = [f"{each.address} ({each.name}) is {_station(heard.owners[each.address])}" for each in addresses
             if each.address in heard.owners]  # fmt: skip
    if taken:
        more = f", and {len(taken) - 3} more" if len(taken) > 3 else ""
        raise BackendError(
            name, "check", f"taken on {uplink} already: {', '.join(taken[:3])}{more}; nothing was started"
        )


def _refuse_controllers(name: str, uplink: str, heard: Heard) -> None:
    seen = [_station(mac) for mac in sorted({*heard.stations, *_neighbours(uplink)}) if maker_of(mac)]
    if seen:
        more = f", and {len(seen) - 3} more" if len(seen) > 3 else ""
        why = f"{uplink} leads to real controllers: {', '.join(seen[:3])}{more}"
        raise BackendError(name, "check", f"{why}; nothing was started ({OVERRIDE} does it all the same)")


def _station(mac: str) -> str:
    maker = maker_of(mac)
    return f"{mac} ({maker})" if maker else mac


def _own_address(interface: str) -> str:
    """An address by which the machine itself uses an interface of the calling thread's namespace; "" for none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker, contextlib.suppress(OSError):
        answer = fcntl.ioctl(asker, _GET_ADDRESS, _REQUEST.pack(interface.encode()))
        return socket.inet_ntoa(answer[20:24])
    with contextlib.suppress(OSError):
        for line in Path("/proc/thread-self/net/if_inet6").read_text().splitlines():
            address, _, _, scope, _, name = line.split()
            if name == interface and scope == _GLOBAL_SCOPE:
                return str(ipaddress.ip_address(bytes.fromhex(address)))
    return ""


def _neighbours(interface: str) -> set[str]:
    """The MACs that the machine knows on an interface, its gateway's among them."""
    found = set()
    for line in Path("/proc/thread-self/net/arp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[-1] == interface and fields[2] != "0x0":
            found.add(fields[3])
    return found


def _add_passthru(name: str, lower: int, namespace: int, mtu: int) -> Message:
    """A macvlan `name` on the link `lower`, in the namespace that the descriptor `namespace` holds."""
    data = attribute(_DATA, attribute(_MODE, _NUMBER.pack(_PASSTHRU)))
    body = _LINK.pack(0, 0, 0, 0, 0, 0) + attribute(_NAME, name.encode() + b"\0")
    body += attribute(_LOWER, _NUMBER.pack(lower)) + attribute(_NAMESPACE, _NUMBER.pack(namespace))
    body += attribute(_MTU, _NUMBER.pack(mtu)) + attribute(_INFO, attribute(_KIND, b"macvlan\0") + data)
    return Message(NEW_LINK, _CREATE | _EXCLUSIVE, body, f"add macvlan {name}")


def _put_on(bridge: int, port: str) -> Message:
    """Makes the link `port` one of a bridge, 0 for none. Always while it is up: the kernel hands the count of those who
    want to hear all multicasts down to the real interface at that time only, up and down alike."""
    body = _LINK.pack(0, 0, 0, 0, 0, 0) + attribute(_NAME, port.encode() + b"\0")
    body += attribute(_MASTER, _NUMBER.pack(bridge))
    return Message(NEW_LINK, 0, body, f"put {port} on its bridge", missing_ok=not bridge)
