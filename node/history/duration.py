"""Spans of time as people type them: `1d12h`, `90s`, `250ms`, `1:02:03.5`, and signed offsets, `< 1:00:00.001`.

Seconds everywhere else.
"""

import re

_SECOND = 10**9
_UNITS = {
    "y": 31_557_600 * _SECOND,  # 365.25 days
    "w": 604_800 * _SECOND,
    "d": 86_400 * _SECOND,
    "h": 3600 * _SECOND,
    "m": 60 * _SECOND,
    "s": _SECOND,
    "ms": 1_000_000,
    "us": 1000,
    "ns": 1,
}
"""In nanoseconds, so that 10us is 1e-5."""
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(y|w|d|h|ms|m|us|ns|s)\s*", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)
_CLOCK = re.compile(r"(\d+):(\d\d?)(?::(\d\d?(?:\.\d*)?))?", re.ASCII)
_OFFSET = re.compile(r"([<>])\s*(?:(?:(\d*):)?(\d*):)?(\d+(?:\.\d*)?)", re.ASCII)


def parse_duration(text: str) -> float:
    """`text` in seconds: figures with units, each unit at most once and the greater first, `HOURS:MINUTES[:SECONDS]`,
    or a bare number of seconds; a `-` before it for less than nothing. Raises `ValueError`."""
    words = text.strip()
    sign, words = (-1.0, words[1:].lstrip()) if words.startswith("-") else (1.0, words)
    if _NUMBER.fullmatch(words):
        return sign * float(words)
    clock = _CLOCK.fullmatch(words)
    if clock is not None:
        return sign * (int(clock[1]) * 3600 + _below_sixty(clock[2], text) * 60 + _below_sixty(clock[3] or "0", text))
    total, at, last = 0.0, 0, float("inf")
    while part := _PART.match(words, at):
        unit = _UNITS[part[2]]
        if unit >= last:
            break
        total, at, last = total + float(part[1]) * unit, part.end(), unit
    if not at or at < len(words):
        raise ValueError(f"{text!r} is no duration; wanted as 90s, 1m30s, 1d12h, 250ms or 1:02:03.5")
    return sign * total / _SECOND


def format_duration(seconds: float) -> str:
    """`seconds` in as few units as say them, to the microsecond: `1d1h1m1.5s`, `250ms`, `0s`."""
    total = round(abs(seconds) * 1_000_000)
    if not total:
        return "0s"
    parts = ["-"] if seconds < 0 else []
    rest = total
    for unit in ("y", "w", "d", "h", "m"):
        count, rest = divmod(rest, _UNITS[unit] // 1000)
        if count:
            parts.append(f"{count}{unit}")
    if total >= 1_000_000:
        parts += [f"{_plain(rest, 6)}s"] if rest else []
    elif total >= 1000:
        parts.append(f"{_plain(rest, 3)}ms")
    else:
        parts.append(f"{rest}us")
    return "".join(parts)


def parse_offset(text: str) -> float:
    """A signed span, `<` back and `>` ahead, `[[HOURS]:][MINUTES]:]SECONDS`, in seconds. Raises `ValueError`."""
    form = _OFFSET.fullmatch(text.strip())
    if form is None:
        raise ValueError(f"{text!r} is no offset; wanted < (back) or > (ahead) and [[HOURS:]MINUTES:]SECONDS")
    total = int(form[2] or 0) * 3600 + int(form[3] or 0) * 60 + float(form[4])
    return -total if form[1] == "<" else total


def format_offset(seconds: float, digits: int = 3) -> str:
    """`< 1:00:00.001`, rounded to `digits` of a second."""
    scale = 10**digits
    whole, fraction = divmod(round(abs(seconds) * scale), scale)
    minutes, second = divmod(whole, 60)
    rest = f".{fraction:0{digits}d}" if digits else ""
    return f"{'<' if seconds < 0 else '>'} {minutes // 60}:{minutes % 60:02d}:{second:02d}{rest}"


def _plain(count: int, digits: int) -> str:
    """`count` of the digit-th part, without zeros at its end."""
    whole, fraction = divmod(count, 10**digits)
    return f"{whole}.{fraction:0{digits}d}".rstrip("0").rstrip(".")


def _below_sixty(text: str, whole: str) -> float:
    value = float(text)
    if value >= 60:
        raise ValueError(f"{whole!r} is no duration: {text} is not below 60")
    return value
