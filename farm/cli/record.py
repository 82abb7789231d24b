"""`farm record`: what tags hold over time, and what clients do with them, in files of this folder."""

import os
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from farm.cli import options
from farm.cli.events import ACTOR
from farm.cli.fault_options import time_of
from farm.cli.moving_line import MovingLine, told_to_end
from farm.cli.node_choice import Nodes, Where, chosen
from farm.cli.pcap import file_size
from farm.cli.recording_files import RecordingFiles, recorded_nodes
from farm.cli.rows import age
from farm.cli.terminal import node_count, note, warn
from farm.cli.usage import UsageError
from farm.supervisor.descriptors import raise_limit
from farm.supervisor.link import Link, NoSupervisor, run_named
from node.history.history_files import COMPRESSIONS

FASTEST, SLOWEST = 0.05, 3600.0
"""Seconds between two looks at values, as nodes take them."""
MOST_DEATHS = 5
"""Supervisors that may die one after the other before anything was heard of nodes."""


def record(
    nodes: Nodes = None,
    which: Where = None,
    folder: Annotated[
        Path | None, typer.Option("--dir", "-d", metavar="DIR", help="Where to: a folder, made if need be.")
    ] = None,
    tags: Annotated[
        list[str] | None,
        typer.Option("--tags", "-t", metavar="PATTERN", help="Only tags such as 'Tank*'; may be repeated."),
    ] = None,
    every: Annotated[str, typer.Option("--every", metavar="TIME", help="Values are looked at so often.")] = "1s",
    lasting: Annotated[str | None, typer.Option("--for", metavar="TIME", help="Ends after so long, as 2m.")] = None,
    accesses: Annotated[
        bool, typer.Option("--accesses", help="Also every read and write of clients, and who it was.")
    ] = False,
    rotate: Annotated[
        str | None, typer.Option("--rotate", metavar="BYTES", help="Begin a node's next file after so much, as 10MB.")
    ] = None,
    keep: Annotated[
        int | None, typer.Option("--keep", metavar="N", min=1, help="Keep so many older files of each node.")
    ] = None,
    compress: Annotated[str, typer.Option("--compress", metavar="gz|bz2|xz", help="Compress the older files.")] = "",
    append: Annotated[bool, typer.Option("--append", help="Go on with a recording that is in the folder.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="End the recordings that run, and nothing more.")] = False,
    name: options.FarmName = None,
) -> None:
    """Record the values of tags, until Ctrl-C."""
    if stop:
        stopped = Link.open(run_named(name)).ask("record_stop", key=None)["stopped"]
        note(f"ended: {stopped} recording{'' if stopped == 1 else 's'}")
        return
    if folder is None:
        raise UsageError("where to? Name a folder, as in --dir monday")
    if compress and compress not in COMPRESSIONS:
        raise UsageError(f"--compress {compress}: wanted {', '.join(COMPRESSIONS)}")
    period = time_of("every", every)
    if not FASTEST <= period <= SLOWEST:
        raise UsageError(f"--every {every}: wanted {FASTEST:g} s to {SLOWEST:g} s")
    seconds = None if lasting is None else time_of("for", lasting)
    size = None if rotate is None else file_size(rotate, "--rotate")
    link = Link.open(run_named(name))
    names = chosen(link.ask("ps")["rows"], nodes, which, link.run.name)
    if folder.exists() and not append and recorded_nodes(folder):
        raise UsageError(f"there is a recording in {folder} already; name another folder, or go on with it: --append")
    raise_limit()  # a file a node
    asked = {"nodes": names, "tags": list(tags or ["*"]), "every": period, "accesses": accesses, "actor": ACTOR}
    with RecordingFiles(folder, size, keep, compress) as files:
        Recording(link, files, asked, seconds).run()
    lost = f", {files.lost} lost" if files.lost else ""
    more = f", {files.accesses} accesses" if accesses else ""
    note(f"{folder}: {files.records} records{more} of {node_count(files.nodes)}{lost}")


class Recording:
    """One that runs, for so many `seconds` (None: until it is told to end), into `files`."""

    def __init__(self, link: Link, files: RecordingFiles, asked: Mapping[str, Any], seconds: float | None) -> None:
        self._link = link
        self._files = files
        self._asked = {**asked, "key": f"r{os.getpid()}-{secrets.token_hex(4)}"}
        self._after: dict[str, int] = {}
        self._lost: dict[str, int] = {}
        self._began = time.monotonic()
        self._seconds = seconds
        self._tags = 0

    def run(self) -> None:
        """Until it is over. A supervisor that died is followed by another, and nothing of it is lost. Raises
        `FarmError`."""
        shown = MovingLine(self._text)
        with told_to_end() as told, shown:
            deaths = 0
            while True:
                stopping = False
                try:
                    for event in self._events():
                        self._take(event, shown)
                        shown.look()
                        if event.get("event") == "fetched":
                            deaths = 0
                        if not stopping and (told or self._is_over()):
                            stopping = True
                            self._link.ask("record_stop", key=self._asked["key"])
                    return
                except NoSupervisor as exc:
                    deaths += 1
                    if not self._tags or deaths > MOST_DEATHS:
                        raise
                    shown.wipe()
                    note(str(exc))

    def _events(self) -> Iterator[dict[str, Any]]:
        return self._link.call("record", **self._asked, after=self._after)

    def _is_over(self) -> bool:
        return self._seconds is not None and time.monotonic() - self._began >= self._seconds

    def _take(self, event: Mapping[str, Any], shown: MovingLine) -> None:
        kind, node = event.get("event"), str(event.get("node", ""))
        if kind == "begun" and not self._tags:
            self._tags = sum(event["tags"].values())
            ends = "" if self._seconds is None else f", for {age(self._seconds)}"
            note(
                f"recording {self._tags} tags of {node_count(len(event['tags']))} into {self._files.folder}{ends}; "
                "Ctrl-C ends it"
            )
        elif kind == "records":
            records = event["records"]
            self._files.write(node, records)
            self._after[node] = int(records[-1][0])
            if event["lost"] > self._lost.get(node, 0):
                shown.wipe()
                warn(f"{node}: {event['lost'] - self._lost.get(node, 0)} accesses came faster than they could be kept")
                self._lost[node] = event["lost"]
        elif kind == "anew":
            self._lost.pop(node, None)
            self._files.remark(node, "the node began anew")

    def _text(self) -> str:
        span = age(time.monotonic() - self._began)
        return f"{span}: {self._files.records} records of {node_count(self._files.nodes)}; Ctrl-C ends it"
