"""A process of clients: `python -m farm.load.worker`, told its job on standard input, and telling on standard output.

    in     the job, pickled; then lines: go TIME (of the monotonic clock), stop, abandon. Its end ends the process.
    out    lines of JSON: {opened, failed} once all have tried to connect; {second, connected, ...} each second from the
           start; {done, ...} at last

It is a process of its own so that neither its work nor its garbage is in the way of what it measures, and whoever began
it can die without leaving it behind.
"""

import asyncio
import gc
import json
import os
import pickle
import resource
import select
import selectors
import sys
import threading
import time
from typing import Any

from farm.load.connection import Client
from farm.load.job import Job
from farm.load.tally import Tally
from farm.load.timetable import Timetable

AT_ONCE = 64
"""Connections that are begun at once: more would fill a listener's queue, and a SYN that is dropped comes again after a
second."""
SWEEP, OFTEN = 0.25, 0.05
"""Seconds between two looks for what has waited too long; at most a tenth of that, and often while all wait for the
end."""
HANDLES = 64
"""Descriptors beside those of connections."""


def main() -> None:
    """Serves one job."""
    job: Job = pickle.load(sys.stdin.buffer)
    if job.core is not None and hasattr(os, "sched_setaffinity"):  # Linux alone has it
        os.sched_setaffinity(0, {job.core})
    _allow_connections(len(job.seats))
    gc.freeze()
    with asyncio.Runner(loop_factory=_loop) as runner:
        runner.run(_Work(job).run())
    os._exit(0)  # the thread that listens holds standard input, which an orderly end would wait for


class _Work:
    """The clients of a job, from their first connection to their last answer."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._tally = Tally(len(job.targets))
        self._clients = [Client(job, seat, self._tally, time.monotonic) for seat in job.seats]
        self._went: asyncio.Future[float] | None = None
        self._stopped = asyncio.Event()
        self._drained = asyncio.Event()
        self._draining = False

    async def run(self) -> None:
        """All of it."""
        loop = asyncio.get_running_loop()
        self._went = loop.create_future()
        threading.Thread(target=self._listen, args=(loop,), daemon=True).start()
        await self._open()
        origin = await self._went
        await asyncio.sleep(max(0.0, origin - time.monotonic()))
        before = _cpu()
        sweeper = loop.create_task(self._sweep())
        teller = loop.create_task(self._tell(origin))
        timetable = Timetable(loop)
        for client in self._clients:
            client.start(origin, timetable)
        await self._stop_after(origin + self._job.duration)
        await self._drain()
        used = _cpu() - before
        for task in (sweeper, teller):
            task.cancel()
        self._say_second(time.monotonic() - origin)
        for client in self._clients:
            await client.close()
        _say({"done": True, "cpu": used, **self._tally.body()})

    async def _open(self) -> None:
        turn = asyncio.Semaphore(AT_ONCE)

        async def one(client: Client) -> None:
            async with turn:
                await client.open()

        await asyncio.gather(*map(one, self._clients))
        _say({"opened": sum(client.connected for client in self._clients), "clients": len(self._clients)})

    async def _stop_after(self, end: float) -> None:
        """Returns when the time is over, or was cut short."""
        try:
            async with asyncio.timeout_at(end):
                await self._stopped.wait()
        except TimeoutError:
            return

    async def _drain(self) -> None:
        """Waits for what is still to come, until it is late or nobody wants it any more."""
        for client in self._clients:
            client.finish()
        self._draining = True
        await self._drained.wait()
        for client in self._clients:
            client.abandon()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(OFTEN if self._draining else min(SWEEP, max(OFTEN, self._job.timeout / 10)))
            now = time.monotonic()
            for client in self._clients:
                client.sweep(now)
            if self._draining and not any(client.busy for client in self._clients):
                self._drained.set()

    async def _tell(self, origin: float) -> None:
        number = 1
        while True:
            await asyncio.sleep(max(0.0, origin + number - time.monotonic()))
            self._say_second(float(number))
            number += 1

    def _say_second(self, at: float) -> None:
        connected = sum(client.connected for client in self._clients)
        _say({"second": at, "connected": connected, **self._tally.take_second().body()})

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread, for standard input is a file on some systems."""
        for line in sys.stdin.buffer:
            word, _, rest = line.decode().strip().partition(" ")
            loop.call_soon_threadsafe(self._obey, word, rest)
        os._exit(1)  # whoever began this is gone

    def _obey(self, word: str, rest: str) -> None:
        if word == "go" and self._went is not None and not self._went.done():
            self._went.set_result(float(rest))
        if word in ("stop", "abandon"):
            self._stopped.set()
        if word == "abandon":
            self._drained.set()


def _loop() -> asyncio.AbstractEventLoop:
    """A loop that wakes to the microsecond where there is epoll: that itself counts in whole milliseconds, and a client
    that is up to one late would find that in every answer."""
    if not hasattr(selectors, "EpollSelector"):
        return asyncio.SelectorEventLoop()

    class Fine(selectors.EpollSelector):
        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            if timeout is not None and timeout > 0:
                select.select((self.fileno(),), (), (), timeout)
                timeout = 0
            return super().select(timeout)

    return asyncio.SelectorEventLoop(Fine())


def _allow_connections(number: int) -> None:
    """As many descriptors as it takes, where the hard limit lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number + HANDLES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _cpu() -> float:
    """Seconds that this process has had of a processor."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _say(body: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(body, separators=(",", ":")) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
