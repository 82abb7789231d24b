"""`farm fault`: things that go wrong on purpose, while nodes serve; which there are, and their end."""

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from farm.cli import fault_options as take
from farm.cli import options
from farm.cli.events import ACTOR
from farm.cli.node_choice import Where, require_choice
from farm.cli.rows import age
from farm.cli.terminal import note, say, say_json, table
from farm.cli.usage import UsageError
from farm.supervisor.link import Link, run_named
from farm.topology.problem import suggestion

LIST, CLEAR = "ls", "clear"


def fault(
    context: typer.Context,
    what: take.Kind,
    subjects: take.Subjects = None,
    which: Where = None,
    percent: take.Percent = None,
    lasting: take.Lasting = None,
    seed: take.Seed = 0,
    seconds: take.Seconds = None,
    distribution: take.Distribution = None,
    mean: take.Mean = None,
    deviation: take.Deviation = None,
    scale: take.Scale = None,
    shape: take.Shape = None,
    most: take.Most = None,
    chance: take.Chance = None,
    every: take.Every = None,
    after: take.After = None,
    code: take.Code = None,
    keep: take.Keep = None,
    tag: take.Tag = None,
    by: take.By = None,
    of_all: take.All = False,
    as_json: options.AsJson = False,
    name: options.FarmName = None,
) -> None:
    """Have nodes go wrong in a way that is wanted, list such faults (ls), or end them (clear)."""
    given = {option: context.params[option] for option in take.OPTIONS if context.params[option] is not None}
    if what in (LIST, CLEAR):
        more = {"where": which, "percent": percent, "for": lasting}
        take.only(what, given | {option: value for option, value in more.items() if value})
    elif what not in take.KINDS and " " not in what:
        hint = suggestion(what, [*take.KINDS, LIST, CLEAR])
        raise UsageError(f"there is no fault {what!r}; there is {', '.join(take.KINDS)}; and ls, clear", hint)
    if of_all and what != CLEAR:
        raise UsageError("--all is for `farm fault clear`; all nodes are '*'")
    if what == LIST:
        _list(run_link(name), as_json)
    elif what == CLEAR:
        _clear(run_link(name), subjects or [], of_all, as_json)
    else:
        spec = take.fault_of_words(what, given) if " " in what else take.fault_of(what, given)
        until_then, seeded = spec.pop("for", None), spec.pop("seed", 0)
        wanted: dict[str, Any] = {"fault": spec, "nodes": subjects or [], "where": which or []}
        wanted |= {"percent": take.share(percent), "seed": seed or seeded, "actor": ACTOR}
        wanted["for"] = take.lasting(lasting) or until_then
        require_choice(subjects, which)
        _add(run_link(name), wanted, as_json)


def run_link(name: str | None) -> Link:
    """The way to the farm that is meant."""
    return Link.open(run_named(name))


def _add(link: Link, wanted: Mapping[str, Any], as_json: bool) -> None:
    done = link.ask("fault_add", **wanted)["fault"]
    if as_json:
        say_json(done)
    else:
        say(f"fault {done['id']}: {done['text']}{until(done)}")


def until(shown: Mapping[str, Any]) -> str:
    """`, for 60s`."""
    return "" if shown["left_s"] is None else f", for {age(shown['left_s'])}"


def _list(link: Link, as_json: bool) -> None:
    found = link.ask("faults")["faults"]
    if as_json:
        say_json(found)
    elif found:
        lines = [
            [
                str(each["id"]),
                each["text"],
                each["where"] or "-",
                "-" if each["left_s"] is None else age(each["left_s"]),
                each["since"][11:19],
                each["actor"] or "-",
            ]
            for each in found
        ]
        say(table(["ID", "FAULT", "WHERE", "LEFT", "SINCE", "BY"], lines))
    else:
        note(f"no fault is on in {link.run.name}")


def _clear(link: Link, ids: Sequence[str], every: bool, as_json: bool) -> None:
    if bool(ids) == every:
        raise UsageError("which faults? Their numbers as `farm fault ls` shows them, or --all")
    if not all(each.isdecimal() for each in ids):
        raise UsageError(f"{' '.join(ids)}: wanted numbers of faults, as `farm fault ls` shows them")
    cleared = link.ask("fault_clear", id=None if every else [int(each) for each in ids], actor=ACTOR)["cleared"]
    if as_json:
        say_json(cleared)
    else:
        note(f"cleared: {', '.join(map(str, cleared)) or 'none'}")
