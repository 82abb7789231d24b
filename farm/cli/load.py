"""`farm load`: many clients that ask on time, and what they were answered."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from farm.cli import load_options as take
from farm.cli import options
from farm.cli.load_nodes import choose_tags
from farm.cli.load_progress import LoadProgress
from farm.cli.node_choice import Nodes, Where, chosen
from farm.cli.reach import stand_by_all
from farm.cli.terminal import note, say, table, warn
from farm.cli.usage import UsageError
from farm.cli.wire_access import running_plant
from farm.errors import FarmError
from farm.load.page import page
from farm.load.profile import Profile, ProfileError
from farm.load.report import WORST, error_table, headline, latency_table, node_table, write_csv
from farm.load.result import Result
from farm.load.run import run_load
from farm.load.targets import Wanted, device, prepare
from farm.supervisor.link import Link, run_named
from node.config.data_files import with_data_files

INTERRUPTED = 130
OF_NODES = ("name", "nodes", "which")


def load(
    context: typer.Context,
    nodes: Nodes = None,
    which: Where = None,
    address: take.Address = None,
    protocol: take.Protocol = None,
    tags: take.Tags = None,
    values: take.Values = None,
    clients: take.Clients = None,
    clients_in_all: take.ClientsInAll = None,
    rate: take.Rate = None,
    rate_in_all: take.RateInAll = None,
    duration: take.Duration = None,
    ramp: take.Ramp = None,
    timeout: take.Patience = None,
    depth: take.Depth = None,
    mix: take.Mix = None,
    connected: take.Connected = None,
    connection: take.Connection = None,
    multiple: take.Multiple = None,
    route: take.Route = None,
    file: take.ProfileFile = None,
    workers: take.Workers = None,
    allow_errors: take.AllowErrors = None,
    seed: take.Seed = None,
    report: take.Report = None,
    as_json: options.AsJson = False,
    csv: take.Csv = None,
    every: take.Every = False,
    name: options.FarmName = None,
) -> None:
    """Have clients read (and write) many nodes, or any device, at a rate or as fast as may be, and report."""
    fields = Profile.__dataclass_fields__
    profile = take.profile_of(file, {key: value for key, value in context.params.items() if key in fields})
    if address and any(context.params[key] for key in OF_NODES):
        raise UsageError("--address is of a device that is in no farm; give it, or nodes")
    if report is not None and not report.parent.is_dir():
        raise UsageError(f"--report {report}: there is no folder {report.parent}")
    farm, wanted = ("", _devices(profile, address)) if address else _nodes(profile, nodes, which, name)
    result = _run(profile, wanted)
    result.farm = farm
    _tell(result, as_json, every)
    _write(result, report, csv)
    if result.ended_early:
        raise typer.Exit(INTERRUPTED)
    if not result.good:
        raise typer.Exit(1)


def _devices(profile: Profile, addresses: Sequence[str]) -> list[Wanted]:
    if profile.values:
        raise UsageError("--values is for nodes of a farm, whose tags are known; say --tags, as SCADA[0-19]")
    return [device(each, profile.protocol or "enip", profile.tags) for each in addresses]


def _nodes(
    profile: Profile, nodes: Sequence[str] | None, which: Sequence[str] | None, name: str | None
) -> tuple[str, list[Wanted]]:
    """The farm's name, and what is wanted of those of its nodes that are meant; this process is where they are reached
    then."""
    link = Link.open(run_named(name))
    names = set(chosen(link.ask("ps")["rows"], nodes, which, link.run.name))
    plant = running_plant(link)
    meant = [with_data_files(node) for node in plant.nodes if node.name in names]
    inside = stand_by_all(link, plant, meant)
    choice = choose_tags(meant, profile, inside)
    for remark in choice.remarks():
        note(remark)
    return link.run.name, choice.wanted


def _run(profile: Profile, wanted: Sequence[Wanted]) -> Result:
    targets = asyncio.run(prepare(wanted, profile))
    idle = [target.name for target in targets if not (profile.mix.get("read") and target.reads) and not target.writes]
    if idle:
        more = f" and {len(idle) - 1} more" if len(idle) > 1 else ""
        note(f"left out: {idle[0]}{more}: nothing of what is asked may be written")
        targets = [target for target in targets if target.name not in idle]
    if not targets:
        raise FarmError("nothing is left to ask; `farm tags` lists what there is")
    try:
        with LoadProgress() as progress:
            return run_load(profile, targets, progress)
    except ProfileError as exc:
        raise UsageError(str(exc)) from exc


def _tell(result: Result, as_json: bool, every: bool) -> None:
    if as_json:
        say(json.dumps(result.body(), indent=1, ensure_ascii=False))
        return
    say(headline(result))
    say("")
    say(table(*latency_table(result)))
    errors: tuple[Sequence[str], Sequence[Sequence[str]]] = error_table(result)
    if errors[1]:
        say("")
        say(table(*errors))
    rows = result.rows() if every else result.worst()[:WORST]
    say("")
    say(table(*node_table(rows)))
    left = len(result.targets) - len(rows)
    if left > 0:
        note(f"and {left} more nodes, none of them worse; --all lists them")
    for remark in result.remarks():
        warn(remark)


def _write(result: Result, report: Path | None, folder: Path | None) -> None:
    """Writes the files that were asked for. Raises `FarmError`."""
    if report is not None:
        try:
            report.write_text(page(result), encoding="utf-8")
        except OSError as exc:
            raise FarmError(f"--report {report}: {exc.strerror or exc}") from exc
        note(f"report: {report}")
    if folder is not None:
        written: Any = write_csv(result, folder)
        note(f"tables: {', '.join(str(path) for path in written)}")
