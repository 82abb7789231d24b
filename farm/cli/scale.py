"""`farm scale`: another number of members in a group of a farm that runs; only the difference starts or ends.

The plant file is read again as it was for `farm up`, with the same settings. A file that was changed meanwhile is
applied as it is now, which is said: what a person sees in the file and what runs must not drift apart.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from farm.cli import options, plants
from farm.cli.planning import plan_lines
from farm.cli.readiness import refuse_early
from farm.cli.rows import LONG, node_table
from farm.cli.terminal import node_count, note, say
from farm.cli.up import apply_plant, warn_about
from farm.cli.uplinks import allow_uplinks
from farm.cli.usage import UsageError
from farm.cli.wire_access import running_plant
from farm.errors import FarmError
from farm.supervisor.link import Link, run_named
from farm.topology.plant import Plant

SHOWN = 5
"""Names of changed nodes that a line holds."""


def scale(
    groups: Annotated[
        list[str], typer.Argument(metavar="GROUP=N...", help="A group, and how many members it is to have.")
    ],
    timeout: options.Timeout = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and change nothing.")] = False,
    name: options.FarmName = None,
    real_network: options.RealNetwork = False,
    beside_controllers: options.BesideControllers = False,
    allow_code: options.AllowCode = False,
) -> None:
    """Change how many members groups of a running plant have, all or nothing."""
    wanted = parse_counts(groups)
    link = Link.open(run_named(name))
    before = running_plant(link)
    counts = {**before.counts, **wanted}
    plant = read_again(before, counts, allow_code, write_lock=not dry_run)
    changed = changes(before, read_again(before, before.counts, allow_code))
    if changed:
        note(f"{before.file} has changed since, and is applied as it is: {changed}")
    warn_about(plant)
    if dry_run:
        say("\n".join(plan_lines(plant) or ["nothing to do"]))
        return
    refuse_early(plant)
    allow_uplinks(plant, understood=real_network, beside_controllers=beside_controllers)
    done = apply_plant(link, plant, timeout)
    known = {node.name for node in before.nodes}
    fresh = [row for row in done["rows"] if row["name"] not in known]
    ended = known - {row["name"] for row in done["rows"]}
    if fresh and len(fresh) <= LONG:
        say(node_table(fresh))
    what = f"{node_count(len(fresh))} started, {len(ended)} ended" if fresh or ended else "nothing to do"
    note(f"{plant.name}: {what}, {len(done['rows'])} up, in {done['seconds']:.1f} s")


def parse_counts(texts: Sequence[str]) -> dict[str, int]:
    """`["mixer=8"]` as group to number. Raises `UsageError`."""
    counts = {}
    for text in texts:
        group, equals, number = text.partition("=")
        if not group or not equals or not number.isdecimal() or len(number) > 9:
            raise UsageError(f"{text}: wanted GROUP=N, as in mixer=8")
        if not int(number):
            raise UsageError(f"{text}: a group has at least one member; take the group out of the file instead")
        counts[group] = int(number)
    return counts


def read_again(before: Plant, counts: Mapping[str, int], allow_code: bool, write_lock: bool = False) -> Plant:
    """The plant of the same file, read in the same way with these counts, whose tags may run code or not. Raises
    `FarmError`, `TopologyProblems`."""
    file = Path(before.file)
    if not file.is_file():
        raise FarmError(
            f"the plant file {before.file} is not there any more; `farm up FILE -n {before.name}` names another"
        )
    return plants.load(
        file,
        settings=[f"{key}={value}" for key, value in before.settings.items()],
        backend=before.backend,
        shard=str(before.shard),
        name=before.name,
        counts=counts,
        write_lock=write_lock,
        allow_code=allow_code,
    )


def changes(before: Plant, now: Plant) -> str:
    """What the file says otherwise than when it was started; "" when nothing."""
    old, new = {node.name: node for node in before.nodes}, {node.name: node for node in now.nodes}
    parts = [
        f"{len(names)} {what} ({', '.join(names[:SHOWN])}{', ...' if len(names) > SHOWN else ''})"
        for what, names in (
            ("changed", [name for name, node in new.items() if name in old and node != old[name]]),
            ("new", [name for name in new if name not in old]),
            ("gone", [name for name in old if name not in new]),
        )
        if names
    ]
    if now.segments != before.segments:
        parts.append("its networks")
    return ", ".join(parts)
