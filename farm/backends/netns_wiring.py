"""A namespace with its interfaces: made in one go, found to be right or not, taken away. For nodes and for routers.

Each interface is one end of a veth pair, eth0, eth1 and so on; the other is a port of the switch. A port carries a note
of what it belongs to, what it was made from and which namespace it leads into, written when all else is done: so what
was made half, or was meddled with, is told from what is right by one look at the switch's links.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

from farm.backends import rtnetlink
from farm.backends.netns_spaces import Spaces, inside
from farm.backends.netns_switch import Switch, namespace_inode, write_setting
from farm.backends.rtnetlink import LOOPBACK, Link, Message, Rtnetlink, delete_link
from farm.errors import BackendError
from node.config.model import InterfaceConfig

HERE = Path("/proc/thread-self/ns/net")
FIRST_INTERFACE = 2
"""The index of eth0; lo is 1."""
EVERYWHERE = {4: "0.0.0.0/0", 6: "::/0"}

PLAIN = {
    "net/ipv4/ip_unprivileged_port_start": "0",
    "net/ipv4/ip_forward": "0",  # a new namespace takes the machine's
    "net/ipv4/conf/all/arp_ignore": "1",  # an address is its own interface's
    "net/ipv4/conf/all/arp_announce": "2",
}
FORWARDING = {**PLAIN, "net/ipv4/ip_forward": "1", "net/ipv4/conf/all/rp_filter": "1"}
NO_IPV6 = {"net/ipv6/conf/all/disable_ipv6": "1", "net/ipv6/conf/default/disable_ipv6": "1"}
"""Before there is a link: each that came up would flood the segment with what IPv6 has to say."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """An interface and where it is put: the index of its `bridge`, and whom it knows already as (address, MAC)."""

    interface: InterfaceConfig
    bridge: int
    neighbours: tuple[tuple[str, str], ...] = ()


def digest(text: str, size: int = 5) -> str:
    """Hex digits for a name that is not to be taken into a link's name: ten of them."""
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()


def port_name(space: str, number: int) -> str:
    """The switch's port of interface `number` of the namespace `space`."""
    return f"p{digest(space)}.{number}"


def bridge_name(network: str, number: int) -> str:
    """Bridge `number` of a network, in the switch."""
    return f"b{digest(network)}.{number}"


def host_port(network: str) -> str:
    """The port behind which the machine is, in the switch."""
    return f"h{digest(network)}"


def joint_names(network: str, number: int) -> tuple[str, str]:
    """The ends of the link between the first bridge and bridge `number`, in the switch."""
    return f"j{digest(network)}.{number}", f"k{digest(network)}.{number}"


def wire(switch: Switch, space: str, attachments: Sequence[Attachment], routes: Sequence[tuple[str, str]] = ()) -> None:
    """Makes the namespace `space` with its interfaces, all up; as a router where its name says so, with `routes` as
    (subnet, next hop). Replaces what is there under these names. Raises `BackendError`; the namespace is gone then."""
    wire_all(switch, {space: attachments}, routes)


def wire_all(
    switch: Switch, wanted: Mapping[str, Sequence[Attachment]], routes: Sequence[tuple[str, str]] = ()
) -> None:
    """Several namespaces at once, by name: the kernel is asked for the links of all in one send. Raises `BackendError`;
    none of them is left then."""
    spaces, kernel = switch.spaces, switch.kernel
    unwire(switch, {space: len(attachments) for space, attachments in wanted.items()})
    ways = spaces.make_all(list(wanted), _set_up)
    try:
        ports = {space: [switch.new_index() for _ in attachments] for space, attachments in wanted.items()}
        kernel.send(
            [
                _veth(space, number, port, ways[space].namespace, attachment)
                for space, attachments in wanted.items()
                for number, (port, attachment) in enumerate(zip(ports[space], attachments, strict=True))
            ]
        )
        for space, attachments in wanted.items():
            if any(each.interface.ipv6 for each in attachments):
                inside(ways[space].namespace, partial(_allow_ipv6, attachments, _forwards(space)))
            ways[space].kernel.send(_inner_messages(attachments, routes))
        done: list[Message] = []
        for space, attachments in wanted.items():
            done += _outer_messages(space, os.fstat(ways[space].namespace).st_ino, ports[space], attachments)
        kernel.send(done)
    except OSError as exc:
        for space in wanted:
            spaces.drop(space)
        raise BackendError(next(iter(wanted)), "create", str(exc)) from exc
    finally:
        for way in ways.values():
            way.kernel.close()
            os.close(way.namespace)


@dataclass(frozen=True, slots=True)
class _Way:
    """Into a namespace: a socket in it, and a descriptor of it."""

    kernel: Rtnetlink
    namespace: int


def _set_up(space: str) -> _Way:
    """What the thread that made a namespace does in it."""
    _write(FORWARDING if _forwards(space) else PLAIN)
    with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
        _write(NO_IPV6)
    return _Way(Rtnetlink(), os.open(HERE, os.O_RDONLY | os.O_CLOEXEC))


def _forwards(space: str) -> bool:
    return space.startswith("router.")


def unwire(switch: Switch, spaces: Mapping[str, int]) -> None:
    """Takes namespaces away, and so many ports as they may have left: the kernel takes them away too, but later. Raises
    `BackendError`."""
    for space in spaces:
        switch.spaces.drop(space)
    doomed = [delete_link(port_name(space, number)) for space, count in spaces.items() for number in range(count)]
    if doomed:
        try:
            switch.kernel.send(doomed)
        except OSError as exc:
            raise BackendError(next(iter(spaces)), "remove", str(exc)) from exc


def is_wired(
    spaces: Spaces,
    space: str,
    interfaces: Sequence[InterfaceConfig],
    links: Mapping[str, Link],
    bridges: Mapping[str, Collection[int]],
) -> bool:
    """Whether the namespace is there with all its interfaces as they should be. `links` are the switch's by name,
    `bridges` the indices of each network's."""
    inode = namespace_inode(spaces.pin(space)) if spaces.sound(space) else 0
    if not inode:
        return False
    for number, interface in enumerate(interfaces):
        port = links.get(port_name(space, number))
        if port is None or port.alias != note(space, number, interface, inode):
            return False
        if port.master not in bridges.get(interface.network, ()):
            return False
    return True


def note(space: str, number: int, interface: InterfaceConfig, inode: int) -> str:
    """What stands on the port of an interface, for people and for `is_wired`."""
    body = {field.name: getattr(interface, field.name) for field in fields(interface)}
    return f"{space} eth{number} {interface.network} {digest(json.dumps(body))} {inode}"


def _veth(space: str, number: int, port: int, namespace: int, attachment: Attachment) -> Message:
    return rtnetlink.add_veth(
        port_name(space, number),
        f"eth{number}",
        namespace,
        index=port,
        inner_index=FIRST_INTERFACE + number,
        inner_mac=attachment.interface.mac,
        master=attachment.bridge,
        mtu=attachment.interface.mtu,
    )


def _inner_messages(attachments: Sequence[Attachment], routes: Sequence[tuple[str, str]]) -> list[Message]:
    messages = [rtnetlink.set_link(LOOPBACK, up=True)]
    for index, attachment in enumerate(attachments, FIRST_INTERFACE):
        interface = attachment.interface
        messages.append(rtnetlink.add_address(index, interface.address, interface.prefix))
        if interface.ipv6:
            address, _, prefix = interface.ipv6.partition("/")
            messages.append(rtnetlink.add_address(index, address, int(prefix)))
        messages.append(rtnetlink.set_link(index, up=True))
        messages += [rtnetlink.add_neighbour(index, address, mac) for address, mac in attachment.neighbours]
        if interface.gateway:
            messages.append(rtnetlink.add_route(EVERYWHERE[4], interface.gateway))
        messages += [rtnetlink.add_route(subnet, hop) for subnet, hop in interface.routes]
    return messages + [rtnetlink.add_route(subnet, hop) for subnet, hop in routes]


def _outer_messages(space: str, inode: int, ports: Sequence[int], attachments: Sequence[Attachment]) -> list[Message]:
    messages = [rtnetlink.add_station(port, each.interface.mac) for port, each in zip(ports, attachments, strict=True)]
    for number, each in enumerate(attachments):
        messages.append(rtnetlink.set_alias(port_name(space, number), note(space, number, each.interface, inode)))
    return messages


def _allow_ipv6(attachments: Sequence[Attachment], forwards: bool) -> None:
    for number, each in enumerate(attachments):
        if each.interface.ipv6:
            for name, value in (("accept_ra", "0"), ("dad_transmits", "0"), ("disable_ipv6", "0")):
                write_setting(f"net/ipv6/conf/eth{number}/{name}", value)
    if forwards:
        write_setting("net/ipv6/conf/all/forwarding", "1")


def _write(settings: Mapping[str, str]) -> None:
    for name, value in settings.items():
        write_setting(name, value)
