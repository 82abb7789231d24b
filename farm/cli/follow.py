"""Events as they happen, on the screen: for `farm events` and `farm up --attach`."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from farm.cli import dashboard_process
from farm.cli.backends import make_backend
from farm.cli.progress import Progress
from farm.cli.terminal import node_count, note, say
from farm.supervisor.clean import take_down
from farm.supervisor.events import STATE
from farm.supervisor.link import Link
from farm.supervisor.run_directory import RunDirectory


def follow(link: Link, take_down: bool = False) -> None:
    """Prints events until Ctrl-C; then, with `take_down`, ends the farm."""
    past = len(link.ask("events", follow=False)["events"]) if take_down else 0
    try:
        print_events(islice(link.call("events", follow=True), past, None))
    except KeyboardInterrupt:
        if not take_down:
            raise
        note(f"taking {link.run.name} down")
        end_farm(link.run)


def print_events(events: Iterable[Mapping[str, Any]]) -> None:
    """One line an event, as they come."""
    for event in events:
        if "event" in event:
            say(event_line(event))


def event_line(event: Mapping[str, Any]) -> str:
    """`17:03:12  intake  restarting  exited with code 1`, in this machine's time. What is no change of state says its
    kind in that place, and who did it: `17:03:14  intake  write  Level = 3  (10.0.0.5:51234)`."""
    clock, actor, text = str(event["time"])[11:19], str(event.get("actor") or ""), str(event.get("text") or "")
    told = event.get("kind", STATE) == STATE or not event.get("node")
    words = [str(event.get("node") or ""), str(event.get("state") or "") if told else str(event["kind"]), text]
    by = [f"({actor})"] if actor and actor not in text else []
    return "  ".join([clock, *dict.fromkeys(filter(None, words)), *by])


def end_farm(run: RunDirectory) -> None:
    """Takes the farm down, its dashboard first, without its supervisor if need be, and says so."""
    dashboard_process.end(run)
    with Progress(quiet=True) as progress:
        done = take_down(run, make_backend, progress)
    note(f"{run.name}: {node_count(done['nodes'])} down in {done['seconds']:.1f} s")
