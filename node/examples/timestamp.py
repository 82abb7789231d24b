"""The time of day as the examples show it."""

from datetime import datetime


def timestamp(when: float) -> str:
    """`2016-01-27 21:34:10.371`, local time; `when` is in seconds since 1970."""
    return datetime.fromtimestamp(when).isoformat(" ", "milliseconds")
