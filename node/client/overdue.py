"""The answers that a serial line may still give to requests that were given up.

Nothing in a frame of a line says which request it answers. Station, function, length and what a write's answer repeats
tell most requests apart; two reads of as many registers they do not. A device that is slower than the time-out would be
one answer behind from then on, and each value that of the request before. So for a while after a time-out an answer has
to fit its request, and a request whose answer could be that late one is not sent before the while is over, in which the
line drops what comes. Modbus over Serial Line 1.02, 2.4.1.
"""

from node.errors import NodeError, ProtocolError
from node.modbus.functions import DIAGNOSTICS, READ_WRITE_REGISTERS, ModbusError
from node.modbus.pdu import check_reply, decode_reply, decode_request
from node.record import dataclass

SHARE = 0.5
"""Of the seconds that were waited for an answer, those that it may be late."""

_BITS = (1, 2)
_REGISTERS = (3, 4, READ_WRITE_REGISTERS)
_REPEATED = {
    5: slice(1, 5),
    6: slice(1, 5),
    15: slice(1, 5),
    16: slice(1, 5),
    22: slice(1, 7),
    DIAGNOSTICS: slice(1, 3),
}
"""Function to what of its request its answer repeats."""


@dataclass(slots=True)
class _Request:
    """One that was given up: it may be answered until then."""

    unit: int
    pdu: bytes
    until: float
    late: float


class Overdue:
    """Those of one line. `now` is in seconds, of any clock that goes on."""

    def __init__(self) -> None:
        self._requests: list[_Request] = []

    def give_up(self, unit: int, pdu: bytes, waited: float, now: float) -> None:
        """It was waited so many seconds for an answer."""
        self._requests.append(_Request(unit, pdu, now + waited * SHARE, waited * SHARE))

    def any(self, now: float) -> bool:
        """Whether there may be one."""
        self._requests = [request for request in self._requests if request.until > now]
        return bool(self._requests)

    def pause(self, unit: int, pdu: bytes, now: float) -> float:
        """Seconds until nothing may come any more that could be taken for the answer to `pdu`, and is none."""
        alike = (each for each in self._requests if each.unit == unit and each.pdu != pdu and _alike(each.pdu, pdu))
        return max(0.0, max((each.until for each in alike), default=now) - now)

    def answered(self, unit: int, pdu: bytes, now: float) -> None:
        """An answer came, and it may be the late one to the very same request: then another is still to come."""
        for request in self._requests:
            if (request.unit, request.pdu) == (unit, pdu):
                request.until = now + request.late


def fits(pdu: bytes, reply: bytes) -> bool:
    """Whether a PDU can be the answer to the request `pdu`: as far as either is understood."""
    try:
        request = decode_request(pdu)
    except NodeError:
        return True
    try:
        check_reply(request, decode_reply(reply))
    except ModbusError:
        return True
    except ProtocolError:
        return False
    return True


def _alike(one: bytes, other: bytes) -> bool:
    """Whether a good answer to one could be one to the other."""
    function = one[0]
    if function != other[0]:
        return False
    if function in _BITS:
        return _bytes_of_bits(one) == _bytes_of_bits(other)
    if function in _REGISTERS:
        return one[3:5] == other[3:5]
    repeated = _REPEATED.get(function)
    return repeated is None or one[repeated] == other[repeated]


def _bytes_of_bits(pdu: bytes) -> int:
    return (int.from_bytes(pdu[3:5], "big") + 7) // 8
