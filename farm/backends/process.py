"""Shards as processes of this machine, on addresses of 127/8: needs no rights and no daemon.

All that is known stands in the run's folder and in /proc, so any process that knows the folder sees the same:

    shards/NAME.json   what the shard is to serve (`ShardFile`), by `create`
    shards/NAME.pid    which process it is (`PidFile`), by the shard and by `start`, whichever comes first
    logs/NAME.log      what it prints, appended to over restarts
    links/NODE.json    how a node's link is to be, where it is not a good one, by `shape`
    nursery.log        what the nursery prints

A file that is missing or damaged costs what it said and no more: processes are found by the mark in their environment.
"""

import contextlib
import json
import os
import string
from collections.abc import Callable
from pathlib import Path

from farm.backends import limits, pids
from farm.backends.observed import Observed, ObservedShard, ShardSpec
from farm.backends.shards import Shards
from farm.backends.watch import Watch, watch_process
from farm.errors import BackendError, FarmError
from farm.topology.wiring import GOOD, LinkQuality, Segment, Shaping, decode_quality, encode_quality
from node.config.load import dump, load
from node.config.model import NodeConfig
from node.control.messages import PidFile, ShardFile, boot_id, digest_nodes, shard_token
from node.errors import ConfigError

NAME_CHARACTERS = frozenset(string.ascii_letters + string.digits + "_-")
SHARD_FILES = (".json", ".json.tmp", ".pid", ".pid.tmp", ".pid.new")


class ProcessBackend:
    """The run in `directory`. `run_id` marks its processes, `epoch` is the plant's start on the monotonic clock,
    `control` the socket that shards dial, `secret` what their tokens are made from (`messages.shard_token`)."""

    name = "process"
    restarts = False
    inside = True

    def __init__(self, directory: Path, run_id: str, epoch: float, control: Path, secret: str) -> None:
        self._shard_folder = directory / "shards"
        self._log_folder = directory / "logs"
        self._link_folder = directory / "links"
        self._run = run_id
        self._epoch = epoch
        self._control = control
        self._secret = secret
        self._shards = Shards(run_id, directory / "nursery.log")

    def observe(self) -> Observed:
        """The shards that have files, and marked processes that are none of them."""
        boot = boot_id()
        shards = tuple(self._observe_shard(name, boot) for name in self._names())
        known = [shard.pid for shard in shards if shard.alive]
        strays = pids.marked(self._run, passing=[*known, self._shards.nursery])
        return Observed(shards=shards, strays=tuple(pid for pid, _ in strays), links=self._observe_links())

    def create_network(self, segment: Segment) -> None:
        """Nothing: all nodes share the loopback interface."""

    def remove_network(self, network: str) -> None:
        """Nothing: all nodes share the loopback interface."""

    def create(self, shard: ShardSpec) -> None:
        """Write the shard's file. A living shard of that name keeps serving what it serves, and `observe` reports it
        without nodes until it serves what the file says."""
        limits.check_size(shard.nodes, limits.hard_limit())
        try:
            for folder in (self._shard_folder, self._log_folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            pid_file = self._read_pid_file(shard.name)
            if pid_file is None or not pids.alive(pid_file.pid, pid_file.started):
                self._path(shard.name, ".pid").unlink(missing_ok=True)
            nodes = tuple(dict(dump(node)) for node in shard.nodes)
            place = str(self._path(shard.name, ".pid").absolute())
            file = ShardFile(shard.name, self._run, self._epoch, place, nodes)
            self._write(shard.name, ".json", file.encode())
        except OSError as exc:
            raise BackendError(shard.name, "create", f"cannot write its files: {exc}") from exc

    def start(self, shard: str) -> ObservedShard:
        """Fork it, unless it runs. On return its process is known on disk too."""
        file = self._read_shard_file(shard)
        if file is None:
            raise BackendError(shard, "start", f"{self._path(shard, '.json')} is missing or damaged: create it first")
        nodes = _load_nodes(file)
        running = self._observe_shard(shard, boot_id())
        if running.alive:
            if running.nodes != nodes:
                raise BackendError(shard, "start", f"process {running.pid} serves something else: stop it first")
            return running
        config, log = self._path(shard, ".json").absolute(), self._log(shard).absolute()
        token = shard_token(self._secret, shard)
        pid, started = self._shards.fork(shard, config, log, self._control.absolute(), token)
        pid_file = PidFile(shard, self._run, boot_id(), pid, started, digest_nodes(file.nodes))
        try:
            self._write(shard, ".pid", pid_file.encode())
        except OSError as exc:
            pids.end(pid, started, grace=0.0)
            raise BackendError(shard, "start", f"cannot write its pid file: {exc}") from exc
        return ObservedShard(shard, pid, started, alive=True, nodes=nodes)

    def stop(self, shard: ObservedShard, grace: float) -> None:
        """End that very process. A stray of `Observed` is ended as a shard with `started` 0, if it bears the mark."""
        pid, started = shard.pid, shard.started or pids.marked_start(self._run, shard.pid)
        if not started:
            return
        try:
            pids.end(pid, started, grace)
        except BackendError as exc:
            raise BackendError(shard.name, "stop", f"process {pid}: {exc.message}") from exc

    def remove(self, shard: str) -> None:
        """Take away its files but its log."""
        for suffix in SHARD_FILES:
            try:
                self._path(shard, suffix).unlink(missing_ok=True)
            except OSError as exc:
                raise BackendError(shard, "remove", f"cannot remove its files: {exc}") from exc

    def logs(self, node: str) -> Path:
        """The log of the shard that serves the node; it may not exist yet."""
        if not self._path(node, ".json").exists():
            for name in self._names():
                file = self._read_shard_file(name)
                if file is not None and node in [config.get("name") for config in file.nodes]:
                    return self._log(name)
        return self._log(node)

    def shape(self, node: str, quality: LinkQuality) -> Shaping:
        """Loopback has no links of its own: the node itself can play a delay, and nothing else can be had."""
        own = LinkQuality(delay=quality.delay, jitter=quality.jitter)
        if quality not in (GOOD, own):
            raise BackendError(
                node, "shape", "nodes on loopback share one link: only a delay can be had, the rest on backend netns"
            )
        file = self._link_folder / f"{_safe(node)}.json"
        try:
            if quality == GOOD:
                file.unlink(missing_ok=True)
            else:
                self._link_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._replace(file, json.dumps(encode_quality(quality)).encode())
        except OSError as exc:
            raise BackendError(node, "shape", f"cannot write how its link is: {exc}") from exc
        return Shaping(quality, left=own)

    def watch(self, shard: ObservedShard, gone: Callable[[], None]) -> Watch:
        """By its pidfd."""
        return watch_process(shard, gone)

    def end_all(self, grace: float = 2.0) -> int:
        """End the nursery and every process of the run but this one, whatever the files say; how many there were.

        Raises `BackendError` with the pids that are left.
        """
        return self._shards.end_all(grace)

    def close(self) -> None:
        """End the nursery. Shards live on."""
        self._shards.close()

    def _names(self) -> list[str]:
        """Every shard that has a file, by name."""
        try:
            found = {path.stem for path in self._shard_folder.iterdir() if path.suffix in (".json", ".pid")}
        except OSError:
            return []
        return sorted(name for name in found if name and NAME_CHARACTERS.issuperset(name))

    def _observe_shard(self, name: str, boot: str) -> ObservedShard:
        file, pid_file = self._read_shard_file(name), self._read_pid_file(name)
        nodes: tuple[NodeConfig, ...] = ()
        with contextlib.suppress(BackendError):
            nodes = _load_nodes(file) if file is not None else ()
        if pid_file is None or pid_file.boot_id != boot or pid_file.run != self._run:
            return ObservedShard(name, pid=0, started=0, alive=False, nodes=nodes)
        alive = pids.alive(pid_file.pid, pid_file.started)
        if alive and file is not None and digest_nodes(file.nodes) != pid_file.digest:
            nodes = ()  # it serves something else, and nobody knows what
        return ObservedShard(name, pid_file.pid, pid_file.started, alive, nodes)

    def _read_shard_file(self, name: str) -> ShardFile | None:
        path = self._path(name, ".json")
        with contextlib.suppress(OSError, ConfigError):
            return ShardFile.decode(str(path), path.read_bytes())
        return None

    def _read_pid_file(self, name: str) -> PidFile | None:
        path = self._path(name, ".pid")
        with contextlib.suppress(OSError, ConfigError):
            return PidFile.decode(str(path), path.read_bytes())
        return None

    def _observe_links(self) -> dict[str, Shaping]:
        found = {}
        for path in self._link_folder.glob("*.json"):
            with contextlib.suppress(OSError, ValueError, TypeError, FarmError):
                quality = decode_quality(json.loads(path.read_bytes()))
                found[path.stem] = Shaping(quality, left=quality)
        return found

    def _write(self, name: str, suffix: str, data: bytes) -> None:
        self._replace(self._path(name, suffix), data)

    def _replace(self, path: Path, data: bytes) -> None:
        unfinished = path.with_name(f"{path.name}.tmp")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
        unfinished.replace(path)

    def _path(self, name: str, suffix: str) -> Path:
        return self._shard_folder / f"{_safe(name)}{suffix}"

    def _log(self, name: str) -> Path:
        return self._log_folder / f"{_safe(name)}.log"


def _safe(name: str) -> str:
    if not 1 <= len(name) <= 32 or not NAME_CHARACTERS.issuperset(name):
        raise BackendError(name, "files", "a name is 1 to 32 of the characters A-Z a-z 0-9 _ -")
    return name


def _load_nodes(file: ShardFile) -> tuple[NodeConfig, ...]:
    try:
        return tuple(load(node, file.shard) for node in file.nodes)
    except ConfigError as exc:
        raise BackendError(file.shard, "start", f"its file is damaged: {exc}") from exc
