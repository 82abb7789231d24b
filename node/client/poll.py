"""Reads parameters of a device over and over: the manual's `poll`, and `Poller` for several rates at once.

    process.done = False                            # a function of name and value; set, it ends the polling
    poll(PowerFlex750, ("10.0.1.2", 44818), cycle=1.0, timeout=0.5, params=["Motor Velocity"], process=process)

    with Poller(PowerFlex750("10.0.1.2")) as poller:
        poller.poll(["Motor Velocity", "Output Current"], cycle=1.0)
        poller.poll(["Output Frequency"], cycle=0.5)
        poller.values["Output Frequency"]           # [50.0] once there was one

A device that does not answer is asked later and later, and at its rate again once it answers. Every poll is a turn of
its own at the proxy's one connection, whichever thread it is of.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from math import floor
from threading import Condition, Thread, current_thread
from typing import Any, Protocol, Self

from node.client.parameters import Named, reads
from node.client.proxy import Proxy
from node.enip.header import PORT
from node.errors import LocalProtocolError, NodeError

log = logging.getLogger(__name__)

CYCLE = 1.0
"""Seconds from one poll to the next, unless it is said otherwise."""

GROWTH = 1.5
LONGEST_PAUSE = 10.0
"""Seconds between two tries of what fails, at most (or the cycle, where that is longer)."""

GLANCE = 0.1
"""Seconds after which a `done` is seen, at most."""

Process = Callable[[Any, "list[Any] | None"], object]
"""Is told a parameter as it was asked for, and its value, None when the device answered with a fault."""

Failure = Callable[[NodeError], object]
"""Is told why a poll failed."""


class Asks(Protocol):
    """A proxy, of either kind."""

    def asked(self, names: Named | Iterable[Named]) -> object:
        """How each would be read. Raises `LocalProtocolError`."""


class Rhythm:
    """When to poll next, in seconds of one clock: every `cycle` from `start` on, without those that were missed; after
    the nth failure in a row, as long as a cycle and half as long again for each, up to `longest`."""

    def __init__(self, cycle: float, start: float, longest: float = LONGEST_PAUSE) -> None:
        if not cycle > 0:
            raise LocalProtocolError(f"a cycle of {cycle!r}; it is the seconds from one poll to the next, above 0")
        self.cycle = cycle
        self.failures = 0
        self._start = start
        self._longest = max(longest, cycle)

    def succeeded(self, now: float) -> float:
        """The next instant, after a poll that ended `now`."""
        self.failures = 0
        return self._start + (floor((now - self._start) / self.cycle + 1e-9) + 1) * self.cycle

    def failed(self, now: float) -> float:
        """The next instant, after a poll that failed `now`."""
        pause = self.cycle * GROWTH ** min(self.failures, 100)
        self.failures += 1
        return now + min(pause, self._longest)


class Poller:
    """Polls over `via`, one rate in a thread. `process` and `failure` are called by those threads, several at a time;
    what they raise is logged, and polling goes on. `longest` is the longest pause between two tries, seconds."""

    def __init__(
        self,
        via: Proxy,
        process: Process | None = None,
        failure: Failure | None = None,
        longest: float = LONGEST_PAUSE,
    ) -> None:
        self.via = via
        self._process = process
        self._failure = failure
        self._longest = longest
        self._state = Condition()
        self._done = False
        self._values: dict[Any, list[Any] | None] = {}
        self._problem: NodeError | None = None
        self._threads: list[Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def done(self) -> bool:
        """Whether it polls no more. Set, it ends polling as `close` does, without waiting for it."""
        return self._done

    @done.setter
    def done(self, done: bool) -> None:
        with self._state:
            self._done = done
            self._state.notify_all()

    @property
    def values(self) -> dict[Any, list[Any] | None]:
        """The last value of each parameter by the name it was asked for, as they are now: None after a fault; those of
        a poll that failed are not there."""
        with self._state:
            return dict(self._values)

    @property
    def problem(self) -> NodeError | None:
        """Why the last poll failed, None when it did not."""
        return self._problem

    def poll(self, params: Named | Iterable[Named], cycle: float = CYCLE) -> None:
        """Polls these every `cycle` seconds from now on, beside what is polled already; returns at once. Raises
        `LocalProtocolError` when it is done, or for names or a cycle that there cannot be."""
        wanted = polled(self.via, params)
        rhythm = Rhythm(cycle, time.monotonic(), self._longest)
        with self._state:
            if self._done:
                raise LocalProtocolError("this poller is done; make another")
            thread = Thread(
                target=self._run, args=(wanted, rhythm), name=f"poll {self.via.host} {cycle:g} s", daemon=True
            )
            self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        """Ends polling, waits for polls that are under way, and closes the gateway."""
        self.done = True
        for thread in self._threads:
            if thread is not current_thread():
                thread.join()
        self.via.close_gateway()

    def _run(self, params: Sequence[Named], rhythm: Rhythm) -> None:
        cycles(self.via, params, rhythm, self._wait, self._learn, self._lose)

    def _wait(self, until: float) -> bool:
        """Whether there is anything to do at `until`."""
        with self._state:
            while not self._done and (left := until - time.monotonic()) > 0:
                self._state.wait(left)
            return not self._done

    def _learn(self, name: Any, value: list[Any] | None) -> None:
        with self._state:
            self._values[name] = value
            self._problem = None
        if self._process is not None:
            self._process(name, value)

    def _lose(self, params: Sequence[Named], problem: NodeError) -> None:
        with self._state:
            self._problem = problem
            for name in params:
                self._values.pop(name, None)
        if self._failure is not None:
            self._failure(problem)


def poll(
    proxy_class: Callable[..., Proxy] | None = None,
    address: tuple[str, int] = ("localhost", PORT),
    cycle: float = CYCLE,
    timeout: float | None = 5.0,
    process: Process | None = None,
    failure: Failure | None = None,
    params: Named | Iterable[Named] = (),
    *,
    via: Proxy | None = None,
    longest: float = LONGEST_PAUSE,
    **options: Any,
) -> None:
    """Polls `params` every `cycle` seconds until `process` has a true attribute `done`, in the thread that calls it.

    The device is `via`, whose gateway then stays open and which other threads may poll at rates of their own; or a
    `proxy_class` (`Proxy` unless told) made for `address` with `timeout` and `options`, and closed at the end.
    `failure` is told of each poll that failed. What either callback raises is logged, and polling goes on.
    """
    rhythm = Rhythm(cycle, time.monotonic(), longest)
    device = via if via is not None else (proxy_class or Proxy)(*address, timeout=timeout, **options)
    wanted = polled(device, params)

    def wait(until: float) -> bool:
        while not getattr(process, "done", False):
            left = until - time.monotonic()
            if left <= 0:
                return True
            time.sleep(min(left, GLANCE))
        return False

    try:
        cycles(device, wanted, rhythm, wait, process or _unseen, lambda _, problem: (failure or _unheard)(problem))
    finally:
        if via is None:
            device.close_gateway()


def cycles(
    via: Proxy,
    params: Sequence[Named],
    rhythm: Rhythm,
    wait: Callable[[float], bool],
    process: Process,
    failed: Callable[[Sequence[Named], NodeError], object],
) -> None:
    """Polls until `wait`, which is told an instant, says that there is nothing to do any more."""
    due = time.monotonic()
    while wait(due):
        values: list[list[Any] | None] = []
        problem: NodeError | None = None
        try:
            with via:
                values.extend(via.read(params))
        except NodeError as exc:
            problem = exc
        for name, value in zip(params, values, strict=False):
            called(process, name, value)
        now = time.monotonic()
        if problem is None:
            due = rhythm.succeeded(now)
        else:
            due = rhythm.failed(now)
            called(failed, params, problem)


def polled(via: Asks, params: Named | Iterable[Named]) -> list[Named]:
    """What is to be polled. Raises `LocalProtocolError` when it is nothing, or nothing that could ever be read."""
    wanted = list(reads(params))
    if not wanted:
        raise LocalProtocolError("nothing to poll; give the names of parameters, tags or attributes")
    via.asked(wanted)
    return wanted


def called(callback: Callable[..., object], *arguments: object) -> None:
    """Calls what somebody gave; what it raises is logged."""
    try:
        callback(*arguments)
    except Exception:
        log.exception("a bug of whoever polls")


def _unseen(name: Any, value: list[Any] | None) -> None:
    """Nobody asked for the values."""


def _unheard(problem: NodeError) -> None:
    """Nobody asked for the failures."""
