"""What both are given, and how it is timed; for two interpreters, so without anything of either."""

import random
import time

BEGIN = 1_700_000_000.0
STEP = 0.01
"""Seconds from one record to the next."""
TAGS = 100
ZONE = "America/Edmonton"
_YEAR = 31_557_600.0


def instants(count):
    """So many, one after the other as in a history, and as many scattered over a year, by name; to the millisecond."""
    chance = random.Random(7)
    return {
        "in order": [BEGIN + round(i * STEP, 3) for i in range(count)],
        "scattered": [round(BEGIN + chance.random() * _YEAR, 3) for _ in range(count)],
    }


def rate(count, act):
    """How many of `count` things `act` does in a second."""
    begun = time.perf_counter()
    act()
    return count / (time.perf_counter() - begun)


def each(function, values):
    """A loop over them."""

    def act():
        for value in values:
            function(value)

    return act


def write(writer, count):
    """A history of so many records, one value in each, behind one of all."""
    with writer:
        writer.write({40001 + i: 0 for i in range(TAGS)}, now=BEGIN)
        for i in range(count):
            writer.write({40001 + i % TAGS: i & 0xFFFF}, now=BEGIN + 1 + i * STEP)
