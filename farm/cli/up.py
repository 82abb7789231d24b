"""`farm up`: makes what runs be what the plant file says, and returns when every node has answered."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from farm.cli import dashboard, dashboard_process, options, plants
from farm.cli.follow import follow
from farm.cli.planning import show_plan
from farm.cli.progress import Progress
from farm.cli.readiness import refuse_early
from farm.cli.rows import LONG, node_table, summary
from farm.cli.terminal import node_count, note, program, say, warn
from farm.cli.uplinks import allow_uplinks
from farm.supervisor.link import Link, run_directory
from farm.supervisor.pace import Pace
from farm.supervisor.wire import digest_plant, encode_plant, pack
from farm.topology.plant import Plant

MANY = 1000
"""Nodes from which on it is asked first whether the same plant is wanted already: to hand it over takes seconds."""


def up(
    plant_file: options.PlantFile = None,
    backend: options.Backend = None,
    shard: options.Shard = None,
    settings: options.Settings = None,
    name: options.NewName = None,
    timeout: options.Timeout = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and change nothing.")] = False,
    attach: Annotated[
        bool, typer.Option("--attach", help="Follow events until Ctrl-C, then take the farm down.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="List every node of a large farm.")] = False,
    with_dashboard: Annotated[bool, typer.Option("--dashboard", help="Serve its page as well.")] = False,
    real_network: options.RealNetwork = False,
    beside_controllers: options.BesideControllers = False,
    allow_code: options.AllowCode = False,
) -> None:
    """Start a plant, or change the one that runs to what the file says."""
    plant = plants.load(
        plant_file,
        settings=settings or (),
        backend=backend,
        shard=shard,
        name=name,
        write_lock=not dry_run,
        allow_code=allow_code,
    )
    warn_about(plant)
    if with_dashboard:
        dashboard_process.require_web()
    if dry_run:
        show_plan(plant)
        return
    allow_uplinks(plant, understood=real_network, beside_controllers=beside_controllers)
    link = bring_up(plant, timeout=timeout, every=every)
    if with_dashboard:
        dashboard.serve(link.run)
    if attach:
        follow(link, take_down=True)


def warn_about(plant: Plant) -> None:
    """What the plant and this machine do not agree on, once."""
    for warning in plant.warnings:
        note(warning)
    port = plants.port_warning(plant)
    if port and not any("ip_unprivileged_port_start" in warning for warning in plant.warnings):
        warn(port)


def bring_up(plant: Plant, *, timeout: float | None = None, every: bool = False) -> Link:
    """Applies `plant` and prints its table. Raises `FarmError` before anything began, or after it was undone."""
    refuse_early(plant)
    size = large(plant)
    if size:
        note(size)
    run = run_directory(plant.name)
    again = run.exists()
    link = Link.open(run, plant.backend)
    done = apply_plant(link, plant, timeout, again)
    rows = done["rows"]
    say(summary(rows) if len(rows) > LONG and not every else node_table(rows))
    note(closing(plant, done))
    if "leads" in done and any(row["outside"] for row in rows):
        note(way_in(done["leads"]))
    return link


def apply_plant(link: Link, plant: Plant, timeout: float | None = None, again: bool = False) -> dict[str, Any]:
    """Has the supervisor make what runs be `plant`, whose file is named so that it is found from every folder; what
    `apply` is done with. `again` says that it may be wanted already, and need not be read once more then."""
    body = encode_plant(replace(plant, file=str(Path(plant.file).absolute())))
    options: dict[str, Any] = {"dry_run": False} if timeout is None else {"dry_run": False, "timeout": timeout}
    try:
        with Progress() as progress:
            if again and len(plant.nodes) >= MANY:
                done = link.ask("apply", progress, known=digest_plant(pack(body)), **options)
                if "unknown" not in done:
                    return done
            return link.ask("apply", progress, plant=body, **options)
    except KeyboardInterrupt:
        note("what this call began is being undone")
        raise


def large(plant: Plant) -> str:
    """The line that says how often so many nodes report; "" where they do each second, as in most plants."""
    each = plant.shard if isinstance(plant.shard, int) else 1
    processes, pace = -(-len(plant.nodes) // each), Pace()
    if not pace.suit(len(plant.nodes), processes):
        return ""
    count = node_count(len(plant.nodes))
    return f"{plant.name}: {count} in {processes} processes, which report every {pace.every} s"


def way_in(leads: bool) -> str:
    """How a client gets to nodes that are on other machines' networks; `leads` where this machine has their outside
    addresses."""
    whose = "this machine" if leads else "the relay's host"
    return f"way in: OUTSIDE addresses are {whose}'s; for clients elsewhere `{program()} hosts --relay ADDRESS:PORT`"


def closing(plant: Plant, done: dict[str, Any]) -> str:
    """The last line: what was done, and what to do next."""
    count = len(done["rows"])
    if not done["changes"]:
        return f"{plant.name}: nothing to do, {node_count(count)} up"
    return f"{plant.name}: {node_count(count)} up in {done['seconds']:.1f} s; `{program()} down {plant.name}` ends it"
