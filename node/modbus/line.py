"""What holds on every serial line: its speeds, its silences, and who speaks when.

A character has 11 bits (start, eight data, parity, stop; without parity a second stop bit). A silence of 3.5 characters
(t3.5) ends an RTU frame, one over 1.5 (t1.5) inside it spoils it; above 19,200 baud both have a fixed length.
Modbus over Serial Line 1.02, 2.5.1.
"""

from collections.abc import Container

BITS = 11
"""Bits of a character."""
FASTEST_COUNTED = 19200
"""Baud up to which silences are counted in characters."""
T1_5, T3_5 = 0.000750, 0.001750
"""Seconds, at anything faster."""

SILENCE = 0.020
"""Seconds of silence as a busy machine sees them surely; what a driver or a USB adapter adds is less."""
RECEIVER_KEEPS = 8
"""Characters that a receiver collects before it tells anybody."""
ASCII_SILENCE = 1.0
"""Seconds between two characters of an ASCII frame at most (2.5.2.1)."""

BROADCAST = 0
"""The station that is everybody."""


def character(baud: int) -> float:
    """Seconds that a character takes."""
    return BITS / baud


def t1_5(baud: int) -> float:
    """The longest silence inside a frame, in seconds."""
    return T1_5 if baud > FASTEST_COUNTED else 1.5 * character(baud)


def t3_5(baud: int) -> float:
    """The shortest silence between frames, in seconds."""
    return T3_5 if baud > FASTEST_COUNTED else 3.5 * character(baud)


def silence(baud: int) -> float:
    """Seconds without a byte after which what was begun will not be ended. A slow line's own characters come in lots,
    which look like silences."""
    return max(t3_5(baud) + RECEIVER_KEEPS * character(baud), SILENCE)


class Turns:
    """Who speaks: a master asks, and whom it asked answers, before it asks again. A request and a reply may look the
    same, so which one a frame is depends on the one before. `stations` are those that are served here."""

    __slots__ = ("_asked", "_stations")

    def __init__(self, stations: Container[int]) -> None:
        self._stations = stations
        self._asked: tuple[int, int] | None = None

    def awaits(self, station: int, function: int) -> bool:
        """Whether a station elsewhere was just asked, and would answer so; 0x80 of a function counts for nothing."""
        return self._asked == (station, function & 0x7F)

    def is_request(self, station: int, function: int, possible: bool) -> bool:
        """Whether a frame is a request, and not another's reply; `possible` says that it has the form of one."""
        awaited = self.awaits(station, function)
        self._asked = None
        if station == BROADCAST or station in self._stations:
            return possible
        if awaited or not possible:
            return False
        self._asked = (station, function)
        return True
