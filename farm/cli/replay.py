"""`farm replay`: a recording played back into the tags of nodes, at any speed, from any instant of it on."""

from pathlib import Path
from typing import Annotated

import typer

from farm.cli import options
from farm.cli.events import ACTOR
from farm.cli.fault_options import time_of
from farm.cli.node_choice import Where, chosen
from farm.cli.recording_files import recorded_nodes
from farm.cli.replaying import Replay, Wanted
from farm.cli.terminal import node_count, note
from farm.cli.usage import UsageError
from farm.errors import FarmError
from farm.supervisor.link import Link, run_named
from farm.supervisor.selection import is_pattern
from node.history.timestamp import Timestamp


def replay(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="What farm record has written.")] = None,
    nodes: Annotated[
        list[str] | None, typer.Argument(metavar="[NODE]...", help="Names of nodes, or patterns such as 'drv-*'.")
    ] = None,
    which: Where = None,
    speed: Annotated[str, typer.Option("--speed", "-s", metavar="N", help="So many recorded seconds a second.")] = "1",
    begin: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Begins there: '2026-11-27 03:00:00' (UTC), or +30s into it."),
    ] = None,
    lasting: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="Ends after so much of the recording, as 2m.")
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Begins again at the end, until Ctrl-C.")] = False,
    tags: Annotated[
        list[str] | None,
        typer.Option("--tags", "-t", metavar="PATTERN", help="Only tags such as 'Tank*'; may be repeated."),
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="End what is played into any node, and nothing more.")] = False,
    name: options.FarmName = None,
) -> None:
    """Play a recording into the tags of nodes; in the end they are what they were."""
    if stop:
        ended = Link.open(run_named(name)).ask("replay_stop", key=None, nodes=None, actor=ACTOR)["nodes"]
        note(f"ended on {node_count(ended)}")
        return
    if folder is None:
        raise UsageError("which recording? Name the folder that farm record has written")
    wanted = Wanted(
        factor_of(speed),
        *((None, None) if begin is None else instant_of(begin)),
        None if lasting is None else time_of("for", lasting),
        loop,
        tuple(tags or ["*"]),
    )
    link = Link.open(run_named(name))
    found = recorded_nodes(folder)
    if not found:
        raise FarmError(f"there is no recording in {folder}: no file NODE.hst", "farm record writes one")
    names = chosen(link.ask("ps")["rows"], nodes, which, link.run.name)
    played = [node for node in names if node in found]
    lacking = [node for node in nodes or () if not is_pattern(node) and node not in found]
    if lacking or not played:
        what = f"{lacking[0]} is" if lacking else f"none of these {node_count(len(names))} is"
        raise FarmError(f"{what} not in {folder}, which has {', '.join(found[:10])}{' ...' if found[10:] else ''}")
    absent = [node for node in found if node not in names]
    if absent and not nodes and not which:
        note(f"{link.run.name} has no node {', '.join(absent[:10])}: left out")
    Replay(link, folder, played, wanted).run()


def factor_of(text: str) -> float:
    """`10`, `0.5`, `10x`. Raises `UsageError`."""
    try:
        factor = float(text.strip().removesuffix("x"))
    except ValueError:
        factor = 0.0
    if not 0 < factor <= 1e6:
        raise UsageError(f"--speed {text}: wanted recorded seconds a second, above 0, as 10 or 0.5")
    return factor


def instant_of(text: str) -> tuple[float | None, float | None]:
    """An instant in seconds since 1970, or seconds into the recording: `2026-11-27 03:00:00`, `+30s`; UTC where no zone
    is named. Raises `UsageError`."""
    if text.startswith("+"):
        return None, time_of("from", text[1:])
    try:
        return float(Timestamp(text)), None
    except ValueError as exc:
        wanted = "an instant, as '2026-11-27 03:00:00' (UTC) or '... Europe/Berlin', or a time into it, as +30s"
        raise UsageError(f"--from {text}: wanted {wanted}") from exc
