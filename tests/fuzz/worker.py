"""Targets under libFuzzer, each in a process forked off when it is asked for: instrumenting what they import takes
seconds, and is done once for all.

A line of standard input is JSON: [target, file for what is said, *options of libFuzzer]; it is answered by a line with
the exit code.
"""

import io
import json
import os
import sys
from contextlib import redirect_stderr

import atheris

with redirect_stderr(io.StringIO()), atheris.instrument_imports(include=["node"]):  # which names every module
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Until standard input ends."""
    for line in sys.stdin:
        name, said, *options = json.loads(line)
        child = os.fork()
        if not child:
            fuzz(name, said, options)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def fuzz(name: str, said: str, options: list[str]) -> None:
    """Never returns: libFuzzer ends the process."""
    file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    atheris.Setup([sys.argv[0], *options], TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
