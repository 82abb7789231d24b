"""Reads registers of a device over and over, in a thread of its own, so that others have them at once.

    with ModbusPoller(ModbusClient.tcp("10.0.111.123"), rate=0.5) as plc:
        plc.poll(range(40001, 40011))
        plc.read(40001)          # None until a poll brought it, and whenever the device is away
        plc.write(40001, 123)    # returns when the device has it
        plc.load                 # (0.021, 0.02, 0.02) of its time over 1, 5 and 15 minutes

Any thread may do all of this. What is polled is read together as far as the device allows (`node.client.modbus_sweep`);
a device that does not answer is asked less and less often.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from threading import TIMEOUT_MAX, Condition, Thread, current_thread
from typing import Self

from node.client.modbus import ModbusClient, Where, located
from node.client.modbus_sweep import Place, Sweep, pause_after
from node.client.poll_load import PollLoad
from node.errors import LocalProtocolError, NodeError

log = logging.getLogger(__name__)

RATE = 1.0
"""Seconds from one poll to the next, unless it is said otherwise."""

Changed = Callable[[Where, int | None, int | None], object]
"""Is told a register as it was first asked for, its value, and the one before; None where it is not known."""


class PollerClosed(NodeError):
    """A poller that polls no more."""


class ModbusPoller:
    """Polls what it is asked for over `client`, whose line others may use as well; all of it every `rate` seconds. With
    a `depth` above 1 so many reads are under way at once, over TCP and TLS and for devices that take them: others lose
    what they have no room for, and every poll fails."""

    def __init__(self, client: ModbusClient, rate: float = RATE, name: str = "", depth: int = 1) -> None:
        if depth < 1 or (depth > 1 and not client.line.bears_many):
            raise LocalProtocolError(f"a depth of {depth}; 1 at least, and on {client.line.name} no more than it bears")
        self.name = name or client.line.name
        self._client = client
        self._rate = _positive(rate)
        self._state = Condition()
        self._sweep = Sweep(client.view(service_actions=self._service), self._polled, depth=depth)
        self._new: list[Place] = []
        self._names: dict[Place, Where] = {}
        self._values: dict[Place, int] = {}
        self._watchers: list[Changed] = []
        self._load = PollLoad(time.monotonic())
        self._due = 0.0
        self._woken = False
        self._failures = 0
        self._problem: NodeError | None = None
        self._polls = 0
        self._closing = False
        self._thread: Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends polling at once, also in the middle of a wait, and the connection. All values are None then."""
        with self._state:
            self._closing = True
            self._state.notify_all()
            thread = self._thread
        if thread is not None and thread is not current_thread():
            thread.join()
        self._client.close()

    @property
    def rate(self) -> float:
        """Seconds from one poll to the next, of all that is polled."""
        return self._rate

    @property
    def load(self) -> tuple[float, float, float]:
        """The part of the device's time, 0 to 1, that polling took over about the last 1, 5 and 15 minutes. Polls may
        come late even below 1, for writes and other clients of the line."""
        with self._state:
            return self._load.figures(time.monotonic())

    @property
    def online(self) -> bool:
        """Did the device answer when it was last polled?"""
        with self._state:
            return bool(self._polls) and not self._failures and not self._closing

    @property
    def problem(self) -> NodeError | None:
        """Why it did not."""
        return self._problem

    @property
    def polls(self) -> int:
        """Polls that were tried, of everything each."""
        return self._polls

    def poll(self, where: Where | Iterable[Where], rate: float | None = None) -> None:
        """Polls one register, or each of several, from now on; returns at once. `rate`, seconds, makes the rate of all
        that is polled faster, and never slower. Raises `RangeError`, `PollerClosed`."""
        asked = _each(where)
        places = [located(each) for each in asked]
        with self._state:
            if self._closing:
                raise PollerClosed(f"{self.name}: this poller is closed")
            if rate is not None and _positive(rate) < self._rate:
                self._rate = rate
                self._due = min(self._due, time.monotonic() + rate)
                self._state.notify_all()
            for place, name in zip(places, asked, strict=True):
                if place not in self._names:
                    self._names[place] = name
                    self._new.append(place)
            if self._new and not self._failures:
                self._wake()

    def read(self, where: Where) -> int | None:
        """What the last poll brought, without waiting: 0 to 65535, of coils and discrete inputs True or False; None
        when there was none yet, or the last one failed. Begins to poll it. Raises `RangeError`, `PollerClosed`."""
        with self._state:
            known = self._values.get(located(where))
        self.poll(where)  # looked at before: a quick device has answered by the time that this is over
        return known

    def write(self, where: Where, value: int | Sequence[int]) -> None:
        """Writes one register or coil, or several from `where` on, between two reads; returns when the device has
        answered. What is polled is read again at once. Raises what `ModbusClient` raises."""
        values = [value] if isinstance(value, int) else value
        with self._client.alone():
            self._client.write(where, [each & 0xFFFF if -0x8000 <= each < 0 else each for each in values])
        with self._state:
            if not self._closing and self._names:
                self._wake()

    def watch(self, changed: Changed) -> Callable[[], None]:
        """Has `changed` called, by the thread that polls, whenever a value is another than before; what this gives ends
        it. Polling waits for it to return."""
        with self._state:
            self._watchers.append(changed)

        def end() -> None:
            with self._state, suppress(ValueError):
                self._watchers.remove(changed)

        return end

    def _wake(self) -> None:
        self._woken = True
        if self._thread is None:
            self._thread = Thread(target=self._run, name=f"modbus-poller {self.name}", daemon=True)
            self._thread.start()
        self._state.notify_all()

    def _service(self) -> None:
        """What the client runs while it waits: closing need not wait for a device that is silent."""
        if self._closing:
            raise PollerClosed(f"{self.name}: this poller is closed")
        if self._client.service_actions is not None:
            self._client.service_actions()

    def _polled(self, since: float, now: float) -> None:
        with self._state:
            self._load.polled(since, now)

    def _run(self) -> None:
        while self._awaited():
            begun = time.monotonic()
            try:
                values = self._sweep.run(self._rate)
            except PollerClosed:
                break
            except NodeError as exc:
                self._ended(begun, {}, exc)
            except Exception as exc:
                log.exception("%s: a bug of the poller, or of the actions it was given", self.name)
                self._ended(begun, {}, NodeError(f"{type(exc).__name__}: {exc}"))
            else:
                self._ended(begun, values, None)
        self._learn({})

    def _awaited(self) -> bool:
        """Waits for the next poll; whether there is one."""
        with self._state:
            while not self._closing and not self._woken and (left := self._due - time.monotonic()) > 0:
                self._state.wait(min(left, TIMEOUT_MAX))
            self._woken = False
            for place in self._new:
                self._sweep.want(place)
            self._new.clear()
            return not self._closing

    def _ended(self, begun: float, values: dict[Place, int], problem: NodeError | None) -> None:
        """A poll that began at `begun` has come to its end."""
        with self._state:
            first = self._failures == 0
            self._failures = self._failures + 1 if problem else 0
            self._problem = problem
            self._polls += 1
            self._due = begun + pause_after(self._failures, self._rate)
        if problem is not None and first:
            log.warning("%s; it is tried again", problem)
        elif problem is None and not first:
            log.warning("%s: answers again", self.name)
        self._learn(values)

    def _learn(self, values: dict[Place, int]) -> None:
        """Has these as the values of everything, and tells who watches what is new."""
        with self._state:
            before, self._values = self._values, values
            if before == values:
                return
            places = [place for place in self._names if before.get(place) != values.get(place)]
            changes = [(self._names[place], values.get(place), before.get(place)) for place in places]
            watchers = list(self._watchers)
        for change in changes:
            for changed in watchers:
                try:
                    changed(*change)
                except Exception:
                    log.exception("%s: a bug of whoever watches %s", self.name, change[0])


def _each(where: Where | Iterable[Where]) -> list[Where]:
    """A table with a wire address is a pair, but one thing."""
    if isinstance(where, int):
        return [where]
    match where:
        case (str(table), int(address)):
            return [(table, address)]
    return list(where)


def _positive(rate: float) -> float:
    if not rate > 0:
        raise LocalProtocolError(f"a rate of {rate!r}; it is the seconds between two polls")
    return rate
