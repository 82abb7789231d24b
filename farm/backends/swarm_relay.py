"""The relay of a run: the one container that is on all of its networks and on this machine's, through which shards
reach their farm, and this machine the nodes.

It is on the first host whose engine is on this machine, and takes shards to the farm's own socket; where all engines
are elsewhere it is on the manager's host, and its farm comes to it by the engine's own connection (`relay_link`).
"""

import hashlib
import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from docker.errors import APIError
from docker.types import Mount

from farm.backends import docker_labels as labels
from farm.backends.confinement import INSIDE, NOBODY, TRANSPORTS
from farm.backends.docker_containers import CONTROL, hardened
from farm.backends.docker_engine import is_conflict, is_gone
from farm.backends.docker_lifetime import Container, Lifetimes, attached
from farm.backends.docker_networks import LOCAL, Networks
from farm.backends.relay_link import LINK, RelayLink, exec_pipe
from farm.backends.swarm_containers import put_files
from farm.backends.swarm_engines import HostEngine
from farm.backends.swarm_hosts import Hosts
from farm.backends.swarm_networks import Overlays
from farm.errors import BackendError
from farm.topology.placement import ENGINE
from farm.topology.wiring import NetworkSpec
from node.config.model import NodeConfig
from node.control.messages import RUN_VARIABLE

log = logging.getLogger(__name__)

PORT = 7700
FIRST_PORT = 20001
FILE = "relay.json"
MEMORY = "512m"
PROCESSES = 64
PATIENCE = 20.0
LOOK_AGAIN = 0.05
RUNNING_PATIENCE = 2.0
"""Seconds to wait for the word of a relay that runs already, which may be lost with the beginning of its log."""
LISTENS = b"forwards: "
"""What it says once it serves."""
SURE = 3.0
"""Seconds for which it is taken to run, once it was seen to."""

Row = list[str | int]


class Relay:
    """That of the run `run_id`, whose socket for shards is `control`; `overlays` gives the run's networks."""

    def __init__(self, hosts: Hosts, run_id: str, farm: str, control: Path, overlays: Callable[[], Overlays]) -> None:
        self._overlays = overlays
        self._image = ""
        self._hosts = hosts
        self._run = run_id
        self._farm = farm
        self._control = control
        self._lock = threading.RLock()
        self._seen = 0.0
        self._link: RelayLink | None = None
        self.nodes: Sequence[NodeConfig] = ()
        self._found: Mapping[str, str] | None = None
        self._led: list[Row] | None = None
        self._where = ("", "")

    @property
    def name(self) -> str:
        """Its container's: a node's has no dot."""
        return labels.container_name(self._run, "farm.relay")

    @property
    def host(self) -> str:
        """The host that it is on. Raises `BackendError`."""
        here = [name for name in self._hosts.wanted if self._hosts.engine(name).here]
        return here[0] if here else self._hosts.manager()

    @property
    def near(self) -> bool:
        """Whether it is on this machine, as far as its engine's address tells."""
        return any(self._hosts.engine(name).here for name in self._hosts.wanted)

    @property
    def lost(self) -> str:
        """Why its host was not reached when that was asked last, "" where it was. Asks nobody."""
        here = [name for name in self._hosts.wanted if self._hosts.engine(name).here]
        host = here[0] if here else self._hosts.asked
        why = self._hosts.engine(host).lost if host else ""
        return f"host {host}, over which nodes report: {why}" if why else ""

    def prepare(self, image: str, nodes: Sequence[NodeConfig]) -> None:
        """Has it be there for these nodes from now on, until it is removed: makes it, unless it is there and as it
        should be. Raises `BackendError`; it is tried again then whenever somebody makes sure of it."""
        with self._lock:
            self.nodes, self._image = nodes, image
            self._renew()

    def place(self) -> tuple[str, str]:
        """The network and the address (`tcp://ADDRESS:PORT`) by which shards reach it. Raises `BackendError` where it
        was not prepared."""
        with self._lock:
            if not self._where[1]:
                raise BackendError("relay", "reach", "it is not there: `farm up` makes it")
            return self._where[0], f"tcp://{self._where[1]}:{PORT}"

    def ensure(self) -> None:
        """Starts it again if it has ended, makes it if it is gone; nothing where it was not prepared in this process.
        Raises `BackendError`."""
        with self._lock:
            if self._image and time.monotonic() - self._seen >= SURE:
                self._seen = time.monotonic()
                made = self._inspected()
                if made is None or not made["State"]["Running"] or not self._where[1]:
                    self._renew()

    def carry(self) -> None:
        """Has the farm in this process come to a relay far away; nothing where it is on this machine, or there is
        none. Raises `BackendError`."""
        with self._lock:
            if self._link is not None and not self._link.closed.is_set():
                return
            engine = self._engine()
            made = None if engine.here else self._inspected()
            if made is not None and made["State"]["Running"]:
                self._link = RelayLink(self._control, exec_pipe(engine, made["Id"]))
                self._link.start()

    def tend(self) -> None:
        """Both, now and then. Raises `BackendError`."""
        self.ensure()
        self.carry()

    def lead(self, addresses: Mapping[str, str]) -> None:
        """Has it lead to nodes at these addresses, which the engine gave them, and to no others; nothing where it was
        not prepared in this process. Raises `BackendError`."""
        self._found = addresses
        with self._lock:
            if self._where[1] and self._rows() != self._led:
                made = self._inspected()
                if made is not None and made["State"]["Running"]:
                    self._serve(made["Id"], RUNNING_PATIENCE)

    def join(self, segment: NetworkSpec) -> None:
        """Puts it on a network of the plant, at the address that the plant keeps for the farm there."""
        name = labels.overlay_name(self._run, segment.name)
        engine = self._engine()
        with engine.told(segment.name, "join"):
            try:
                address = segment.watch or None
                attached(lambda: engine.api.connect_container_to_network(self.name, name, ipv4_address=address))
            except APIError as exc:
                if not is_conflict(exc) and "already exists" not in str(exc.explanation):
                    raise

    def leave(self, network: str) -> None:
        """Takes it off a network of the plant; not an error when it is not there."""
        engine = self._engine()
        with engine.told(network, "leave"):
            try:
                name = labels.overlay_name(self._run, network)
                engine.api.disconnect_container_from_network(self.name, name, force=True)
            except APIError as exc:
                if not is_gone(exc) and "is not connected" not in str(exc.explanation):
                    raise

    def dismiss(self) -> None:
        """Nobody makes it again from now on."""
        with self._lock:
            self._image = ""

    def remove(self) -> None:
        """Takes it away for good, with its network on this machine. Raises `BackendError`."""
        with self._lock:
            self.dismiss()
            made = self._inspected()
            if made is not None:
                self._remove(made["Id"])
            Networks(self._engine(), self._run, self._farm).remove_all(LOCAL)

    def close(self) -> None:
        """Hangs up on it."""
        with self._lock:
            link, self._link = self._link, None
        if link is not None:
            link.close()

    def _engine(self) -> HostEngine:
        return self._hosts.engine(self.host)

    def _inspected(self) -> Container | None:
        return Lifetimes(self._engine(), self._run, lambda: None).named(self.name)

    def _renew(self) -> None:
        self._where = self._overlays().control()
        made = self._inspected()
        if made is not None and _mark(made) == self._wanted_mark(self._image):
            self._continue(made)
            self._seen = time.monotonic()
            return
        if made is not None:
            self._remove(made["Id"])
        self._remove_elsewhere()
        self._make(self._image)
        for segment in self._overlays().observe():
            if isinstance(segment, NetworkSpec):
                self.join(segment)

    def _continue(self, made: Container) -> None:
        """Starts one that has ended; has one that runs lead where it is to, of which its maker may have been killed
        before it said so."""
        runs = bool(made["State"]["Running"])
        if not runs:
            engine = self._engine()
            with engine.told("relay", "start"):
                attached(lambda: engine.api.start(made["Id"]))
            self._led = None
        known = self._found is not None or not self._by_engine
        if known and self._rows() != self._led:  # where nodes are not known yet, it leads where it led
            self._serve(made["Id"], RUNNING_PATIENCE if runs else PATIENCE)

    def _remove_elsewhere(self) -> None:
        """Takes away one on a host that was the relay's before this one, as far as that answers: it has its address."""

        def remove(host: str) -> None:
            lifetimes = Lifetimes(self._hosts.engine(host), self._run, lambda: None)
            if (made := lifetimes.named(self.name)) is not None:
                lifetimes.remove(made["Id"], "relay")

        self._hosts.each(remove, [name for name in self._hosts.all if name != self.host])

    @property
    def _by_engine(self) -> bool:
        return self._hosts.placement.kind == ENGINE

    def _remove(self, container: str) -> None:
        self.close()
        Lifetimes(self._engine(), self._run, lambda: None).remove(container, "relay")

    def _published(self) -> list[tuple[str, int, str, int, str, int]]:
        """(transport, port of its own, address and port outside, address and port of the node) of all that leads to
        nodes from this machine."""
        found = []
        ports: dict[tuple[str, int], int] = {}
        for node in self.nodes:
            for protocol, address, port in node.outside:
                transports = TRANSPORTS.get(protocol, ("tcp",))
                if protocol == "modbus" and node.modbus is not None and node.modbus.udp:
                    transports = ("tcp", "udp")
                own = ports.setdefault((address, port), FIRST_PORT + len(ports))
                inner = node.ports.get(protocol)
                there = (self._found or {}).get(node.name, "") if self._by_engine else node.address
                if inner is not None:
                    found += [(transport, own, address, port, there, inner) for transport in transports]
        return found

    def _wanted_mark(self, image: str) -> str:
        what = [image, self._where, [row[:4] for row in self._published()]]
        return hashlib.blake2b(json.dumps(what).encode(), digest_size=8).hexdigest()

    def _make(self, image: str) -> None:
        engine = self._engine()
        outside = Networks(engine, self._run, self._farm).outside()
        bindings: dict[str, list[tuple[str, int]]] = {}
        for transport, own, address, port, _, _ in self._published():
            bindings.setdefault(f"{own}/{transport}", []).append((address, port))
        folder = str(self._control.absolute().parent)
        with engine.told("relay", "start"):
            api = engine.api
            made = api.create_container(
                image,
                ["python3", "-S", "-m", "node", "relay", f"{INSIDE}/{FILE}"],
                name=self.name,
                user=NOBODY,
                environment={RUN_VARIABLE: self._run},
                volumes=[INSIDE],
                ports=[(int(key.partition("/")[0]), key.partition("/")[2]) for key in bindings],
                labels={**labels.run_labels(self._run, self._farm), labels.RELAY: self._wanted_mark(image)},
                host_config=hardened(
                    api,
                    network_mode=outside,
                    port_bindings=bindings or None,
                    mounts=[Mount(CONTROL, folder, "bind", read_only=True)] if engine.here else None,
                    mem_limit=MEMORY,
                    memswap_limit=MEMORY,
                    pids_limit=PROCESSES,
                ),
            )
            container = str(made["Id"])
            try:
                api.connect_container_to_network(container, self._where[0], ipv4_address=self._where[1])
                put_files(api, container, INSIDE, {FILE: self._file([])})
                attached(lambda: api.start(container))
            except BaseException:
                self._remove(container)
                raise
        self._serve(container)
        self._seen = time.monotonic()

    def _await(self, container: str, patience: float) -> None:
        """Until it hears what it is told. Raises `BackendError` for one that has ended, or has only just begun and does
        not say that it serves."""
        engine = self._engine()
        give_up = time.monotonic() + patience
        with engine.told("relay", "start"):
            state = engine.api.inspect_container(container)["State"]
            began = int(datetime.fromisoformat(f"{state['StartedAt'][:19]}+00:00").timestamp())
            while LISTENS not in (said := engine.api.logs(container, since=began)):
                state = engine.api.inspect_container(container)["State"]
                late = time.monotonic() >= give_up
                if late and state["Running"] and patience < PATIENCE:
                    return
                if late or not state["Running"]:
                    words = said.decode(errors="replace").strip().rpartition("\n")[2] or state.get("Error") or "nothing"
                    raise BackendError("relay", "start", f"it does not serve: {words}")
                time.sleep(LOOK_AGAIN)

    def _serve(self, container: str, patience: float = PATIENCE) -> None:
        """Has it lead from this machine to nodes, once it is known which address it has here."""
        self._await(container, patience)
        engine = self._engine()
        outside = labels.network_name(self._run, "outside")
        with engine.told("relay", "start"):
            found: dict[str, Any] = engine.api.inspect_container(container)["NetworkSettings"]["Networks"][outside]
            own = str(found["IPAddress"])
            rows = self._rows()
            put_files(engine.api, container, INSIDE, {FILE: self._file([[row[0], own, *row[1:]] for row in rows])})
            engine.api.kill(container, "SIGHUP")
            self._led = rows

    def _rows(self) -> list[Row]:
        """What it is to lead: transport, port of its own, address and port of the node."""
        return [
            [transport, port, address, inner] for transport, port, _, _, address, inner in self._published() if address
        ]

    def _file(self, rows: list[Row]) -> bytes:
        body: dict[str, object] = {"control": f"{self._where[1]}:{PORT}", "forwards": rows}
        if self._engine().here:
            body["socket"] = f"{CONTROL}/{self._control.name}"
        else:
            body["link"] = LINK
        return json.dumps(body).encode()


def new_instance() -> str:
    """What a container is known by from now on."""
    return secrets.token_hex(8)


def _mark(container: Container) -> str:
    return str((container["Config"].get("Labels") or {}).get(labels.RELAY, ""))
