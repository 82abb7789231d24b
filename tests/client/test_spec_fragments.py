"""The fragments of code of the 2016 manual, sections 2.1.4 and 2.1.5, in our names, with what they show."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from node import client
from node.client.dotted import dotdict
from node.client.operations import Operation
from node.enip.commands import IdentityItem, encode_list_identity
from node.enip.header import LIST_IDENTITY, decode_header, pack_header
from tests.client.nodes import Served

pytestmark = pytest.mark.net


def test_process(controller: Served, capsys: pytest.CaptureFixture[str]) -> None:
    """2.1.5, `io_example.py`; there is no tag at an attribute of Identity to read, which counts as a failure."""
    tags = ["Tag[0-9]+16=(DINT)4,5,6,7,8,9", "@0x1/1/1", "Tag[3-5]"]
    with client.Connector(host=controller.host, port=controller.port, timeout=1.0) as connection:
        connection.process(["Tag[0-15]=(DINT)" + ",".join("0" * 16)])
        operations = client.parse_operations(tags)
        failures, transactions = connection.process(
            operations=operations, depth=1, multiple=0, fragment=False, printing=True, timeout=1.0
        )
    assert failures == 1, "Read Tag on an object without tags"
    assert transactions == [[4, 5, 6, 7, 8, 9], None, [0, 4, 5]]
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "Tag[0-9]+16 <= [4, 5, 6, 7, 8, 9]: 'OK'"
    assert lines[1].startswith("@0x0001/1/1 == None: 'service not supported (0x08)")
    assert lines[2] == "Tag[3-5] == [0, 4, 5]: 'OK'"


@pytest.mark.parametrize(("depth", "multiple"), [(0, 0), (20, 0), (20, 250)])
def test_throughput(controller: Served, depth: int, multiple: int) -> None:
    """2.1.5, `thruput.py`."""
    repeat = 25
    operations = client.parse_operations(["Volume", "Temperature"] * repeat)
    with client.Connector(host=controller.host, port=controller.port, timeout=5.0) as conn:
        start = time.perf_counter()
        num, idx = -1, -1
        for num, (idx, _dsc, _op, _rpy, _sts, val) in enumerate(  # noqa: B007
            conn.pipeline(operations=operations, depth=depth, multiple=multiple, timeout=5.0)
        ):
            assert val == [pytest.approx(val[0])]
        elapsed = time.perf_counter() - start
    line = f"{num + 1:3d} operations using {idx + 1:3d} requests in {elapsed:7.2f}s at pipeline depth {depth:2d}"
    found = re.match(r" 50 operations using +(\d+) requests", line)
    assert found is not None
    assert int(found[1]) == 50 if not multiple else 2 <= int(found[1]) <= 6


def test_parse_operations() -> None:
    """2.1.5, `parse_operations`."""
    assert list(client.parse_operations(["A_Tag[1-2]=(REAL)111,222"])) == [
        {
            "data": [111.0, 222.0],
            "elements": 2,
            "method": "write",
            "path": [{"symbolic": "A_Tag"}, {"element": 1}],
            "tag_type": 202,
        }
    ]


def test_numbers_in_other_bases() -> None:
    """2.1.4 says 26 == 0x1A == 0o49 == 0b100110, of which two are none and one is another number."""
    texts = ["@511/01/26", "@0x1FF/01/0x1A", "@0o777/1/0o32", "@0b111111111/1/0b11010"]
    paths = [operation["path"] for operation in client.parse_operations(texts)]
    assert paths == [[{"class": 511}, {"instance": 1}, {"attribute": 26}]] * 4


def test_pipeline(controller: Served) -> None:
    """2.1.5, the structure of the code."""
    operations = client.parse_operations(["Tag[8-9]=(DINT)88,99", "Tag[0-10]"])
    with client.Connector(host=controller.host, port=controller.port) as conn:
        results = list(conn.pipeline(operations=operations))
    (idx, dsc, req, rpy, sts, val), second = results
    assert (idx, dsc, sts, val) == (0, "Single Write Tag Tag[8-9]", 0, True)
    assert isinstance(req, dotdict)
    assert isinstance(rpy, dotdict)
    assert len(second[5]) == 11, "of SCADA[0-10] the manual shows 11 values in one place, and 12 in another"
    assert second[5][8:10] == [88, 99]


def test_synchronous_and_operate(controller: Served) -> None:
    """2.1.5, their keywords."""
    with client.Connector(host=controller.host, port=controller.port) as conn:
        one = list(conn.synchronous(client.parse_operations(["Tag[0]=(DINT)7"]), index=3, timeout=1.0))
        assert (one[0][0], one[0][5]) == (3, True)
        two = list(conn.operate(client.parse_operations(["Tag[0]=(DINT)7"]), validating=True))
        assert two[0][5] == [7]


def test_read_by_hand(controller: Served) -> None:
    """2.1.5, `client.connector.read`: the reply carries every layer."""
    with client.Connector(host=controller.host, port=controller.port) as conn:
        req = conn.read("Tag[0-1]")
        assert (req.service, req.read_frag.elements) == (82, 2)
        assert conn.readable(timeout=1.0), "Failed to receive reply"
        rpy = next(conn)
    assert rpy is not None
    shown = dict(rpy.items())
    request = "enip.CIP.send_data.CPF.item[1].unconnected_send.request"
    assert (shown["enip.status"], shown["enip.command"], shown["enip.options"]) == (0, 111, 0)
    assert shown["enip.session_handle"] == conn.session_handle or shown["enip.session_handle"]
    assert (shown["enip.CIP.send_data.CPF.count"], shown["enip.CIP.send_data.CPF.item[1].type_id"]) == (2, 178)
    assert (shown[f"{request}.service"], shown[f"{request}.status"]) == (210, 0)


def attribute_operations(paths: Iterable[str]) -> Iterator[Operation]:
    """2.1.5, of `getattribute.py`."""
    for op in client.parse_operations(paths):
        if "attribute" in op["path"][-1]:
            op["method"] = "get_attribute_single"
        else:
            op["method"] = "get_attributes_all"
        yield op


def test_attributes(controller: Served) -> None:
    """2.1.5, `get_attribute -v --depth 3 '@1/1' '@1/1/7'`."""
    with client.Connector(host=controller.host, port=controller.port, timeout=None) as conn:
        results = list(
            conn.pipeline(operations=attribute_operations(["@1/1", "@1/1/7"]), depth=3, multiple=False, timeout=None)
        )
    (_, everything, _, _, _, val), (_, name, _, _, _, raw) = results
    assert everything == "Single G_A_A @0x0001/1"
    assert val[:9] == [1, 0, 14, 0, 54, 0, 20, 11, 96]
    assert name == "Single G_A_S @0x0001/1/7"
    assert "".join(chr(x) for x in raw) == "\x141756-L61/B LOGIX5561"


def test_identity_services_and_interfaces(controller: Served) -> None:
    """2.1.4, what `--list-services --list-identity --list-interfaces` show."""
    with client.Client(host=controller.host, port=controller.port, udp=True) as conn:
        replies = []
        for ask in (conn.list_services, conn.list_identity, conn.list_interfaces, conn.legacy):
            ask(timeout=1.0)
            response, elapsed = client.await_response(conn, timeout=5.0)
            assert response, "no answer"
            assert elapsed < 5.0
            replies.append(response)
    services, identity, interfaces, legacy = (dict(reply.items()) for reply in replies)
    cpf = "enip.CIP.list_services.CPF"
    assert services[f"{cpf}.count"] == 1
    assert services[f"{cpf}.item[0].communications_service.service_name"] == "Communications"
    assert services[f"{cpf}.item[0].communications_service.capability"] & 0x20
    assert services[f"{cpf}.item[0].type_id"] == 256
    cpf = "enip.CIP.list_identity.CPF.item[0].identity_object"
    assert (identity[f"{cpf}.vendor_id"], identity[f"{cpf}.device_type"], identity[f"{cpf}.product_code"]) == (
        1,
        14,
        54,
    )
    assert identity[f"{cpf}.product_revision"] == 2836 == 20 | 11 << 8, "20.11, minor first when read as one number"
    assert identity[f"{cpf}.sin_addr"] == controller.host
    assert identity["peer"] == (controller.host, controller.port)
    assert interfaces["enip.CIP.list_interfaces.CPF.count"] == 0
    assert legacy["enip.CIP.legacy.CPF.item[0].legacy_CPF_0x0001.ip_address"] == controller.host


BROADCAST = "127.255.255.255"


@contextmanager
def network(names: list[str]) -> Iterator[int]:
    """Devices that hear a broadcast of loopback, each answering from a socket of its own; the port."""
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.bind((BROADCAST, 0))
    mouths = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in names]

    def listen() -> None:
        while True:
            data, sender = ear.recvfrom(4096)
            if not data:
                return
            header = decode_header(data)
            for place, (mouth, name) in enumerate(zip(mouths, names, strict=True)):
                if header.command == LIST_IDENTITY:
                    body = encode_list_identity(IdentityItem("10.0.0.4", 1, 14, 54, (20, 11), 0, place, name))
                    mouth.sendto(b"noise", sender)
                    mouth.sendto(pack_header(header.command, len(body), 0, 0, b"somebody") + body, sender)
                    mouth.sendto(pack_header(header.command, len(body), 0, 0, header.context) + body, sender)

    for place, mouth in enumerate(mouths):
        mouth.bind((f"127.64.33.{20 + place}", 0))
    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield ear.getsockname()[1]
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            end.sendto(b"", ear.getsockname())
        thread.join(5)
        for used in (ear, *mouths):
            used.close()


def test_a_broadcast_is_answered_by_all() -> None:
    """2.1.5, `list_identity_simple`: until the time-out passes without an answer."""
    names = ["pump", "valve", "tank"]
    heard = []
    with network(names) as port, client.Client(host=BROADCAST, port=port, udp=True, broadcast=True) as conn:
        conn.list_identity(timeout=0.5)
        while True:
            response, _elapsed = client.await_response(conn, timeout=0.5)
            if response:
                assert '"enip.command": 99' in client.format_tree(response)
                heard.append(response["enip.CIP.list_identity.CPF.item[0].identity_object.product_name"])
                assert response.peer[0].startswith("127.64.33.2")
            else:
                break
    assert sorted(heard) == sorted(names)


def test_discover_gathers_until_the_time_is_over() -> None:
    with network(["pump", "valve"]) as port:
        begun = time.monotonic()
        devices = client.discover(BROADCAST, port, timeout=0.4)
        assert 0.4 <= time.monotonic() - begun < 2.0
    assert [device.identity.product_name for device in devices] == ["pump", "valve"]
    assert [device.peer[0] for device in devices] == ["127.64.33.20", "127.64.33.21"]


def test_a_connector_over_udp_never_registers(controller: Served) -> None:
    """2.1.5, `client.connector( host=…, udp=True, broadcast=True )`."""
    with client.Connector(host=controller.host, port=controller.port, udp=True) as conn:
        assert conn.session_handle == 0
        conn.list_identity()
        assert conn.readable(1.0)
        reply = next(conn)
    assert reply is not None
    assert reply["enip.session_handle"] == 0


def test_nobody_answers_over_udp() -> None:
    with client.Client("127.64.33.99", 44818, udp=True) as conn:
        conn.list_identity()
        begun = time.monotonic()
        with pytest.raises(client.Refused, match=r"127\.64\.33\.99:44818: connection refused"):
            conn.readable(1.0)
        assert time.monotonic() - begun < 1.5
