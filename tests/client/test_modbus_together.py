"""Several reads under way at once: answers in any order, late, doubled or foreign, and devices that take only one."""

import random
import socket
import threading
from collections.abc import Callable

import pytest

from node.client.failure import NoAnswer
from node.client.modbus import Limits, ModbusClient
from node.client.modbus_poller import ModbusPoller
from node.client.modbus_sweep import Sweep
from node.errors import LocalProtocolError, RemoteProtocolError
from node.modbus.functions import ModbusError
from tests.client.modbus_devices import HOST, node, registers, requests, silent, stranger
from tests.waiting import until

pytestmark = pytest.mark.net

READS = [("holding", start, 3) for start in range(0, 300, 3)]
WANTED = [tuple(range(start, start + 3)) for _, start, _ in READS]
QUICK = Limits(total=0.5)


def answered(request: bytes) -> bytes:
    """The frame that says of each register its address."""
    return registers(request)[:9] + b"".join(
        (int.from_bytes(request[8:10], "big") + at).to_bytes(2, "big") for at in range(request[11])
    )


@pytest.mark.parametrize("depth", [1, 2, 16, 1000])
def test_a_node_answers_all(depth: int) -> None:
    with node() as port, ModbusClient.tcp(HOST, port) as client:
        assert client.read_together(READS, depth) == WANTED
        assert client.read_together([], depth) == []
        mixed = client.read_together([("coils", 0, 7), ("holding", 498, 10), ("input", 9, 1)], depth)
        assert mixed[0] == (True, False, False, True, False, False, True)
        assert isinstance(mixed[1], ModbusError)
        assert mixed[1].code == 2
        assert mixed[2] == (9,)


def test_no_more_than_so_many_are_under_way_and_answers_come_in_any_order() -> None:
    most = []

    def shuffles(sock: socket.socket) -> None:
        held: list[bytes] = []
        chance = random.Random(5)
        left = len(READS)
        for request in requests(sock):
            held.append(request)
            left -= 1
            if len(held) == 8 or not left:
                most.append(len(held))
                chance.shuffle(held)
                stale = answered(held[0])
                foreign = stale[:6] + b"\x09" + stale[7:]
                sock.sendall(foreign + b"".join(map(answered, held)) + stale)
                held.clear()

    with stranger(shuffles) as port, ModbusClient.tcp(HOST, port) as client:
        assert client.read_together(READS, 8) == WANTED
    assert max(most) == 8


@pytest.mark.parametrize("size", [1, 5])
def test_answers_in_small_pieces(size: int) -> None:
    def trickles(sock: socket.socket) -> None:
        for request in requests(sock):
            frame = answered(request)
            for at in range(0, len(frame), size):
                sock.sendall(frame[at : at + size])

    with stranger(trickles) as port, ModbusClient.tcp(HOST, port) as client:
        assert client.read_together(READS[:20], 4) == WANTED[:20]


def one_of_each_segment(sock: socket.socket) -> None:
    """Answers the first request of what it reads, and loses the others, as some devices do."""
    while data := sock.recv(4096):
        sock.sendall(answered(data[:12]))


def test_a_device_that_takes_one_gives_no_answer_in_time_and_is_asked_anew() -> None:
    with stranger(one_of_each_segment) as port, ModbusClient.tcp(HOST, port, limits=QUICK) as client:
        with pytest.raises(NoAnswer, match=r"no answer within 0\.5 s"):
            client.read_together(READS[:4], 4)
        assert client.read_together(READS[:4], 1) == WANTED[:4]
        assert client.read(("holding", 7)) == [7]


@pytest.mark.parametrize(
    ("says", "error"),
    [
        (lambda request: b"\0\1\0\0\xff\xff" + request[6:], RemoteProtocolError),
        (lambda request: request[:5] + b"\4" + request[6:7] + b"\3\1\7", RemoteProtocolError),
        (lambda request: request[:5] + b"\5" + request[6:7] + b"\4\2\0\7", RemoteProtocolError),
    ],
    ids=["no frame", "too few bytes", "another function"],
)
def test_what_makes_no_sense_is_nobodys_value(says: Callable[[bytes], bytes], error: type[Exception]) -> None:
    def nonsense(sock: socket.socket) -> None:
        for request in requests(sock):
            sock.sendall(says(request))

    with stranger(nonsense) as port, ModbusClient.tcp(HOST, port, limits=QUICK) as client, pytest.raises(error):
        client.read_together(READS[:3], 3)


def test_where_nothing_tells_replies_apart_it_is_refused() -> None:
    for client in (ModbusClient.udp(HOST, 9), ModbusClient.rtu_over_tcp(HOST, 9)):
        with pytest.raises(LocalProtocolError, match="one request at a time"):
            client.read_together(READS, 2)
        with pytest.raises(LocalProtocolError, match="a depth of 2"):
            ModbusPoller(client, depth=2)
    with pytest.raises(LocalProtocolError, match="a depth of 0"):
        ModbusPoller(ModbusClient.tcp(HOST, 9), depth=0)


def test_threads_that_ask_together_have_turns() -> None:
    found = []
    with node() as port, ModbusClient.tcp(HOST, port) as client:
        threads = [threading.Thread(target=lambda: found.append(client.read_together(READS, 8))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert found == [WANTED] * 6


def test_a_poll_with_depth_finds_what_one_without_does() -> None:
    with node() as port:
        found = []
        for depth in (1, 16):
            with ModbusClient.tcp(HOST, port) as client:
                sweep = Sweep(client, lambda *_: None, depth=depth)
                for address in (*range(0, 990, 7), 505, *range(2000, 2010)):
                    sweep.want(("holding", address))
                sweep.want(("coils", 4000))
                found.append((sweep.run(1.0), sweep.run(1.0)))
        assert found[0] == found[1]
        assert found[1][1][("holding", 490)] == 490
        assert ("holding", 505) not in found[1][1]


def test_a_poller_with_depth() -> None:
    with node() as port, ModbusPoller(ModbusClient.tcp(HOST, port), 0.02, depth=16) as poller:
        poller.poll([("holding", at) for at in range(0, 1000, 50)])
        until(lambda: poller.read(("holding", 950)) == 950)
        poller.write(("holding", 100), 12345)
        until(lambda: poller.read(("holding", 100)) == 12345)
        assert 0.0 <= poller.load[0] <= 1.0


def test_a_poller_with_depth_of_a_silent_device_knows_nothing() -> None:
    with stranger(silent) as port, ModbusPoller(ModbusClient.tcp(HOST, port, limits=QUICK), 0.02, depth=4) as poller:
        poller.poll([("holding", 1), ("holding", 900)])
        until(lambda: poller.problem)
        assert poller.read(("holding", 1)) is None
        assert not poller.online
