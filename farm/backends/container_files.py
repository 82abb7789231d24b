"""The files of shards whose process is not a fork of ours, in the run's folder:

    shards/NAME.json   what the shard is to serve (`ShardFile`)
    shards/NAME.pid    which process it was last (`PidFile`), so that a dead one can be told from the next
    shards/NAME.link   how its link was shaped, where it is not a good one
    logs/NAME.log      what it said, appended to over restarts

The folders are closed to all others; the files in them are open to the user that the node runs as, who is given them
one by one.
"""

import contextlib
import json
import os
import string
from pathlib import Path

from farm.errors import BackendError, FarmError
from farm.topology.wiring import LinkQuality, decode_quality, encode_quality
from node.config.load import load
from node.config.model import NodeConfig
from node.control.messages import PidFile, ShardFile, boot_id
from node.errors import ConfigError

NAME_CHARACTERS = frozenset(string.ascii_letters + string.digits + "_-")
FILE, PID, LINK = ".json", ".pid", ".link"


class ContainerFiles:
    """The files of the run `run_id` in `directory`."""

    def __init__(self, directory: Path, run_id: str) -> None:
        self._shards = directory / "shards"
        self._logs = directory / "logs"
        self._run = run_id

    def names(self) -> list[str]:
        """Every shard that has a file, by name."""
        try:
            found = {path.stem for path in self._shards.iterdir() if path.suffix in (FILE, PID)}
        except OSError:
            return []
        return sorted(name for name in found if name and NAME_CHARACTERS.issuperset(name))

    def write(self, file: ShardFile) -> None:
        """Writes the shard's file anew, and makes its log. Raises `BackendError`."""
        try:
            for folder in (self._shards, self._logs):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.log(file.shard), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
            self.log(file.shard).chmod(0o666)
            self._replace(file.shard, FILE, file.encode(), 0o644)
        except OSError as exc:
            raise BackendError(file.shard, "create", f"cannot write its files: {exc}") from exc

    def read(self, shard: str) -> ShardFile | None:
        """What the shard is to serve; None when the file is missing or damaged."""
        path = self.path(shard)
        with contextlib.suppress(OSError, ConfigError):
            return ShardFile.decode(str(path), path.read_bytes())
        return None

    def nodes(self, file: ShardFile | None) -> tuple[NodeConfig, ...]:
        """The nodes of a shard file; none where it cannot be used."""
        with contextlib.suppress(ConfigError):
            return tuple(load(node, file.shard) for node in file.nodes) if file is not None else ()
        return ()

    def remember(self, shard: str, pid: int, started: int, digest: str) -> None:
        """The shard runs as this process. Raises `BackendError`."""
        body = PidFile(shard, self._run, boot_id(), pid, started, digest)
        try:
            self._replace(shard, PID, body.encode(), 0o600)
        except OSError as exc:
            raise BackendError(shard, "start", f"cannot write its pid file: {exc}") from exc

    def process(self, shard: str) -> tuple[int, int]:
        """(pid, started) of the process that served it last in this boot; zeros when none is known."""
        path = self._path(shard, PID)
        with contextlib.suppress(OSError, ConfigError):
            found = PidFile.decode(str(path), path.read_bytes())
            if found.run == self._run and found.boot_id == boot_id():
                return found.pid, found.started
        return 0, 0

    def shape(self, shard: str, quality: LinkQuality | None) -> None:
        """Keeps how its link is; None forgets it. Raises `BackendError`."""
        try:
            if quality is None:
                self._path(shard, LINK).unlink(missing_ok=True)
            else:
                self._replace(shard, LINK, json.dumps(encode_quality(quality)).encode(), 0o600)
        except OSError as exc:
            raise BackendError(shard, "shape", f"cannot keep its link: {exc}") from exc

    def link(self, shard: str) -> LinkQuality | None:
        """How its link was shaped; None for a good one."""
        with contextlib.suppress(OSError, ValueError, FarmError):
            return decode_quality(json.loads(self._path(shard, LINK).read_bytes()))
        return None

    def forget(self, shard: str) -> None:
        """Takes all of it away but the log. Raises `BackendError`."""
        for suffix in (FILE, PID, LINK):
            try:
                self._path(shard, suffix).unlink(missing_ok=True)
                self._path(shard, f"{suffix}.tmp").unlink(missing_ok=True)
            except OSError as exc:
                raise BackendError(shard, "remove", f"cannot remove its files: {exc}") from exc

    def path(self, shard: str) -> Path:
        """Its shard file."""
        return self._path(shard, FILE)

    def log(self, shard: str) -> Path:
        """Its log."""
        return self._logs / f"{_safe(shard)}.log"

    def _path(self, shard: str, suffix: str) -> Path:
        return self._shards / f"{_safe(shard)}{suffix}"

    def _replace(self, shard: str, suffix: str, data: bytes, mode: int) -> None:
        unfinished = self._path(shard, f"{suffix}.tmp")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            os.fchmod(out.fileno(), mode)
            out.write(data)
        unfinished.replace(self._path(shard, suffix))


def _safe(name: str) -> str:
    if not 1 <= len(name) <= 32 or not NAME_CHARACTERS.issuperset(name):
        raise BackendError(name, "files", "a name is 1 to 32 of the characters A-Z a-z 0-9 _ -")
    return name
