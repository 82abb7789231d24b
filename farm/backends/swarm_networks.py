"""The networks of a run as overlays of a Swarm: the same on every host, each apart from the others, without a way out.

An overlay has addresses that nobody asked for: one for each host that is on it. Docker takes them where it likes unless
a range is named, and may so take a node's before that node is there.
"""

import ipaddress
import time
import zlib
from collections.abc import Collection
from typing import Any

from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from farm.backends import docker_labels as labels
from farm.backends.docker_engine import is_gone
from farm.backends.docker_networks import Networks
from farm.errors import BackendError
from farm.topology.wiring import NetworkSpec, RouterSpec, Segment

OVERLAY = "overlay"
MTU = "com.docker.network.driver.mtu"
HEADER = 50
"""Bytes that an overlay adds to each packet."""
SPARE_BITS = 5
"""Of a range for the hosts' own addresses: 32 of them, or the half of a smaller network."""
CONTROL = "control"
"""What messages call the network by which shards reach the farm."""
CONTROL_POOLS = tuple(ipaddress.IPv4Network(f"100.{64 + number}.0.0/16") for number in range(0, 64, 3))
"""Where it may be: addresses that are nobody's on the Internet (RFC 6598)."""
PATIENCE = 10.0
LOOK_AGAIN = 0.1
BUSY = ("in use by task", "has active endpoints")
"""What an engine says of a network whose last container was taken off it a moment ago."""


class Overlays(Networks):
    """Those of one run, made and taken away at a manager. `taken` are addresses of nodes, of every network; `patient`
    says that every host is there, so that one which somebody was on a moment ago will be free soon."""

    taken: Collection[str] = ()
    patient = True
    spare = True
    """Whether addresses that nobody asked for come from a range of their own. Where the engine gives nodes theirs, all
    are such."""

    def create(self, segment: Segment) -> None:
        """Makes a network, in place of what has its name; one that is there as it is wanted stays."""
        if isinstance(segment, RouterSpec):
            raise BackendError(
                segment.name, "create", "backend swarm has no routers between networks: use backend netns for them"
            )
        for what, given in (("IPv6", segment.ipv6), ("uplink", segment.uplink)):
            if given:
                raise BackendError(segment.name, "create", f"an overlay has no {what}: leave it out, or use netns")
        if segment in self.observe():
            return
        self.remove(segment.name)
        self._await_end(segment.name)
        pools = [pool(segment, self.taken, self.spare)]
        self._make(segment, OVERLAY, {MTU: str(segment.mtu)}, pools, internal=True, attachable=True)

    def control(self) -> tuple[str, str]:
        """The network by which shards reach the farm, made when it is first needed: its name, and the address in it
        that is the relay's. Raises `BackendError`."""
        name = labels.control_name(self._run)
        wanted = {"label": [f"{labels.RUN}={self._run}", labels.RELAY]}
        found = self._listed(wanted)
        if found:
            subnet = ipaddress.IPv4Network(found[0]["IPAM"]["Config"][0]["Subnet"])
            return name, str(subnet.broadcast_address - 1)
        first = zlib.crc32(self._run.encode()) % len(CONTROL_POOLS)
        for subnet in (*CONTROL_POOLS[first:], *CONTROL_POOLS[:first]):
            try:
                self._make_control(name, subnet)
            except APIError as exc:
                if "overlap" not in str(exc.explanation):
                    raise BackendError(CONTROL, "create", self._engine.explain(exc)) from exc
            else:
                return name, str(subnet.broadcast_address - 1)
        raise BackendError(CONTROL, "create", "all of 100.64.0.0/10 is taken by other networks of this Swarm")

    def remove_control(self) -> None:
        """Takes that network away."""
        for found in self._listed({"label": [f"{labels.RUN}={self._run}", labels.RELAY]}):
            self._remove(found["Id"], CONTROL)

    def _make_control(self, name: str, subnet: ipaddress.IPv4Network) -> None:
        pools = [IPAMPool(subnet=str(subnet), gateway=str(subnet.broadcast_address - 2))]
        with self._engine.told(CONTROL, "reach"):
            api = self._engine.api
        api.create_network(
            name,
            driver=OVERLAY,
            ipam=IPAMConfig(pool_configs=pools),
            check_duplicate=True,
            internal=True,
            attachable=True,
            labels={**labels.run_labels(self._run, self._farm), labels.RELAY: "1"},
        )

    def _fits(self, network: dict[str, Any], segment: Segment) -> bool:
        """Not one with the range of a plant that gave addresses itself, where now the engine does."""
        pools = (network.get("IPAM") or {}).get("Config") or ()
        if isinstance(segment, RouterSpec) or not pools:
            return True
        ranged = any(each.get("IPRange") for each in pools)
        return self.spare or not ranged

    def _name(self, network: str) -> str:
        return labels.overlay_name(self._run, network)

    def _remove(self, network_id: str, name: str) -> None:
        """Waits until the hosts have told the manager that nobody is on it."""
        give_up = time.monotonic() + (PATIENCE if self.patient else 0.0)
        with self._engine.told(name, "remove network"):
            while True:
                try:
                    self._engine.api.remove_network(network_id)
                except APIError as exc:
                    if is_gone(exc) or "not found" in str(exc.explanation):
                        return
                    if not any(words in str(exc.explanation) for words in BUSY):
                        raise
                    if time.monotonic() >= give_up:
                        raise BackendError(name, "remove network", self._held(exc)) from exc
                    time.sleep(LOOK_AGAIN)
                else:
                    return

    def _await_end(self, network: str) -> None:
        """Until the manager's own engine has let go of a network that was taken away: it has its name until then."""
        give_up = time.monotonic() + PATIENCE
        wanted = {"label": [f"{labels.RUN}={self._run}", f"{labels.NETWORK}={network}"]}
        while self._listed(wanted) and time.monotonic() < give_up:
            time.sleep(LOOK_AGAIN)

    def _held(self, exc: APIError) -> str:
        """Who keeps it, and what to do: a Swarm counts what a host had on it for as long as that host is one of it."""
        said = self._engine.explain(exc)
        if self.patient:
            return said
        return f"a host that does not answer is on it ({said}): have it back, or `docker node rm --force` it"


def pool(segment: NetworkSpec, taken: Collection[str], spare: bool = True) -> IPAMPool:
    """Its subnet, with the `spare` range that hosts have their addresses from: the last one without a node's, or the
    whole where there is none. What Docker calls the gateway, which leads nowhere, is the address that the plant keeps
    for this machine, or else the last of the range."""
    subnet = ipaddress.IPv4Network(segment.subnet)
    own = {int(ipaddress.IPv4Address(address)) for address in taken if address}
    gateway = segment.host or str(subnet.broadcast_address - 1)
    if int(ipaddress.IPv4Address(gateway)) in own or gateway == segment.watch:
        gateway = ""
    size = 1 << min(SPARE_BITS, max(1, 32 - subnet.prefixlen - 1))
    first, last = int(subnet.network_address), int(subnet.broadcast_address)
    kept = {int(ipaddress.IPv4Address(segment.watch))} if segment.watch else set()
    best = ""
    for start in range(last + 1 - size, first, -size):
        here = range(start, start + size)
        if not any(address in here for address in own):
            best = f"{ipaddress.IPv4Address(start)}/{33 - size.bit_length()}"
            if not any(address in here for address in kept):
                break
    return IPAMPool(subnet=segment.subnet, gateway=gateway or None, iprange=best if spare and best else None)
