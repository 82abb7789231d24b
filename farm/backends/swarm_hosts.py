"""The hosts of a run, which node is on which of them, and what a supervisor that comes later has to know of it.

What was last wanted stands in the run's folder, in `hosts.json`: a supervisor started by another command, and a `farm
down` without any, find the same engines. Which of them is a manager of the Swarm is asked, not said.
"""

import contextlib
import json
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from farm.backends.docker_engine import Engine
from farm.backends.swarm_engines import HostEngine
from farm.backends.swarm_homes import settle
from farm.errors import BackendError, FarmError
from farm.topology.placement import ANYWHERE, HostSpec, Placement, decode_placement, encode_placement

T = TypeVar("T")

FILE = "hosts.json"
LONE = "here"
"""What the host is called of a plant whose file names none: the one that DOCKER_HOST named when the run began."""
ACTIVE = "active"


class Hosts:
    """Those of the run in `directory`. `placement` is what was wanted last, `members` what the Swarm calls each host,
    as far as it was ever met."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory
        self._file = directory / FILE
        self._lock = threading.Lock()
        self._engines: dict[str, HostEngine] = {}
        self._homes: dict[str, str] = {}
        self._leaving: dict[str, HostSpec] = {}
        self._manager = ""
        self._known = False
        self._lone = HostSpec(LONE, Engine().url)
        self.placement: Placement = ANYWHERE
        self.members: dict[str, str] = {}
        self._read()

    @property
    def _specs(self) -> tuple[HostSpec, ...]:
        return self.placement.hosts or (self._lone,)

    @property
    def wanted(self) -> list[str]:
        """The hosts of the file, in its order."""
        return [spec.name for spec in self._specs]

    @property
    def all(self) -> list[str]:
        """Those, and such as were wanted before and may have something of the run; none while nothing was wanted."""
        if not self._known:
            return []
        return [*self.wanted, *self._leaving]

    def use(self, placement: Placement) -> None:
        """These are wanted from now on; those that are not any more are still looked at."""
        before = self._specs if self._known else ()
        wanted = {spec.name for spec in placement.hosts or (self._lone,)}
        leaving = {**self._leaving, **{spec.name: spec for spec in before}}
        self._leaving = {name: spec for name, spec in leaving.items() if name not in wanted}
        self.placement = placement
        outdated = []
        with self._lock:
            for spec in self._specs:
                known = self._engines.get(spec.name)
                if known is not None and known.spec != spec:
                    outdated.append(self._engines.pop(spec.name))
            self._manager, self._known = "", True
        for engine in outdated:
            engine.close()

    def engine(self, host: str) -> HostEngine:
        """The engine of a host. Raises `BackendError` where the run has none of that name."""
        with self._lock:
            found = self._engines.get(host)
            if found is None:
                specs = (*self._specs, *self._leaving.values())
                spec = next((spec for spec in specs if spec.name == host), None)
                if spec is None:
                    raise BackendError(host, "reach", f"the run has no host {host}: {', '.join(self.all)}")
                found = self._engines[host] = HostEngine(spec, self._folder)
            return found

    def home(self, node: str) -> str:
        """The host of a node, "" while it has none."""
        return self._homes.get(node, "")

    def settle(self, nodes: Iterable[str], running: Mapping[str, str]) -> None:
        """Gives each of these nodes a host: the one that it runs on, or was given last, if it may stay; else the one
        of those it may be on that has fewest. `running` are hosts by node."""
        self._homes = settle(list(nodes), self.placement, self.wanted, {**self._homes, **running})

    def keep(self) -> None:
        """Writes down what a later process has to know. Raises `BackendError`."""
        body = {
            "placement": encode_placement(self.placement),
            "homes": self._homes,
            "leaving": [[spec.name, spec.url, spec.tls, spec.context] for spec in self._leaving.values()],
            "members": self.members,
            LONE: self._lone.url,
        }
        fresh = self._file.with_name(f".{FILE}.new")
        try:
            fresh.write_text(json.dumps(body))
            fresh.chmod(0o600)
            fresh.replace(self._file)
        except OSError as exc:
            raise BackendError("hosts", "prepare", f"cannot write {self._file}: {exc.strerror}") from exc

    def each(self, work: Callable[[str], T], hosts: Iterable[str] | None = None) -> dict[str, T | BackendError]:
        """What `work` returns for each host, at once, or why it cannot be done there."""
        names = list(self.all if hosts is None else hosts)

        def attempt(host: str) -> T | BackendError:
            try:
                return work(host)
            except BackendError as exc:
                return exc

        if not names:
            return {}
        with ThreadPoolExecutor(len(names), thread_name_prefix="host") as crew:
            return dict(zip(names, crew.map(attempt, names), strict=True))

    @property
    def asked(self) -> str:
        """The manager that was asked last, "" where none was yet."""
        return self._manager

    def manager(self) -> str:
        """The first host that is a manager of the Swarm, asked when it is first needed, and again when that one is
        lost. Raises `BackendError` where none is, or hosts are of several Swarms, or of none."""
        with self._lock:
            known = self._manager
        if not known or self.engine(known).lost:
            known = self._find_manager()
            with self._lock:
                self._manager = known
        return known

    def swarm(self, host: str) -> dict[str, Any]:
        """What an engine says of its Swarm. Raises `BackendError`."""
        engine = self.engine(host)
        with engine.told(host, "look at the Swarm"):
            found: dict[str, Any] = engine.api.info().get("Swarm") or {}
        return found

    def check(self, without: bool = False) -> dict[str, str]:
        """Looks whether all that are wanted answer and are of one Swarm, and notes what that calls them. Raises
        `BackendError` for the first that is not. Where one can do `without` those that were of it and do not answer
        now, these are what comes back, and why they do not."""

        def look(host: str) -> dict[str, Any]:
            self.engine(host).reach(anew=True)  # one that has only just come back is not refused for what was
            return self.swarm(host)

        found = self.each(look, self.wanted)
        gone: dict[str, str] = {}
        for host, state in found.items():
            if isinstance(state, BackendError):
                if not without or host not in self.members:
                    cure = "see to it, or take it out of the plant's `hosts`"
                    raise BackendError(host, state.operation, f"{state.message}: {cure}") from state
                gone[host] = state.message
        manager = self.manager()
        engine = self.engine(manager)
        with engine.told(manager, "list the Swarm's nodes"):
            members = {str(node["ID"]) for node in engine.api.nodes()}
        seen: dict[str, str] = {}
        for host, state in found.items():
            if host in gone:
                continue
            member = str(state.get("NodeID") or "") if isinstance(state, dict) else ""
            if member not in members:
                cure = "`docker swarm join` there takes it in, with a token of `docker swarm join-token worker` here"
                raise BackendError(host, "prepare", f"it is not in the Swarm of host {manager}: {cure}")
            other = seen.setdefault(member, host)
            if other != host:
                raise BackendError(host, "prepare", f"it is the engine of host {other} too: name it once")
        self.members |= {host: member for member, host in seen.items()}
        return gone

    def close(self) -> None:
        """Hangs up on all."""
        with self._lock:
            engines, self._engines = list(self._engines.values()), {}
        for engine in engines:
            engine.close()

    def _find_manager(self) -> str:
        found = self.each(self.swarm)
        states = {host: state for host, state in found.items() if not isinstance(state, BackendError)}
        managers = [host for host, state in states.items() if state.get("ControlAvailable")]
        if managers:
            return managers[0]
        for error in found.values():
            if isinstance(error, BackendError):
                raise error
        outside = [host for host, state in states.items() if state.get("LocalNodeState") != ACTIVE]
        if outside:
            cure = "`docker swarm init` on one host makes one, `docker swarm join` takes the others in"
            raise BackendError(outside[0], "prepare", f"it is in no Swarm: {cure}")
        cure = "name one of its managers under `hosts`, or `docker node promote` one of these"
        raise BackendError("hosts", "prepare", f"none of {', '.join(states)} is a manager of its Swarm: {cure}")

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, FarmError):
            body = json.loads(self._file.read_bytes())
            self.placement = decode_placement(body["placement"])
            self._homes = {str(node): str(host) for node, host in body["homes"].items()}
            self._leaving = {row[0]: HostSpec(*row) for row in body["leaving"]}
            self.members = {str(host): str(member) for host, member in body["members"].items()}
            self._lone = HostSpec(LONE, str(body[LONE]))
            self._known = True


@contextlib.contextmanager
def hosts_apart(placement: Placement, members: Mapping[str, str] | None = None) -> Iterator[Hosts]:
    """The hosts of a plant that is looked at and not started, with connections of their own, which end with the block;
    `members` is what is known of them already."""
    with tempfile.TemporaryDirectory(prefix="plcfarm-") as folder:
        hosts = Hosts(Path(folder))
        hosts.members = dict(members or {})
        try:
            hosts.use(placement)
            yield hosts
        finally:
            hosts.close()
