"""What a device counts of its line, and the events that it remembers: the state behind functions 8, 11 and 12.

Counts are words and wrap. A read that a server answers without looking (`Units.readers`) is counted by `quick` alone,
and `settle` puts it where it belongs before anything else is counted or told.
Modbus Application Protocol 1.1b3, 6.8 to 6.10.
"""

from collections import deque

from node.modbus.diagnostics import (
    BUS_ERRORS,
    BUS_EXCEPTIONS,
    BUS_MESSAGES,
    BUSY,
    CHANGE_DELIMITER,
    CLEAR_COUNTERS,
    CLEAR_OVERRUNS,
    EVENTS_LIMIT,
    LISTEN_ONLY,
    NAKS,
    NO_RESPONSES,
    OVERRUNS,
    RESTART,
    RETURN_QUERY_DATA,
    RETURN_REGISTER,
    SERVER_MESSAGES,
    Diagnostics,
    EventCounter,
    EventLog,
)
from node.modbus.functions import (
    COMM_EVENT_COUNTER,
    COMM_EVENT_LOG,
    ILLEGAL_FUNCTION,
    NEGATIVE_ACKNOWLEDGE,
    SERVER_DEVICE_BUSY,
    SERVER_DEVICE_FAILURE,
    ModbusError,
    need,
)

WORD = 0xFFFF
RECEIVED, SENT = 0x80, 0x40
"""What an event is about."""
WHILE_LISTENING, BROADCAST = 0x20, 0x40
"""Of a message received."""
RESTARTED, FELL_SILENT = 0x00, 0x04
"""Events of their own."""
CLEAR_LOG = b"\xff\x00"
NOTHING = b"\0\0"

_COUNTS = (BUS_MESSAGES, BUS_ERRORS, BUS_EXCEPTIONS, SERVER_MESSAGES, NO_RESPONSES, NAKS, BUSY, OVERRUNS)
_ORDERS = (RETURN_REGISTER, LISTEN_ONLY, CLEAR_COUNTERS, CLEAR_OVERRUNS)
"""Sub-functions that count nothing and take no data."""
_UNCOUNTED = (COMM_EVENT_COUNTER, COMM_EVENT_LOG)
"""Functions whose success is no event for the event counter."""


class Counters:
    """Of one unit. `listening` is set while it hears everything and says nothing (sub-function 4); `delimiter` ends an
    ASCII frame. `quick` may be counted up by whoever answers reads."""

    __slots__ = ("_counts", "_log", "delimiter", "events", "listening", "quick", "register")

    def __init__(self) -> None:
        self._counts = dict.fromkeys(_COUNTS, 0)
        self._log: deque[int] = deque(maxlen=EVENTS_LIMIT)
        self.events = 0
        self.register = 0
        self.listening = False
        self.delimiter = 0x0A
        self.quick = 0

    def settle(self) -> None:
        """Counts the quick reads as if each had come this way."""
        quick, self.quick = self.quick, 0
        if quick:
            for sub in (BUS_MESSAGES, SERVER_MESSAGES):
                self._add(sub, quick)
            self.events = (self.events + quick) & WORD
            self._log.extendleft((RECEIVED, SENT) * min(quick, EVENTS_LIMIT // 2))

    def heard(self, mine: bool, broadcast: bool = False) -> None:
        """A good frame was on the line, for this unit or for another."""
        self._add(BUS_MESSAGES)
        if mine or broadcast:
            self._add(SERVER_MESSAGES)
            flags = (BROADCAST if broadcast else 0) | (WHILE_LISTENING if self.listening else 0)
            self._log.appendleft(RECEIVED | flags)
        if broadcast or (mine and self.listening):
            self._add(NO_RESPONSES)

    def spoilt(self) -> None:
        """A frame whose check did not fit, or that was cut off."""
        self._add(BUS_ERRORS)

    def answered(self, function: int, code: int = 0) -> None:
        """A reply was made, with the exception `code`, 0 for none."""
        if code == 0:
            self.events += function not in _UNCOUNTED
            self.events &= WORD
            self._log.appendleft(SENT)
            return
        self._add(BUS_EXCEPTIONS)
        if code == NEGATIVE_ACKNOWLEDGE:
            self._add(NAKS)
        if code == SERVER_DEVICE_BUSY:
            self._add(BUSY)
        self._log.appendleft(SENT | _reply_flag(code))

    def diagnose(self, request: Diagnostics) -> Diagnostics | None:
        """The reply to function 8; None where there is to be none. Raises `ModbusError` 01 for a sub-function that is
        not known, 03 for data that it does not take. One that listens only does a restart and nothing else."""
        sub, data = request.sub, request.data
        if self.listening and sub != RESTART:
            return None
        if sub == RETURN_QUERY_DATA:
            return request
        if sub == RESTART:
            need(data in (NOTHING, CLEAR_LOG), f"a restart with {data.hex()}")
            return self._restart(request)
        if sub == CHANGE_DELIMITER:
            need(data[1] == 0, f"a delimiter of {data.hex()}")
            self.delimiter = data[0]
            return request
        if sub not in self._counts and sub not in _ORDERS:
            raise ModbusError(ILLEGAL_FUNCTION, f"diagnostics {sub} is not supported")
        need(data == NOTHING, f"diagnostics {sub} with {data.hex()}")
        if sub in self._counts or sub == RETURN_REGISTER:
            return Diagnostics(sub, self._counts.get(sub, self.register).to_bytes(2, "big"))
        if sub == LISTEN_ONLY:
            self.listening = True
            self._log.appendleft(FELL_SILENT)
            return None
        if sub == CLEAR_COUNTERS:
            self._clear()
            self.register = 0
            return request
        self._counts[OVERRUNS] = 0
        return request

    def event_counter(self) -> EventCounter:
        """The reply to function 11."""
        return EventCounter(0, self.events)

    def event_log(self) -> EventLog:
        """The reply to function 12."""
        return EventLog(0, self.events, self._counts[BUS_MESSAGES], bytes(self._log))

    def _restart(self, request: Diagnostics) -> Diagnostics | None:
        was_listening, self.listening = self.listening, False
        self._clear()
        if request.data == CLEAR_LOG:
            self._log.clear()
        self._log.appendleft(RESTARTED)
        return None if was_listening else request

    def _clear(self) -> None:
        self._counts = dict.fromkeys(_COUNTS, 0)
        self.events = 0

    def _add(self, sub: int, count: int = 1) -> None:
        self._counts[sub] = (self._counts[sub] + count) & WORD


def _reply_flag(code: int) -> int:
    """The bit of a reply's event that says which exceptions it was of."""
    if code < SERVER_DEVICE_FAILURE:
        return 0x01
    if code == SERVER_DEVICE_FAILURE:
        return 0x02
    return 0x08 if code == NEGATIVE_ACKNOWLEDGE else 0x04
