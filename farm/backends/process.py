"""Shards as processes of this machine, on addresses of 127/8: needs no rights and no daemon.

All that is known stands in the run's folder and in /proc, so any process that knows the folder sees the same:

    shards/NAME.json   what the shard is to serve (`ShardFile`), by `create`
    shards/NAME.pid    which process it is (`PidFile`), by the shard and by `start`, whichever comes first
    logs/NAME.log      what it prints, appended to over restarts
    nursery.log        what the nursery prints

A file that is missing or damaged costs what it said and no more: processes are found by the mark in their environment.
"""

import contextlib
import hashlib
import os
import string
from dataclasses import dataclass
from pathlib import Path

from farm.backends import limits, pids
from farm.backends.observed import Observed, ObservedShard, ShardSpec
from farm.backends.shards import Shards
from farm.errors import BackendError
from node.config.load import dump, load
from node.config.model import NodeConfig
from node.control.messages import PidFile, ShardFile, boot_id, checked_mark, digest_nodes, shard_token
from node.errors import ConfigError

NAME_CHARACTERS = frozenset(string.ascii_letters + string.digits + "_-")
SHARD_FILES = (".json", ".json.tmp", ".pid", ".pid.tmp", ".pid.new")


class ProcessBackend:
    """The run in `directory`. `run_id` marks its processes, `epoch` is the plant's start on the monotonic clock,
    `control` the socket that shards dial, `secret` what their tokens are made from (`messages.shard_token`)."""

    name = "process"
    restarts = False

    def __init__(self, directory: Path, run_id: str, epoch: float, control: Path, secret: str) -> None:
        self._shard_folder = directory / "shards"
        self._log_folder = directory / "logs"
        self._run = run_id
        self._epoch = epoch
        self._control = control
        self._secret = secret
        self._shards = Shards(run_id, directory / "nursery.log")
        self._read: dict[str, _Content] = {}

    def observe(self) -> Observed:
        """The shards that have files, and marked processes that are none of them."""
        boot = boot_id()
        shards = tuple(self._observe_shard(name, boot, self._content_or_none(name)) for name in self._names())
        known = [shard.pid for shard in shards if shard.alive]
        strays = pids.marked(self._run, passing=[*known, self._shards.nursery])
        return Observed(shards=shards, strays=tuple(pid for pid, _ in strays))

    def create_network(self, network: str) -> None:
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
            digest = digest_nodes(nodes)
            place = str(self._path(shard.name, ".pid").absolute())
            content = ShardFile(shard.name, self._run, self._epoch, place, nodes, checked_mark(digest)).encode()
            self._write(shard.name, ".json", content)
            self._read[shard.name] = _Content(_mark(content), digest, shard.nodes)
        except OSError as exc:
            raise BackendError(shard.name, "create", f"cannot write its files: {exc}") from exc

    def start(self, shard: str) -> ObservedShard:
        """Fork it, unless it runs. On return its process is known on disk too."""
        content = self._read_content(shard)
        if content is None:
            raise BackendError(shard, "start", f"{self._path(shard, '.json')} is missing or damaged: create it first")
        running = self._observe_shard(shard, boot_id(), content)
        if running.alive:
            if running.nodes != content.nodes:
                raise BackendError(shard, "start", f"process {running.pid} serves something else: stop it first")
            return running
        config, log = self._path(shard, ".json").absolute(), self._log(shard).absolute()
        token = shard_token(self._secret, shard)
        pid, started = self._shards.fork(shard, config, log, self._control.absolute(), token)
        pid_file = PidFile(shard, self._run, boot_id(), pid, started, content.digest)
        try:
            self._write(shard, ".pid", pid_file.encode())
        except OSError as exc:
            pids.end(pid, started, grace=0.0)
            raise BackendError(shard, "start", f"cannot write its pid file: {exc}") from exc
        return ObservedShard(shard, pid, started, alive=True, nodes=content.nodes)

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
        self._read.pop(shard, None)
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

    def shape(self, node: str, quality: str) -> None:
        """Loopback has no links of its own: only a link that is well ("") can be had."""
        if quality:
            raise BackendError(node, "shape", "nodes on loopback share one link; links can be shaped on netns")

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

    def _observe_shard(self, name: str, boot: str, content: "_Content | None") -> ObservedShard:
        pid_file = self._read_pid_file(name)
        nodes = content.nodes if content is not None else ()
        if pid_file is None or pid_file.boot_id != boot or pid_file.run != self._run:
            return ObservedShard(name, pid=0, started=0, alive=False, nodes=nodes)
        alive = pids.alive(pid_file.pid, pid_file.started)
        if alive and content is not None and content.digest != pid_file.digest:
            nodes = ()  # it serves something else, and nobody knows what
        return ObservedShard(name, pid_file.pid, pid_file.started, alive, nodes)

    def _content_or_none(self, name: str) -> "_Content | None":
        with contextlib.suppress(BackendError):
            return self._read_content(name)
        return None

    def _read_content(self, name: str) -> "_Content | None":
        """What the shard's file says, decoded unless it is the file that was read or written last. Raises
        `BackendError` for nodes that are none."""
        path = self._path(name, ".json")
        try:
            data = path.read_bytes()
            known = self._read.get(name)
            if known is None or known.mark != _mark(data):
                file = ShardFile.decode(str(path), data)
                known = self._read[name] = _Content(_mark(data), digest_nodes(file.nodes), _load_nodes(file))
        except (OSError, ConfigError):
            self._read.pop(name, None)
            return None
        return known

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

    def _write(self, name: str, suffix: str, data: bytes) -> None:
        unfinished = self._path(name, f"{suffix}.tmp")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
        unfinished.replace(self._path(name, suffix))

    def _path(self, name: str, suffix: str) -> Path:
        return self._shard_folder / f"{_safe(name)}{suffix}"

    def _log(self, name: str) -> Path:
        return self._log_folder / f"{_safe(name)}.log"


@dataclass(frozen=True, slots=True)
class _Content:
    """A shard's file: what stands for its bytes, the digest of its nodes, and the nodes."""

    mark: bytes
    digest: str
    nodes: tuple[NodeConfig, ...]


def _mark(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _safe(name: str) -> str:
    if not 1 <= len(name) <= 32 or not NAME_CHARACTERS.issuperset(name):
        raise BackendError(name, "files", "a name is 1 to 32 of the characters A-Z a-z 0-9 _ -")
    return name


def _load_nodes(file: ShardFile) -> tuple[NodeConfig, ...]:
    try:
        return tuple(load(node, file.shard) for node in file.nodes)
    except ConfigError as exc:
        raise BackendError(file.shard, "start", f"its file is damaged: {exc}") from exc
