"""Nodes in network namespaces of this machine: each has addresses, links and a user of its own. Needs root, or to be
root of a user namespace.

    RUN/networks.json   the networks and routers that were made, in order (`wiring.encode_segment`)
    RUN/links           how the links of nodes were shaped (`farm.backends.link_files`)
    /run/netns          pf-XXXXXXXX.switch, pf-XXXXXXXX.node.NAME, pf-XXXXXXXX.router.NAME

What the files say is held against what the kernel has: what was made half, or was damaged, is not there, and is made
anew. The rest is as for the process backend (`farm.backends.forked`). Layout: docs/decisions/0017.
"""

import contextlib
import dataclasses
import json
import threading
from functools import partial
from pathlib import Path
from typing import Any

from farm.backends import limits, netns_leftovers, netns_shape, rtnetlink
from farm.backends.forked import ForkedShards, own_user
from farm.backends.link_files import LinkFiles
from farm.backends.netns_networks import Networks
from farm.backends.netns_nodes import Nodes
from farm.backends.netns_routers import Routers
from farm.backends.netns_spaces import PINS, Spaces, inside
from farm.backends.netns_switch import Switch
from farm.backends.netns_wiring import FIRST_INTERFACE, is_wired, port_name
from farm.backends.observed import Observed, ShardSpec
from farm.backends.rtnetlink import Rtnetlink
from farm.errors import BackendError
from farm.topology.wiring import (
    GOOD,
    LinkQuality,
    NetworkSpec,
    RouterSpec,
    Segment,
    Shaping,
    decode_segment,
    encode_segment,
)
from node.config.model import InterfaceConfig, NodeConfig
from node.control.messages import Place

NETWORKS_FILE = "networks.json"
MEMORY = 4 << 30
"""Bytes of address space that a node may take; it has a hundredth of it."""
PROCESSES = 64
"""Processes and threads of a node's user."""
DESCRIPTORS = 1024
"""At least; a node with more connections gets more."""


class NetnsBackend(ForkedShards):
    """See `ForkedShards`. `enter` moves this process to where it reaches every node; all else works from anywhere."""

    name = "netns"
    inside = True

    def __init__(
        self, directory: Path, run_id: str, epoch: float, control: Path, secret: str, pins: Path = PINS
    ) -> None:
        super().__init__(directory, run_id, epoch, control, secret)
        self._directory = directory
        self._pins = pins
        self.spaces = Spaces(run_id, pins)
        self.switch = Switch(self.spaces)
        segments = [decode_segment(body) for body in _read(directory / NETWORKS_FILE, [])]
        self._networks = Networks(
            self.switch, {segment.name: segment for segment in segments if isinstance(segment, NetworkSpec)}
        )
        self._routers = Routers(
            self.switch,
            self._networks,
            {segment.name: segment for segment in segments if isinstance(segment, RouterSpec)},
        )
        self._nodes = Nodes(self.switch, self._networks, self._routers)
        self._links = LinkFiles(directory)
        self._writing = threading.Lock()
        self._look()

    @property
    def whereabouts(self) -> str:
        """What the names of its namespaces begin with: where nodes are, for people."""
        return self.spaces.mark

    def enter(self) -> None:
        """Moves this process, which must have one thread, into the switch. Raises `BackendError`."""
        self.switch.enter()

    def observe(self) -> Observed:
        """What the files say and the kernel has."""
        links, sound = self._look()
        bridges = self._networks.bridges
        shards = []
        for shard in self.files.observe():
            interfaces = _interfaces(shard.nodes)
            right = sound >= {interface.network for interface in interfaces} and is_wired(
                self.spaces, space_of(shard.name), interfaces, links, bridges
            )
            shards.append(shard if right or not shard.alive else dataclasses.replace(shard, nodes=()))
        segments: list[Segment] = [*self._networks.specs.values(), *self._routers.specs.values()]
        return Observed(
            tuple(shards),
            self.strays(tuple(shards)),
            tuple(segment for segment in segments if segment.name in sound),
            {node: shaping for node, shaping in self._links.read().items() if port_name(space_of(node), 0) in links},
        )

    def create_network(self, segment: Segment) -> None:
        """Make a network or router, in place of what is there under its name."""
        if isinstance(segment, NetworkSpec):
            self._networks.create(segment)
        else:
            known = self._known_interfaces()
            self._routers.create(segment, [interface for each in known.values() for interface in each])
            self._show_router(segment, known)
        self._write_networks()

    def remove_network(self, network: str) -> None:
        """Take a network or router away; not an error when it is gone."""
        if network in self._routers.specs:
            self._routers.remove(network)
        else:
            self._networks.remove(network)
        self._write_networks()

    def create(self, shard: ShardSpec) -> None:
        """Write the shard's file, and make its namespace and links unless they are right. Those of a living shard are
        let be: it has to be stopped first."""
        interfaces = _interfaces(shard.nodes)
        if interfaces and len(shard.nodes) > 1:
            raise BackendError(
                shard.name, "create", f"a namespace is one node's, got {len(shard.nodes)}: use `shard: 1`"
            )
        before = self._interfaces_of(shard.name)
        super().create(shard)
        if self.files.is_alive(shard.name):
            return
        self._nodes.forget([interface for interface in before if interface not in interfaces])
        if self._nodes.connect(space_of(shard.name), interfaces):
            self._forget_shape(shard.name)

    def place(self, shard: str, nodes: tuple[NodeConfig, ...]) -> Place:
        """In its namespace, as a user of its own without any right."""
        space = space_of(shard)
        if not self.spaces.sound(space):
            raise BackendError(shard, "start", f"its namespace {self.spaces.pin(space)} is not there: create it first")
        user = own_user(self.run_id, shard)
        needed = limits.RESERVE + sum(limits.descriptors(node) for node in nodes)
        bounds = {"nofile": max(DESCRIPTORS, needed), "as": MEMORY * len(nodes), "core": 0}
        if user:
            bounds["nproc"] = PROCESSES
        return Place(str(self.spaces.pin(space)), user, (), tuple(bounds.items()))

    def remove(self, shard: str) -> None:
        """Take away its namespace with its links, and its files but its log."""
        interfaces = self._interfaces_of(shard)
        self.spaces.drop(space_of(shard))
        self._nodes.forget(interfaces)
        self._forget_shape(shard)
        super().remove(shard)

    def shape(self, node: str, quality: LinkQuality) -> Shaping:
        """By the kernel, as far as it goes, on all links of the node."""
        space, shaping = space_of(node), Shaping(quality)
        if quality != GOOD or self.spaces.sound(space):
            ports, names = self._ports(node), [f"eth{number}" for number in range(len(self._interfaces_of(node)))]
            if not ports:
                raise BackendError(node, "shape", "it has no link")
            shaping = netns_shape.shape(self.switch.namespace, ports, self.spaces.pin(space), names, quality)
        self._links.write(node, shaping)
        return shaping

    def _ports(self, node: str) -> list[str]:
        return [port_name(space_of(node), number) for number in range(len(self._interfaces_of(node)))]

    def _forget_shape(self, node: str) -> None:
        """Its links are gone, or about to be."""
        if self._links.holds(node):
            netns_shape.forget(self.switch.namespace, self._ports(node))
            self._links.write(node, Shaping(GOOD))

    def end_all(self, grace: float = 2.0) -> int:
        """As for every backend; then whatever bears the run's mark is taken away, with or without files."""
        count = super().end_all(grace)
        self.switch.drop()
        for leftovers in netns_leftovers.find_leftovers(self._pins, self.switch.machine):
            if leftovers.mark == self.spaces.mark:
                netns_leftovers.take_away(leftovers, self._pins, self.switch.machine)
        self._networks.specs.clear()
        self._routers.specs.clear()
        self._routers.close()
        self._look()
        with contextlib.suppress(OSError):
            (self._directory / NETWORKS_FILE).unlink(missing_ok=True)
        return count

    def close(self) -> None:
        """End the nursery and close what is open. Shards and networks live on."""
        super().close()
        self._routers.close()
        self.switch.close()

    def _look(self) -> tuple[dict[str, rtnetlink.Link], set[str]]:
        """The switch's links by name, and the names of networks and routers that are as they were made."""
        try:
            links = {link.name: link for link in self.switch.links()}
            networks = self._networks.look(links)
        except OSError as exc:
            raise BackendError("networks", "observe", str(exc)) from exc
        return links, networks | self._routers.look(links, networks)

    def _known_interfaces(self) -> dict[str, list[InterfaceConfig]]:
        """Of every shard that has a file, by name."""
        return {name: self._interfaces_of(name) for name in self.files.names()}

    def _interfaces_of(self, shard: str) -> list[InterfaceConfig]:
        with contextlib.suppress(BackendError):
            content = self.files.content(shard)
            if content is not None:
                return _interfaces(content.nodes)
        return []

    def _show_router(self, router: RouterSpec, known: dict[str, list[InterfaceConfig]]) -> None:
        """Nodes that were there before the router: its MAC may be another than that of the one before it."""
        for name, interfaces in known.items():
            messages = [
                rtnetlink.add_neighbour(index, own.address, own.mac)
                for index, interface in enumerate(interfaces, FIRST_INTERFACE)
                for own in router.interfaces
                if (own.network, own.address) == (interface.network, interface.gateway)
            ]
            if messages and self.spaces.sound(space_of(name)):
                with contextlib.suppress(OSError):  # one that is damaged is made anew before it is used
                    inside(self.spaces.pin(space_of(name)), partial(_send, messages))

    def _write_networks(self) -> None:
        with self._writing:
            segments: list[Segment] = [*self._networks.specs.values(), *self._routers.specs.values()]
            _write(self._directory / NETWORKS_FILE, [encode_segment(segment) for segment in segments])


def space_of(shard: str) -> str:
    """The namespace of a shard, which has its node's name."""
    return f"node.{shard}"


def _interfaces(nodes: tuple[NodeConfig, ...]) -> list[InterfaceConfig]:
    return [interface for node in nodes for interface in node.interfaces]


def _send(messages: list[rtnetlink.Message]) -> None:
    with Rtnetlink() as kernel:
        kernel.send(messages)


def _read(path: Path, empty: Any) -> Any:
    """What a file holds; a missing or damaged one holds nothing."""
    try:
        body = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return empty
    return body if isinstance(body, type(empty)) else empty


def _write(path: Path, body: Any) -> None:
    unfinished = path.with_suffix(".tmp")
    try:
        unfinished.write_text(json.dumps(body))
        unfinished.replace(path)
    except OSError as exc:
        raise BackendError("networks", "create", f"cannot write {path}: {exc.strerror}") from exc
