"""The chain: order, fate, and what stands in it."""

import math
import struct

import pytest

from node.cip.types import INT, REAL
from node.errors import NodeError
from node.exchange.delay import check_delay, even_delay, parse_delay
from node.exchange.exchange import CLOSE, DROP, SEND, Chain, Exchange, build_chain
from node.exchange.printing import Printer
from node.memory.access import Access
from node.memory.attribute import Attribute


class Noting:
    """Notes its calls, and does what it is told."""

    def __init__(self, name: str, log: list[str], action: str = SEND, reply: bytes | None = None) -> None:
        self.name = name
        self.log = log
        self.action = action
        self.reply = reply

    def before(self, exchange: Exchange) -> None:
        self.log.append(f"{self.name} before")
        exchange.action = self.action
        exchange.reply = self.reply

    def after(self, exchange: Exchange) -> None:
        self.log.append(f"{self.name} after {exchange.reply!r}")


def run(*interceptors: Noting) -> Exchange:
    def answer(frame: bytes, accesses: list[Access]) -> bytes:
        interceptors[0].log.append("answer")
        return frame.upper()

    return Chain(interceptors).run(b"ask", answer, "10.0.0.1:5", 2.5)


def test_the_first_is_outermost() -> None:
    log: list[str] = []
    exchange = run(Noting("a", log), Noting("b", log))
    assert log == ["a before", "b before", "answer", "b after b'ASK'", "a after b'ASK'"]
    assert (exchange.peer, exchange.now, exchange.request, exchange.reply) == ("10.0.0.1:5", 2.5, b"ask", b"ASK")
    assert (exchange.delay, exchange.action) == (0.0, SEND)


@pytest.mark.parametrize("action", [DROP, CLOSE])
def test_a_request_that_was_dropped_does_not_run(action: str) -> None:
    log: list[str] = []
    exchange = run(Noting("a", log, action))
    assert log == ["a before", "a after None"]
    assert exchange.reply is None


def test_a_request_that_was_answered_does_not_run() -> None:
    log: list[str] = []
    assert run(Noting("a", log, reply=b"no")).reply == b"no"
    assert "answer" not in log


def test_a_chain_of_nothing_is_none() -> None:
    assert build_chain([]) is None
    assert build_chain([even_delay(1)]) is not None


def test_delays_add_up_and_repeat() -> None:
    exchanges = [Exchange("", 0.0, b"") for _ in range(50)]
    for some in (exchanges[:25], exchanges[25:]):
        for slow in (even_delay(0.1, 0.2, seed=3), even_delay(1)):
            for exchange in some:
                slow.before(exchange)
                slow.after(exchange)
    delays = [exchange.delay for exchange in exchanges]
    assert delays[:25] == delays[25:]
    assert all(1.1 <= delay <= 1.2 for delay in delays)
    assert len(set(delays)) > 10


@pytest.mark.parametrize(
    ("text", "span"), [("0.5", (0.5, 0.5)), ("0.1-0.5", (0.1, 0.5)), ("0", (0.0, 0.0)), ("1e-05", (1e-5, 1e-5))]
)
def test_delays_are_written_as_seconds(text: str, span: tuple[float, float]) -> None:
    assert parse_delay(text) == span


@pytest.mark.parametrize("text", ["x", "", "-", "1-x", "1-", "1e-", "1e-5-2", "1-2-3"])
def test_no_delay(text: str) -> None:
    with pytest.raises(NodeError, match="delay"):
        parse_delay(text)


@pytest.mark.parametrize("span", [(-1, 1), (2, 1), (math.nan, 1), (1, math.nan), (0, math.inf)])
def test_impossible_delays(span: tuple[float, float]) -> None:
    with pytest.raises(NodeError, match="delay"):
        check_delay(*span)


def test_printing() -> None:
    tag = Attribute(INT, (5,), name="SCADA")
    exchange = Exchange("", 0.0, b"")
    exchange.accesses += [
        Access(tag, 0, 2, False, b"\1\0\2\0"),
        Access(tag, 4, 5, True, b"\xff\xff"),
        Access(tag, 4, 6, True, b"", 0xFF),
        Access(tag, 0, 1, False, b"\1\0", 6),
        Access(Attribute(INT, name="ONE"), 0, 1, False, b"\7\0"),
        Access(Attribute(REAL, (4,), name="R"), 0, 4, True, struct.pack("<4f", 1.1, 3.4028235e38, 1e-45, float("inf"))),
    ]
    lines: list[str] = []
    printer = Printer(lines.append)
    printer.before(exchange)
    printer.after(exchange)
    assert lines == [
        "SCADA[0-1] == [1, 2]",
        "SCADA[4] <= [-1]",
        "SCADA[4-5] <= error 0xFF",
        "SCADA[0] == [1]",
        "ONE == [7]",
        "R[0-3] <= [1.1, 3.4028235e+38, 1e-45, inf]",
    ]
