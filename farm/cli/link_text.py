"""What people write for the quality of a link: `200ms`, `2%`, `1mbit`."""

import math
import re

_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(us|ms|s|min|m|h)?")
_LOSS = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?%?")
_RATE = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(k|m|g)?(?:bit(?:/s)?|bps)?", re.IGNORECASE)
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, None: 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_BITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def parse_time(text: str) -> float | None:
    """`200ms` or `0.2` in seconds; None when it is no time."""
    found = _TIME.fullmatch(text)
    return None if found is None else float(found[1]) * _SECONDS[found[2]]


def parse_loss(text: str) -> float | None:
    """`2%` or `2` as 2.0; None when it is no share from 0 to 100."""
    found = _LOSS.fullmatch(text)
    return float(found[1]) if found is not None and float(found[1]) <= 100 else None


def parse_rate(text: str) -> int | None:
    """`1mbit`, `64 kbit/s` or `9600` in bits a second; None when it is no rate."""
    found = _RATE.fullmatch(text)
    bits = math.inf if found is None else float(found[1]) * _BITS[(found[2] or "").lower()]
    return round(bits) if math.isfinite(bits) else None
