"""What a node bears while a good client reads: each burden in turn, and what the client, the farm and the kernel saw.

The nodes have one core, the good client and whoever wears them out the other (with two or more of them), where the
scheduler lets the good client go first (SCHED_IDLE): so its times tell what the node does, and not what its attacker
takes from it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.soak import burdens, mutated
from tests.soak.good_client import GoodClient, Seen
from tests.soak.plant import LOGIX, Target, running

PAUSE = 0.001
QUIET = 5.0
"""Seconds of quiet to compare with."""

TOLD = 1.5
"""Seconds after which a farm surely knows what its nodes count: they tell it once a second."""

IDLE_MEMORY = 20.0
MEMORY = 20.0
"""MiB that a node may grow by."""

SLOWER = 2.0
"""Times its quiet value that the good client's 99th percentile may come to."""


@dataclass
class Outcome:
    """One burden: what it did, what the good client saw meanwhile, and every bound that was broken."""

    name: str
    seconds: float
    did: str
    seen: Seen
    ratio: float
    grown: float
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        seen = self.seen
        lines = [
            f"{self.name}: {self.seconds:.1f} s; {self.did}",
            f"    good client: {seen.reads} reads, {seen.errors} errors; p50 {seen.p50:.0f} µs, p99 {seen.p99:.0f} µs "
            f"({self.ratio:.2f} times quiet), longest {seen.longest / 1000:.1f} ms; memory {self.grown:+.1f} MiB",
        ]
        return "\n".join([*lines, *(f"    BROKEN: {line}" for line in self.broken)])


class Bench:
    """The plant, its good client, and the quiet that all is compared with: the slower of that of `quiet` seconds at the
    start and of half as long before each burden. `strict` holds times to their bound."""

    def __init__(self, target: Target, quiet: float = QUIET, strict: bool = True) -> None:
        self.target = target
        self.strict = strict
        cores = sorted(os.sched_getaffinity(0))
        self.core = cores[1] if len(cores) > 1 else None
        if self.core is not None:
            for node in target.nodes.values():
                node.pin(cores[0])
        self.client = GoodClient(PAUSE, self.core)
        self._seconds = quiet
        self._listen(quiet / 5)
        self.quiet = self._listen(quiet)

    def bear(self, name: str, burden: Callable[[], str]) -> Outcome:
        """Runs `burden`, which gives a line of what it did, in a process of its own."""
        quiet = max(self.quiet.p99, self._listen(self._seconds / 2).p99)
        before = self._memory()
        begun = time.monotonic()
        did = _apart(burden, self.core)
        seconds = time.monotonic() - begun
        seen = self.client.seen()
        outcome = Outcome(name, seconds, did, seen, seen.p99 / quiet, self._memory() - before)
        outcome.broken = list(self._broken(outcome))
        return outcome

    def end(self) -> None:
        """Ends the good client."""
        self.client.end()

    def _listen(self, seconds: float) -> Seen:
        self.client.seen()
        time.sleep(seconds)
        return self.client.seen()

    def _memory(self) -> float:
        return sum(node.memory() for node in self.target.nodes.values())

    def _broken(self, outcome: Outcome) -> Iterator[str]:
        seen = outcome.seen
        if seen.errors or not seen.reads:
            yield f"the good client saw {seen.errors} errors: {seen.fault or 'no reads'}"
        if self.strict and outcome.ratio > SLOWER:
            yield f"its 99th percentile was {outcome.ratio:.2f} times that of quiet, wanted at most {SLOWER:g}"
        if outcome.grown > MEMORY:
            yield f"the nodes grew by {outcome.grown:.1f} MiB, wanted at most {MEMORY:g}"
        if not outcome.did:
            yield "the burden itself failed"
        if self.strict:
            time.sleep(TOLD)
        if self.target.counted("bugs"):
            yield f"{self.target.counted('bugs')} bugs: `farm logs` shows them"
        if self.target.restarts():
            yield "a node had to be started again"


def _apart(burden: Callable[[], str], core: int | None) -> str:
    """What it says, from a process that yields its core to all others; "" when it failed."""
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def work() -> None:
        if core is not None:
            os.sched_setaffinity(0, {core})
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        sender.send(burden())

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    sender.close()
    try:
        return str(receiver.recv())
    except EOFError:
        return ""
    finally:
        process.join()


def _counts(what: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in what.most_common())


def sessions(bench: Bench, count: int, seed: int) -> Outcome:
    """Mutated sessions."""
    return bench.bear(f"{count:,} mutated sessions", lambda: _counts(mutated.run(count, seed)))


def opens(bench: Bench, count: int, seed: int) -> Outcome:
    """Forward Opens that nobody closes."""
    return bench.bear(f"{count:,} Forward Opens abandoned", lambda: _counts(burdens.abandon_opens(LOGIX, count, seed)))


def idle(bench: Bench, count: int, seconds: float) -> Outcome:
    """Sessions that say nothing."""
    node = bench.target.nodes["logix"]
    memory, threads = node.memory(), node.threads()

    def hold() -> str:
        with burdens.idle(LOGIX, count) as links:
            time.sleep(seconds)
            more, grown = node.threads() - threads, node.memory() - memory
            return f"{burdens.still_there(links):,} still there, {grown:.1f} MiB and {more} threads more"

    outcome = bench.bear(f"{count:,} idle connections", hold)
    there, grown, more = (float(word.replace(",", "")) for word in outcome.did.split() if word[0] in "-0123456789")
    if there != count:
        outcome.broken.append(f"only {there:.0f} of {count} were kept")
    if grown > IDLE_MEMORY or more:
        outcome.broken.append(f"they took {grown:.1f} MiB and {more:.0f} threads, wanted {IDLE_MEMORY:g} and none")
    return outcome


def slow(bench: Bench, clients: int, seconds: float) -> Outcome:
    """Clients that send a byte a second, or never read."""
    return bench.bear(f"{clients} clients of a byte a second", lambda: _counts(burdens.drip(LOGIX, clients, seconds)))


@contextlib.contextmanager
def plant(quiet: float = QUIET, strict: bool = True) -> Iterator[Bench]:
    """A plant to bear burdens."""
    with tempfile.TemporaryDirectory(prefix="plcs") as folder, running(Path(folder)) as target:
        bench = Bench(target, quiet, strict)
        try:
            yield bench
        finally:
            bench.end()
