"""`farm pcap`: the packets of a node or a network in files that Wireshark reads."""

import time
from pathlib import Path
from typing import Annotated

import typer

from farm.cli import options
from farm.cli.capture_files import CaptureFiles
from farm.cli.capture_sources import Source, find_source
from farm.cli.moving_line import MovingLine, told_to_end
from farm.cli.terminal import note
from farm.cli.usage import UsageError
from farm.cli.whereabouts import enter_holder
from farm.supervisor.link import Link, run_named
from node.config.byte_size import parse_size
from node.errors import ConfigError

PATIENCE = 0.2
"""Seconds after which it is seen whether it is to end."""
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
    limit = file_size(size, "--size")
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
    shown = MovingLine(lambda: f"{out.packets} packets, {out.bytes} bytes; Ctrl-C ends it")
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


def file_size(text: str, option: str) -> int:
    """Bytes after which the next file is begun, as an option says them. Raises `UsageError`."""
    try:
        return parse_size(text, option, SMALLEST)
    except ConfigError as exc:
        raise UsageError(str(exc)) from exc
