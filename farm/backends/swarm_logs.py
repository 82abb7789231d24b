"""What nodes on other hosts printed, fetched into the run's folder: their engines keep it, and forget it with the
container, so it is fetched when somebody asks and before a container is taken away."""

import contextlib
import json
import threading
from collections import defaultdict
from pathlib import Path

from farm.backends.docker_engine import Engine


class FetchedLogs:
    """Of a run's nodes; `path` of a node and, beside it, how much of which container stands in it."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def fetch(self, path: Path, engine: Engine, container: str) -> None:
        """Adds what the container has printed since. Raises `BackendError`; a file that cannot be written stays."""
        with self._locks[path.stem], contextlib.suppress(OSError):
            with engine.told(path.stem, "fetch its log"):
                said: bytes = engine.api.logs(container)
            before, length = _read(_beside(path))
            begin = length if before == container and length <= len(said) else 0
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("ab") as file:
                file.write(said[begin:])
            _beside(path).write_text(json.dumps([container, len(said)]))


def _beside(path: Path) -> Path:
    return path.with_suffix(".fetched")


def _read(path: Path) -> tuple[str, int]:
    try:
        container, length = json.loads(path.read_bytes())
        return str(container), int(length)
    except (OSError, ValueError, TypeError):
        return "", 0
