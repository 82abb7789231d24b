"""A load test from its first process to its last answer: clients shared out over processes, started together, watched
second by second, and ended whatever happens.

Clients are in processes of their own, and where the machine has more than two cores each of these keeps to one. They
are not niced: a generator that waits for the plant to let it run sends late, and what it then measures is itself. On
two cores one process of one thread leaves the plant a core whatever happens.
"""

import asyncio
import json
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from farm.errors import FarmError
from farm.load.histogram import Histogram
from farm.load.job import Job, Seat, Target
from farm.load.profile import MOST_CLIENTS, Profile, ProfileError
from farm.load.result import Result
from farm.load.schedule import phases
from farm.load.tally import Second, counts_of
from node.control.messages import RUN_VARIABLE

PACKAGE_ROOT = Path(__file__).resolve().parents[2]
PER_WORKER = 6000
"""Requests a second that are left to one process, about half of what it can do."""
HEAD_START = 0.1
"""Seconds between all being told when to begin, and then."""
LINE = 1 << 28
"""Bytes of a line of a worker: its last has every node's counts."""
GRACE = 5.0
"""Seconds that a worker may take beyond the time-outs of its last requests."""


@dataclass(frozen=True, slots=True)
class Glance:
    """How far it is, second by second: `at` seconds since the start, and what happened in the last of them. Before the
    start, `at` is 0 and `connected` counts who could connect."""

    at: float
    duration: float
    connected: int
    clients: int
    last: Second
    errors: int


def share_out(profile: Profile, targets: Sequence[Target], cores: Sequence[int]) -> list[Job]:
    """A job for each process. Raises `ProfileError` for more clients than can be."""
    clients = profile.clients_in_all or profile.clients * len(targets)
    if clients > MOST_CLIENTS:
        raise ProfileError(f"{clients} clients: {MOST_CLIENTS} are the most from one machine")
    rate = None if profile.flat_out else profile.rate or profile.rate_in_all / clients
    seats = [Seat(number, number % len(targets), phase) for number, phase in enumerate(phases(clients))]
    workers = min(clients, profile.workers or _workers(targets, rate, clients, len(cores)))
    pinned = sorted(cores)[::-1] if len(cores) > max(2, workers) else []
    return [
        Job(
            targets,
            seats[number::workers],
            clients,
            rate,
            profile.duration,
            profile.ramp,
            profile.timeout,
            profile.depth,
            profile.mix,
            profile.connection if profile.connected else 0,
            profile.route or None,
            profile.seed,
            pinned[number] if pinned else None,
        )
        for number in range(workers)
    ]


def _workers(targets: Sequence[Target], rate: float | None, clients: int, cores: int) -> int:
    if rate is None:
        return max(1, cores // 2)
    requests = sum(max(1, len(target.reads)) for target in targets) / len(targets) * rate * clients
    return min(max(1, cores - 1), 1 + int(requests / PER_WORKER))


def run_load(profile: Profile, targets: Sequence[Target], watch: Callable[[Glance], None]) -> Result:
    """Does it, and has `watch` see how far it is. Ctrl-C and SIGTERM end it early, with what there is until then; a
    second one waits for no more answers. Raises `FarmError`."""
    jobs = share_out(profile, targets, _cores())
    return asyncio.run(_Run(profile, targets, jobs, watch).run())


def _cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


class _Run:
    def __init__(
        self, profile: Profile, targets: Sequence[Target], jobs: Sequence[Job], watch: Callable[[Glance], None]
    ) -> None:
        self._profile = profile
        self._jobs = jobs
        self._watch = watch
        self._processes: list[asyncio.subprocess.Process] = []
        self._shown = 0
        self._connected: dict[int, dict[int, int]] = {}
        self._interrupts = 0
        self._opened = 0
        self._errors = 0
        self.result = Result.of(profile, targets, jobs[0].clients, len(jobs))

    async def run(self) -> Result:
        """The whole test."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupt)
        try:
            for job in self._jobs:
                await self._begin(job)
            await asyncio.gather(*(self._hear_opened(process) for process in self._processes))
            origin = time.monotonic() + HEAD_START
            self.result.began = datetime.now(UTC)
            self._tell(f"go {origin!r}")
            await asyncio.gather(*(self._hear(number) for number in range(len(self._processes))))
            self.result.seconds_run = min(time.monotonic() - origin, self._profile.duration)
            self.result.ended_early = self._interrupts > 0
            return self.result
        finally:
            for process in self._processes:
                if process.returncode is None:
                    process.kill()
                await process.wait()

    async def _begin(self, job: Job) -> None:
        environment = {name: value for name, value in os.environ.items() if name != RUN_VARIABLE}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "farm.load.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE,
            cwd=PACKAGE_ROOT,  # `-m` finds the packages there, also in a checkout that is not installed
            env=environment,
            start_new_session=True,  # Ctrl-C is for this process, which tells them
        )
        self._processes.append(process)
        assert process.stdin is not None
        process.stdin.write(pickle.dumps(job))
        await process.stdin.drain()

    async def _hear_opened(self, process: asyncio.subprocess.Process) -> None:
        self._opened += (await self._line(process))["opened"]
        clients = self.result.clients
        self.result.opened = self._opened
        self._watch(Glance(0.0, self._profile.duration, self._opened, clients, Second(), 0))

    async def _hear(self, number: int) -> None:
        """What a worker says until it is done."""
        process = self._processes[number]
        while True:
            body = await self._line(process)
            if "done" in body:
                self._add(body)
                break
            self._second(number, body)
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()

    async def _line(self, process: asyncio.subprocess.Process) -> dict[str, Any]:
        assert process.stdout is not None
        line = await process.stdout.readline()
        if not line.endswith(b"\n"):
            code = await process.wait()
            raise FarmError(f"a process of clients ended with {code} before it was done")
        body: dict[str, Any] = json.loads(line)
        return body

    def _second(self, number: int, body: dict[str, Any]) -> None:
        """Counts a worker's second; shows it once all workers have told theirs."""
        at = max(0, int(body["second"] - 1e-6))
        second = self.result.second(at)
        second.add(body)
        told = self._connected.setdefault(at, {})
        told[number] = body["connected"]
        if len(told) == len(self._processes) and at >= self._shown:
            self._shown = at + 1
            self.result.connected[at] = sum(told.values())
            self._errors += sum(second.errors.values())
            clients = self.result.clients
            glance = Glance(at + 1, self._profile.duration, sum(told.values()), clients, second, self._errors)
            self._watch(glance)
            second.settle()

    def _add(self, body: dict[str, Any]) -> None:
        result = self.result
        for tally, counted in zip(result.tallies, body["nodes"], strict=True):
            tally.add(counted)
        for name in ("service", "lag", "opened_in"):
            histogram: Histogram = getattr(result, name)
            histogram.add(counts_of(body["opened" if name == "opened_in" else name]))
        result.late += body["late"]
        result.lost += body["lost"]
        result.cpu.append(body["cpu"])

    def _interrupt(self) -> None:
        self._interrupts += 1
        self._tell("stop" if self._interrupts == 1 else "abandon")
        if self._interrupts == 1:
            asyncio.get_running_loop().call_later(self._profile.timeout + GRACE, self._tell, "abandon")

    def _tell(self, line: str) -> None:
        for process in self._processes:
            if process.returncode is None and process.stdin is not None and not process.stdin.is_closing():
                process.stdin.write(f"{line}\n".encode())
