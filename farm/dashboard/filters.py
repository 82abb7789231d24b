"""Which nodes: the language of the filter box, of `?filter=` and of links that people send each other.

    state:down profile:1756*          both; a pattern has * and ?, in any case, and fits a word whole
    network:cell,dmz                  either
    p99>50 requests<=1 restarts>0     numbers
    tank                              part of a name, address or profile
    -condition:up                     not
    "group:hall 3"                    a blank in it

The same grammar stands in the page's own code; `tests/dashboard/filter_cases.json` holds both to it.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import translate
from functools import lru_cache
from typing import Any

from farm.dashboard.refusal import bad_request

Row = Mapping[str, Any]
Test = Callable[[Row, Mapping[int, str]], bool]
"""Of a row, and the kinds of faults by id."""

TEXTS = {
    "name": "name",
    "state": "state",
    "condition": "condition",
    "profile": "profile",
    "kind": "kind",
    "network": "networks",
    "address": "address",
    "level": "level",
    "group": "group",
    "protocol": "protocols",
    "fault": "faults",
    "link": "link",
}
"""Keys of texts, and the field of a row that each is about."""

NUMBERS = {
    "p99": "p99_ms",
    "p50": "p50_ms",
    "requests": "requests_per_s",
    "errors": "errors_per_min",
    "connections": "connections",
    "restarts": "restarts",
    "age": "age_s",
}
"""Keys of numbers."""

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": lambda found, wanted: found > wanted,
    "<": lambda found, wanted: found < wanted,
    ">=": lambda found, wanted: found >= wanted,
    "<=": lambda found, wanted: found <= wanted,
}

MOST = 500
"""Characters of a filter."""

_WORD = re.compile(r'-?"[^"]*"|\S+')
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)
_COMPARED = re.compile(r"([a-z0-9]+)(>=|<=|>|<)(.*)")
_NAMED = re.compile(r"([a-z][a-z0-9]*):(.*)")
_KEYS_HINT = f"keys are {' '.join(TEXTS)} (as key:pattern) and {' '.join(NUMBERS)} (as key>number)"

SEVERITY = ("down", "stale", "starting", "fault", "degraded", "stopped", "up")
"""Conditions, the worst first: how they are sorted."""


def parse_filter(text: str) -> Test:
    """What fits it. Raises `Refusal` 400 for a key or number that cannot be."""
    if len(text) > MOST:
        raise bad_request(f"a filter of {len(text)} characters; at most {MOST} are read")
    tests = [_test(word) for word in _WORD.findall(text)]
    return lambda row, faults: all(test(row, faults) for test in tests)


def _test(word: str) -> Test:
    negated = word.startswith("-") and len(word) > 1
    test = _positive((word[1:] if negated else word).strip('"').strip())
    return (lambda row, faults: not test(row, faults)) if negated else test


def _positive(word: str) -> Test:
    if match := _COMPARED.fullmatch(word):
        return _compared(*match.groups())
    if match := _NAMED.fullmatch(word):
        return _named(match[1], match[2])
    wanted = word.lower()
    return lambda row, faults: any(wanted in str(row[field]).lower() for field in ("name", "address", "profile"))


def _compared(key: str, sign: str, text: str) -> Test:
    if key not in NUMBERS:
        raise bad_request(f"{key}{sign}{text:.40}: there is no number {key!r} to compare", _KEYS_HINT)
    if not _NUMBER.fullmatch(text):
        raise bad_request(f"{key}{sign}{text:.40}: {text!r:.40} is no number", _KEYS_HINT)
    field, compare, wanted = NUMBERS[key], COMPARISONS[sign], float(text)
    return lambda row, faults: row[field] is not None and compare(row[field], wanted)


def _named(key: str, patterns: str) -> Test:
    if key not in TEXTS:
        raise bad_request(f"{key}:{patterns:.40}: there is no key {key!r}", _KEYS_HINT)
    field, fits = TEXTS[key], [_pattern(each) for each in patterns.split(",")]

    def test(row: Row, faults: Mapping[int, str]) -> bool:
        return any(fit(word) for word in _words(row[field], key, faults) for fit in fits)

    return test


def _words(value: Any, key: str, faults: Mapping[int, str]) -> list[str]:
    """The words of a field: one, or those of a list; "" for nothing."""
    if key == "fault":
        return [str(number) for number in value] + [faults.get(number, "") for number in value] or [""]
    if isinstance(value, list):
        return [str(each) for each in value] or [""]
    return ["" if value is None else str(value)]


@lru_cache(maxsize=256)
def _pattern(pattern: str) -> Callable[[str], bool]:
    """Only * and ? are special, so a bracket stands for itself."""
    compiled = re.compile(translate(pattern.replace("[", "[[]")), re.IGNORECASE)
    return lambda word: compiled.match(word) is not None


def sort_rows(rows: Iterable[Row], key: str) -> list[Row]:
    """By one key, `-` before it for the other way round; nothing comes last. Raises `Refusal` 400."""
    down = key.startswith("-")
    name = key[1:] if down else key
    field = NUMBERS.get(name) or TEXTS.get(name)
    if field is None:
        raise bad_request(f"sort={key:.40}: there is no key {name!r:.40}", _KEYS_HINT)
    found = list(rows)
    known = [row for row in found if row[field] not in (None, "", [])]
    known.sort(key=lambda row: _order(name, row[field]), reverse=down)
    return known + [row for row in found if row[field] in (None, "", [])]


def _order(name: str, value: Any) -> Any:
    if name == "condition":
        return SEVERITY.index(value) if value in SEVERITY else len(SEVERITY)
    if name in NUMBERS:
        return value
    if name == "level":
        return float(value)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part.lower()) for part in re.split(r"(\d+)", str(value))]
