"""One target under libFuzzer: `python -m tests.fuzz.worker TARGET CORPUS [libFuzzer options]`."""

import sys

import atheris

with atheris.instrument_imports(include=["node"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Never returns: libFuzzer ends the process."""
    target = TARGETS[sys.argv[1]]
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


main()
