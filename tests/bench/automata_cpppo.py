"""The machines of `automata.py` by cpppo, for its own interpreter: `SECONDS`, and JSON of symbols a second."""

import json
import logging
import sys
import time

import cpppo


def basic():
    """`ab+`, as the manual of 2016 makes it."""
    E, A, B = cpppo.state("E"), cpppo.state_input("A"), cpppo.state_input("B", terminal=True)  # noqa: N806
    E["a"] = A
    A["b"] = B
    B["b"] = B
    return E


def csv():
    """`ab+` with commas and blanks between."""
    ABP, SEP = cpppo.dfa("ab+", initial=basic(), terminal=True), cpppo.state_drop("SEP")  # noqa: N806
    ABP[","] = SEP
    ABP[" "] = SEP
    SEP[" "] = SEP
    SEP[None] = ABP
    return cpppo.dfa("CSV", initial=ABP, context="csv")


MACHINES = {
    "basic": (lambda: cpppo.dfa("ab+", initial=basic(), context="basic"), lambda length: "a" + "b" * (length - 1)),
    "csv": (csv, lambda length: ("abbb, " * (length // 6))[:-2]),
    "regex": (
        lambda: cpppo.regex(initial="(ab+)((,[ ]*)(ab+))*", context="regex"),
        lambda length: ("abbb, " * (length // 6))[:-2],
    ),
}


def rate(machine, text, seconds):
    """Symbols a second of processor time."""
    count, begun = 0, time.process_time()
    while not count or time.process_time() - begun < seconds:
        source = cpppo.peekable(text)
        with machine:
            for _machine, _state in machine.run(source=source, data=cpppo.dotdict()):
                pass
        count += source.sent
    return count / (time.process_time() - begun)


def main(seconds):
    """Prints them all."""
    logging.disable(logging.CRITICAL)
    found = {}
    for name, (make, text) in MACHINES.items():
        machine = make()
        for length in (12, 120, 1200, 12_000):
            found[f"{name} {length}"] = rate(machine, text(length), seconds)
    print(json.dumps(found))


if __name__ == "__main__":
    main(float(sys.argv[1]))
