"""How a program of the tests' own ends when it is told to: what it began is ended before, whoever told it.

Python ends at SIGTERM where it stands, and what a script starts in its background is deaf to SIGINT; plants, daemons
and machines that had begun went on for ever. Here either is a `KeyboardInterrupt`, once: whoever ends what was begun is
not to be interrupted at that.
"""

import signal
import sys
from collections.abc import Callable

TOLD = (signal.SIGINT, signal.SIGTERM)
INTERRUPTED = 130


def run(main: Callable[[], int]) -> int:
    """What `main` returns; 130 when it was told to end, with a line."""

    def interrupt(signum: int, frame: object) -> None:
        for each in TOLD:
            signal.signal(each, lambda signum, frame: None)  # not SIG_IGN, which what is started from here inherits
        raise KeyboardInterrupt

    for each in TOLD:
        signal.signal(each, interrupt)
    try:
        return main()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
