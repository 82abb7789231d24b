"""The files of a run's shards, for every backend that runs them as processes of this machine.

All that is known stands in the run's folder and in /proc, so any process that knows the folder sees the same:

    shards/NAME.json   what the shard is to serve (`ShardFile`), by `write`
    shards/NAME.pid    which process it is (`PidFile`), by the shard and by the farm, whichever comes first
    logs/NAME.log      what it prints, appended to over restarts

A file that is missing or damaged costs what it said and no more: processes are found by the mark in their environment.
"""

import contextlib
import hashlib
import os
import string
from dataclasses import dataclass
from pathlib import Path

from farm.backends import pids
from farm.backends.observed import ObservedShard, ShardSpec
from farm.errors import BackendError
from node.config.load import dump, load
from node.config.model import NodeConfig
from node.config.shared_tags import SharedTags
from node.control.messages import PidFile, ShardFile, boot_id, checked_mark, digest_nodes
from node.errors import ConfigError

NAME_CHARACTERS = frozenset(string.ascii_letters + string.digits + "_-")
SHARD_FILES = (".json", ".json.tmp", ".pid")


@dataclass(frozen=True, slots=True)
class Content:
    """A shard's file: what stands for its bytes, the digest of its nodes, and the nodes."""

    mark: bytes
    digest: str
    nodes: tuple[NodeConfig, ...]


class ShardFiles:
    """Those of the run `run_id` in `directory`; `epoch` is the plant's start on the monotonic clock."""

    def __init__(self, directory: Path, run_id: str, epoch: float) -> None:
        self._shard_folder = directory / "shards"
        self._log_folder = directory / "logs"
        self._run = run_id
        self._epoch = epoch
        self._contents: dict[str, Content] = {}

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
        pid_file = self._read_pid_file(name)
        content: Content | None = None
        with contextlib.suppress(BackendError):
            content = self.content(name)
        nodes = content.nodes if content is not None else ()
        if pid_file is None or pid_file.boot_id != boot_id() or pid_file.run != self._run:
            return ObservedShard(name, pid=0, started=0, alive=False, nodes=nodes)
        alive = pids.alive(pid_file.pid, pid_file.started)
        if alive and content is not None and content.digest != pid_file.digest:
            nodes = ()  # it serves something else, and nobody knows what
        return ObservedShard(name, pid_file.pid, pid_file.started, alive, nodes)

    def is_alive(self, name: str) -> bool:
        """Whether the process of its pid file runs."""
        pid_file = self._read_pid_file(name)
        return pid_file is not None and pid_file.boot_id == boot_id() and pids.alive(pid_file.pid, pid_file.started)

    def content(self, name: str) -> Content | None:
        """What the shard's file says, None where there is no such file or a damaged one; decoded unless it is the file
        that was read or written last. Raises `BackendError` for nodes that are none."""
        path = self.path(name, ".json")
        try:
            data = path.read_bytes()
            known = self._contents.get(name)
            if known is None or known.mark != _mark(data):
                file = ShardFile.decode(str(path), data)
                digest = digest_nodes(file.nodes)
                nodes = load_nodes(file, file.checked == checked_mark(digest))
                known = self._contents[name] = Content(_mark(data), digest, nodes)
        except (OSError, ConfigError):
            self._contents.pop(name, None)
            return None
        return known

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
            place = self.path(shard.name, ".pid")
            if not self.is_alive(shard.name):
                place.unlink(missing_ok=True)
                os.close(os.open(place, os.O_WRONLY | os.O_CREAT, 0o600))
            shared = SharedTags() if len(shard.nodes) > 1 else None
            nodes = tuple(dump(node, shared) for node in shard.nodes)
            digest = digest_nodes(nodes)
            file = ShardFile(
                shard.name, self._run, self._epoch, str(place.absolute()), nodes, checked=checked_mark(digest)
            )
            data = file.encode()
            unfinished = self.path(shard.name, ".json.tmp")
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(data)
            unfinished.replace(self.path(shard.name, ".json"))
            self._contents[shard.name] = Content(_mark(data), digest, shard.nodes)
        except OSError as exc:
            raise BackendError(shard.name, "create", f"cannot write its files: {exc}") from exc

    def started(self, name: str, digest: str, pid: int, started: int) -> None:
        """Writes down which process serves the shard, and the digest of its nodes. Raises `OSError`."""
        descriptor = os.open(self.path(name, ".pid"), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            PidFile(name, self._run, boot_id(), pid, started, digest).write(descriptor)
        finally:
            os.close(descriptor)

    def remove(self, name: str) -> None:
        """Takes away its files but its log. Raises `BackendError`."""
        self._contents.pop(name, None)
        for suffix in SHARD_FILES:
            try:
                self.path(name, suffix).unlink(missing_ok=True)
            except OSError as exc:
                raise BackendError(name, "remove", f"cannot remove its files: {exc}") from exc

    def log_of_node(self, node: str) -> Path:
        """The log of the shard that serves the node; it may not exist yet."""
        return self.log(self.shard_of_node(node))

    def shard_of_node(self, node: str) -> str:
        """The name of the shard that serves the node; its own where no other does."""
        if not self.path(node, ".json").exists():
            for name in self.names():
                content: Content | None = None
                with contextlib.suppress(BackendError):
                    content = self.content(name)
                if content is not None and any(served.name == node for served in content.nodes):
                    return name
        return node

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


def load_nodes(file: ShardFile, checked: bool = False) -> tuple[NodeConfig, ...]:
    """The nodes of a shard file, of which its mark may say that they were `checked`. Raises `BackendError` when it is
    damaged."""
    shared = SharedTags() if len(file.nodes) > 1 else None
    try:
        return tuple([load(node, file.shard, checked, shared) for node in file.nodes])
    except ConfigError as exc:
        raise BackendError(file.shard, "start", f"its file is damaged: {exc}") from exc


def _safe(name: str) -> str:
    if not 1 <= len(name) <= 32 or not NAME_CHARACTERS.issuperset(name):
        raise BackendError(name, "files", "a name is 1 to 32 of the characters A-Z a-z 0-9 _ -")
    return name


def _mark(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()
