"""How the quality of a link is written, in a plant file and on the command line alike.

    delay    40ms, 1.5s, 40ms±10ms or 40ms+-10ms      times one way, at most a minute
    jitter   10ms
    loss     2%, 0.5%, 0                              of all packets
    rate     9600bit, 9.6kbit, 1mbit, 1gbit, 0        bits a second, thousands; 0 is no limit

A number alone is no rate and no loss: 2 could be 2 % or all, and 9600 bits or bytes.
"""

import math
import re

from farm.errors import FarmError
from farm.topology.scalars import seconds

LONGEST_TIME = 60.0
"""Seconds; a client has long given up then."""

FASTEST_RATE = 100_000_000_000
"""Bits a second; more than any interface here moves."""

_PLUS_MINUS = re.compile(r"±|\+-")
_LOSS = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?%")
_RATE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?(k|m|g)?bit(?:/s)?", re.IGNORECASE)
_THOUSANDS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}
_NONE = re.compile(r"0(?:\.0{1,9})?")


def parse_time(text: str) -> float:
    """`200ms`, `1.5s` or a number of seconds, in seconds. Raises `FarmError` for what is no time of at most a
    minute."""
    value = seconds(text.strip())
    if value is None or not 0 <= value <= LONGEST_TIME or not math.isfinite(value):
        raise FarmError(f"{_shown(text)} is no time for a link; wanted one such as 200ms, at most {LONGEST_TIME:g} s")
    return round(value, 9)


def parse_delay(text: str) -> tuple[float, float | None]:
    """`40ms±10ms` (or with `+-`) as delay and jitter in seconds; jitter None where the text gives none. Raises
    `FarmError`."""
    delay, jitter = split_delay(text)
    return parse_time(delay), None if jitter is None else parse_time(jitter)


def split_delay(text: str) -> tuple[str, str | None]:
    """The texts of delay and jitter, not looked at; what stands inside a `${…}` is not split."""
    depth = 0
    for at, letter in enumerate(text):
        depth += (letter == "{") - (letter == "}")
        found = _PLUS_MINUS.match(text, at) if depth == 0 else None
        if found is not None:
            return text[:at].strip(), text[found.end() :].strip()
    return text, None


def parse_loss(text: str) -> float:
    """`2%` as 2.0: per cent of all packets, 0 to 100. Raises `FarmError`."""
    text = text.strip()
    if _NONE.fullmatch(text):
        return 0.0
    found = _LOSS.fullmatch(text)
    if found is None or float(found.group(1)) > 100:
        raise FarmError(f"{_shown(text)} is no loss; wanted per cent from 0% to 100% such as 2%")
    return float(found.group(1))


def parse_rate(text: str) -> int:
    """`9600bit`, `9.6kbit`, `1mbit` in bits a second; 0 is no limit. Raises `FarmError`."""
    text = text.strip()
    if _NONE.fullmatch(text):
        return 0
    found = _RATE.fullmatch(text)
    rate = round(float(found.group(1)) * _THOUSANDS[(found.group(2) or "").lower()]) if found is not None else -1
    if not 1 <= rate <= FASTEST_RATE:
        raise FarmError(f"{_shown(text)} is no rate; wanted bits a second such as 9600bit, 64kbit or 1mbit")
    return rate


def _shown(text: str) -> str:
    quoted = repr(text)
    return quoted if len(quoted) <= 60 else f"{quoted[:58]}…'"
