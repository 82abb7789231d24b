"""Networks as bridges of the switch: each with the farm's own address on it, and an end in the machine where it may.

    machine       pf-XXXXXXXX.N  host address          switch   b….0  watch address ── ports of nodes and routers
                        └──────── veth pair ─────────── h… ──────┘│
                                                        j….1 ── k….1 ── b….1 ── more ports

A bridge takes 1,023 ports; what is beyond goes on further ones, each joined to the first. Every node is a permanent
neighbour of whoever is on the network from the start, and a known station of its bridge: a thousand neighbours that
come and go would overflow the kernel's one table for all namespaces, and what a bridge does not know it sends to all.
"""

import ipaddress
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from farm.backends import netns_uplink, rtnetlink
from farm.backends.netns_spaces import inside
from farm.backends.netns_switch import Switch, write_setting
from farm.backends.netns_wiring import Attachment, bridge_name, digest, host_port, joint_names
from farm.backends.rtnetlink import Link, Message
from farm.errors import BackendError
from farm.topology.wiring import NetworkSpec, encode_segment
from node.config.model import InterfaceConfig

PORTS = 1000
"""Nodes on one bridge; the rest of its 1,023 ports joins it to others."""


class Networks:
    """The networks of a run. `specs` are those that were made, by name; what is kept of them is its owner's affair."""

    def __init__(self, switch: Switch, specs: dict[str, NetworkSpec]) -> None:
        self.specs = specs
        self._switch = switch
        self._mark = switch.spaces.mark
        self._lock = threading.Lock()
        self._bridges: dict[str, list[int]] = {}
        self._joints: dict[int, int] = {}
        """Bridge beyond the first to the port of the first behind which it is."""
        self._taken: dict[int, int] = {}
        """Bridge to nodes and routers on it."""
        self._hosts: dict[str, int] = {}
        """Network to the index of the machine's link on it."""

    def create(self, spec: NetworkSpec) -> None:
        """Makes it, in place of what is there under its name. Raises `BackendError`."""
        with self._lock:
            self._check_free(spec)
            self._take_away(spec.name)
            self._inside(spec.name, lambda kernel: self._make(kernel, spec))
            if spec.uplink:
                self._join(spec)
            self.specs[spec.name] = spec

    def remove(self, name: str) -> None:
        """Takes it away; not an error when it is gone. Raises `BackendError`."""
        with self._lock:
            self._take_away(name)
            self.specs.pop(name, None)

    def look(self, links: Mapping[str, Link]) -> set[str]:
        """The names of those that are as they were made; `links` are the switch's. What was remembered of the kernel
        is read anew."""
        ours: dict[int, Link] = {}
        if any(spec.host for spec in self.specs.values()):
            ours = {link.index: link for link in self._switch.machine.links() if link.name.startswith(self._mark)}
        with self._lock:
            self._bridges, self._joints, self._taken, self._hosts = {}, {}, {}, {}
            sound = {name for name, spec in self.specs.items() if self._recall(spec, links, ours)}
            for link in links.values():
                if link.master in self._taken and link.name.startswith("p"):
                    self._taken[link.master] += 1
            return sound

    @property
    def bridges(self) -> dict[str, list[int]]:
        """The indices of each network's bridges, the first of them with the farm's address."""
        return self._bridges

    def attach(self, interface: InterfaceConfig, gateway_mac: str = "") -> Attachment:
        """Where an interface is to be put, and whom it is to know; a further bridge is made when all are full. Raises
        `BackendError` when there is no such network."""
        with self._lock:
            spec, bridges = self.specs.get(interface.network), self._bridges.get(interface.network)
            if spec is None or not bridges:
                raise BackendError(interface.network, "create", f"{interface.address}: its network is not there")
            bridge = next((bridge for bridge in bridges if self._taken[bridge] < PORTS), 0)
            if not bridge:
                bridge = self._inside(spec.name, lambda kernel: self._extend(kernel, spec))
            self._taken[bridge] += 1
        known = [(spec.watch, self.mac(spec.name, "watch"))]
        known += [(spec.host, self.mac(spec.name, "host"))] if spec.host else []
        known += [(interface.gateway, gateway_mac)] if gateway_mac else []
        return Attachment(interface, bridge, tuple(known))

    def introduce(self, attachments: Sequence[Attachment]) -> None:
        """Has the farm and the machine know these interfaces, and the first bridge those beyond it. Raises
        `BackendError`."""
        inner: list[Message] = []
        outer: list[Message] = []
        for attachment in attachments:
            interface = attachment.interface
            address, mac = interface.address, interface.mac
            inner.append(rtnetlink.add_neighbour(self._bridges[interface.network][0], address, mac))
            if attachment.bridge in self._joints:
                inner.append(rtnetlink.add_station(self._joints[attachment.bridge], mac))
            if interface.network in self._hosts:
                outer.append(rtnetlink.add_neighbour(self._hosts[interface.network], address, mac))
        self._send("introduce", inner, outer)

    def forget(self, interfaces: Sequence[InterfaceConfig]) -> None:
        """They are gone. Raises `BackendError`."""
        inner, outer = [], []
        for interface in interfaces:
            for bridge in self._bridges.get(interface.network, ())[:1]:
                inner.append(rtnetlink.delete_neighbour(bridge, interface.address))
            for bridge in self._bridges.get(interface.network, ())[1:]:
                inner.append(rtnetlink.delete_station(self._joints[bridge], interface.mac))
            if interface.network in self._hosts:
                outer.append(rtnetlink.delete_neighbour(self._hosts[interface.network], interface.address))
        self._send("forget", inner, outer)

    def mac(self, network: str, who: str) -> str:
        """The MAC of `watch` or `host` on a network: locally administered, always the same."""
        return f"02:fb:{bytes.fromhex(digest(f'{self._mark}/{network}/{who}', 4)).hex(':')}"

    def _send(self, operation: str, inner: list[Message], outer: list[Message]) -> None:
        try:
            if inner:
                self._switch.kernel.send(inner)
            if outer:
                self._switch.machine.send(outer)
        except OSError as exc:
            raise BackendError("networks", operation, str(exc)) from exc

    def _inside(self, name: str, work: Callable[[IPRoute], Any]) -> Any:
        """Has `work` done with a socket in the switch."""

        def with_socket() -> Any:
            with IPRoute() as kernel:
                return work(kernel)

        try:
            return inside(self._switch.namespace, with_socket)
        except (NetlinkError, OSError) as exc:
            raise BackendError(name, "create", str(exc)) from exc

    def _make(self, kernel: IPRoute, spec: NetworkSpec) -> None:
        bridge = _make_bridge(kernel, bridge_name(spec.name, 0), spec.mtu, self.mac(spec.name, "watch"))
        prefix = ipaddress.ip_network(spec.subnet).prefixlen
        kernel.addr("add", index=bridge, address=spec.watch, prefixlen=prefix)
        if spec.host:
            self._hosts[spec.name] = self._make_host_end(kernel, spec, bridge, prefix)
        kernel.link("set", index=bridge, ifalias=_note(spec))
        self._bridges[spec.name], self._taken[bridge] = [bridge], 0

    def _make_host_end(self, kernel: IPRoute, spec: NetworkSpec, bridge: int, prefix: int) -> int:
        """The machine's own link on the network; its index there."""
        name, port = self._free_name(), host_port(spec.name)
        mac = self.mac(spec.name, "host")
        peer = {"ifname": name, "net_ns_fd": self._switch.machine_namespace, "address": mac, "mtu": spec.mtu}
        kernel.link("add", ifname=port, kind="veth", mtu=spec.mtu, peer=peer)
        kernel.link("set", index=kernel.link_lookup(ifname=port)[0], master=bridge, state="up")
        watch = self.mac(spec.name, "watch")

        def in_the_machine() -> int:
            with IPRoute() as machine:
                index: int = machine.link_lookup(ifname=name)[0]
                for setting in (f"net/ipv6/conf/{name}/disable_ipv6", f"net/ipv4/conf/{name}/forwarding"):
                    if Path("/proc/sys", setting).exists():
                        write_setting(setting, "1" if setting.endswith("ipv6") else "0")
                machine.link("set", index=index, ifalias=f"{spec.name} {port}")
                machine.addr("add", index=index, address=spec.host, prefixlen=prefix)
                machine.link("set", index=index, state="up")
                machine.neigh("replace", ifindex=index, dst=spec.watch, lladdr=watch, state="permanent")
                return index

        host: int = inside(self._switch.machine_namespace, in_the_machine)
        kernel.neigh("replace", ifindex=bridge, dst=spec.host, lladdr=mac, state="permanent")
        return host

    def _join(self, spec: NetworkSpec) -> None:
        """Puts it on its real interface, or takes it away again."""
        first = bridge_name(spec.name, 0)
        try:
            netns_uplink.join(self._switch.namespace, first, spec, self._switch.machine_namespace)
        except BackendError:
            self._take_away(spec.name)
            raise

    def _extend(self, kernel: IPRoute, spec: NetworkSpec) -> int:
        """A further bridge, joined to the first."""
        bridges = self._bridges[spec.name]
        number = len(bridges)
        near, far = joint_names(spec.name, number)
        bridge = _make_bridge(kernel, bridge_name(spec.name, number), spec.mtu, "")
        kernel.link("add", ifname=near, kind="veth", mtu=spec.mtu, peer={"ifname": far, "mtu": spec.mtu})
        for name, master in ((near, bridges[0]), (far, bridge)):
            kernel.link("set", index=kernel.link_lookup(ifname=name)[0], master=master, state="up")
        self._joints[bridge] = kernel.link_lookup(ifname=near)[0]
        self._taken[bridge] = 0
        bridges.append(bridge)
        return bridge

    def _free_name(self) -> str:
        taken = {link.name for link in self._switch.machine.links()}
        return next(name for number in range(1000) if (name := f"{self._mark}.{number}") not in taken)

    def _check_free(self, spec: NetworkSpec) -> None:
        """Refuses a subnet that the machine has a use for already."""
        if not spec.host:
            return
        subnet = ipaddress.ip_network(spec.subnet)

        def look() -> str:
            with IPRoute() as machine:
                names = {link["index"]: link.get("ifname") for link in machine.get_links()}
                for found in machine.get_addr(family=2):
                    place = ipaddress.ip_interface(f"{found.get('address')}/{found['prefixlen']}")
                    name = names.get(found["index"], "")
                    if place.network.overlaps(subnet) and not name.startswith(self._mark):
                        return f"{name} has {place}"
            return ""

        used = inside(self._switch.machine_namespace, look)
        if used:
            raise BackendError(
                spec.name, "create", f"{spec.subnet} is in use here: {used}; give the network another subnet"
            )

    def _take_away(self, name: str) -> None:
        numbers = range(max(1, len(self._bridges.get(name, ()))))
        doomed = [host_port(name), *(joint_names(name, number)[0] for number in numbers)]
        doomed += [bridge_name(name, number) for number in numbers]
        doomed.append(netns_uplink.uplink_port(name))  # after its bridge: see there
        for bridge in self._bridges.pop(name, []):
            self._taken.pop(bridge, None)
            self._joints.pop(bridge, None)
        self._hosts.pop(name, None)
        self._send("remove", [rtnetlink.delete_link(link) for link in doomed], [])

    def _recall(self, spec: NetworkSpec, links: Mapping[str, Link], ours: Mapping[int, Link]) -> bool:
        """Whether a network is as it was made; its bridges, joints and host link are remembered."""
        first = links.get(bridge_name(spec.name, 0))
        if first is None or first.alias != _note(spec) or not first.up:
            return False
        bridges = [first.index]
        while (bridge := links.get(bridge_name(spec.name, len(bridges)))) is not None:
            near, far = (links.get(name) for name in joint_names(spec.name, len(bridges)))
            if near is None or far is None or (near.master, far.master) != (first.index, bridge.index):
                return False
            self._joints[bridge.index] = near.index
            bridges.append(bridge.index)
        uplink = links.get(netns_uplink.uplink_port(spec.name))
        if spec.uplink and (uplink is None or uplink.master != first.index):
            return False
        self._bridges[spec.name] = bridges
        self._taken.update(dict.fromkeys(bridges, 0))
        if not spec.host:
            return True
        port = links.get(host_port(spec.name))
        host = ours.get(port.peer) if port is not None and port.master == first.index else None
        if host is None or not host.up or host.mac != self.mac(spec.name, "host"):
            return False
        self._hosts[spec.name] = host.index
        return True


def _make_bridge(kernel: IPRoute, name: str, mtu: int, mac: str) -> int:
    """Made and up; its index."""
    kernel.link("add", ifname=name, kind="bridge", br_mcast_snooping=0, **({"address": mac} if mac else {}))
    index: int = kernel.link_lookup(ifname=name)[0]
    kernel.link("set", index=index, mtu=mtu, state="up")
    return index


def _note(spec: NetworkSpec) -> str:
    """What stands on the first bridge, once all else is done."""
    return f"{spec.name} {digest(json.dumps(encode_segment(spec)))}"
