"""The files of a run's shards, for every backend that runs them as processes of this machine.

All that is known stands in the run's folder and in /proc, so any process that knows the folder sees the same:

    shards/NAME.json   what the shard is to serve (`ShardFile`), by `write`
    shards/NAME.pid    which process it is (`PidFile`), by the shard and by the farm, whichever comes first
    logs/NAME.log      what it prints, appended to over restarts

A file that is missing or damaged costs what it said and no more: processes are found by the mark in their environment.
"""

import contextlib
import os
import string
from pathlib import Path

from farm.backends import pids
from farm.backends.observed import ObservedShard, ShardSpec
from farm.errors import BackendError
from node.config.load import dump, load
from node.config.model import NodeConfig
from node.control.messages import PidFile, ShardFile, boot_id, digest_nodes
from node.errors import ConfigError

NAME_CHARACTERS = frozenset(string.ascii_letters + string.digits + "_-")
SHARD_FILES = (".json", ".json.tmp", ".pid")


class ShardFiles:
    """Those of the run `run_id` in `directory`; `epoch` is the plant's start on the monotonic clock."""

    def __init__(self, directory: Path, run_id: str, epoch: float) -> None:
        self._shard_folder = directory / "shards"
        self._log_folder = directory / "logs"
        self._run = run_id
        self._epoch = epoch

    def names(self) -> list[str]:
        """Every shard that has a file, by name."""
        try:
            found = {path.stem for path in self._shard_folder.iterdir() if path.suffix in (".json", ".pid")}
        except OSError:
            return []
        return sorted(name for name in found if name and NAME_CHARACTERS.issuperset(name))

    def observe(self) -> tuple[ObservedShard, ...]:
        """All of them."""
        return tuple(self.observe_shard(name) for name in self.names())

    def observe_shard(self, name: str) -> ObservedShard:
        """What the files and /proc say of a shard; `nodes` is empty where it runs and nobody knows what it serves."""
        file, pid_file = self.read(name), self._read_pid_file(name)
        nodes: tuple[NodeConfig, ...] = ()
        with contextlib.suppress(BackendError):
            nodes = load_nodes(file) if file is not None else ()
        if pid_file is None or pid_file.boot_id != boot_id() or pid_file.run != self._run:
            return ObservedShard(name, pid=0, started=0, alive=False, nodes=nodes)
        alive = pids.alive(pid_file.pid, pid_file.started)
        if alive and file is not None and digest_nodes(file.nodes) != pid_file.digest:
            nodes = ()  # it serves something else, and nobody knows what
        return ObservedShard(name, pid_file.pid, pid_file.started, alive, nodes)

    def read(self, name: str) -> ShardFile | None:
        """What the shard is to serve, None where there is no such file or a damaged one."""
        path = self.path(name, ".json")
        with contextlib.suppress(OSError, ConfigError):
            return ShardFile.decode(str(path), path.read_bytes())
        return None

    def write(self, shard: ShardSpec) -> None:
        """Writes what the shard is to serve, and makes the pid file that it will write into. Raises `BackendError`."""
        try:
            for folder in (self._shard_folder, self._log_folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            pid_file = self._read_pid_file(shard.name)
            place = self.path(shard.name, ".pid")
            if pid_file is None or not pids.alive(pid_file.pid, pid_file.started):
                place.unlink(missing_ok=True)
                os.close(os.open(place, os.O_WRONLY | os.O_CREAT, 0o600))
            nodes = tuple(dict(dump(node)) for node in shard.nodes)
            file = ShardFile(shard.name, self._run, self._epoch, str(place.absolute()), nodes)
            unfinished = self.path(shard.name, ".json.tmp")
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(file.encode())
            unfinished.replace(self.path(shard.name, ".json"))
        except OSError as exc:
            raise BackendError(shard.name, "create", f"cannot write its files: {exc}") from exc

    def started(self, file: ShardFile, pid: int, started: int) -> None:
        """Writes down which process serves the shard. Raises `OSError`."""
        descriptor = os.open(self.path(file.shard, ".pid"), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            PidFile(file.shard, self._run, boot_id(), pid, started, digest_nodes(file.nodes)).write(descriptor)
        finally:
            os.close(descriptor)

    def remove(self, name: str) -> None:
        """Takes away its files but its log. Raises `BackendError`."""
        for suffix in SHARD_FILES:
            try:
                self.path(name, suffix).unlink(missing_ok=True)
            except OSError as exc:
                raise BackendError(name, "remove", f"cannot remove its files: {exc}") from exc

    def log_of_node(self, node: str) -> Path:
        """The log of the shard that serves the node; it may not exist yet."""
        if not self.path(node, ".json").exists():
            for name in self.names():
                file = self.read(name)
                if file is not None and node in [config.get("name") for config in file.nodes]:
                    return self.log(name)
        return self.log(node)

    def path(self, name: str, suffix: str) -> Path:
        """A file of the shard. Raises `BackendError` for a name that would lead elsewhere."""
        return self._shard_folder / f"{_safe(name)}{suffix}"

    def log(self, name: str) -> Path:
        """The log of the shard."""
        return self._log_folder / f"{_safe(name)}.log"

    def _read_pid_file(self, name: str) -> PidFile | None:
        path = self.path(name, ".pid")
        with contextlib.suppress(OSError, ConfigError):
            return PidFile.decode(str(path), path.read_bytes())
        return None


def load_nodes(file: ShardFile) -> tuple[NodeConfig, ...]:
    """The nodes of a shard file. Raises `BackendError` when it is damaged."""
    try:
        return tuple(load(node, file.shard) for node in file.nodes)
    except ConfigError as exc:
        raise BackendError(file.shard, "start", f"its file is damaged: {exc}") from exc


def _safe(name: str) -> str:
    if not 1 <= len(name) <= 32 or not NAME_CHARACTERS.issuperset(name):
        raise BackendError(name, "files", "a name is 1 to 32 of the characters A-Z a-z 0-9 _ -")
    return name
