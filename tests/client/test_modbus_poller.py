"""The poller against real devices: what it knows, how few reads that takes, and what it does while they are away."""

import logging
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from node.cip.types import UINT
from node.client.failure import NoAnswer
from node.client.modbus import Limits, ModbusClient
from node.client.modbus_poller import ModbusPoller, PollerClosed
from node.client.modbus_sweep import LONGEST_PAUSE, Sweep, pause_after
from node.errors import LocalProtocolError
from node.memory.attribute import Attribute
from node.modbus.bank import RegisterBank
from node.modbus.functions import ModbusError
from node.modbus.ranges import RangeError
from tests.client.modbus_devices import HOST, bank, node, pymodbus_tcp, registers, requests, silent, stranger
from tests.waiting import until

pytestmark = pytest.mark.net

FAST = 0.02
QUICK = Limits(total=2.0)


@pytest.fixture
def port() -> Iterator[int]:
    with node() as port:
        yield port


def test_reads_begin_to_poll_and_return_at_once(port: int) -> None:
    with ModbusPoller(ModbusClient.tcp(HOST, port), FAST) as poller:
        assert poller.read(40008) is None
        assert poller.read(400009) is None
        until(lambda: poller.read(40008) == 7)
        assert poller.read(400008) == 7
        until(lambda: poller.read(1) is True)
        until(lambda: (poller.read(2), poller.read(30003), poller.read(10004)) == (False, 2, True))
        assert poller.online


def test_a_write_is_there_when_it_returns_and_is_read_soon(port: int) -> None:
    with ModbusPoller(ModbusClient.tcp(HOST, port), 3600.0) as poller:
        poller.poll([40001, 40002, 1])
        until(lambda: poller.read(40002) == 1)
        poller.write(40002, 123)
        until(lambda: poller.read(40002) == 123)
        poller.write(40001, [-1, 5])
        poller.write(1, 0)
        until(lambda: (poller.read(40001), poller.read(40002), poller.read(1)) == (65535, 5, False))
        with ModbusClient.tcp(HOST, port) as client:
            assert client.read(40001, count=2) == [65535, 5]


def test_writes_that_cannot_be(port: int) -> None:
    with ModbusPoller(ModbusClient.tcp(HOST, port), FAST) as poller:
        with pytest.raises(LocalProtocolError, match="input"):
            poller.write(30001, 1)
        with pytest.raises(LocalProtocolError):
            poller.write(40001, 70000)
        with pytest.raises(ModbusError, match="02"):
            poller.write(40501, 1)
        with pytest.raises(RangeError):
            poller.read(0)


def test_the_rate_is_shared_and_only_becomes_faster(port: int) -> None:
    with ModbusPoller(ModbusClient.tcp(HOST, port), 3600.0) as poller:
        poller.poll(40001)
        until(lambda: poller.polls == 1)
        poller.poll(40002, rate=7200.0)
        assert poller.rate == 3600.0
        poller.poll(40001, rate=FAST)
        assert poller.rate == FAST
        until(lambda: poller.polls > 5)
        for rate in (0, -1, float("nan")):
            with pytest.raises(LocalProtocolError, match="rate"):
                poller.poll(40001, rate=rate)


def test_changes_are_told_with_the_value_before(port: int) -> None:
    told: list[tuple[object, int | None, int | None]] = []
    with ModbusPoller(ModbusClient.tcp(HOST, port), FAST) as poller:

        def bad(*change: object) -> None:
            raise KeyError("of a callback")

        poller.watch(bad)
        end = poller.watch(lambda *change: told.append(change))
        poller.poll(400005)
        until(lambda: told == [(400005, 4, None)])
        poller.write(40005, 9)
        until(lambda: told[1:] == [(400005, 9, 4)])
        end()
        end()
        poller.write(40005, 10)
        until(lambda: poller.read(40005) == 10)
    assert len(told) == 2


def test_few_reads_and_neighbours_of_what_is_not_there() -> None:
    spans: list[tuple[int, int]] = []

    def device(sock: socket.socket) -> None:
        for request in requests(sock):
            first, count = (int.from_bytes(request[at : at + 2], "big") for at in (8, 10))
            spans.append((first, count))
            missing = first <= 5 < first + count
            sock.sendall(
                request[:4] + b"\x00\x03" + request[6:7] + b"\x83\x02" if missing else registers(request, first + 1)
            )

    with stranger(device) as port, ModbusPoller(ModbusClient.tcp(HOST, port, limits=QUICK), FAST) as poller:
        poller.poll(number for number in range(40001, 40201) if number != 40012)
        until(lambda: poller.read(40001) is not None)
        until(lambda: poller.polls > 3)
        spans.clear()
        until(lambda: len(spans) > 6)
        assert set(spans[:6]) == {(0, 5), (6, 125), (131, 69)}
        assert poller.read(40006) is None
        assert poller.read(40005) == 1
        assert poller.read(40200) == 132
        assert poller.online


def test_what_comes_to_be_is_found() -> None:
    class Clock:
        now = 1000.0

        def __call__(self) -> float:
            return self.now

    clock, made = Clock(), bank()
    with node(made=made) as port, ModbusClient.tcp(HOST, port) as client:
        sweep = Sweep(client, lambda *_: None, clock)
        for address in range(495, 515):
            sweep.want(("holding", address))
        assert set(sweep.run(1.0)) == {("holding", at) for at in (*range(495, 500), *range(510, 515))}
        made.add("holding", 500, 10, Attribute(UINT, (10,), list(range(500, 510))))
        assert len(sweep.run(1.0)) == 10
        clock.now += LONGEST_PAUSE
        sweep.run(1.0)
        assert sweep.run(1.0) == {("holding", at): at for at in range(495, 515)}


def test_an_exception_to_one_table_leaves_the_others(port: int) -> None:
    asked: list[int] = []

    def device(sock: socket.socket) -> None:
        for request in requests(sock):
            asked.append(request[7])
            busy = request[:4] + b"\x00\x03" + request[6:7] + b"\x84\x01"
            sock.sendall(busy if request[7] == 4 else registers(request, 6))

    with stranger(device) as port, ModbusPoller(ModbusClient.tcp(HOST, port, limits=QUICK), FAST) as poller:
        poller.poll([30001, 40001])
        until(lambda: asked.count(3) > 20)
        assert poller.read(40001) == 6
        assert poller.read(30001) is None
        assert asked.count(4) < asked.count(3) / 2


def test_a_device_that_is_away_is_none_and_asked_less_and_less() -> None:
    told: list[tuple[object, int | None, int | None]] = []
    with node() as port:
        poller = ModbusPoller(ModbusClient.tcp(HOST, port, limits=QUICK), FAST)
        poller.watch(lambda *change: told.append(change))
        poller.poll(40003)
        until(lambda: poller.read(40003) == 2)
    until(lambda: poller.read(40003) is None)
    assert not poller.online
    assert isinstance(poller.problem, NoAnswer)
    with pytest.raises(NoAnswer):
        poller.write(40003, 5)
    with node(port):
        until(lambda: poller.read(40003) == 2)
        assert poller.online
        assert poller.problem is None
    assert told == [(40003, 2, None), (40003, None, 2), (40003, 2, None)]
    poller.close()
    assert told[3:] == [(40003, None, 2)]


def test_pauses_double_up_to_a_bound() -> None:
    assert [pause_after(failures, 1.0) for failures in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert pause_after(10**6, 0.1) == LONGEST_PAUSE
    assert pause_after(3, 60.0) == 60.0


def test_going_and_coming_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server((HOST, 0)) as unused:
        port = unused.getsockname()[1]
    with caplog.at_level(logging.WARNING, "node"), ModbusPoller(ModbusClient.tcp(HOST, port), FAST) as poller:
        poller.poll(40001)
        until(lambda: poller.polls > 2)
        with node(port):
            until(lambda: poller.read(40001) == 0)
    assert [record.message for record in caplog.records] == [
        f"{HOST}:{port}: connection refused; it is tried again",
        f"{HOST}:{port}: answers again",
    ]


def test_closing_does_not_wait_for_a_silent_device() -> None:
    with stranger(silent) as port:
        poller = ModbusPoller(ModbusClient.tcp(HOST, port, limits=Limits(total=60.0)), FAST)
        poller.poll(40001)
        time.sleep(0.1)
        begun = time.monotonic()
        poller.close()
        assert time.monotonic() - begun < 10.0
        poller.close()
        with pytest.raises(PollerClosed):
            poller.read(40001)


def test_closing_without_having_polled() -> None:
    poller = ModbusPoller(ModbusClient.tcp(HOST, 1))
    poller.close()
    with pytest.raises(PollerClosed):
        poller.poll(40001)


def test_a_write_gets_its_turn_between_the_reads_of_a_poll() -> None:
    def slow(sock: socket.socket) -> None:
        for request in requests(sock):
            time.sleep(0.1)
            sock.sendall(request if request[7] == 6 else registers(request))

    with stranger(slow) as port, ModbusPoller(ModbusClient.tcp(HOST, port), FAST) as poller:
        poller.poll(40001 + 200 * at for at in range(100))
        time.sleep(0.3)
        begun = time.monotonic()
        poller.write(40001, 5)
        assert time.monotonic() - begun < 3.0  # of a poll that takes 10
        assert poller.polls == 0


def test_the_load_is_the_part_of_time_that_polling_takes() -> None:
    def slow(sock: socket.socket) -> None:
        for request in requests(sock):
            time.sleep(0.05)
            sock.sendall(registers(request))

    with stranger(slow) as port, ModbusPoller(ModbusClient.tcp(HOST, port), FAST) as poller:
        assert poller.load == (0.0, 0.0, 0.0)
        poller.poll([40001, 41001])
        until(lambda: poller.polls > 10)
        assert all(0.5 < part <= 1.0 for part in poller.load)


def test_many_threads(port: int) -> None:
    wrong: list[object] = []
    with ModbusPoller(ModbusClient.tcp(HOST, port), FAST) as poller:

        def use(first: int) -> None:
            for number in range(first, first + 5):
                poller.write(number, number)
                try:
                    until(lambda number=number: poller.read(number) == number)  # type: ignore[misc]
                except AssertionError as exc:
                    wrong.append((number, exc))

        threads = [threading.Thread(target=use, args=(40001 + 30 * at,)) for at in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_against_pymodbus() -> None:
    with pymodbus_tcp() as port, ModbusPoller(ModbusClient.tcp(HOST, port), FAST) as poller:
        poller.poll(range(40190, 40211))
        poller.poll(range(1, 20))
        until(lambda: poller.read(40200) == 199 and poller.read(19) is True)
        assert [poller.read(number) for number in (40190, 40201, 40210)] == [189, None, None]


def test_a_bug_of_an_action_does_not_end_the_polling(port: int, caplog: pytest.LogCaptureFixture) -> None:
    calls = [0]

    def act() -> None:
        calls[0] += 1
        if calls[0] == 1:
            raise KeyError("of an action")

    client = ModbusClient.tcp(HOST, port, service_actions=act)
    with caplog.at_level(logging.CRITICAL, "node"), ModbusPoller(client, FAST) as poller:
        poller.poll(40002)
        until(lambda: poller.read(40002) == 1)
    assert calls[0] > 1


def test_a_bank_of_one_register_each() -> None:
    made = RegisterBank()
    for address in range(0, 60, 3):
        made.add("holding", address, 1, Attribute(UINT, (1,), [address]))
    with node(made=made) as port, ModbusPoller(ModbusClient.tcp(HOST, port), FAST) as poller:
        poller.poll(range(40001, 40061))
        until(lambda: poller.read(40058) == 57)
        known = [number for number in range(40001, 40061) if poller.read(number) is not None]
        assert known == list(range(40001, 40061, 3))


def test_an_address_that_no_table_has_is_refused_and_spoils_no_other(port: int) -> None:
    with ModbusPoller(ModbusClient.tcp(HOST, port), FAST) as poller:
        with pytest.raises(RangeError, match="65536"):
            poller.read(("holding", 65536))
        poller.poll([40002])
        until(lambda: poller.read(40002) == 1)


def test_a_rate_of_for_ever_polls_what_comes_new(port: int) -> None:
    with ModbusPoller(ModbusClient.tcp(HOST, port), float("inf")) as poller:
        poller.poll(40002)
        until(lambda: poller.read(40002) == 1)
        time.sleep(0.05)
        poller.poll(40003)
        until(lambda: poller.read(40003) == 2)
