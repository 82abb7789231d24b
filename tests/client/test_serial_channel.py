"""The client on serial lines, which here are pseudo-terminals: noise, silence, halves, and everybody's unit 0."""

import fcntl
import os
import random
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from node.client.failure import NoAnswer
from node.client.modbus import Limits, ModbusClient
from node.errors import LocalProtocolError
from node.modbus.functions import ModbusError
from node.modbus.rtu import encode_rtu
from tests.client.modbus_devices import line_reply, on_line, pty_pair
from tests.waiting import until

pytest.importorskip("serial", reason="pyserial is not installed: make test puts it into .venv")

Answer = Callable[[bytes], list[tuple[float, bytes]]]


@pytest.fixture
def line() -> Iterator[tuple[int, str]]:
    with pty_pair() as pair:
        yield pair


def test_reads_and_writes(line: tuple[int, str]) -> None:
    ours, device = line
    with (
        on_line(ours, lambda request: [(0.0, line_reply(request, request[0]))]) as said,
        ModbusClient.rtu(device) as client,
    ):
        assert client.read(40001, count=10) == [1] * 10
        assert client.view(unit=100).read(30001) == [100]
        client.write(40001, [7])
        assert said[-1] == encode_rtu(1, bytes.fromhex("06 0000 0007"))


def test_noise_before_every_answer(line: tuple[int, str]) -> None:
    chance = random.Random(7)

    def noisy(request: bytes) -> list[tuple[float, bytes]]:
        return [(0.0, chance.randbytes(chance.randint(1, 5)) + line_reply(request, 42))]

    with on_line(line[0], noisy), ModbusClient.rtu(line[1], limits=Limits(total=30.0)) as client:
        for _ in range(200):
            assert client.read(40001, count=3) == [42] * 3


def test_an_answer_in_pieces_with_pauses(line: tuple[int, str]) -> None:
    def halves(request: bytes) -> list[tuple[float, bytes]]:
        whole = line_reply(request, 5)
        return [(0.0, whole[:3]), (0.05, whole[3:8]), (0.05, whole[8:])]

    with on_line(line[0], halves), ModbusClient.rtu(line[1], limits=Limits(total=30.0)) as client:
        assert client.read(40001, count=9) == [5] * 9


def test_one_limit_holds_under_a_trickle(line: tuple[int, str]) -> None:
    def trickle(request: bytes) -> list[tuple[float, bytes]]:
        return [(0.2, bytes((byte,))) for byte in line_reply(request)]

    limits = Limits(total=0.8, receive=0.5, retries=5)
    with on_line(line[0], trickle), ModbusClient.rtu(line[1], limits=limits) as client:
        begun = time.monotonic()
        with pytest.raises(NoAnswer, match=r"no answer within 0\.8 s"):
            client.read(40001, count=10)
        assert time.monotonic() - begun < 3.0


def test_a_spoilt_answer_is_asked_for_again(line: tuple[int, str]) -> None:
    asked: list[bytes] = []

    def spoilt(request: bytes) -> list[tuple[float, bytes]]:
        asked.append(request)
        whole = line_reply(request, 8)
        return [(0.0, whole if len(asked) % 2 == 0 else whole[:-1] + b"\x00\x00")]

    limits = Limits(total=30.0, receive=0.1, retries=1)
    with on_line(line[0], spoilt), ModbusClient.rtu(line[1], limits=limits) as client:
        assert [client.read(40001) for _ in range(3)] == [[8]] * 3
        assert len(asked) == 6


def test_a_late_answer_is_not_taken_for_the_next(line: tuple[int, str]) -> None:
    asked: list[bytes] = []

    def late(request: bytes) -> list[tuple[float, bytes]]:
        asked.append(request)
        return [(0.5 if len(asked) == 1 else 0.0, line_reply(request, len(asked)))]

    with on_line(line[0], late), ModbusClient.rtu(line[1], limits=Limits(total=0.2)) as client:
        with pytest.raises(NoAnswer):
            client.read(40001)
        until(lambda: unread(line[1]) == len(line_reply(asked[0])))
        assert client.view(limits=Limits(total=30.0)).read(40001) == [2]


def unread(device: str) -> int:
    """Bytes that came to this end of a line and that nobody has read."""
    descriptor = os.open(device, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)
    finally:
        os.close(descriptor)


def slow(delays: list[float]) -> tuple[list[bytes], Answer]:
    """A device that takes so long for its answers, the last for all that follow; registers hold their address."""
    asked: list[bytes] = []

    def take_time(request: bytes) -> list[tuple[float, bytes]]:
        asked.append(request)
        wait = delays[min(len(asked), len(delays)) - 1]
        return [(wait, line_reply(request, int.from_bytes(request[2:4], "big")))]

    return asked, take_time


def test_a_late_answer_is_not_that_of_other_registers(line: tuple[int, str]) -> None:
    """It comes while the next request could wait for its own: as many registers, of the same device."""
    _, device = slow([1.1, 0.0])
    with on_line(line[0], device), ModbusClient.rtu(line[1], limits=Limits(total=1.0)) as client:
        with pytest.raises(NoAnswer):
            client.read(40001, count=2)
        patient = client.view(limits=Limits(total=30.0))
        assert [patient.read(address, count=2) for address in (40101, 40201)] == [[100] * 2, [200] * 2]


def test_a_late_answer_of_another_length_is_passed_over_at_once(line: tuple[int, str]) -> None:
    _, device = slow([0.4, 0.0])
    with on_line(line[0], device), ModbusClient.rtu(line[1], limits=Limits(total=0.3, retries=0)) as client:
        with pytest.raises(NoAnswer):
            client.read(40001, count=2)
        begun = time.monotonic()
        assert client.view(limits=Limits(total=30.0)).read(40101, count=3) == [100] * 3
        assert time.monotonic() - begun < 20


def test_one_lost_answer_costs_those_behind_it_none_of_their_time(line: tuple[int, str]) -> None:
    """Answers take more than half of the time that there is."""
    asked: list[bytes] = []

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        asked.append(request)
        return [(0.6, line_reply(request, len(asked)))] if len(asked) > 1 else []

    with on_line(line[0], answer), ModbusClient.rtu(line[1], limits=Limits(total=1.0)) as client:
        with pytest.raises(NoAnswer):
            client.read(40001, count=2)
        assert [client.read(address, count=2) for address in (40101, 40201)] == [[2] * 2, [3] * 2]


@pytest.mark.quiet
def test_nothing_is_sent_while_others_speak(line: tuple[int, str]) -> None:
    """A frame of somebody else's is under way, and ends before ours begins."""
    ours, device = line
    with (
        on_line(ours, lambda request: [(0.0, line_reply(request, 5))]) as said,
        ModbusClient.rtu(device, 1200, limits=Limits(total=30.0)) as client,
    ):
        assert client.read(40001) == [5]
        over = time.monotonic() + 0.5

        def speak() -> None:
            while time.monotonic() < over:
                os.write(ours, b"\x55")
                time.sleep(0.005)  # t3.5 is 32 ms

        speaking = threading.Thread(target=speak)
        speaking.start()
        time.sleep(0.05)
        try:
            assert client.read(40001) == [5]
            assert time.monotonic() >= over
        finally:
            speaking.join()
        assert len(said) == 2


def test_exceptions(line: tuple[int, str]) -> None:
    def refuse(request: bytes) -> list[tuple[float, bytes]]:
        return [(0.0, encode_rtu(request[0], bytes((request[1] | 0x80, 2))))]

    with on_line(line[0], refuse), ModbusClient.rtu(line[1]) as client, pytest.raises(ModbusError, match="02"):
        client.read(40001)


def test_unit_0_is_everybody_and_nobody_answers(line: tuple[int, str]) -> None:
    with on_line(line[0], lambda request: []) as said, ModbusClient.rtu(line[1], unit=0) as client:
        begun = time.monotonic()
        client.write(40005, [3])
        assert time.monotonic() - begun >= 0.1  # so that all are ready for the next
        time.sleep(0.05)
        assert said == [encode_rtu(0, bytes.fromhex("06 0004 0003"))]
        with pytest.raises(LocalProtocolError, match="unit 0"):
            client.read(40001)


def test_no_such_device() -> None:
    with (
        ModbusClient.rtu("/dev/no-such-line") as client,
        pytest.raises(NoAnswer, match="/dev/no-such-line: no such file"),
    ):
        client.read(40001)
    with ModbusClient.rtu(os.devnull, parity="X") as client, pytest.raises(NoAnswer, match="cannot be a serial line"):
        client.read(40001)


def test_the_next_frame_begins_when_the_last_character_of_a_slow_line_is_out(line: tuple[int, str]) -> None:
    """A write to everybody, whom nobody answers: the system has taken all of it long before the line has."""
    came: list[float] = []
    over = threading.Event()
    ours, device = line
    os.set_blocking(ours, False)

    def listen() -> None:
        while not over.wait(0.002):
            with suppress(BlockingIOError):
                if os.read(ours, 1024):
                    came.append(time.monotonic())

    listening = threading.Thread(target=listen)
    listening.start()
    try:
        with ModbusClient.rtu(device, 9600, unit=0) as client:
            begun = time.monotonic()
            client.write(40001, [0] * 100)  # 209 characters of 1.15 ms
            client.write(40001, [1])
    finally:
        over.set()
        listening.join()
    assert came[-1] - begun > 209 * 11 / 9600 + 0.1
