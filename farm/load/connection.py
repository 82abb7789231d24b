"""One client of one node: asks at its beats, keeps at most so many requests under way, and counts what comes of them.

A beat that finds the line full, or no connection, is not skipped: its requests wait, and their time runs. A connection
that is lost is made again, ever more slowly while that fails.
"""

import asyncio
import os
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from farm.load.job import Job, Seat, Target
from farm.load.schedule import Beats, Turns, start_of
from farm.load.tally import LATE, Tally
from farm.load.timetable import Timetable
from node.client.enip_exchange import EnipExchange
from node.client.failure import NoAnswer, no_answer
from node.client.modbus_tls import pinned_context
from node.client.prepared import MALFORMED, Exchange, Prepared, Refused
from node.client.prepared_enip import encoded_route
from node.client.prepared_modbus import ModbusExchange
from node.errors import NodeError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0
"""Seconds before a connection is tried again, at first and at last."""
TIMED_OUT = "time-out"
UNSENT = "time-out before it could be sent"
RESET = "connection reset"
CLOSED = "connection closed by the device"
ORIGINATOR = int.from_bytes(os.urandom(4), "little")
"""What this process's connections name themselves by; two generators must not meet under one name on a controller."""


class Wire(asyncio.Protocol):
    """A TCP connection of a client: what is under way on it, as (when it was to be sent, when it was, request)."""

    def __init__(self, client: "Client", exchange: Exchange) -> None:
        self.client = client
        self.exchange = exchange
        self.begun = asyncio.get_running_loop().create_future()
        self.under_way: dict[int, tuple[float, float, Prepared]] = {}
        self.transport: asyncio.Transport | None = None
        self._trouble = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins the session."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        first = self.exchange.begin()
        if first:
            transport.write(first)
        if self.exchange.ready:
            self.begun.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Counts the answers, and has the client send what may be sent now."""
        exchange, client = self.exchange, self.client
        try:
            answers = exchange.receive(data)
        except NodeError as exc:
            self._give_up(exc)
            return
        if not self.begun.done():
            self._go_on()
        if not answers:
            return
        now = client.clock()
        for answer in answers:
            entry = self.under_way.pop(answer.token, None)
            if entry is None:
                continue
            intended, sent, request = entry
            fault = exchange.fault(request, answer)
            if fault is None:
                client.tally.answered(client.node, request.kind, now - intended, now - sent)
            else:
                client.tally.failed(client.node, fault.kind, fault.detail)
        client.pump(now)

    def connection_lost(self, exc: Exception | None) -> None:
        """Counts what was under way as lost."""
        self.transport = None
        kind = self._trouble or (RESET if isinstance(exc, OSError) else CLOSED)
        if not self.begun.done():
            self.begun.set_exception(Refused(kind))
        for _, _, request in self.under_way.values():
            self.client.tally.failed(self.client.node, kind, request.names[0])
        self.under_way.clear()
        self.client.lost(self)

    def _go_on(self) -> None:
        more = self.exchange.outgoing()
        if more and self.transport is not None:
            self.transport.write(more)
        if self.exchange.ready:
            self.begun.set_result(None)

    def _give_up(self, exc: NodeError) -> None:
        """Ends a connection whose bytes make no sense, or that is refused."""
        self._trouble = str(exc) if isinstance(exc, Refused) else MALFORMED
        if not self.begun.done():
            self.begun.set_exception(exc if isinstance(exc, Refused) else Refused(MALFORMED))
        if self.transport is not None:
            self.transport.abort()


class Client:
    """A client, by its `seat` in `job`, that counts in `tally`."""

    def __init__(self, job: Job, seat: Seat, tally: Tally, clock: "Callable[[], float]") -> None:
        self.node = seat.target
        self.tally = tally
        self.clock = clock
        self._job = job
        self._seat = seat
        self._target: Target = job.targets[seat.target]
        self._turns = Turns(self._target.reads, self._target.writes, job.mix, job.seed * 1_000_003 + seat.number)
        self._endless: Iterator[Prepared] | None = None
        self._queue: deque[tuple[float, Prepared]] = deque()
        self._wire: Wire | None = None
        self._pause = FIRST_PAUSE
        self._attempts = 0
        self._trouble = ""
        self._ended = False
        self._due: Iterator[float] = iter(())
        self._next_due: float | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Whether requests wait for an answer, or to be sent."""
        return bool(self._queue) or (self._wire is not None and bool(self._wire.under_way))

    @property
    def connected(self) -> bool:
        """Whether there is a connection that can be used."""
        return self._wire is not None

    async def open(self) -> None:
        """Connects; where that fails, it is tried again later, and what waits to be sent has failed."""
        try:
            begun = self.clock()
            wire = await self._connect()
        except (Refused, NoAnswer) as exc:
            self._trouble = exc.reason if isinstance(exc, NoAnswer) else str(exc)
            self._fail_waiting(self._trouble)
            self._try_again()
            return
        self.tally.opened.record(int((self.clock() - begun) * 1e6))
        self._wire = wire
        if wire.transport is None:  # it went before this task had its turn
            self.lost(wire)
            return
        self._pause, self._trouble = FIRST_PAUSE, ""
        self.pump(self.clock())

    def start(self, origin: float, timetable: Timetable) -> None:
        """Begins to ask, at beats that count from `origin` on its clock."""
        job, seat = self._job, self._seat
        if job.rate is None:
            timetable.add(origin + start_of(seat.number, job.clients, job.ramp), self._ask_on)
            return
        beats = Beats(job.rate, job.ramp, seat.phase)
        last = beats.count(job.duration)
        if last:
            self._due = (origin + beats.time(number) for number in range(last))
            self._next_due = next(self._due)
            timetable.add(self._next_due, self._beat)

    def pump(self, now: float) -> None:
        """Sends what waits, as far as the line has room."""
        wire = self._wire
        if wire is None or wire.transport is None:
            return
        under_way, depth, queue = wire.under_way, self._job.depth, self._queue
        frames = []
        while len(under_way) < depth:
            if queue:
                intended, request = queue.popleft()
            elif self._endless is not None:
                intended, request = now, next(self._endless)
                self.tally.nodes[self.node].asked += 1
            else:
                break
            token, frame = wire.exchange.frame(request)
            under_way[token] = (intended, now, request)
            if now - intended > LATE:
                self.tally.late += 1
            frames.append(frame)
        if frames:
            self.tally.second.sent += len(frames)
            wire.transport.write(b"".join(frames) if len(frames) > 1 else frames[0])

    def sweep(self, now: float) -> None:
        """Gives up on what has waited too long."""
        oldest = now - self._job.timeout
        wire = self._wire
        late = False
        if wire is not None:
            under_way = wire.under_way
            while under_way:
                token = next(iter(under_way))  # they are in the order in which they were sent
                if under_way[token][1] > oldest:
                    break
                request = under_way.pop(token)[2]
                wire.exchange.forget(token)
                self.tally.failed(self.node, TIMED_OUT, request.names[0])
                late = True
        while self._queue and self._queue[0][0] <= oldest:
            self.tally.failed(self.node, self._trouble or UNSENT, self._queue.popleft()[1].names[0])
        if late:
            self.pump(now)

    def finish(self) -> None:
        """Asks nothing more; what waits is still sent."""
        self._endless = None
        self._ended = True

    def abandon(self) -> None:
        """Sends nothing more either."""
        self.finish()
        self._queue.clear()

    async def close(self) -> None:
        """Ends the session."""
        self._ended = True
        for task in self._tasks:
            task.cancel()
        wire, self._wire = self._wire, None
        if wire is not None and wire.transport is not None:
            last = wire.exchange.end()
            if last:
                wire.transport.write(last)
            wire.transport.close()

    def lost(self, wire: Wire) -> None:
        """Its connection has gone."""
        if wire is self._wire:
            self._wire = None
            self.tally.lost += 1
            self._try_again()

    async def _connect(self) -> Wire:
        """Raises `NoAnswer`, `Refused`."""
        target, timeout = self._target, self._job.timeout
        loop = asyncio.get_running_loop()
        wire: Wire | None = None
        try:
            async with asyncio.timeout(timeout):
                _, wire = await loop.create_connection(self._make_wire, target.host, target.port, ssl=self._context())
                await wire.begun
        except OSError as exc:
            if wire is not None and wire.transport is not None:
                wire.transport.abort()
            raise no_answer(target.host, target.port, exc, timeout) from exc
        return wire

    def _make_wire(self) -> Wire:
        return Wire(self, self._exchange())

    def _exchange(self) -> Exchange:
        if self._target.protocol == "modbus":
            return ModbusExchange()
        job = self._job
        self._attempts += 1
        serial = self._seat.number + self._attempts * job.clients
        return EnipExchange(job.connection, encoded_route(job.route), serial, ORIGINATOR)

    def _context(self) -> "ssl.SSLContext | None":
        if not self._target.tls:
            return None
        return pinned_context(self._target.tls)

    def _beat(self, now: float) -> float | None:
        """Asks what was to be asked by now; when it is to ask again."""
        if self._ended:
            return None
        asked = 0
        while self._next_due is not None and self._next_due <= now:
            self.tally.lag.record(int((now - self._next_due) * 1e6))
            for request in self._turns.next():
                self._queue.append((self._next_due, request))
                asked += 1
            self._next_due = next(self._due, None)
        self.tally.nodes[self.node].asked += asked
        self.pump(now)
        return self._next_due

    def _ask_on(self, now: float) -> None:
        if not self._ended:
            self._endless = self._turns.forever()
            self.pump(now)

    def _fail_waiting(self, kind: str) -> None:
        """What waits to be sent cannot be. A client without beats asks once for each time that it is turned away."""
        if self._endless is not None:
            self._queue.append((self.clock(), next(self._endless)))
            self.tally.nodes[self.node].asked += 1
        while self._queue:
            self.tally.failed(self.node, kind, self._queue.popleft()[1].names[0])

    def _try_again(self) -> None:
        if self._ended and not self._queue:
            return
        pause, self._pause = self._pause, min(LONGEST_PAUSE, 2 * self._pause)
        task = asyncio.get_running_loop().create_task(self._later(pause))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _later(self, pause: float) -> None:
        await asyncio.sleep(pause)
        await self.open()
