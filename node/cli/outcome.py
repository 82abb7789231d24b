"""How a command of a node ends: errors are one line on stderr, and the exit code says whose fault it was.

0  done, or ended by SIGINT or SIGTERM as asked
1  it could not be done: an address in use, a file that is not there
2  the command line is wrong
"""

import sys

FAILED = 1
USAGE = 2
INTERRUPTED = 130


def complain(program: str, message: str, code: int) -> int:
    """Says in one line what is wrong; `code`."""
    print(f"{program}: {' '.join(message.split())}", file=sys.stderr)
    return code


def version_line() -> str:
    """Which version this is."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"plcfarm {version('plcfarm')}"
    except PackageNotFoundError:
        return "plcfarm, run from a source tree that is not installed"
