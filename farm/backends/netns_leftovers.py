"""What runs on network namespaces left on this machine, found by the mark in its name and by nothing else.

    /run/netns/pf-XXXXXXXX.…       namespaces: the switch, nodes, routers
    pf-XXXXXXXX.N                  links of the machine's own namespace: its ends on networks

All else of a run lies in its namespaces and goes with them. A like name of somebody else (`pf-decoy`) is let be.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from farm.backends.netns_spaces import PINS, Spaces
from farm.backends.rtnetlink import Link, Rtnetlink, delete_link
from farm.errors import BackendError

OURS = re.compile(r"(pf-[0-9a-f]{8})\.[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Of one run: its mark, its namespaces by the names they are pinned under, and the machine's links."""

    mark: str
    namespaces: tuple[str, ...]
    links: tuple[str, ...]


def find_leftovers(pins: Path = PINS, machine: Rtnetlink | None = None) -> list[Leftovers]:
    """Those of every run, of living ones too, by mark. `machine` is a socket in the machine's namespace, in which this
    process is if there is none. Raises `BackendError`."""
    namespaces: dict[str, list[str]] = {}
    links: dict[str, list[str]] = {}
    try:
        found = [link.name for link in (machine.links() if machine is not None else _links_here())]
        pinned = os.listdir(pins) if pins.is_dir() else []  # noqa: PTH208 - thousands
    except OSError as exc:
        raise BackendError("networks", "observe", str(exc)) from exc
    for names, by_mark in ((pinned, namespaces), (found, links)):
        for name in sorted(names):
            match = OURS.fullmatch(name)
            if match:
                by_mark.setdefault(match[1], []).append(name)
    return [
        Leftovers(mark, tuple(namespaces.get(mark, ())), tuple(links.get(mark, ())))
        for mark in sorted({*namespaces, *links})
    ]


def take_away(leftovers: Leftovers, pins: Path = PINS, machine: Rtnetlink | None = None) -> None:
    """Takes away what one run left; its processes must have ended. Raises `BackendError`."""
    messages = [delete_link(link) for link in leftovers.links]
    try:
        if messages and machine is not None:
            machine.send(messages)
        elif messages:
            with Rtnetlink() as here:
                here.send(messages)
    except OSError as exc:
        raise BackendError(leftovers.mark, "remove", str(exc)) from exc
    spaces = Spaces("", pins)
    spaces.mark = leftovers.mark
    start = f"{leftovers.mark}."
    for name in leftovers.namespaces:
        spaces.drop(name.removeprefix(start))


def _links_here() -> list[Link]:
    with Rtnetlink() as here:
        return here.links()
