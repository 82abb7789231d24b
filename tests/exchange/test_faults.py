"""What befalls frames: chance with a seed, the header left alone, and nothing that is not a fault's own affair."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.exchange.exchange import CLOSE, DROP, LAST, RESET, SEND, Chain, Exchange, Interceptor
from node.exchange.faults import COUNTED, Cut, Late, Lost, Misnamed, Picked, Refused, Reset, Spoilt, far_off, next_unit
from node.memory.access import Access

MANY = 400
PEER = "127.0.0.1:5000"


def answer(frame: bytes, accesses: list[Access]) -> bytes:
    return frame * 3


def meet(fault: Interceptor, frame: bytes = b"0123456789", peer: str = PEER, datagram: bool = False) -> Exchange:
    return Chain([fault]).run(frame, answer, peer, 1.0, datagram)


FATED: list[tuple[str, Callable[[int], Interceptor]]] = [
    ("normal", lambda seed: Late(lambda random: random.gauss(0.2, 0.1), seed)),
    ("pareto", lambda seed: Late(lambda random: 0.05 * random.paretovariate(1.5), seed, 5.0)),
    ("lost", lambda seed: Lost(Picked(30, seed=seed))),
    ("cut", lambda seed: Cut(Picked(30, seed=seed))),
    ("spoilt", lambda seed: Spoilt(Picked(30, seed=seed), 4)),
    ("refused", lambda seed: Refused((0, 4), Picked(30, seed=seed))),
    ("misnamed", lambda seed: Misnamed(Picked(30, seed=seed), 0, far_off)),
]


@pytest.mark.parametrize("make", [make for _, make in FATED], ids=[name for name, _ in FATED])
def test_the_same_seed_has_the_nth_request_meet_the_same_fate(make: Callable[[int], Interceptor]) -> None:
    def fates(seed: int) -> list[tuple[str, float, bytes | None, tuple[int, ...]]]:
        fault = make(seed)
        met = [meet(fault) for _ in range(MANY)]
        return [(each.action, each.delay, each.reply, each.status) for each in met]

    assert fates(1) == fates(1) != fates(2)
    assert len(set(fates(1))) > 1


@pytest.mark.parametrize(
    ("make", "hit"),
    [
        (lambda percent: Lost(Picked(percent, seed=5)), lambda exchange: exchange.action == DROP),
        (lambda percent: Cut(Picked(percent, seed=5)), lambda exchange: exchange.action == LAST),
        (lambda percent: Spoilt(Picked(percent, seed=5), 4), lambda exchange: exchange.reply != b"0123456789" * 3),
    ],
)
def test_a_share_is_about_that_share(make: Callable[[float], Interceptor], hit: Callable[[Exchange], bool]) -> None:
    for percent, low, high in ((100, MANY, MANY), (25, 0.15 * MANY, 0.35 * MANY)):
        fault = make(percent)
        assert low <= sum(hit(meet(fault)) for _ in range(MANY)) <= high


def test_what_is_lost_is_not_run() -> None:
    exchange = Chain([Lost(Picked())]).run(b"ask", lambda frame, accesses: pytest.fail("it ran"), PEER, 1.0)
    assert (exchange.action, exchange.reply) == (DROP, None)


@given(st.floats(-10, 10), st.floats(0.001, 5))
def test_nothing_is_early_and_nothing_later_than_the_most(late: float, most: float) -> None:
    exchange = meet(Late(lambda random: late, most=most))
    assert exchange.delay == min(max(late, 0.0), most)
    assert exchange.action == SEND


def test_delays_add_up() -> None:
    def late(seconds: float) -> Late:
        return Late(lambda random: seconds)

    assert Chain([late(0.25), late(0.5)]).run(b"ask", answer, PEER, 1.0).delay == 0.75


def test_each_connection_is_reset_at_its_own_request() -> None:
    fault = Reset(2)
    peers = ["a:1", "b:1", "a:1", "a:1", "b:1", "b:1", "a:1"]
    assert [meet(fault, peer=peer).action for peer in peers] == [SEND, SEND, SEND, RESET, SEND, RESET, SEND]
    assert meet(fault, datagram=True).action == SEND
    for number in range(2 * COUNTED):
        meet(fault, peer=f"c:{number}")
    assert len(fault._counts) == COUNTED


def test_an_end_that_comes_again_is_another_connection() -> None:
    fault = Reset(2)
    actions = [Chain([fault]).begin(b"ask", PEER, 9.0, since=since).action for since in (1.0, 1.0, 5.0, 5.0, 5.0, 1.0)]
    assert actions == [SEND, SEND, SEND, SEND, RESET, RESET]


@pytest.mark.parametrize("make", [make for _, make in FATED], ids=[name for name, _ in FATED])
def test_what_the_requests_before_were_does_not_change_a_fate(make: Callable[[int], Interceptor]) -> None:
    def fates(before: list[bytes]) -> list[tuple[str, float, bytes | None]]:
        fault, found = make(7), []
        for frame in before:
            Chain([fault]).run(frame, lambda frame, accesses: frame[1:] or None, PEER, 1.0)
        for _ in range(50):
            exchange = meet(fault)
            found.append((exchange.action, exchange.delay, exchange.reply))
        return found

    assert fates([b"0"] * 40) == fates([b"0123456789" * 30] * 40) == fates([b"0123", b"0"] * 20)


def test_a_refusal_is_left_to_who_serves() -> None:
    exchange = Chain([Refused((255, 0x2105))]).begin(b"ask", PEER, 1.0)
    assert exchange.status == (255, 0x2105)
    assert exchange.wanted


@given(st.binary(min_size=1, max_size=80), st.integers(0, 100))
def test_a_reply_is_cut_and_is_the_last(frame: bytes, keep: int) -> None:
    exchange = meet(Cut(Picked(), keep), frame)
    whole = frame * 3
    cut = keep or len(whole) // 2
    if cut < len(whole):
        assert (exchange.reply, exchange.action) == (whole[:cut], LAST)
    else:
        assert (exchange.reply, exchange.action) == (whole, SEND)


def test_a_datagram_is_cut_and_no_more() -> None:
    exchange = meet(Cut(Picked(), 4), datagram=True)
    assert (exchange.reply, exchange.action) == (b"0123", SEND)


@given(st.binary(min_size=1, max_size=40), st.integers(0, 130), st.integers())
def test_one_byte_behind_the_header_is_another(frame: bytes, header: int, seed: int) -> None:
    reply, whole = meet(Spoilt(Picked(seed=seed), header), frame).reply, frame * 3
    assert reply is not None
    assert len(reply) == len(whole)
    differ = [at for at in range(len(whole)) if reply[at] != whole[at]]
    assert len(differ) == (1 if header < len(whole) else 0)
    assert all(at >= header for at in differ)


def test_what_has_no_reply_meets_nothing_more() -> None:
    for fault in (Cut(Picked()), Spoilt(Picked(), 4), Misnamed(Picked(), 0, far_off)):
        exchange = Chain([fault]).run(b"ask", lambda frame, accesses: None, PEER, 1.0)
        assert (exchange.reply, exchange.action) == (None, SEND)


def test_draws_are_of_the_fault_alone() -> None:
    drawn: list[float] = []

    def draw(random: Random) -> float:
        drawn.append(random.random())
        return drawn[-1]

    one, two = Late(draw, 9), Late(draw, 9)
    for _ in range(3):
        Chain([one, two]).run(b"ask", answer, PEER, 1.0)
    assert drawn[::2] == drawn[1::2]


@pytest.mark.parametrize(
    ("make", "hit"),
    [
        (lambda: Late(lambda random: 1.0, every=3), lambda exchange: exchange.delay > 0),
        (lambda: Lost(Picked(every=3)), lambda exchange: exchange.action == DROP),
        (lambda: Refused((0, 4), Picked(every=3)), lambda exchange: exchange.status == (0, 4)),
        (lambda: Cut(Picked(every=3)), lambda exchange: exchange.action == LAST),
        (lambda: Spoilt(Picked(every=3), 4), lambda exchange: exchange.reply != b"0123456789" * 3),
        (lambda: Misnamed(Picked(every=3), 0, far_off), lambda exchange: exchange.reply[0] != ord("0")),
    ],
)
def test_every_third_one_and_no_other(make: Callable[[], Interceptor], hit: Callable[[Exchange], bool]) -> None:
    fault = make()
    assert [hit(meet(fault)) for _ in range(9)] == [False, False, True] * 3


def test_a_connection_may_end_in_good_order() -> None:
    fault = Reset(1, CLOSE)
    assert [meet(fault).action for _ in range(2)] == [SEND, CLOSE]


@given(st.integers(0, 255))
def test_another_request_and_another_unit_are_never_the_same(byte: int) -> None:
    assert far_off(byte) != byte
    assert next_unit(byte) != byte
    assert 1 <= next_unit(byte) <= 247


def test_a_reply_names_another_and_is_the_same_else() -> None:
    assert (
        meet(Misnamed(Picked(), 6, next_unit), b"0123456789").reply
        == b"012345" + bytes([55]) + b"789" + b"0123456789" * 2
    )
    assert meet(Misnamed(Picked(), 90, next_unit)).reply == b"0123456789" * 3
