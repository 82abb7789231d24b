"""Events as they happen, on the screen: for `farm events` and `farm up --attach`."""

from collections.abc import Iterable, Mapping
from typing import Any

from farm.cli.progress import Progress
from farm.cli.terminal import note, say
from farm.supervisor.link import Link


def follow(link: Link, take_down: bool = False) -> None:
    """Prints events until Ctrl-C; then, with `take_down`, ends the farm."""
    try:
        print_events(link.call("events", follow=True))
    except KeyboardInterrupt:
        if not take_down:
            raise
        note(f"taking {link.run.name} down")
        end_farm(link)


def print_events(events: Iterable[Mapping[str, Any]]) -> None:
    """One line an event, as they come."""
    for event in events:
        if event:
            say(event_line(event))


def event_line(event: Mapping[str, Any]) -> str:
    """`17:03:12  intake  restarting  exited with code 1`."""
    return "  ".join(str(event[key]) for key in ("time", "node", "state", "text") if event.get(key))


def end_farm(link: Link) -> None:
    """Takes the farm down and says so."""
    with Progress(quiet=True) as progress:
        done = link.ask("down", progress)
    nodes = done.get("nodes", 0)
    count = len(nodes) if isinstance(nodes, list) else nodes
    note(f"{link.run.name}: {count} nodes down in {done.get('seconds', 0):.1f} s")
