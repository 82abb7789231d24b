"""Events as they happen, on the screen: for `farm events` and `farm up --attach`."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from farm.cli.progress import Progress
from farm.cli.terminal import note, say
from farm.supervisor.link import Link


def follow(link: Link, take_down: bool = False) -> None:
    """Prints events until Ctrl-C; then, with `take_down`, ends the farm."""
    since = time.time() if take_down else 0.0
    try:
        print_events(event for event in link.call("events", follow=True) if event.get("time", 0.0) >= since)
    except KeyboardInterrupt:
        if not take_down:
            raise
        note(f"taking {link.run.name} down")
        end_farm(link)


def print_events(events: Iterable[Mapping[str, Any]]) -> None:
    """One line an event, as they come."""
    for event in events:
        if "event" in event:
            say(event_line(event))


def event_line(event: Mapping[str, Any]) -> str:
    """`17:03:12  intake  restarting  exited with code 1`, in this machine's time."""
    clock = time.strftime("%H:%M:%S", time.localtime(event["time"]))
    return "  ".join([clock, *(str(event[key]) for key in ("node", "state", "text") if event.get(key))])


def end_farm(link: Link) -> None:
    """Takes the farm down and says so."""
    with Progress(quiet=True) as progress:
        done = link.ask("down", progress)
    note(f"{link.run.name}: {done['nodes']} nodes down in {done['seconds']:.1f} s")
