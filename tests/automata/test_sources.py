"""Sources: looking ahead, putting back, adding more, and an end before the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.automata import chainable, peekable


@pytest.mark.parametrize("symbols", ["abc", b"abc", ["a", "b", "c"], ("a", "b", "c"), iter("abc"), bytearray(b"abc")])
def test_symbols_come_one_by_one(symbols: object) -> None:
    source = peekable(symbols)  # type: ignore[arg-type]
    first = source.peek()
    assert (source.peek(), source.sent) == (first, 0)
    assert next(source) == first
    source.push(first)
    assert (source.sent, source.peek()) == (0, first)
    assert len(list(source)) == 3
    assert (source.sent, source.peek(), source.peek("none")) == (3, None, "none")


def test_another_symbol_may_be_put_back() -> None:
    source = peekable("abc")
    assert next(source) == "a"
    source.push("x")
    assert (source.sent, "".join(source), source.sent) == (0, "xbc", 3)


def test_no_more_is_read_than_is_looked_at() -> None:
    read = []

    def symbols() -> object:
        for symbol in "abc":
            read.append(symbol)
            yield symbol

    source = peekable(symbols())  # type: ignore[arg-type]
    assert (source.peek(), next(source), source.peek(), read) == ("a", "a", "b", ["a", "b"])


def test_a_source_may_go_on() -> None:
    source = chainable("a")
    assert (next(source), source.peek()) == ("a", None)
    source.chain("b")
    source.chain(iter("c"))
    source.chain("d")
    assert ("".join(source), source.sent) == ("bcd", 4)


@given(st.lists(st.binary(max_size=5)), st.integers(0, 12), st.integers(0, 12))
def test_an_end_before_the_end(pieces: list[bytes], near: int, far: int) -> None:
    source = chainable(b"")
    for piece in pieces:
        source.chain(piece)
    whole = b"".join(pieces)
    outer = source.narrow(far)
    inner = source.narrow(near)
    assert bytes(source) == whole[: min(near, far)]
    source.widen(inner)
    assert bytes(source) == whole[min(near, far) : far]
    source.widen(outer)
    assert bytes(source) == whole[far:]
    assert source.sent == len(whole)
