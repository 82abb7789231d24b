"""The files of a run's containers: as those of other backends' shards, but open to whoever the node runs as, in folders
that are closed. A container is given them one by one; it does not know its pid, so the farm alone writes that down, to
tell a dead process from the next."""

import contextlib
import os
from pathlib import Path

from farm.backends.observed import ShardSpec
from farm.backends.shard_files import ShardFiles, load_nodes
from farm.errors import BackendError
from node.config.load import dump
from node.config.model import NodeConfig
from node.config.shared_tags import SharedTags
from node.control.messages import ShardFile, boot_id, checked_mark, digest_nodes

READABLE, WRITABLE = 0o644, 0o666


class ContainerFiles(ShardFiles):
    """Those of the run `run_id` in `directory`."""

    def write(self, shard: ShardSpec, published: bool = True) -> None:
        """Writes what the shard is to serve, and makes its log; one whose ports are `published` serves on every
        interface. Raises `BackendError`."""
        everywhere = published and any(node.outside for node in shard.nodes)
        handed = not any(map(has_own_network, shard.nodes))
        shared = SharedTags() if len(shard.nodes) > 1 else None
        nodes = tuple(dump(node, shared) for node in shard.nodes)
        mark = checked_mark(digest_nodes(nodes))
        file = ShardFile(shard.name, self._run, self._epoch, "", nodes, mark, everywhere, handed)
        try:
            for folder in (self._shard_folder, self._log_folder):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self.log(shard.name), b"", WRITABLE, os.O_APPEND)
            unfinished = self.path(shard.name, ".json.tmp")
            _write(unfinished, file.encode(), READABLE, os.O_TRUNC)
            unfinished.replace(self.path(shard.name, ".json"))
        except OSError as exc:
            raise BackendError(shard.name, "create", f"cannot write its files: {exc}") from exc

    def nodes(self, file: ShardFile | None) -> tuple[NodeConfig, ...]:
        """The nodes of a shard file; none where it cannot be used."""
        try:
            return load_nodes(file) if file is not None else ()
        except BackendError:
            return ()

    def served_by(self, shard: str) -> tuple[NodeConfig, ...]:
        """The nodes of a shard, decoded once for as long as its file is the same: a doorway asks for every port."""
        with contextlib.suppress(BackendError):
            content = self.content(shard)
            return content.nodes if content is not None else ()
        return ()

    def process(self, shard: str) -> tuple[int, int]:
        """(pid, started) of the process that served it last in this boot; zeros when none is known."""
        found = self._read_pid_file(shard)
        if found is None or found.run != self._run or found.boot_id != boot_id():
            return 0, 0
        return found.pid, found.started


def has_own_network(node: NodeConfig) -> bool:
    """Whether a node has a container to itself. One that shares it is at an address of the machine's."""
    return bool(node.interfaces or node.outside)


def _write(path: Path, data: bytes, mode: int, flag: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o600), "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(data)
