"""Compresses what a writer has rotated, in a thread of its own, so that nobody's record waits for it.

A file is compressed under another name and takes its place when it is whole and on the disk, so that a kill at any time
costs the work and no record: what it leaves is cleared away, and done again, when the history is next written to.
"""

import logging
import threading
from pathlib import Path

from node.history.history_files import PARTIAL, HistoryFile, compress, series

log = logging.getLogger(__name__)


class Compressor:
    """For the rotated files of the history at `path`; `lock` is held while names change."""

    def __init__(self, path: Path, compression: str, lock: threading.RLock) -> None:
        self._path = path
        self._compression = compression
        self._lock = lock
        self._thread: threading.Thread | None = None
        self._again = False

    def clear(self) -> None:
        """Takes away what a killed process left half done. Raises `OSError`."""
        for left in self._path.parent.iterdir():
            if left.name.startswith(f"{self._path.name}.") and left.name.endswith(PARTIAL):
                left.unlink(missing_ok=True)
        for file in series(self._path):
            if file.number >= 0 and not file.compression:
                _packed(file, self._compression).unlink(missing_ok=True)

    def wake(self) -> None:
        """There is something to compress. Called with the lock held."""
        self._again = True
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"compress {self._path.name}", daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Returns when everything is done. Called without the lock."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._again:
                    self._thread = None
                    return
                self._again = False
            try:
                while self._one():
                    pass
            except OSError as exc:
                log.warning("%s: cannot be compressed, and stays as it is: %s", self._path, exc)

    def _one(self) -> bool:
        """Compresses the oldest file that is plain; whether there was one. Raises `OSError`."""
        partial = self._path.with_name(f"{self._path.name}.{self._compression}{PARTIAL}")
        with self._lock:
            plain = [file for file in series(self._path) if file.number >= 0 and not file.compression]
            if not plain:
                return False
            oldest = plain[-1]
            source = oldest.path.open("rb")  # while the name is still that of this file
        try:
            with source:
                compress(source, partial, self._compression)
                with self._lock:
                    for now in series(self._path):  # it may have another number by now, or be gone
                        if now.inode == oldest.inode and now.number >= 0:
                            partial.replace(_packed(now, self._compression))
                            now.path.unlink()
        finally:
            partial.unlink(missing_ok=True)
        return True


def _packed(file: HistoryFile, compression: str) -> Path:
    return file.path.with_name(f"{file.path.name}.{compression}")
