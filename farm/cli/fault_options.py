"""What a fault takes on the command line, kind by kind, and the fault that it comes to."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from farm.cli.usage import UsageError
from farm.topology.scalars import seconds
from node.config.fault_words import CHANCE, parse_fault_words, words_of
from node.config.faults import KINDS as FAULT_KINDS
from node.errors import ConfigError

KINDS: Mapping[str, tuple[str, ...]] = {kind: words_of(kind) for kind in FAULT_KINDS}
"""What each kind takes beside what all take."""

NEEDED: Mapping[str, tuple[str, ...]] = {
    "drop": ("chance",),
    "reset": ("after",),
    "close": ("after",),
    "status": ("code",),
    "exception": ("code",),
    "freeze": ("tag",),
    "bias": ("tag", "by"),
    "spike": ("tag", "by", "chance"),
    "bad-quality": ("tag",),
}
FIELDS = {CHANCE: "percent"}
"""Options whose field in a fault is called otherwise: `--percent` is the share of the nodes."""
OPTIONS = tuple(dict.fromkeys(option for options in KINDS.values() for option in options))
TIMES = frozenset({"seconds", "mean", "deviation", "scale", "most"})

Kind = Annotated[
    str,
    typer.Argument(
        metavar="KIND|ls|clear",
        help=f"One of {', '.join(KINDS)}, or all of a fault in quotes, as 'slow 200ms every 10'; or ls, clear.",
        show_default=False,
    ),
]
Subjects = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NODE|ID]...", help="Nodes, or patterns such as 'drv-*'; for clear: numbers of ls."),
]
Percent = Annotated[
    float | None, typer.Option("--percent", metavar="N", help="Only on so many per cent of these nodes.")
]
Lasting = Annotated[
    str | None, typer.Option("--for", metavar="TIME", help="Ends by itself after so long, as 60 or 5m.")
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Another draw of nodes and requests.")]
Seconds = Annotated[
    str | None, typer.Option("--seconds", metavar="TIME", help="slow: each reply waits so long, as 200ms.")
]
Distribution = Annotated[
    str | None, typer.Option("--distribution", metavar="normal|pareto", help="slow: how the times are spread.")
]
Mean = Annotated[str | None, typer.Option("--mean", metavar="TIME", help="slow, normal: their mean.")]
Deviation = Annotated[
    str | None, typer.Option("--deviation", metavar="TIME", help="slow, normal: their standard deviation.")
]
Scale = Annotated[str | None, typer.Option("--scale", metavar="TIME", help="slow, pareto: the least.")]
Shape = Annotated[
    float | None, typer.Option("--shape", metavar="A", help="slow, pareto: the smaller, the longer some are.")
]
Most = Annotated[str | None, typer.Option("--most", metavar="TIME", help="slow: never longer than this.")]
Chance = Annotated[
    float | None,
    typer.Option("--chance", metavar="PERCENT", help="Of what befalls replies or reads: so many of them."),
]
Every = Annotated[
    int | None, typer.Option("--every", metavar="N", help="Of what befalls replies: each Nth request of a protocol.")
]
After = Annotated[
    int | None, typer.Option("--after", metavar="N", help="reset, close: a connection ends after so many requests.")
]
Code = Annotated[
    str | None,
    typer.Option(
        "--code", metavar="N", help="status: a general status, 0x08; with an extended: 255,8453. exception: of Modbus."
    ),
]
Keep = Annotated[int | None, typer.Option("--keep", metavar="BYTES", help="truncate: what is left of the reply.")]
Tag = Annotated[
    str | None, typer.Option("--tag", metavar="TAG", help="freeze, bias, spike, bad-quality, status: of this tag.")
]
By = Annotated[float | None, typer.Option("--by", metavar="X", help="bias, spike: so much is added.")]
All = Annotated[bool, typer.Option("--all", help="clear: every fault.")]


def fault_of(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fault that options describe (FAULTSPEC of `node.config.faults`). Raises `UsageError`."""
    only(kind, given, KINDS[kind])
    missing = [f"--{option}" for option in NEEDED.get(kind, ()) if option not in given]
    if "every" in given:
        if CHANCE in given:
            raise UsageError("--chance and --every: one of them says how often")
        missing = [option for option in missing if option != f"--{CHANCE}"]
    if kind == "slow" and not given.keys() & {"seconds", "distribution"}:
        missing = ["--seconds"]
    if missing:
        raise UsageError(f"farm fault {kind} needs {' and '.join(missing)}", _example(kind))
    found: dict[str, Any] = {"kind": kind}
    for option, value in given.items():
        if option in TIMES:
            value = time_of(option, value)
        elif option == "code":
            value = code_of(value)
        elif option == "chance" and not 0 < value <= 100:
            raise UsageError(f"--chance {value:g}: wanted per cent above 0, and 100 at most")
        found[FIELDS.get(option, option)] = value
    return found


def fault_of_words(text: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fault that was typed in quotes, with `seed` and `for` where it says them. Raises `UsageError`."""
    only("a fault in quotes", given)
    try:
        return parse_fault_words(text).dump()
    except ConfigError as exc:
        raise UsageError(str(exc)) from exc


def share(percent: float | None) -> float:
    """A percentage of nodes, all where none is given. Raises `UsageError`."""
    if percent is None:
        return 100.0
    if not 0 < percent <= 100:
        raise UsageError(f"--percent {percent:g}: wanted above 0, and 100 at most")
    return percent


def lasting(text: str | None) -> float | None:
    """Seconds that a fault lasts, None for no end. Raises `UsageError`."""
    return None if text is None else time_of("for", text)


def time_of(option: str, text: str) -> float:
    """`200ms`, `1.5s`, `5m` or a number of seconds. Raises `UsageError`."""
    found = seconds(text.strip())
    if found is None or not 0 < found < float("inf"):
        raise UsageError(f"--{option} {text}: wanted a time, as 0.2, 200ms or 5m")
    return float(found)


def code_of(text: str) -> int | list[int]:
    """`8`, `0x08`, or a general and an extended status: `255,8453`. Raises `UsageError`."""
    try:
        codes = [int(part.strip(), 0) for part in text.split(",")]
    except ValueError:
        codes = []
    if not 1 <= len(codes) <= 2:
        raise UsageError(f"--code {text}: wanted a number, as 8 or 0x08, or two, as 255,8453")
    return codes[0] if len(codes) == 1 else codes


def only(what: str, given: Mapping[str, Any], allowed: Sequence[str] = ()) -> None:
    """Raises `UsageError` for options that do nothing."""
    extra = [option for option in given if option not in allowed]
    if extra:
        takes = ", ".join(f"--{option}" for option in allowed) or "no such option"
        raise UsageError(f"--{extra[0]} is of no use with {what}, which takes {takes}")


def _example(kind: str) -> str:
    examples = {
        "slow": "--seconds 200ms",
        "drop": "--chance 10",
        "reset": "--after 20",
        "close": "--after 20",
        "status": "--code 0x08",
        "exception": "--code 4",
        "bias": "--tag Level --by 5",
        "spike": "--tag Level --by 50 --chance 5",
    }
    return f"as in farm fault {kind} {examples.get(kind, '--tag Level')} NODE"
