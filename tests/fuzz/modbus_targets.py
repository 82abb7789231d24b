"""Modbus, fuzzed: what finds frames in bytes, on each side and in each framing, and what a client makes of an answer.

More is asked here than to raise nothing: frames do not depend on how bytes were cut, what is given has its right check,
and after a silence a good frame is found whatever came before it.
"""

import contextlib
from collections.abc import Callable

from node.client.channels import Channel
from node.client.modbus import ModbusClient
from node.client.modbus_line import Limits, Line
from node.client.modbus_line_link import LineLink
from node.client.patience import OutOfTime, Patience
from node.client.rtu_replies import RtuReplies
from node.errors import NodeError
from node.modbus.adu import TcpFramer, decode_adu, encode_adu
from node.modbus.ascii import AsciiFramer, decode_ascii
from node.modbus.diagnostics import ANSWERS, Bare, Diagnostics
from node.modbus.identification import IdentificationRequest
from node.modbus.line import BROADCAST
from node.modbus.pdu import (
    MaskWrite,
    Read,
    ReadWrite,
    Request,
    WriteMultiple,
    WriteSingle,
    check_reply,
    decode_reply,
    function_of,
)
from node.modbus.records import FifoRead, FileRead, FileWrite
from node.modbus.rtu import RtuFramer, decode_rtu, encode_rtu

STATIONS = (1, 5)
OURS = (BROADCAST, *STATIONS)
GOOD = bytes.fromhex("03 0007 0001")

ASKED: tuple[Request, ...] = (
    *(Read(function, 0, 8) for function in (1, 2, 3, 4)),
    *(WriteSingle(5, 0, 0xFF00), WriteSingle(6, 0, 7)),
    *(WriteMultiple(15, 0, 8, b"\xff"), WriteMultiple(16, 0, 1, b"\0\7")),
    *(MaskWrite(0, 1, 2), ReadWrite(0, 2, 0, b"\0\7")),
    *(Bare(function) for function in ANSWERS),
    *(Diagnostics(0, b"\xa5\x37"), Diagnostics(11, b"\0\0")),
    *(FileRead(((4, 0, 2),)), FileWrite(((4, 0, b"\0\7"),)), FifoRead(0x04DE)),
    IdentificationRequest(1, 0),
)
"""A request of every function."""


def mbap(data: bytes) -> None:
    """Frames of Modbus/TCP; each one given can be taken apart, and all before a header that cannot be are given."""
    cut, body = (data[0], data[1:]) if data else (0, b"")
    whole, split = TcpFramer(), TcpFramer()
    frames = whole.feed(body)
    if split.feed(body[:cut]) + split.feed(body[cut:]) != frames:
        raise AssertionError(f"cut at {cut}")
    for frame in frames:
        transaction, unit, pdu = decode_adu(frame)
        if encode_adu(transaction, unit, pdu) != frame:
            raise AssertionError(f"{frame.hex()} is not what was decoded")
    good = encode_adu(9, 1, GOOD)
    found = TcpFramer().feed(b"".join(frames) + good)
    if found != [*frames, good]:
        raise AssertionError("a good frame behind good ones is not found")


def rtu(data: bytes) -> None:
    """Frames of a line."""
    _line(data, lambda: RtuFramer(STATIONS), decode_rtu)


def ascii_frames(data: bytes) -> None:
    """The same in ASCII."""
    _line(data, lambda: AsciiFramer(STATIONS), decode_ascii)


def _line(
    data: bytes, made: Callable[[], RtuFramer | AsciiFramer], decode: Callable[[bytes], tuple[int, bytes]]
) -> None:
    """`decode` raises where the check of a frame that was given does not fit."""
    cut, body = (data[0], data[1:]) if data else (0, b"")
    whole, split = made(), made()
    frames = [*whole.feed(body, 1.0), *whole.quiet()]
    again = [*split.feed(body[:cut], 1.0), *split.feed(body[cut:], 1.001), *split.quiet()]
    # Of what others say to each other a request that begins like a reply may be taken for one: nobody here is asked.
    asked, asked_again = ([frame for frame in each if decode(frame)[0] in OURS] for each in (frames, again))
    if asked_again != asked:
        raise AssertionError(f"cut at {cut}: {asked_again} instead of {asked}")
    good = whole.encode(1, GOOD)
    for framer in (whole, split):
        if framer.pending or framer.feed(good, 5.0) != [good]:
            raise AssertionError("a good frame is not found after a silence")


def rtu_replies(data: bytes) -> None:
    """What a client takes for its answer is from whom it asked, of what it asked, and whole; cut or not."""
    cut, body = (data[0], data[1:]) if data else (0, b"")
    for function in {*map(function_of, ASKED)} & {byte & 0x7F for byte in body}:
        whole = RtuReplies(1, function).feed(body)
        split = RtuReplies(1, function)
        found = split.feed(body[:cut]) or split.feed(body[cut:])
        for frame in filter(None, (whole, found)):
            station, pdu = decode_rtu(frame)
            if (station, pdu[0] & 0x7F) != (1, function):
                raise AssertionError(f"{frame.hex()} answers nobody's function {function}")
        if found and not whole and len(body) <= 256:
            raise AssertionError(f"cut at {cut} there is an answer that is none otherwise")


def answers(data: bytes) -> None:
    """Each as the reply to a request of every function."""
    with contextlib.suppress(NodeError):
        reply = decode_reply(data)
        for request in ASKED:
            with contextlib.suppress(NodeError):
                check_reply(request, reply)


def ascii_replies(data: bytes) -> None:
    """What a client finds in an ASCII line, cut anywhere."""
    cut, body = (data[0], data[1:]) if data else (0, b"")
    link = LineLink("127.0.0.1", 502, "ascii")
    link._asked = (1, 3)
    for piece in (body[:cut], body[cut:]):
        pdu = link._find_ascii(piece)
        if pdu and pdu[0] & 0x7F != 3:
            raise AssertionError(f"{pdu.hex()} does not answer function 3")


class Said(Channel):
    """A device that answers every request with the same bytes, in two pieces, and then is silent."""

    def __init__(self, pieces: list[bytes]) -> None:
        super().__init__("127.0.0.1", 502)
        self._pieces = pieces
        self._left: list[bytes] = []

    @property
    def is_open(self) -> bool:
        return True

    def open(self, patience: Patience) -> None:
        """It is."""

    def send(self, data: bytes, patience: Patience) -> None:
        """Takes a request; its transaction number is put into the answer where that begins with two zeros."""
        first = self._pieces[0]
        self._left = [data[:2] + first[2:] if first[:2] == b"\0\0" else first, *self._pieces[1:]]

    def receive(self, patience: Patience) -> bytes:
        """The next piece."""
        while self._left:
            if piece := self._left.pop(0):
                return piece
        raise OutOfTime("no more is said")

    def close(self) -> None:
        """It stays open."""


def client(data: bytes) -> None:
    """The client for threads, with pymodbus below it: whatever a device says, it is an answer or one error of ours."""
    if len(data) > 2:
        cut, asked, body = data[0], data[1], data[2:]
        for rtu_frames in (False, True):
            _ask(Said([body[:cut], body[cut:]]), rtu_frames, ASKED[asked % len(ASKED)])


def framed(data: bytes) -> None:
    """The same, where the device's frames are right and what is in them is not."""
    if 0 < len(data) <= 253:
        for request in ASKED:
            if function_of(request) == data[0] & 0x7F:
                _ask(Said([encode_adu(0, 1, data)]), False, request)
                _ask(Said([encode_rtu(1, data)]), True, request)


def _ask(device: Said, rtu_frames: bool, request: Request) -> None:
    with contextlib.suppress(NodeError):
        ModbusClient(Line(device, rtu=rtu_frames), limits=Limits(total=60.0)).request(request)


MODBUS_TARGETS: dict[str, Callable[[bytes], None]] = {
    "mbap": mbap,
    "rtu": rtu,
    "ascii": ascii_frames,
    "rtu replies": rtu_replies,
    "ascii replies": ascii_replies,
    "answers": answers,
    "client": client,
    "client frames": framed,
}
