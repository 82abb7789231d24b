"""A signal in one line, as a cell of a register map has it: `sine min=0 max=90 period=10s`, `counter per_second=2`.

The first word is the signal, each other one of its parameters, in any order. Times are written 100ms, 10s, 5m, 1h, 1d,
or as a number of seconds. Beside the signal's own there are `seed`, where it has chance in it, and `on_write`.
"""

import math
import re

from node.config.hint import closest
from node.config.model import ON_WRITE, SignalConfig
from node.errors import ConfigError
from node.signals.waveform import SECONDS, SIGNALS, Signal

_TIME = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)(us|ms|s|min|m|h|d)", re.ASCII)
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER = re.compile(r"[-+]?(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,3})?", re.ASCII)
MAX_SEED = 0xFFFFFFFF


def parse_number(text: str) -> float | None:
    """A finite decimal number; None when the text is none."""
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    return value if math.isfinite(value) else None


def parse_seconds(text: str) -> float | None:
    """`100ms`, `5m`, or a plain number of seconds; None when the text is none, or negative."""
    found = _TIME.fullmatch(text)
    value = float(found.group(1)) * _UNITS[found.group(2)] if found is not None else parse_number(text)
    return value if value is not None and value >= 0 else None


def parse_signal(text: str) -> SignalConfig:
    """The signal that `text` describes; its seed is 0 where none is given. What its values contradict is left to
    `waveform.problems`. Raises `ConfigError` of one line."""
    word, *settings = text.split()
    signal = SIGNALS.get(word.lower())
    if signal is None:
        raise _error(f"'{word}' is no signal", word, tuple(SIGNALS))
    given: dict[str, float] = {}
    seed, on_write = 0, ON_WRITE[0]
    for setting in settings:
        name, equals, value = setting.partition("=")
        name = name.lower()
        if not equals or not value:
            raise ConfigError("signal", 0, f"'{setting}' is no setting; wanted NAME=VALUE, as period=10s")
        if name in given:
            raise ConfigError("signal", 0, f"{name} stands twice")
        if name == "on_write":
            on_write = _on_write(value)
        elif name == "seed":
            seed = _seed(signal, value)
        else:
            given[name] = _parameter(signal, name, value)
    ordered = tuple((each.name, given[each.name]) for each in signal.parameters if each.name in given)
    return SignalConfig(signal.name, ordered, seed, on_write)


def _parameter(signal: Signal, name: str, text: str) -> float:
    found = next((each for each in signal.parameters if each.name == name), None)
    if found is None:
        known = tuple(each.name for each in signal.parameters)
        raise _error(
            f"{signal.name} has no '{name}'", name, (*known, "on_write", *(("seed",) if signal.seeded else ()))
        )
    timed = found.unit == SECONDS
    value = parse_seconds(text) if timed else parse_number(text)
    if value is None:
        wanted = "a time as 100ms, 10s, 5m or 1h" if timed else "a number"
        raise ConfigError("signal", 0, f"{name} '{text}'; wanted {wanted}")
    return value


def _on_write(text: str) -> str:
    if text.lower() not in ON_WRITE:
        raise _error(f"on_write '{text}'", text, ON_WRITE)
    return text.lower()


def _seed(signal: Signal, text: str) -> int:
    if not signal.seeded:
        raise ConfigError("signal", 0, f"there is no chance in {signal.name}, and so no seed")
    if not (text.isascii() and text.isdigit() and int(text) <= MAX_SEED):
        raise ConfigError("signal", 0, f"seed '{text}'; wanted a whole number from 0 to {MAX_SEED}")
    return int(text)


def _error(what: str, word: str, known: tuple[str, ...]) -> ConfigError:
    near = closest(word, known)
    hint = f"; did you mean {near}?" if near else ""
    return ConfigError("signal", 0, f"{what}; wanted {', '.join(known)}{hint}")
