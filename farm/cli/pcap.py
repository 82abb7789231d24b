"""`farm pcap`: the packets of a node or a network in files that Wireshark reads."""

import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer

from farm.cli import options
from farm.cli.capture_files import CaptureFiles
from farm.cli.capture_sources import Source, find_source
from farm.cli.terminal import is_terminal, note
from farm.cli.usage import UsageError
from farm.cli.whereabouts import enter_holder
from farm.supervisor.link import Link, run_named

PATIENCE = 0.2
"""Seconds after which it is seen whether it is to end."""
SHOWN_EVERY = 0.5
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(k|M|G)?B?")
_BYTES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
SMALLEST = 1000


def pcap(
    target: Annotated[str, typer.Argument(metavar="NODE|NETWORK", help="Name of a node or a network.")],
    file: Annotated[Path, typer.Option("--write", "-w", metavar="FILE", help="Where to; - is standard output.")],
    size: Annotated[str, typer.Option("--size", metavar="BYTES", help="Begin the next file after so much.")] = "10MB",
    files: Annotated[int, typer.Option("--files", metavar="N", min=1, help="Keep so many files.")] = 5,
    seconds: Annotated[
        float | None, typer.Option("--seconds", metavar="SECONDS", min=0.1, help="End after so long.")
    ] = None,
    count: Annotated[int | None, typer.Option("--count", metavar="N", min=1, help="End after so many packets.")] = None,
    name: options.FarmName = None,
) -> None:
    """Write the packets of a node or a network to a file, until Ctrl-C."""
    limit = parse_size(size)
    link = Link.open(run_named(name))
    enter_holder(link.run)  # without root, its networks can be seen from in there alone
    source = find_source(link, target)
    try:
        with CaptureFiles(file, limit, files) as out:
            record(source, out, seconds, count)
    finally:
        source.close()
    kept = f" in {out.files} files" if out.files > 1 else ""
    lost = f", {source.lost} lost" if source.lost else ""
    note(f"{file}: {out.packets} packets, {out.bytes} bytes{kept}{lost}")


def record(source: Source, out: CaptureFiles, seconds: float | None, count: int | None) -> None:
    """Until it is told to end, or one of the limits is reached. Raises `FarmError`."""
    give_up = time.monotonic() + seconds if seconds is not None else None
    shown = Counter(out)
    with told_to_end() as told, shown:
        while not told and (count is None or out.packets < count):
            left = PATIENCE if give_up is None else min(PATIENCE, give_up - time.monotonic())
            if left <= 0:
                break
            packets = source.fetch(left)
            out.write(packets if count is None else packets[: count - out.packets])
            shown.look()
        if count is None or out.packets < count:  # what came while it was told
            packets = source.fetch(0)
            out.write(packets if count is None else packets[: count - out.packets])


class Counter:
    """On a terminal, how much there is by now: a line that is written over itself, and gone in the end."""

    def __init__(self, out: CaptureFiles) -> None:
        self._out = out
        self._moving = is_terminal(sys.stderr)
        self._painted = 0.0
        self._shown = ""

    def __enter__(self) -> "Counter":
        return self

    def __exit__(self, *exc: object) -> None:
        if self._shown:
            print(f"\r{' ' * len(self._shown)}\r", end="", file=sys.stderr, flush=True)

    def look(self) -> None:
        """Shows it, if it is time."""
        now = time.monotonic()
        if self._moving and now - self._painted >= SHOWN_EVERY:
            self._painted = now
            self._shown = f"{self._out.packets} packets, {self._out.bytes} bytes; Ctrl-C ends it"
            print(f"\r{self._shown}", end="", file=sys.stderr, flush=True)


@contextmanager
def told_to_end() -> Iterator[list[int]]:
    """Empty until SIGINT or SIGTERM comes; a second one has its usual effect."""
    told: list[int] = []
    before: dict[int, Any] = {}

    def note_it(signum: int, frame: FrameType | None) -> None:
        told.append(signum)
        signal.signal(signum, before[signum])

    for signum in (signal.SIGINT, signal.SIGTERM):
        before[signum] = signal.signal(signum, note_it)
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def parse_size(text: str) -> int:
    """`10MB`, `500kB`, `20000` in bytes. Raises `UsageError`."""
    found = _SIZE.fullmatch(text)
    size = int(float(found[1]) * _BYTES[found[2] or ""]) if found else 0
    if size < SMALLEST:
        raise UsageError(f"--size {text}: wanted bytes as 10MB or 500kB, {SMALLEST} at least")
    return size
