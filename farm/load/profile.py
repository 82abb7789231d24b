"""What is asked of a load test, from options and from a small YAML file; options win.

# load.yaml: as `farm load --profile load.yaml`
rate: 1              # beats a second of each client, or max
duration: 10m
clients: 1           # to each node
tags: [LIT_Level, Batch]
mix: {read: 9, write: 1}
connected: true
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from farm.errors import FarmError
from farm.topology.document import ListNode, MapNode, Node, Scalar, Source, kind_of
from farm.topology.load import Budget, load
from farm.topology.problem import Report, suggestion
from farm.topology.scalars import number, seconds, truth, whole

MAX = "max"
PROTOCOLS = ("enip", "modbus")
MOST_CLIENTS = 20_000
LONGEST = 2 * 86400
"""Seconds; each of them is in the report."""
CONNECTION_SIZES = range(64, 4003)


class ProfileError(FarmError):
    """A value that asks for no load that there is."""


@dataclass(frozen=True, slots=True)
class Profile:
    """`clients` are connections to each node, or where that is not 0, `clients_in_all` of them spread over all nodes.
    `rate` is beats a second of each client, `rate_in_all` of all together, both 0 for as fast as may be. Times are in
    seconds. `values` is how many values a beat reads, 0 for all. `connection` is the size in bytes of class 3
    connections where `connected`. `allow_errors` is a share of all that was asked, 0 to 1. `workers` 0 is as many as
    the load needs and the machine has cores for."""

    clients: int = 1
    clients_in_all: int = 0
    rate: float = 1.0
    rate_in_all: float = 0.0
    duration: float = 60.0
    ramp: float = 0.0
    timeout: float = 5.0
    depth: int = 1
    tags: tuple[str, ...] = ()
    values: int = 0
    mix: Mapping[str, float] = field(default_factory=lambda: {"read": 1.0})
    protocol: str = ""
    connected: bool = False
    connection: int = 500
    multiple: bool = True
    route: str = ""
    workers: int = 0
    allow_errors: float = 0.0
    seed: int = 0

    @property
    def flat_out(self) -> bool:
        """Whether clients ask as fast as they are answered."""
        return not self.rate and not self.rate_in_all


def parse_rate(text: str) -> float:
    """`10`, `10/s`, `0.5Hz`, or `max`, which is 0. Raises `ProfileError`."""
    if text.strip() == MAX:
        return 0.0
    bare = text.strip().removesuffix("/s").removesuffix("Hz").strip()
    found = number(bare)
    if found is None or not 0 < found <= 1e6:
        raise ProfileError(f"rate {text}: wanted beats a second, as 10 or 0.5, or {MAX}")
    return found


def parse_time(text: str) -> float:
    """`10m`, `30s`, `0.5` in seconds. Raises `ProfileError`."""
    found = seconds(text.strip())
    if found is None or not 0 <= found <= LONGEST:
        raise ProfileError(f"{text}: wanted a time, as 30s, 10m or 2h, and 48h at most")
    return found


def parse_mix(text: str) -> dict[str, float]:
    """`read=9,write=1`. Raises `ProfileError`."""
    mix: dict[str, float] = {}
    for part in text.split(","):
        kind, equals, weight = part.strip().partition("=")
        found = number(weight.strip()) if equals else 1.0
        if kind not in ("read", "write") or kind in mix or found is None or found < 0:
            raise ProfileError(f"mix {text}: wanted reads and writes by weight, as read=9,write=1")
        mix[kind] = found
    if not sum(mix.values()):
        raise ProfileError(f"mix {text}: nothing is left to do; give one of them a weight above 0")
    return mix


def parse_share(text: str) -> float:
    """`1%`, `0.1 %`, as a part of one. Raises `ProfileError`."""
    found = number(text.strip().removesuffix("%").strip())
    if found is None or not 0 <= found <= 100:
        raise ProfileError(f"{text}: wanted per cent from 0 to 100, as 0.1%")
    return found / 100


def parse_tags(text: str) -> tuple[str, ...]:
    """`SCADA,ARR[0-9],Grid[1,2]`: a comma within brackets is an index's."""
    parts, depth, word = [], 0, ""
    for character in text:
        depth += (character == "[") - (character == "]")
        if character == "," and depth <= 0:
            parts.append(word.strip())
            word = ""
        else:
            word += character
    return tuple(part for part in (*parts, word.strip()) if part)


def _count(text: str) -> int:
    found = whole(text)
    if found is None or found < 0:
        raise ProfileError(f"{text}: wanted a whole number from 0 on")
    return found


def _truth(text: str) -> bool:
    found = truth(text)
    if found is None:
        raise ProfileError(f"{text}: wanted true or false")
    return found


READERS: dict[str, Callable[[str], Any]] = {
    "clients": _count,
    "clients_in_all": _count,
    "rate": parse_rate,
    "rate_in_all": parse_rate,
    "duration": parse_time,
    "ramp": parse_time,
    "timeout": parse_time,
    "depth": _count,
    "tags": parse_tags,
    "values": _count,
    "mix": parse_mix,
    "protocol": str,
    "connected": _truth,
    "connection": _count,
    "multiple": _truth,
    "route": str,
    "workers": _count,
    "allow_errors": parse_share,
    "seed": _count,
}
"""How each value is read from text; keys of the file have - where fields have _."""


def complete(profile: Profile, given: Mapping[str, Any]) -> Profile:
    """`profile` with what is `given` (fields by name) in place of its own. Raises `ProfileError` for what cannot be."""
    if "rate" in given:
        profile = replace(profile, rate_in_all=0.0)
    if "rate_in_all" in given and "rate" not in given:
        profile = replace(profile, rate=0.0)
    if "clients" in given:
        profile = replace(profile, clients_in_all=0)
    found = replace(profile, **given)
    _check(found, given)
    return found


def _check(profile: Profile, given: Mapping[str, Any]) -> None:
    for one, other in (("rate", "rate_in_all"), ("clients", "clients_in_all")):
        if one in given and other in given:
            raise ProfileError(f"{key_of(one)} and {key_of(other)}: give one of them")
    rules = (
        (profile.duration > 0, "duration 0: wanted a time, as 30s or 10m"),
        (profile.timeout > 0, "timeout 0: wanted a time, as 5s"),
        (profile.ramp <= profile.duration, f"a ramp of {profile.ramp:g} s: the whole test has {profile.duration:g} s"),
        (1 <= profile.depth <= 1000, f"depth {profile.depth}: wanted 1 to 1000 requests under way"),
        (profile.clients or profile.clients_in_all, "clients 0: wanted one or more"),
        (profile.protocol in ("", *PROTOCOLS), f"protocol {profile.protocol}: there is {', '.join(PROTOCOLS)}"),
        (
            profile.connection in CONNECTION_SIZES,
            f"connection {profile.connection}: wanted a size of {CONNECTION_SIZES[0]} to {CONNECTION_SIZES[-1]} bytes",
        ),
    )
    for right, wrong in rules:
        if not right:
            raise ProfileError(wrong)


def key_of(name: str) -> str:
    """A field's name as files and options spell it."""
    return name.replace("_", "-")


def load_profile(path: Path) -> Profile:
    """The profile in a file. Raises `TopologyProblems` where it is no YAML, `ProfileError` with file and line where it
    asks for what there is not."""
    source = Source(str(path))
    report = Report()
    body = load(path, source, report, Budget())
    report.raise_errors()
    assert body is not None
    given = {}
    for key, place, value in body.items():
        name = key.replace("-", "_")
        where = f"{path}:{place.line}: {key}"
        if name not in READERS or "_" in key:
            hint = suggestion(key, [key_of(each.name) for each in fields(Profile)])
            raise ProfileError(f"{where} is no key of a load; there is {', '.join(map(key_of, READERS))}", hint)
        try:
            given[name] = READERS[name](_text(value, where))
        except ProfileError as exc:
            raise ProfileError(f"{where}: {exc}") from exc
    try:
        return complete(Profile(), given)
    except ProfileError as exc:
        raise ProfileError(f"{path}: {exc}") from exc


def _text(value: Node, where: str) -> str:
    """A value of the file as an option would say it."""
    if isinstance(value, Scalar):
        return value.text
    if isinstance(value, ListNode) and all(isinstance(item, Scalar) for item in value.items):
        return ",".join(item.text for item in value.items if isinstance(item, Scalar))
    if isinstance(value, MapNode) and all(isinstance(item, Scalar) for _, _, item in value.items()):
        return ",".join(f"{key}={item.text}" for key, _, item in value.items() if isinstance(item, Scalar))
    raise ProfileError(f"{where} is {kind_of(value)}; wanted a single value")
