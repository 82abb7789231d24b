"""A fault as a person types it: `slow 200ms`, `exception 4 every 10`, `drop 10% seed 3`, `bias Level by 5`.

    KIND [VALUE] [WORD VALUE]...

The words are the options of `farm fault` without their dashes; the value that stands alone is what such a fault is
mostly about. What they come to is checked where all faults are (`node.config.faults`).
"""

from collections.abc import Callable, Mapping

from node.config.faults import COMMON, DISTRIBUTIONS, KINDS, SLOW, FaultSpec, keys_of, parse_fault
from node.config.hint import closest
from node.config.model import Json
from node.errors import ConfigError

CHANCE = "chance"
"""What `percent` is called where a share of nodes may be meant too."""
ALONE: Mapping[str, str] = {
    "slow": "seconds",
    "drop": CHANCE,
    "reset": "after",
    "close": "after",
    "status": "code",
    "exception": "code",
    "truncate": CHANCE,
    "corrupt": CHANCE,
    "wrong-transaction": CHANCE,
    "wrong-unit": CHANCE,
    "freeze": "tag",
    "bias": "tag",
    "spike": "tag",
    "bad-quality": "tag",
}
"""What the value without a word is, by kind."""
EXAMPLE = "as 'slow 200ms', 'exception 4 every 10' or 'drop 10%'"

_SCALES = {"ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def words_of(kind: str) -> tuple[str, ...]:
    """The words that a kind of fault takes, without those that all take."""
    return tuple(CHANCE if key == "percent" else key for key in keys_of(kind))


def parse_fault_words(text: str) -> FaultSpec:
    """The fault that was typed. Raises `ConfigError` of one line that quotes it."""
    source = f"fault {text!r}"
    kind, *rest = text.split() or [""]
    if kind not in KINDS:
        near = closest(kind, KINDS) if kind else None
        hint = f"did you mean {near}?" if near else f"wanted one of {', '.join(KINDS)}, {EXAMPLE}"
        raise ConfigError(source, 0, f"{f'there is no fault {kind!r}' if kind else 'no fault'}; {hint}")
    return parse_fault({"kind": kind, **_members(source, kind, rest)}, source)


def _members(source: str, kind: str, words: list[str]) -> dict[str, Json]:
    known = (*words_of(kind), *COMMON)
    found: dict[str, Json] = {}
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word in known:
            if not waiting:
                raise ConfigError(source, 0, f"{word} without a value")
            value = waiting.pop(0)
        elif kind == SLOW and word in DISTRIBUTIONS:
            word, value = "distribution", word
        elif kind in ALONE and not found and (ALONE[kind] == "tag" or any(map(str.isdigit, word))):
            word, value = ALONE[kind], word
        else:
            takes = ", ".join(known)
            raise ConfigError(source, 0, f"{kind} has no {word!r}; it takes {takes}, each with a value behind it")
        key = "percent" if word == CHANCE else word
        if key in found:
            raise ConfigError(source, 0, f"{word} is there twice")
        found[key] = _READERS[key](value)
    return found


def _read(make: Callable[[str], Json]) -> Callable[[str], Json]:
    """What cannot be read is left as it is, for the check to quote."""

    def read(text: str) -> Json:
        try:
            return make(text)
        except ValueError:
            return text

    return read


def _seconds(text: str) -> float:
    number = text.rstrip("hms")
    return float(number) * _SCALES[unit] if (unit := text[len(number) :]) in _SCALES else float(text)


def _code(text: str) -> Json:
    codes: list[Json] = [int(part, 0) for part in text.split(",")]
    return codes[0] if len(codes) == 1 else codes


_TIME, _WHOLE = _read(_seconds), _read(lambda text: int(text, 0))
_READERS: Mapping[str, Callable[[str], Json]] = {
    **dict.fromkeys(("seconds", "mean", "deviation", "scale", "most", "for"), _TIME),
    **dict.fromkeys(("every", "after", "keep", "seed"), _WHOLE),
    **dict.fromkeys(("shape", "by"), _read(float)),
    "percent": _read(lambda text: float(text.removesuffix("%"))),
    "code": _read(_code),
    "distribution": str,
    "tag": str,
}
