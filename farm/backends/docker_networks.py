"""The networks of a run in Docker: a user-defined bridge each, or a macvlan on a real interface if the plant names one.

A bridge is internal, so that Docker gives its containers no way out; the machine itself is on it all the same, with the
address that the plant gives it (`host`), or else the one that the farm asks its nodes from (`watch`). What a plant
calls internal, not to be reached from the machine, Docker cannot make: backend netns can.
"""

import ipaddress
import json
import logging
import threading
from typing import Any

from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from farm.backends import docker_labels as labels
from farm.backends.docker_engine import Engine, is_gone
from farm.errors import BackendError, FarmError
from farm.topology.wiring import MACVLAN, NetworkSpec, RouterSpec, Segment, decode_segment, encode_segment

log = logging.getLogger(__name__)

STUCK = "has active endpoints"
"""What dockerd says of a network with containers, and (moby#42119) now and then of one without any, until it is started
anew."""
OUTSIDE = "outside"
LOCAL = "local"
"""The scope of networks that are a daemon's own; overlays are their Swarm's."""


def of_scope(scope: str) -> dict[str, Any]:
    """The filter that finds networks of a scope of Docker's, of every one where it is ""."""
    return {"scope": [scope]} if scope else {}


class Networks:
    """The networks of the run `run_id` of `farm`."""

    def __init__(self, engine: Engine, run_id: str, farm: str) -> None:
        self._engine = engine
        self._run = run_id
        self._farm = farm
        self._lock = threading.Lock()

    def observe(self) -> tuple[Segment, ...]:
        """Those that were made as the plant had them, by name."""
        found: dict[str, Segment] = {}
        for network in self._listed(labels.of_run(self._run)):
            spec = (network.get("Labels") or {}).get(labels.SPEC, "")
            try:
                segment = decode_segment(json.loads(spec))
            except (ValueError, FarmError):
                continue
            if self._fits(network, segment):
                found[segment.name] = segment
        return tuple(found[name] for name in sorted(found))

    def create(self, segment: Segment) -> None:
        """Makes a network, in place of what has its name; one that is there as it is wanted stays."""
        if isinstance(segment, RouterSpec):
            raise BackendError(
                segment.name, "create", "backend docker has no routers between networks: use backend netns for them"
            )
        if segment in self.observe():
            return
        self.remove(segment.name)
        options = {"com.docker.network.driver.mtu": str(segment.mtu)}
        if segment.driver == MACVLAN:
            if not segment.uplink:
                raise BackendError(
                    segment.name, "create", "driver macvlan needs the interface it stands on: uplink: eth1"
                )
            options["parent"] = segment.uplink
        elif segment.uplink:
            raise BackendError(
                segment.name,
                "create",
                f"Docker joins no bridge to {segment.uplink}: `driver: macvlan`, or backend netns",
            )
        self._make(segment, segment.driver, options, _pools(segment), internal=segment.driver != MACVLAN)

    def _make(
        self, segment: NetworkSpec, driver: str, options: dict[str, str], pools: list[IPAMPool], **more: Any
    ) -> None:
        """Makes it with its labels. Raises `BackendError`."""
        spec = {labels.SPEC: json.dumps(encode_segment(segment)), labels.NETWORK: segment.name}
        with self._engine.told(segment.name, "create"):
            try:
                self._engine.api.create_network(
                    self._name(segment.name),
                    driver=driver,
                    options=options,
                    ipam=IPAMConfig(pool_configs=pools),
                    check_duplicate=True,
                    labels={**labels.run_labels(self._run, self._farm), **spec},
                    enable_ipv6=bool(segment.ipv6),
                    **more,
                )
            except APIError as exc:
                raise BackendError(segment.name, "create", self._explain(segment, exc)) from exc

    def remove(self, network: str) -> None:
        """Takes a network of the plant away; whatever of this run is on it is taken off first."""
        wanted = {"label": [f"{labels.RUN}={self._run}", f"{labels.NETWORK}={network}"]}
        for found in self._listed(wanted):
            self._remove(found["Id"], network)

    def remove_all(self, scope: str = "") -> None:
        """Takes every network of the run away, the outer one too; with a `scope` of Docker's, those of it."""
        for found in self._listed(labels.of_run(self._run) | of_scope(scope)):
            self._remove(found["Id"], str(found["Name"]))

    def outside(self) -> str:
        """The name of the run's network that ports are published through, made when it is first needed. Its containers
        do not see each other on it, and nothing is translated on the way out."""
        name = labels.network_name(self._run, OUTSIDE)
        mark = {labels.OUTSIDE: "1"}
        with self._lock, self._engine.told(OUTSIDE, "create"):
            if not self._listed({"label": [f"{labels.RUN}={self._run}", labels.OUTSIDE]}):
                options = {
                    "com.docker.network.bridge.enable_icc": "false",
                    "com.docker.network.bridge.enable_ip_masquerade": "false",
                }
                try:
                    self._engine.api.create_network(
                        name,
                        driver="bridge",
                        options=options,
                        check_duplicate=True,
                        labels={**labels.run_labels(self._run, self._farm), **mark},
                    )
                except APIError as exc:
                    if "fully subnetted" not in str(exc.explanation):
                        raise
                    raise BackendError(
                        OUTSIDE, "create", "Docker has no subnet left for it: `docker network prune` frees those unused"
                    ) from exc
        return name

    def _fits(self, network: dict[str, Any], segment: Segment) -> bool:
        """Whether a network is as one of that segment is made now."""
        return True

    def _name(self, network: str) -> str:
        return labels.network_name(self._run, network)

    def _remove(self, network_id: str, name: str) -> None:
        """Reports and goes on where dockerd keeps a network that nobody is on."""
        api = self._engine.api
        with self._engine.told(name, "remove network"):
            try:
                held = api.inspect_network(network_id)["Containers"] or {}
                for container in held:
                    api.disconnect_container_from_network(container, network_id, force=True)
                api.remove_network(network_id)
            except APIError as exc:
                if is_gone(exc):
                    return
                if STUCK not in str(exc.explanation):
                    raise
                log.warning(
                    "%s: Docker keeps this network although nobody is on it (moby#42119); `systemctl restart docker` "
                    "and `farm clean` take it away",
                    name,
                )

    def _explain(self, segment: NetworkSpec, exc: APIError) -> str:
        """Says who has the subnet, or the name."""
        text = self._engine.explain(exc)
        if "overlaps" in text:
            other = self._holder(segment.subnet)
            return f"{segment.subnet} is taken{other}: give one of them another subnet"
        if "already exists" in text:
            name = self._name(segment.name)
            return f"there is a network {name} which is not this farm's: `docker network rm {name}` removes it"
        return text

    def _holder(self, subnet: str) -> str:
        """` by the Docker network NAME`, where one is found."""
        wanted = ipaddress.ip_network(subnet)
        for network in self._listed({}):
            for pool in (network.get("IPAM") or {}).get("Config") or ():
                held = ipaddress.ip_network(pool.get("Subnet") or "::/128", strict=False)
                if held.version == wanted.version and held.overlaps(wanted):
                    return f" by the Docker network {network['Name']} ({held})"
        return ""

    def _listed(self, filters: dict[str, Any]) -> list[dict[str, Any]]:
        with self._engine.told("networks", "list"):
            found: list[dict[str, Any]] = self._engine.api.networks(filters=filters)
            return found


def _pools(segment: NetworkSpec) -> list[IPAMPool]:
    """Its subnets, with the machine's address in the first: Docker would take one of a node's otherwise. On a macvlan
    nobody is there, so that what a node sends to other networks goes nowhere."""
    pools = [IPAMPool(subnet=segment.subnet, gateway=segment.host or segment.watch or None)]
    return [*pools, IPAMPool(subnet=segment.ipv6)] if segment.ipv6 else pools
