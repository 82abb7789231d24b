"""Capture files on disk: a new one when one is full, and no more of them than were asked for; for this user alone.

The newest is called as asked; those before it are called `plant.1.pcap`, `plant.2.pcap` and so on.
"""

import contextlib
import os
import sys
from pathlib import Path
from typing import BinaryIO

from farm.errors import FarmError
from node.capture.pcap import Packet, encode_header, encode_packet

STANDARD_OUTPUT = "-"


class CaptureFiles:
    """Writes packets to `path`, or standard output for `-`. `size` bytes begin the next file, of which `files` are
    kept. Raises `FarmError` when one cannot be written. A context."""

    def __init__(self, path: Path, size: int, files: int) -> None:
        self.path = path
        self.packets = 0
        self.bytes = 0
        self.files = 1
        self._size = size
        self._most = files
        self._written = 0
        self._piped = str(path) == STANDARD_OUTPUT
        self._file: BinaryIO = sys.stdout.buffer if self._piped else self._open()
        self._begin()

    def __enter__(self) -> "CaptureFiles":
        return self

    def __exit__(self, *exc: object) -> None:
        if not self._piped:
            self._file.close()

    def write(self, packets: list[Packet]) -> None:
        """Appends packets, and hands them to the system, so that a reader sees them."""
        try:
            for packet in packets:
                data = encode_packet(packet)
                if not self._piped and self._written + len(data) > self._size and self._written:
                    self._turn()
                self._file.write(data)
                self._written += len(data)
                self.packets += 1
                self.bytes += len(packet.data)
            self._file.flush()
        except OSError as exc:
            raise FarmError(f"cannot write {self.path}: {exc.strerror}") from exc

    def _begin(self) -> None:
        self._file.write(encode_header())
        self._file.flush()
        self._written = 0

    def _turn(self) -> None:
        """The next file."""
        self._file.close()
        self.files = min(self.files + 1, self._most)
        for number in range(self._most - 1, 0, -1):
            older = self._numbered(number - 1)
            if number > 1 or self._most > 1:
                with contextlib.suppress(FileNotFoundError):
                    older.replace(self._numbered(number))
        self._file = self._open()
        self._begin()

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.stem}.{number}{self.path.suffix}") if number else self.path

    def _open(self) -> BinaryIO:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            descriptor = os.open(self.path, flags, 0o600)
            os.fchmod(descriptor, 0o600)
        except OSError as exc:
            raise FarmError(f"cannot write {self.path}: {exc.strerror}") from exc
        return os.fdopen(descriptor, "wb")
