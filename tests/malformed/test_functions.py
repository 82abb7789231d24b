"""Each wrong request of every function: whole, byte by byte and with a good one right behind it. On a live node in the
frames of Modbus/TCP; in those of RTU and ASCII on a line whose silences are a matter of the clock's hands."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from node.exchange.metrics import Metrics
from node.memory.attribute import Instant
from node.modbus.adu import encode_adu
from node.modbus_face import modbus_service
from node.server.modbus_line import ModbusLine
from node.tag_memory import build_tags
from tests.malformed import function_cases
from tests.malformed.function_cases import ANSWERED, GOOD, LATE, NO_FRAME, Wrong
from tests.malformed.live import connect, receive, serving
from tests.malformed.nodes import METER, METER_HOST, METER_PORT

pytestmark = pytest.mark.net

UNCHANGED = (
    ("03 0000 0066", "03 CC" + "".join(f"{k:04X}" for k in range(100)) + "00000000"),
    ("03 FFFA 0006", "03 0C" + "0000" * 6),
    ("01 0000 0010", "01 02 0000"),
    ("01 FFFA 0006", "01 01 00"),
    ("14 07 06 0004 0000 0014", "14 2A 29 06" + "".join(f"{k:04X}" for k in range(20))),
    ("18 04DE", "18 0006 0002 0000 0000"),
)
"""What is there after all: wrong requests have changed nothing, and the very last address of a table can be read."""
SILENCE = 0.02
"""Seconds that end a frame."""


@pytest.fixture(scope="module")
def meter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The node, with Modbus/TCP."""
    with contextmanager(serving)(METER, tmp_path_factory.mktemp("meter") / "meter.json"):
        yield


def adu(pdu: bytes) -> bytes:
    return encode_adu(0x1234, 1, pdu)


def expect(link: socket.socket, *pdus: bytes) -> None:
    wanted = b"".join(adu(pdu) for pdu in pdus)
    assert receive(link, len(wanted)).hex(" ") == wanted.hex(" ")


@pytest.mark.parametrize("case", function_cases.CASES, ids=lambda case: case.name)
def test_on_tcp(meter: None, case: Wrong) -> None:
    with connect(METER_PORT, METER_HOST) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.sendall(adu(case.request))
        expect(link, case.reply)
        for byte in adu(case.request):
            link.sendall(bytes((byte,)))
        expect(link, case.reply)
        link.sendall(adu(case.request) + adu(GOOD.request))
        expect(link, case.reply, GOOD.reply)


def test_nothing_was_changed_on_tcp(meter: None) -> None:
    with connect(METER_PORT, METER_HOST) as link:
        for request, reply in UNCHANGED:
            link.sendall(adu(bytes.fromhex(request)))
            expect(link, bytes.fromhex(reply))


class Station:
    """The same node on a line."""

    def __init__(self, framing: str) -> None:
        self.framing = framing
        self.now = 100.0
        assert METER.modbus is not None
        service = modbus_service(METER, METER.modbus, build_tags(METER.tags, 0.0, {}), {}, Instant())
        self._line = ModbusLine(service, Metrics(), lambda: self.now, framing, SILENCE)

    def hear(self, *pieces: bytes) -> list[bytes]:
        """The PDUs that it answers to pieces which come one right after the other, and to the silence behind them."""
        frames = []
        for piece in pieces:
            self.now += 0.001
            frames += [exchange.reply for exchange in self._line.feed(piece, "master")]
        self.now += 2 * SILENCE
        frames += [exchange.reply for exchange in self._line.quiet("master")]
        assert not self._line.framer.pending
        return [self._line.framer.decode(frame)[1] for frame in frames if frame is not None]

    def framed(self, pdu: bytes) -> bytes:
        return self._line.framer.encode(1, pdu)


@pytest.fixture(scope="module", params=["rtu", "ascii"])
def station(request: pytest.FixtureRequest) -> Station:
    return Station(request.param)


@pytest.mark.parametrize("case", function_cases.CASES, ids=lambda case: case.name)
def test_on_a_line(station: Station, case: Wrong) -> None:
    rtu = station.framing == "rtu"
    answered = case.rtu is not NO_FRAME if rtu else case.ascii
    answer = [case.reply] if answered else []
    frame, good = station.framed(case.request), station.framed(GOOD.request)
    assert station.hear(frame) == answer
    assert station.hear(good) == [GOOD.reply]
    assert station.hear(*(bytes((byte,)) for byte in frame)) == answer
    assert station.hear(good) == [GOOD.reply]
    behind = [] if rtu and case.rtu is LATE else answer  # what comes at once is no end of a frame
    assert station.hear(frame + good) == [*behind, GOOD.reply]


def test_nothing_was_changed_on_a_line(station: Station) -> None:
    for request, reply in UNCHANGED:
        assert station.hear(station.framed(bytes.fromhex(request))) == [bytes.fromhex(reply)]


def test_every_function_is_asked_wrongly() -> None:
    asked = {case.request[0] for case in function_cases.CASES}
    assert asked >= {1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43}
    assert {case.rtu for case in function_cases.CASES} == {ANSWERED, LATE, NO_FRAME}
