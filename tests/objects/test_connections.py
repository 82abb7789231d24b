"""Places for connections, and clients that take them and go."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from node.cip.forward import ForwardOpen
from node.cip.status import CipError
from node.memory.attribute import Instant
from node.objects.connections import FIRST_TIMEOUT, Connection, Connections


def opening(serial: int, rpi: int = 2_000_000, multiplier: int = 7) -> ForwardOpen:
    return ForwardOpen(0, 1, serial & 0xFFFF, 2, serial >> 16, o_t_rpi=rpi, timeout_multiplier=multiplier)


def refusal(connections: Connections, serial: int, origin: object) -> int:
    with pytest.raises(CipError) as caught:
        connections.open(opening(serial), origin)
    return caught.value.extended[0]


def test_what_was_never_used_makes_room_once_it_had_its_time() -> None:
    instant = Instant(100.0)
    connections = Connections(instant, 512)
    origins = [object() for _ in range(4)]
    held = [connections.open(opening(serial), origins[serial % 4]) for serial in range(512)]
    assert refusal(connections, 600, object()) == 0x0113
    for used in held[:100]:
        used.sequence = 1
    instant.now += FIRST_TIMEOUT + 0.1
    good = [connections.open(opening(1000 + index), object()) for index in range(412)]
    assert len(connections) == 512
    assert connections.timeouts == 412
    assert all(connections.get(used.o_t_id) is used for used in held[:100])
    assert all(connections.get(lost.o_t_id) is None for lost in held[100:])
    assert all(connections.get(new.o_t_id) is new for new in good)
    assert refusal(connections, 2000, object()) == 0x0113


def test_a_share_is_a_share_of_what_there_is() -> None:
    assert [Connections(Instant(), limit).share for limit in (1, 8, 16, 32, 64, 512)] == [1, 8, 8, 8, 16, 128]


def test_ten_thousand_abandoned_opens_keep_nobody_out() -> None:
    instant = Instant(0.0)
    connections = Connections(instant, 512)
    taken = 0
    mine = object()
    for serial in range(10_000):
        origin = object() if serial % 500 == 0 else mine
        try:
            connections.open(opening(serial), origin)
            taken += 1
        except CipError as exc:
            assert exc.extended[0] in (0x0113, 0x011A)
    assert taken <= 512
    good = connections.open(opening(20_000), object())
    assert connections.get(good.o_t_id) is good
    connections.leave(mine)
    assert len(connections) == 21


class Watched(Connection):
    """Counts who asks whose it is."""

    asked = 0

    def __getattribute__(self, name: str) -> object:
        if name == "origin":
            Watched.asked += 1
        return super().__getattribute__(name)


def test_leaving_looks_at_one_s_own_only() -> None:
    connections = Connections(Instant(), 512)
    mine = object()
    for serial in range(500):
        connections.open_as(Watched, opening(serial), mine if serial < 3 else object())
    Watched.asked = 0
    connections.leave(mine)
    connections.leave(object())
    assert len(connections) == 497
    assert 0 < Watched.asked <= 3 * 4


class Life(RuleBasedStateMachine):
    """Opens, messages, closes, departures and time in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.instant = Instant(0.0)
        self.connections = Connections(self.instant, 12)
        self.origins = [object() for _ in range(3)]

    @rule(serial=st.integers(0, 20), origin=st.integers(0, 2), rpi=st.sampled_from((1000, 1_000_000, 60_000_000)))
    def open(self, serial: int, origin: int, rpi: int) -> None:
        try:
            self.connections.open(opening(serial, rpi), self.origins[origin])
        except CipError as exc:
            assert exc.general == 1

    @rule(serial=st.integers(0, 20))
    def use(self, serial: int) -> None:
        connection = self.connections.find(opening(serial).triplet)
        if connection is not None:
            connection.sequence = serial
            connection.seen = self.instant.now

    @rule(serial=st.integers(0, 20))
    def close(self, serial: int) -> None:
        self.connections.close(opening(serial).triplet)

    @rule(origin=st.integers(0, 2))
    def leave(self, origin: int) -> None:
        self.connections.leave(self.origins[origin])
        assert all(connection.origin is not self.origins[origin] for connection in self.connections)

    @rule(seconds=st.floats(0, 100))
    def wait(self, seconds: float) -> None:
        self.instant.now += seconds
        self.connections.poll(self.instant.now)
        assert not any(connection.expired(self.instant.now) for connection in self.connections)

    @invariant()
    def it_is_one_set(self) -> None:
        live = list(self.connections)
        assert len(live) == len(self.connections) <= 12
        assert all(self.connections.get(connection.o_t_id) is connection for connection in live)
        for origin in self.origins:
            assert sum(connection.origin is origin for connection in live) <= self.connections.share


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLife = Life.TestCase
