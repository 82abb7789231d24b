"""What `farm load` takes on the command line, and the profile that it comes to with the file that it may name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from farm.cli.usage import UsageError
from farm.load.profile import (
    Profile,
    ProfileError,
    complete,
    key_of,
    load_profile,
    parse_mix,
    parse_rate,
    parse_share,
    parse_time,
)
from farm.load.profile import parse_tags as split_tags

Address = Annotated[
    list[str] | None,
    typer.Option("--address", "-a", metavar="HOST[:PORT]", help="A device that is in no farm; may be repeated."),
]
Protocol = Annotated[
    str | None, typer.Option("--protocol", metavar="enip|modbus", help="EtherNet/IP where it is spoken, else Modbus.")
]
Tags = Annotated[
    list[str] | None,
    typer.Option("--tags", metavar="TAG[,...]", help="Level,SCADA[0-9] or 40001-40010/1; all of a node's own if none."),
]
Values = Annotated[
    int | None, typer.Option("--values", metavar="N", min=1, help="So many single values of each node, not all.")
]
Clients = Annotated[int | None, typer.Option("--clients", "-c", metavar="N", min=1, help="To each node; 1.")]
ClientsInAll = Annotated[
    int | None, typer.Option("--clients-in-all", metavar="N", min=1, help="So many together, on the nodes in turn.")
]
Rate = Annotated[
    str | None, typer.Option("--rate", "-r", metavar="R|max", help="Beats a second of each client, 1; or max.")
]
RateInAll = Annotated[
    str | None, typer.Option("--rate-in-all", metavar="R", help="Beats a second of all clients together.")
]
Duration = Annotated[str | None, typer.Option("--duration", "-d", metavar="TIME", help="So long: 30s, 10m; 1m.")]
Ramp = Annotated[str | None, typer.Option("--ramp", metavar="TIME", help="Grows to the full load for so long first.")]
Patience = Annotated[
    str | None, typer.Option("--timeout", metavar="TIME", help="What has taken so long is a time-out; 5s.")
]
Depth = Annotated[
    int | None, typer.Option("--depth", metavar="K", min=1, help="Requests under way at once on a connection; 1.")
]
Mix = Annotated[
    str | None, typer.Option("--mix", metavar="read=9,write=1", help="Reads and writes by weight; only reads.")
]
Connected = Annotated[
    bool | None, typer.Option("--connected/--unconnected", help="EtherNet/IP: over class 3 connections, or without.")
]
Connection = Annotated[
    int | None, typer.Option("--connection", metavar="BYTES", help="Size of those; above 511 by Large Forward Open.")
]
Multiple = Annotated[
    bool | None, typer.Option("--multiple/--no-multiple", help="As many tags in a request as it holds, or one.")
]
Route = Annotated[
    str | None, typer.Option("--route", metavar="PATH", help="EtherNet/IP: to the device behind, as 1/0.")
]
ProfileFile = Annotated[
    Path | None, typer.Option("--profile", metavar="FILE", help="What is not said by options is as in this YAML file.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", metavar="N", min=1, help="Processes that the clients are in.")
]
AllowErrors = Annotated[
    str | None, typer.Option("--allow-errors", metavar="PERCENT", help="Exit code 1 only beyond so many; 0%.")
]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", min=0, help="Another draw of reads and writes.")]
Report = Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Writes a page that stands by itself.")]
Csv = Annotated[Path | None, typer.Option("--csv", metavar="FOLDER", help="Writes tables: nodes, seconds, errors, ...")]
Every = Annotated[bool, typer.Option("--all", help="Lists every node, not the worst alone.")]

PARSED: Mapping[str, Callable[[str], Any]] = {
    "rate": parse_rate,
    "rate_in_all": parse_rate,
    "duration": parse_time,
    "ramp": parse_time,
    "timeout": parse_time,
    "mix": parse_mix,
    "allow_errors": parse_share,
}


def profile_of(file: Path | None, options: Mapping[str, Any]) -> Profile:
    """The file's profile with the options in place of what it says. Raises `UsageError` for an option that cannot be,
    `FarmError` for such a file."""
    profile = load_profile(file) if file is not None else Profile()
    try:
        given = {name: _parsed(name, value) for name, value in options.items() if value not in (None, [])}
        return complete(profile, given)
    except ProfileError as exc:
        raise UsageError(f"--{exc}") from exc


def _parsed(name: str, value: Any) -> Any:
    if name == "tags":
        return tuple(tag for text in value for tag in split_tags(text))
    try:
        return PARSED[name](value) if name in PARSED else value
    except ProfileError as exc:
        raise ProfileError(str(exc) if str(exc).startswith(key_of(name)) else f"{key_of(name)} {exc}") from exc
