"""A client that reads a value again and again and knows what it must be: `python -m tests.soak.good_client PAUSE
[CORE]`.

It keeps one session on the Logix node with an unconnected and a connected read, and one on the MicroLogix with a PCCC
read; after each of the three it waits PAUSE seconds. A line on its standard input makes it print what it saw since the
last one, as JSON: reads, errors, the first fault, and the 50th and 99th percentile and the longest, in microseconds.
"""

from __future__ import annotations

import json
import os
import random
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.soak.plant import LOGIX, MICROLOGIX, VALUE
from tests.soak.session import READ_N17, connect, connected, forward_open, read, register, reply, unconnected


@dataclass(frozen=True)
class Seen:
    """What the client saw in a while; times in µs."""

    reads: int
    errors: int
    fault: str
    p50: float
    p99: float
    longest: float


class GoodClient:
    """The other process, as whoever started it sees it."""

    def __init__(self, pause: float, core: int | None) -> None:
        command = [sys.executable, "-m", "tests.soak.good_client", str(pause)]
        if core is not None:
            command += [str(core)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.seen()

    def seen(self) -> Seen:
        """What it saw since it was asked last. Raises `ValueError` when it has ended."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Seen(**json.loads(self._process.stdout.readline()))

    def end(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.communicate()


def reads() -> list[Callable[[], bool]]:
    """Each reads once and says whether the answer was right, to the last byte."""
    logix, micrologix = connect(LOGIX), connect(MICROLOGIX)
    handle, other = register(logix), register(micrologix)
    logix.sendall(unconnected(handle, forward_open(random.Random())))
    opened = reply(logix)
    ident, t_o = opened[44:48], opened[48:52]
    sequence = [0]
    data = b"\xcc\0\0\0\xc4\0" + struct.pack("<i", VALUE)
    asked, wanted = unconnected(handle, read("GOOD")), data
    pccc, word = unconnected(other, READ_N17), b"\xcb\0\0\0" + READ_N17[6:13] + b"\x4f\0\1\0" + struct.pack("<h", 2016)

    def plain() -> bool:
        logix.sendall(asked)
        return reply(logix)[40:] == wanted

    def over_a_connection() -> bool:
        sequence[0] = sequence[0] + 1 & 0xFFFF
        logix.sendall(connected(handle, ident, sequence[0], read("GOOD")))
        got = reply(logix)
        return got[36:40] == t_o and got[44:46] == sequence[0].to_bytes(2, "little") and got[46:] == wanted

    def of_a_file() -> bool:
        micrologix.sendall(pccc)
        return reply(micrologix)[40:] == word

    return [plain, over_a_connection, of_a_file]


def told(times: list[float], errors: int, fault: str) -> str:
    """A report in JSON."""
    times.sort()

    def at(share: float) -> float:
        return times[min(len(times) - 1, int(len(times) * share))] * 1e6 if times else 0.0

    seen = {"reads": len(times), "errors": errors, "fault": fault, "p50": at(0.5), "p99": at(0.99), "longest": at(1.0)}
    return json.dumps(seen)


def main() -> None:
    """Reads until its standard input ends."""
    pause = float(sys.argv[1])
    if len(sys.argv) > 2:
        os.sched_setaffinity(0, {int(sys.argv[2])})
    times: list[float] = []
    errors, fault = 0, ""
    doing = reads()
    while True:
        for once in doing:
            begun = time.perf_counter()
            try:
                right = once()
            except Exception as exc:
                errors, fault, right = errors + 1, fault or repr(exc), True
                doing = reads()
            times.append(time.perf_counter() - begun)
            if not right:
                errors, fault = errors + 1, fault or f"{once.__name__}: another answer"
            if select.select([sys.stdin], [], [], pause)[0]:
                if not sys.stdin.readline():
                    return
                print(told(times, errors, fault), flush=True)
                times.clear()
                errors, fault = 0, ""


if __name__ == "__main__":
    main()
