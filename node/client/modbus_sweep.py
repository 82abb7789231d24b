"""One poll of everything that is wanted of a device: merged reads, and what is left alone for a while.

A device that does not answer ends the poll. One that answers a read with an exception is asked the others, and that one
again later and later; addresses that are not there are looked at again one by one, for a program may be loaded.
"""

import time
from collections.abc import Callable, Sequence

from node.client.modbus import ModbusClient
from node.client.modbus_reads import REFUSED, Span, TableReads, Values, pick
from node.modbus.functions import ModbusError
from node.modbus.pdu import READ_FUNCTIONS, READ_LIMITS
from node.modbus.ranges import BIT_TABLES

LONGEST_PAUSE = 30.0
"""Seconds between two tries of what fails, at most (or the rate, where that is longer), and between two looks at an
address that was not there."""

HOLES = {table: 256 if table in BIT_TABLES else 16 for table in READ_FUNCTIONS}
"""Addresses that nobody wants and that are read all the same on a serial line, at most, so that a read more is saved:
32 bytes, which take it as long as the words around a read. Elsewhere any hole is cheaper than another way there and
back."""

Place = tuple[str, int]
"""Table and wire address."""

Busy = Callable[[float, float], object]
"""Is told from when to when the device was kept busy."""


def pause_after(failures: int, rate: float) -> float:
    """Seconds to the next try: the rate, doubled by each failure in a row."""
    return min(rate * 2.0 ** min(failures, 32), max(rate, LONGEST_PAUSE))


class Sweep:
    """Polls by `client`, with up to `depth` reads under way at once. For one thread."""

    def __init__(
        self, client: ModbusClient, busy: Busy, clock: Callable[[], float] = time.monotonic, depth: int = 1
    ) -> None:
        self._client = client
        self._depth = depth
        self._ahead: dict[tuple[str, Span], Sequence[int] | ModbusError] = {}
        self._busy = busy
        self._clock = clock
        self._tables: dict[str, TableReads] = {}
        self._failing: dict[tuple[str, Span], tuple[int, float]] = {}
        self._looks: dict[Place, float] = {}

    def want(self, place: Place) -> None:
        """Has it polled from the next time on."""
        table, address = place
        if table not in self._tables:
            limit = READ_LIMITS[READ_FUNCTIONS[table]]
            self._tables[table] = TableReads(limit, HOLES[table] if self._client.line.rtu else limit)
        self._tables[table].want([address])

    def run(self, rate: float) -> dict[Place, int]:
        """The values of all that could be read. `rate` is the time to the next poll, seconds. Raises `NodeError` when
        the device does not answer, and what the client's actions raise."""
        found: dict[Place, int] = {}
        if self._depth > 1:
            self._read_ahead()
        for table, reads in self._tables.items():
            plan = reads.plan()
            for span, wanted in plan.items():
                for at, value in self._poll(table, reads, span, wanted, rate).items():
                    found[table, at] = value
            if self._failing:
                self._failing = {each: on for each, on in self._failing.items() if each[0] != table or each[1] in plan}
            found |= self._look(table, reads)
        return found

    def _read_ahead(self) -> None:
        """All reads that are due, many of them at a time."""
        now = self._clock()
        due = [
            (table, span)
            for table, reads in self._tables.items()
            for span in reads.plan()
            if self._failing.get((table, span), (0, now))[1] <= now
        ]
        self._ahead = {}
        if due:
            with self._client.alone():
                begun = self._clock()
                try:
                    asked = [(table, span.start, span.count) for table, span in due]
                    self._ahead = dict(zip(due, self._client.read_together(asked, self._depth), strict=True))
                finally:
                    self._busy(begun, self._clock())

    def _poll(self, table: str, reads: TableReads, span: Span, wanted: Sequence[int], rate: float) -> Values:
        failures, until = self._failing.get((table, span), (0, 0.0))
        if self._clock() < until:
            return {}
        try:
            try:
                values = pick(span, wanted, self._read(table, span))
            except ModbusError as exc:
                if exc.code not in REFUSED:
                    raise
                values = reads.explore(span, lambda part: self._read(table, part))
        except ModbusError:
            self._failing[table, span] = (failures + 1, self._clock() + pause_after(failures + 1, rate))
            return {}
        if failures:
            del self._failing[table, span]
        return values

    def _look(self, table: str, reads: TableReads) -> dict[Place, int]:
        """One of the missing addresses, if it is time for one."""
        now = self._clock()
        for address in sorted(reads.missing):
            if self._looks.setdefault((table, address), now + LONGEST_PAUSE) <= now:
                self._looks[table, address] = now + LONGEST_PAUSE
                try:
                    values = self._read(table, Span(address, 1))
                except ModbusError:
                    return {}
                reads.forget_missing()  # it has changed: what is there now is found out anew
                self._looks = {place: when for place, when in self._looks.items() if place[0] != table}
                return {(table, address): values[0]}
        return {}

    def _read(self, table: str, span: Span) -> Sequence[int]:
        ahead = self._ahead.pop((table, span), None)
        if isinstance(ahead, ModbusError):
            raise ahead
        if ahead is not None:
            return ahead
        with self._client.alone():
            begun = self._clock()
            try:
                return self._client.read((table, span.start), count=span.count)  # type: ignore[return-value]
            finally:
                self._busy(begun, self._clock())
