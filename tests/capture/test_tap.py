"""What a tap sees of exchanges: in the order of the wire, within its bounds, and nothing once it is forgotten."""

import struct
from collections.abc import Callable

import pytest

from node.capture.tap import FORGOTTEN, Capture
from node.exchange.delay import even_delay
from node.exchange.exchange import CLOSE, DROP, Chain, Exchange
from node.memory.access import Access

Fate = Callable[[Exchange], None]


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 10.0

    def __call__(self) -> float:
        return self.now


class Fated:
    """An interceptor that decides what becomes of an exchange."""

    def __init__(self, fate: Fate) -> None:
        self._fate = fate

    def before(self, exchange: Exchange) -> None:
        """Nothing."""

    def after(self, exchange: Exchange) -> None:
        self._fate(exchange)


def answer(frame: bytes, accesses: list[Access]) -> bytes:
    return frame.upper()


def payloads(capture: Capture) -> list[tuple[float, bytes]]:
    """Instant and TCP payload of what has passed, handshakes and ends left out."""
    frames, more = capture.fetch(1 << 20)
    assert not more
    found = [(time, frame[34 + (frame[46] >> 4) * 4 :]) for time, frame in frames]
    return [(time, payload) for time, payload in found if payload]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def capture(clock: Clock) -> Capture:
    return Capture("127.64.1.1", clock, lambda: None)


def test_a_request_and_its_reply(capture: Capture) -> None:
    Chain([capture.tap(44818)]).run(b"ask", answer, "127.0.0.1:5", 10.0)
    frames, _ = capture.fetch(1 << 20)
    assert [frame[47] for _, frame in frames] == [0x02, 0x12, 0x10, 0x18, 0x18]
    assert frames[3][1].endswith(b"ask")
    assert frames[4][1].endswith(b"ASK")
    assert struct.unpack_from("!HH", frames[3][1], 34) == (5, 44818)


def test_a_delayed_reply_shows_when_it_is_sent_and_in_order(capture: Capture, clock: Clock) -> None:
    slow = Chain([capture.tap(44818), even_delay(0.5)])
    slow.run(b"one", answer, "127.0.0.1:5", 10.0)
    Chain([capture.tap(44818)]).run(b"two", answer, "127.0.0.1:5", 10.0)
    assert payloads(capture) == [(10.0, b"one"), (10.0, b"two")]
    clock.now = 10.5
    assert payloads(capture) == [(10.5, b"ONE"), (10.5, b"TWO")]


def test_what_is_dropped_was_never_sent(capture: Capture) -> None:
    def drop(exchange: Exchange) -> None:
        exchange.action = DROP

    Chain([capture.tap(502), Fated(drop)]).run(b"ask", answer, "127.0.0.1:5", 10.0)
    assert payloads(capture) == [(10.0, b"ask")]


def test_an_end_shows_and_the_next_connection_begins_anew(capture: Capture) -> None:
    def close(exchange: Exchange) -> None:
        exchange.action = CLOSE

    Chain([capture.tap(502), Fated(close)]).run(b"ask", answer, "127.0.0.1:5", 10.0)
    Chain([capture.tap(502)]).run(b"again", answer, "127.0.0.1:5", 10.0)
    flags = [frame[47] for _, frame in capture.fetch(1 << 20)[0]]
    assert flags == [0x02, 0x12, 0x10, 0x18, 0x11, 0x11, 0x10, 0x02, 0x12, 0x10, 0x18, 0x18]


def test_a_datagram_is_one_frame(capture: Capture) -> None:
    Chain([capture.tap(44818)]).run(b"who", answer, "127.0.0.1:5", 10.0, datagram=True)
    frames = [frame for _, frame in capture.fetch(1 << 20)[0]]
    assert [(frame[23], frame[42:]) for frame in frames] == [(17, b"who"), (17, b"WHO")]


def test_it_is_bounded_and_says_what_it_lost(clock: Clock) -> None:
    capture = Capture("127.64.1.1", clock, lambda: None, kept=1000)
    for number in range(20):
        Chain([capture.tap(502)]).run(bytes(100), answer, f"127.0.0.1:{number}", 10.0)
    assert capture.lost == 34
    assert len(payloads(capture)) == 6
    Chain([capture.tap(502)]).run(b"ask", answer, "127.0.0.1:99", 10.0)
    assert len(payloads(capture)) == 2, "what was fetched makes room"


def test_it_is_fetched_in_portions(capture: Capture) -> None:
    for _ in range(10):
        Chain([capture.tap(502)]).run(bytes(1000), answer, "127.0.0.1:5", 10.0)
    first, more = capture.fetch(2000)
    assert (len(first), more) == (5, True)
    assert len(capture.fetch(1 << 20)[0]) == 18


def test_one_that_nobody_reads_is_forgotten(clock: Clock) -> None:
    forgotten = []
    capture = Capture("127.64.1.1", clock, lambda: forgotten.append(True))
    tap = capture.tap(502)
    Chain([tap]).run(b"ask", answer, "127.0.0.1:5", 10.0 + FORGOTTEN)
    assert forgotten == []
    Chain([tap]).run(b"ask", answer, "127.0.0.1:5", 10.1 + FORGOTTEN)
    assert forgotten == [True]


def test_a_peer_that_makes_no_sense_shows_nothing(capture: Capture) -> None:
    Chain([capture.tap(502)]).run(b"ask", answer, "unix", 10.0)
    assert capture.fetch(1 << 20) == ([], False)
