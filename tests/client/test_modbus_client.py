"""The Modbus client for threads, against our node, pymodbus's servers, and devices that behave badly."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.cip.types import DINT, INT, LINT, LREAL, REAL, UDINT, Type, Value
from node.client.failure import NoAnswer
from node.client.modbus import Limits, ModbusClient, Where
from node.errors import LocalProtocolError, NodeError, RemoteProtocolError
from node.memory.word_order import ORDERS
from node.modbus.functions import ModbusError
from node.modbus.ranges import RangeError
from tests.client.modbus_devices import (
    HOST,
    certificates,
    full,
    node,
    pymodbus_rtu_over_tcp,
    pymodbus_tcp,
    pymodbus_tls,
    pymodbus_udp,
    registers,
    requests,
    resets,
    silent,
    stranger,
)

pytestmark = pytest.mark.net

MARGIN = 2.0
"""Seconds that a machine may be late."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with node() as port:
        yield port


@pytest.fixture
def client(port: int) -> Iterator[ModbusClient]:
    with ModbusClient.tcp(HOST, port) as client:
        yield client


def test_reads_all_tables_by_both_numberings(client: ModbusClient) -> None:
    assert client.read(40001, count=300) == list(range(300))
    assert client.read(400011, count=2) == client.read(40011, count=2) == client.read(("holding", 10), count=2)
    assert client.read(30003) == client.read(300003) == [2]
    assert client.read(1, count=4) == [True, False, False, True]
    assert client.read_bits(10001, 4000) == client.read(100001, count=4000) == [k % 3 == 0 for k in range(4000)]
    assert client.read_bits(40006, 20) == [True, False, True, False, *[False] * 12, False, True, True, False]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (INT, [-2, 300]),
        (DINT, [-123456789, 1]),
        (UDINT, [4000000000]),
        (LINT, [-(2**62), 5]),
        (REAL, [1234.5, -0.25]),
        (LREAL, [-123456.789]),
    ],
    ids=lambda each: each.name if isinstance(each, Type) else "",
)
def test_values_in_each_word_order(client: ModbusClient, kind: Type, values: list[Value], order: str) -> None:
    client.write(40101, values, kind, order)
    assert client.read(40101, kind.name, len(values), order) == values


def test_word_orders_as_they_lie_in_the_registers(client: ModbusClient) -> None:
    for order, words in {"ABCD": "449a5000", "CDAB": "5000449a", "BADC": "9a440050", "DCBA": "0050 9a44"}.items():
        client.write(40101, [1234.5], REAL, order)
        assert client.read_raw(40101, 2) == bytes.fromhex(words)


def test_writes(client: ModbusClient) -> None:
    client.write(40201, [7])
    client.write(40202, list(range(200)))
    assert client.read(40201, count=201) == [7, *range(200)]
    client.write_bits(101, [True])
    client.write(102, [1] * 2000)
    assert client.read(101, count=2001) == [True] * 2001
    client.write_text(40201, "Kettle", 5, "BADC")
    assert client.read_text(40201, 5, "BADC") == "Kettle"
    client.write(40300, [0x12])
    client.mask_write(40300, 0xF2, 0x25)
    assert client.read(40300) == [0x17]


@pytest.mark.parametrize("where", [0, 10000, 40000, 165537, 465537, ("coil", 1), ("holding", -1), ("holding", 65536)])
def test_places_that_are_none(client: ModbusClient, where: Where) -> None:
    with pytest.raises(RangeError):
        client.read(where)


def test_a_read_past_the_end_of_a_table(client: ModbusClient) -> None:
    with pytest.raises(RangeError, match="65535"):
        client.read(465536, count=2)


def test_what_cannot_be_asked(client: ModbusClient) -> None:
    with pytest.raises(LocalProtocolError, match="input"):
        client.write(30001, [1])
    with pytest.raises(LocalProtocolError, match="discrete"):
        client.write_bits(10001, [True])
    with pytest.raises(LocalProtocolError, match="65536"):
        client.write(40001, [65536])
    with pytest.raises(LocalProtocolError, match="bits"):
        client.read(1, REAL)
    with pytest.raises(LocalProtocolError, match="no type"):
        client.read(40001, "FLOAT99")
    with pytest.raises(LocalProtocolError, match="unit 256"):
        client.view(unit=256)


def test_an_exception_carries_its_code(client: ModbusClient) -> None:
    with pytest.raises(ModbusError) as caught:
        client.read(40499, count=5)
    assert caught.value.code == 2
    assert client.read(40001) == [0]


def test_units_of_one_line(client: ModbusClient) -> None:
    other = client.view(unit=7)
    other.write(40001, [77])
    assert (client.read(40001), other.read(40001)) == ([77], [77])
    other.write(40001, [0])
    with pytest.raises(ModbusError):
        client.view(unit=9).read(40001)


def test_many_threads_share_a_client(client: ModbusClient) -> None:
    wrong: list[object] = []

    def ask(first: int) -> None:
        for _ in range(20):
            got = client.read(40001 + first, count=5)
            if got != list(range(first, first + 5)):
                wrong.append(got)

    threads = [threading.Thread(target=ask, args=(10 * at + 1,)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_service_actions_are_run_while_it_waits_and_may_end_it() -> None:
    ran: list[float] = []

    class Enough(Exception):
        pass

    def act() -> None:
        ran.append(time.monotonic())
        if len(ran) == 5:
            raise Enough

    with stranger(silent) as port, ModbusClient.tcp(HOST, port, service_actions=act) as client:
        with pytest.raises(Enough):
            client.read(40001)
        assert len(ran) == 5
        assert not client.line.channel.is_open


@pytest.mark.parametrize("retries", [0, 3])
def test_one_limit_holds_under_a_trickle_and_retries(retries: int) -> None:
    def trickle(sock: socket.socket) -> None:
        for request in requests(sock):
            for byte in registers(request, 5):
                time.sleep(0.1)
                sock.sendall(bytes((byte,)))

    with stranger(trickle) as port:
        limits = Limits(total=1.0, receive=0.5, retries=retries)
        with ModbusClient.tcp(HOST, port, limits=limits) as client:
            begun = time.monotonic()
            with pytest.raises(NoAnswer, match="no answer within 1 s"):
                client.read(40001, count=10)
            assert 0.9 < time.monotonic() - begun < 1.0 + MARGIN
        with ModbusClient.tcp(HOST, port, limits=Limits(total=60.0, receive=30.0)) as client:
            assert client.read(40001) == [5]


def test_a_flood_ends_in_time_too() -> None:
    def flood(sock: socket.socket) -> None:
        for request in requests(sock):
            stray = b"\xff\xfe" + registers(request)[2:]
            while True:
                sock.sendall(stray * 50)

    with stranger(flood) as port, ModbusClient.tcp(HOST, port, limits=Limits(total=0.5)) as client:
        begun = time.monotonic()
        with pytest.raises(NoAnswer):
            client.read(40001)
        assert time.monotonic() - begun < 0.5 + MARGIN


def test_silence_is_bounded_by_receive_and_retried() -> None:
    asked: list[bytes] = []

    def second_time(sock: socket.socket) -> None:
        for request in requests(sock):
            asked.append(request)
            if len(asked) == 3:
                sock.sendall(registers(request, 9))

    with stranger(second_time) as port:
        limits = Limits(total=30.0, receive=0.2)
        with ModbusClient.tcp(HOST, port, limits=limits) as client, pytest.raises(NoAnswer, match=r"within 0\.2 s"):
            client.read(40001)
        asked.clear()
        with ModbusClient.tcp(HOST, port, limits=Limits(total=30.0, receive=0.2, retries=2)) as client:
            assert client.read(40001) == [9]
            assert len(asked) == 3


def test_a_connection_that_is_not_taken_is_bounded() -> None:
    limits = Limits(total=30.0, connect=0.3)
    with full() as port, ModbusClient.tcp(HOST, port, limits=limits) as client:
        begun = time.monotonic()
        with pytest.raises(NoAnswer, match=r"within 0\.3 s"):
            client.read(40001)
        assert time.monotonic() - begun < 0.3 + MARGIN


def test_nobody_there() -> None:
    with socket.create_server((HOST, 0)) as unused:
        port = unused.getsockname()[1]
    with ModbusClient.tcp(HOST, port) as client, pytest.raises(NoAnswer, match="refused"):
        client.read(40001)
    with ModbusClient.udp(HOST, port) as client, pytest.raises(NoAnswer, match="refused"):
        client.read(40001)


def test_a_wrong_transaction_id_is_not_taken_for_the_answer() -> None:
    def before(sock: socket.socket) -> None:
        for request in requests(sock):
            stray = (int.from_bytes(request[:2], "big") + 1 & 0xFFFF).to_bytes(2, "big")
            sock.sendall(stray + registers(request, 1)[2:] + registers(request, 2) + stray + registers(request, 3)[2:])

    def only(sock: socket.socket) -> None:
        for request in requests(sock):
            sock.sendall(b"\xff\xff" + registers(request, 1)[2:])

    with stranger(before) as port, ModbusClient.tcp(HOST, port) as client:
        assert [client.read(40001) for _ in range(5)] == [[2]] * 5
    short = Limits(total=0.4)
    with stranger(only) as port, ModbusClient.tcp(HOST, port, limits=short) as client, pytest.raises(NoAnswer):
        client.read(40001)


def test_a_late_answer_is_not_taken_for_the_next() -> None:
    def late(sock: socket.socket) -> None:
        for number, request in enumerate(requests(sock)):
            time.sleep(0.6 if number == 0 else 0.0)
            sock.sendall(registers(request, number))

    with stranger(late, late) as port, ModbusClient.tcp(HOST, port, limits=Limits(total=0.3)) as client:
        with pytest.raises(NoAnswer):
            client.read(40001)
        assert client.view(limits=Limits(total=30.0)).read(40001) == [0]  # of a new connection


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ("TT 0000 0003 01 83 0b", ModbusError),
        ("TT 0000 0005 01 03 02 0001", RemoteProtocolError),  # one register of the two
        ("TT 0000 0007 01 04 04 00010002", RemoteProtocolError),  # of another function
        ("TT 0000 0003 01 84 02", RemoteProtocolError),
        ("TT 0000 0007 01 03 05 00010002", RemoteProtocolError),
        ("TT 0000 ffff 01 03 04 00010002", RemoteProtocolError),
        ("TT 0000 0007 01 63 04 00010002", RemoteProtocolError),
        ("TT 0000 0002 01 03", RemoteProtocolError),
        ("TT 0000 0007 02 03 04 00010002", NoAnswer),  # of another unit
        ("TT 0001 0007 01 03 04 00010002", NoAnswer),  # of another protocol
    ],
)
def test_answers_that_make_no_sense(reply: str, error: type[NodeError]) -> None:
    def answer(sock: socket.socket) -> None:
        for number, request in enumerate(requests(sock)):
            data = bytes.fromhex(reply.replace("TT", request[:2].hex()))
            sock.sendall(data if number == 0 else registers(request, 4))

    def good(sock: socket.socket) -> None:
        for request in requests(sock):
            sock.sendall(registers(request, 4))

    with stranger(answer, good) as port, ModbusClient.tcp(HOST, port, limits=Limits(total=0.5)) as client:
        with pytest.raises(error):
            client.read(40001, count=2)
        assert client.view(limits=Limits(total=30.0)).read(40001, count=2) == [4, 4]


@pytest.mark.parametrize("end", [socket.socket.close, resets])
def test_reconnects_when_the_device_hung_up_meanwhile(end: object) -> None:
    def once(sock: socket.socket) -> None:
        for request in requests(sock):
            sock.sendall(registers(request, 3))
            time.sleep(0.02)
            end(sock)  # type: ignore[operator]
            return

    with stranger(once) as port, ModbusClient.tcp(HOST, port) as client:
        for _ in range(5):
            assert client.read(40001) == [3]
            time.sleep(0.05)


def test_a_device_that_goes_and_comes_back() -> None:
    with node() as port:
        client = ModbusClient.tcp(HOST, port)
        assert client.read(40002) == [1]
    with pytest.raises(NoAnswer):
        client.read(40002)
    with node(port):
        assert client.read(40002) == [1]
        client.close()
        assert client.read(40002) == [1]
        client.close()


def test_hung_up_in_the_middle_of_an_answer() -> None:
    def half(sock: socket.socket) -> None:
        for request in requests(sock):
            sock.sendall(registers(request)[:9])
            return

    closed = pytest.raises(NoAnswer, match="closed by the device")
    with stranger(half) as port, ModbusClient.tcp(HOST, port) as client, closed:
        client.read(40001)


def check_pymodbus_device(client: ModbusClient) -> None:
    """Reads and writes what pymodbus's servers serve."""
    assert client.read(40001, count=125) == list(range(125))
    assert client.read(1, count=30) == [k % 3 == 0 for k in range(30)]
    client.write(40101, [-1.5], LREAL, "CDAB")
    assert client.read(40101, LREAL, 1, "CDAB") == [-1.5]
    client.write_bits(2, [True])
    assert client.read(1, count=4) == [True, True, False, True]
    with pytest.raises(ModbusError) as caught:
        client.read(40200, count=5)
    assert caught.value.code == 2
    assert client.read(30005) == [4]


def test_pymodbus_over_tcp() -> None:
    with pymodbus_tcp() as port, ModbusClient.tcp(HOST, port) as client:
        check_pymodbus_device(client)


def test_pymodbus_over_udp() -> None:
    with pymodbus_udp() as port, ModbusClient.udp(HOST, port) as client:
        check_pymodbus_device(client)


def test_pymodbus_with_rtu_frames_over_tcp() -> None:
    with pymodbus_rtu_over_tcp() as port, ModbusClient.rtu_over_tcp(HOST, port) as client:
        check_pymodbus_device(client)


def test_pymodbus_over_tls(tmp_path: Path) -> None:
    cert, key = certificates(tmp_path)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(cert, key)
    with pymodbus_tls(serving) as port:
        with ModbusClient.tls(HOST, port, context=ssl.create_default_context(cafile=cert)) as client:
            check_pymodbus_device(client)
        with ModbusClient.tls(HOST, port) as client, pytest.raises(NoAnswer, match="TLS: self-signed"):
            client.read(40001)
        context = ssl.create_default_context(cafile=cert)
        other = pytest.raises(NoAnswer, match="other")
        with ModbusClient.tls(HOST, port, context=context, name="other") as client, other:
            client.read(40001)


def test_a_handshake_that_never_ends_is_bounded() -> None:
    with stranger(silent) as port:
        limits = Limits(total=30.0, connect=0.3)
        with ModbusClient.tls(HOST, port, limits=limits) as client:
            begun = time.monotonic()
            with pytest.raises(NoAnswer, match=r"within 0\.3 s"):
                client.read(40001)
            assert time.monotonic() - begun < 0.3 + MARGIN


def test_a_lost_datagram_is_sent_again_and_a_broken_one_is_nothing() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        device.bind((HOST, 0))
        port = device.getsockname()[1]

        def serve() -> None:
            device.recvfrom(300)
            request, peer = device.recvfrom(300)
            reply = registers(request, 6)
            for datagram in (reply[:-1], b"", b"\x00", reply):
                device.sendto(datagram, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        with ModbusClient.udp(HOST, port, limits=Limits(total=30.0, receive=0.2, retries=1)) as client:
            assert client.read(40001) == [6]
        thread.join()


def test_a_thread_waits_for_its_turn_no_longer_than_its_limit() -> None:
    with node() as port, ModbusClient.tcp(HOST, port) as client:
        waiting = client.view(limits=Limits(total=0.2))
        failed: list[Exception] = []

        def ask() -> None:
            try:
                waiting.read(40001)
            except NoAnswer as exc:
                failed.append(exc)

        with client.alone():
            thread = threading.Thread(target=ask)
            thread.start()
            thread.join(30)
            assert client.read(40002) == [1]
        assert "busy with other requests" in str(failed[0])


@pytest.mark.parametrize("masks", [(-1, 0), (0, 65536)])
def test_masks_that_no_register_has(client: ModbusClient, masks: tuple[int, int]) -> None:
    with pytest.raises(LocalProtocolError, match="cannot be sent"):
        client.mask_write(40001, *masks)


def test_half_a_register_is_not_written(client: ModbusClient) -> None:
    with pytest.raises(LocalProtocolError, match="3 bytes"):
        client.write_raw(40001, b"abc")


def test_an_action_cannot_ask_on_the_line_that_waits() -> None:
    def late(sock: socket.socket) -> None:
        for request in requests(sock):
            time.sleep(0.2)
            sock.sendall(registers(request, 4))

    with stranger(late) as port, ModbusClient.tcp(HOST, port) as client:
        with pytest.raises(LocalProtocolError, match="under way"):
            client.view(service_actions=lambda: client.read(40002)).read(40001)
        assert client.read(40001) == [4]
