"""The blocking client against a controller of ours, over real sockets: connected and unconnected, bundled and not."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator

import pytest

from node.cip.message import Request
from node.client import Client, Connector, TagError, format_tree, parse_operations
from node.client.failure import Refused
from node.client.structures import Structures
from node.errors import LocalProtocolError
from tests.client.nodes import Served, node

pytestmark = pytest.mark.net


@pytest.fixture(params=[True, False], ids=["connected", "unconnected"])
def plc(controller: Served, request: pytest.FixtureRequest) -> Iterator[Connector]:
    with Connector(controller.host, controller.port, connected=request.param) as connector:
        assert bool(connector.connection_size) == request.param
        yield connector


def test_values_by_name(plc: Connector) -> None:
    plc.write_tag("Volume", 1.5)
    plc.write_tag("FLAG", True)
    plc.write_tag("LABEL", "pump 7")
    plc.write_tag("TEXT[2]", ["on", "off"])
    assert plc.read_tag("Volume") == 1.5
    assert plc.read_tag("FLAG") is True
    assert plc.read_tag("LABEL") == "pump 7"
    assert plc.read_tag("TEXT[2-3]") == ["on", "off"]
    assert plc.read_tag("TEXT[2]") == "on"
    assert plc.read_tag("Volume", 1) == [1.5]


def test_a_long_slice_is_fragmented_by_itself(plc: Connector) -> None:
    numbers = [number * 7 - 9000 for number in range(5000)]
    plc.write_tag("ARR", numbers)
    assert plc.read_tag("ARR[0-4999]") == numbers
    assert plc.read_tag("ARR[4000]", 1000) == numbers[4000:]
    assert plc.read_tag("ARR[0-4999]+19996") == numbers[-1:]


def test_a_structure_is_a_dict_or_a_dataclass(plc: Connector) -> None:
    value = {"PRE": 500, "ACC": 3, "EN": True, "TT": False, "DN": True}
    plc.write_tag("CLOCK", value)
    assert plc.read_tag("CLOCK") == value
    clock = Structures().instance(plc.known[0xF83], plc.read_tag("CLOCK"))
    assert (clock.PRE, clock.DN) == (500, True)
    plc.write_tag("CLOCK", dataclasses.replace(clock, PRE=600))
    assert plc.read_tag("CLOCK.PRE") == 600
    with pytest.raises(LocalProtocolError, match="TIMER without ACC"):
        plc.write_tag("CLOCK", {"PRE": 1, "EN": True, "TT": True, "DN": True})


def test_many_tags_in_few_requests(plc: Connector) -> None:
    plc.write_tags({f"T{number}": number * 3 for number in range(100)})
    tags = [f"T{number}" for number in range(100)]
    sent = []
    plc.transact, transact = (lambda *given: sent.append(1) or transact(*given)), plc.transact  # type: ignore[method-assign]
    assert plc.read_tags(tags) == [number * 3 for number in range(100)]
    results = list(plc.pipeline(tags, multiple=True))
    assert [val for *_, val in results] == [[number * 3] for number in range(100)]
    packets = results[-1][0] + 1
    assert packets <= (2 if plc.connection_size else 10)


def test_a_fault_is_told_or_given_in_its_place(plc: Connector, controller: Served) -> None:
    good, bad, other = plc.read_tags(["T1", "Nope", "T2"], checking=False)
    assert isinstance(bad, TagError)
    assert not isinstance(good, TagError)
    assert not isinstance(other, TagError)
    words = f"{controller.host}:{controller.port}: Nope: path segment error (0x04)"
    assert str(bad).startswith(words)
    for call in (lambda: plc.read_tag("Nope"), lambda: plc.read_tags(["T1", "Nope"]), lambda: plc.write_tag("Nope", 1)):
        with pytest.raises(TagError) as caught:
            call()
        assert str(caught.value).startswith(words)


def test_a_wrong_count_is_not_sent(plc: Connector) -> None:
    with pytest.raises(LocalProtocolError, match="2 values where 3 were wanted"):
        plc.write_tag("ARR[0-2]", [1, 2])
    with pytest.raises(LocalProtocolError, match="2147483648 does not fit DINT"):
        plc.write_tag("ARR", 1 << 31)


@pytest.mark.parametrize("multiple", [0, 100, 500, True])
@pytest.mark.parametrize("depth", [0, 1, 4])
@pytest.mark.parametrize("fragment", [False, True])
def test_operations_give_the_same_in_every_way(plc: Connector, multiple: int, depth: int, fragment: bool) -> None:
    texts = ["Tag[0-9]=(DINT)0,1,2,3,4,5,6,7,8,9", "Tag[3-5]", "Tag[0-3]+8", "Nope", "SCADA[1]=99", "SCADA[0-2]"]
    results = list(plc.operate(parse_operations(texts), depth=depth, multiple=multiple, fragment=fragment))
    assert [val for *_, val in results][:4] == [True, [3, 4, 5], [2, 3], None]
    assert results[5][5][1] == 99
    assert [sts for *_, sts, _ in results] == [0, 0, 0, (4, (0,)), 0, 0]
    assert [idx for idx, *_ in results] == sorted(idx for idx, *_ in results)
    if not multiple:
        assert [idx for idx, *_ in results] == list(range(6))
    kind = "Frag" if fragment else "Tag"
    assert [dsc.partition(" ")[2] for _, dsc, *_ in results][:3] == [
        f"Write {kind} Tag[0-9]",
        f"Read {kind} Tag[3-5]",
        "Read Frag Tag[0-3]+8",
    ]


def test_results_and_process_and_what_is_printed(plc: Connector, capsys: pytest.CaptureFixture[str]) -> None:
    texts = ["SCADA[3]=(INT)4", "SCADA[3]", "Nope", "@1/1/1"]
    assert list(plc.results(texts[:3])) == [True, [4], None]
    failures, values = plc.process([*texts[:3]], printing=True)
    assert (failures, values) == (1, [[4], [4], None])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == ["SCADA[3] <= [4]: 'OK'", "SCADA[3] == [4]: 'OK'"]
    assert lines[2].startswith("Nope == None: 'path segment error (0x04)")
    assert plc.process(texts[:1], validating=True) == (0, [[4]])


def test_attributes_are_raw(plc: Connector) -> None:
    operations = [
        {"method": "get_attributes_all", "path": [{"class": 1}, {"instance": 1}]},
        {"method": "get_attribute_single", "path": "@1/1/7"},
        {"method": "set_attribute_single", "path": "@0x93/1/10", "data": [0, 0, -128, 63]},
        {"method": "get_attribute_single", "path": "@0x93/1/10"},
        {"method": "set_attribute_single", "path": "@0x93/1/10", "data": [2.5], "tag_type": 0xCA},
        {"method": "get_attribute_single", "path": "@1/1/99"},
    ]
    all_, name, set_, raw, typed, unknown = plc.pipeline(operations)
    assert all_[5][:4] == [1, 0, 14, 0]
    assert bytes(name[5][1:]) == b"1756-L61/B LOGIX5561"
    assert (name[1], name[5][0]) == ("Single G_A_S @0x0001/1/7", 20)
    assert (set_[5], raw[5], typed[5]) == (True, [0, 0, 128, 63], True)
    assert plc.read_tag("Gauge") == 2.5
    assert (unknown[4], unknown[5]) == (0x14, None)


def test_an_unknown_method_is_refused(plc: Connector) -> None:
    with pytest.raises(LocalProtocolError, match="'fly' is no method of an operation; there are read, write"):
        plc.process([{"method": "fly", "path": "T1"}])


def test_any_request(plc: Connector) -> None:
    reply = plc.request(Request(0x0E, b"\x20\x01\x24\x01\x30\x07"))
    assert (reply.status, reply.data[1:9]) == (0, b"1756-L61")
    assert plc.request(Request(0x0E, b"\x20\x01\x24\x01\x30\x63")).status == 0x14


@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize("multiple", [0, 400])
def test_an_operation_may_go_its_own_way(connected: bool, multiple: int) -> None:
    operations = [
        {"method": "read", "path": "T1"},
        {"method": "read", "path": "T1", "route_path": [{"port": 1, "link": 0}]},
        {"method": "read", "path": "T1", "route_path": "1/5"},
        {"method": "read", "path": "T1"},
    ]
    with node("--route-path", '[{"port": 1, "link": 0}]', "T1=DINT") as strict:
        with Connector(strict.host, strict.port, connected=connected) as plc:
            results = list(plc.pipeline(operations, multiple=multiple))
            assert [val for *_, val in results] == [[0], [0], None, [0]]
            assert isinstance(results[2][4], tuple)
            assert results[2][4][0] == 1, "a connection failure: there is no such way"
        with Connector(strict.host, strict.port, connected=connected and None, route_path="1/5") as plc:
            with pytest.raises(TagError, match=r"T1: connection failure \(0x01\)"):
                plc.read_tag("T1")
            assert plc.connection_size == 0


def test_the_six_items_are_trees_that_are_made_when_looked_into(plc: Connector) -> None:
    plc.write_tag("SCADA[0]", [1, 2, 3])
    _, dsc, req, rpy, sts, val = next(plc.pipeline(["SCADA[0-2]"]))
    assert (dsc, sts, val) == ("Single Read Tag SCADA[0-2]", 0, [1, 2, 3])
    assert req["path.segment[0].symbolic"] == "SCADA"
    assert req.read_tag.elements == 3
    assert (rpy.service, rpy.status, rpy.status_ext.size) == (0xCC, 0, 0)
    assert (rpy["read_tag.type"], rpy["read_tag.data"]) == (0xC3, [1, 2, 3])
    _, _, req, rpy, _, _ = next(plc.pipeline(["SCADA[0]=(INT)5"]))
    assert (req.write_tag.data, rpy.write_tag) == ([5], True)


KEYS = [
    "peer",
    "enip.command",
    "enip.length",
    "enip.session_handle",
    "enip.status",
    "enip.sender_context.input",
    "enip.options",
    "enip.input",
    "enip.CIP.send_data.interface",
    "enip.CIP.send_data.timeout",
    "enip.CIP.send_data.CPF.count",
    "enip.CIP.send_data.CPF.item[0].type_id",
    "enip.CIP.send_data.CPF.item[0].length",
    "enip.CIP.send_data.CPF.item[1].type_id",
    "enip.CIP.send_data.CPF.item[1].length",
    "enip.CIP.send_data.CPF.item[1].unconnected_send.request.input",
    "enip.CIP.send_data.CPF.item[1].unconnected_send.request.service",
    "enip.CIP.send_data.CPF.item[1].unconnected_send.request.status",
    "enip.CIP.send_data.CPF.item[1].unconnected_send.request.status_ext.size",
]
"""Those of the manual, and `peer`."""


def test_replies_by_hand_have_the_paths_of_the_manual(plc: Connector) -> None:
    request = "enip.CIP.send_data.CPF.item[1].unconnected_send.request"
    plc.write("Tag[0-1]", [5, 6], tag_type="DINT")
    assert plc.readable(timeout=1.0)
    reply = next(plc)
    assert reply is not None
    assert list(reply.keys()) == [*KEYS, f"{request}.write_frag"]
    assert (reply["enip.command"], reply[f"{request}.service"], reply[f"{request}.write_frag"]) == (111, 211, True)
    assert reply.peer == plc.peer
    plc.read("Tag[0-1]")
    plc.read("Tag[0-1]", offset=None)
    plc.get_attribute_single("@1/1/7")
    plc.get_attributes_all("@1/1")
    plc.get_attribute_list("@1/1", [1, 2])
    plc.set_attribute_single("@0x93/1/10", [1.0], tag_type=0xCA)
    plc.read("Nope")
    parts = []
    while len(parts) < 7:
        assert plc.readable(timeout=1.0)
        reply = next(plc)
        assert reply is not None
        parts.append(reply[request])
    assert parts[0].read_frag == {"type": 0xC4, "data": [5, 6]}
    assert parts[1].read_tag == {"type": 0xC4, "data": [5, 6]}
    assert parts[2].get_attribute_single.data[0] == 20
    assert parts[3].get_attributes_all.data[:2] == [1, 0]
    assert parts[4].get_attribute_list.data[:2] == [2, 0]
    assert parts[5].set_attribute_single is True
    assert (parts[6].status, parts[6].status_ext.data) == (4, [0])
    assert next(plc) is None
    assert '"enip.command": 111' in format_tree(reply)


def test_requests_that_are_not_sent_can_be_bundled(plc: Connector) -> None:
    plc.write_tag("Tag[0]", [8, 9])
    reads = [plc.read(f"Tag[{number}]", offset=None, send=False) for number in (0, 1)]
    assert not plc.readable(0.05)
    assert reads[0]["read_tag.elements"] == 1
    plc.multiple(reads)
    assert plc.readable(1.0)
    reply = next(plc)
    assert reply is not None
    inner = reply["enip.CIP.send_data.CPF.item[1].unconnected_send.request.multiple.request"]
    assert [part.read_tag.data for part in inner] == [[8], [9]]
    plc.unconnected_send(reads[1])
    assert plc.readable(1.0)


def test_the_index_is_the_sender_context(controller: Served) -> None:
    """By its first four bytes; the others tell the calls apart."""
    with Connector(controller.host, controller.port, connected=False) as plc:
        frames = []
        send = plc._transport.send
        plc._transport.send = lambda frame, deadline: frames.append(frame) or send(frame, deadline)  # type: ignore
        list(plc.pipeline(["T1", "T2"], index=41))
        list(plc.pipeline(["T1", "T2"], index=41))
    contexts = [frame[12:20] for frame in frames if frame[:1] == b"\x6f"]
    assert [int.from_bytes(context[:4], "little") for context in contexts] == [41, 42, 41, 42]
    assert len(set(contexts)) == 4


def test_a_simple_device_is_asked_plainly() -> None:
    with node("-S", "SCADA=INT") as simple:
        for keywords in ({"simple": True}, {"send_path": "", "route_path": False}):
            with Connector(simple.host, simple.port, **keywords) as plc:
                assert plc.connection_size == 0
                assert plc.read_tags(["SCADA"]) == [0]
                plc.read("SCADA")
                assert plc.readable(1.0)
                reply = next(plc)
                assert reply is not None
                assert reply["enip.CIP.send_data.CPF.item[1].unconnected_send.request.read_frag.data"] == [0]


def test_a_client_without_a_session_is_refused(controller: Served) -> None:
    with Client(controller.host, controller.port) as conn:
        conn.read("T1")
        assert conn.readable(1.0)
        reply = next(conn)
        assert reply is not None
        assert reply["enip.status"] == 0x64
        assert conn.register()
        conn.read("T1")
        assert conn.readable(1.0)


def test_the_end_of_a_node_is_the_end_of_the_replies() -> None:
    with node("SCADA=INT") as served:
        conn = Client(served.host, served.port)
    assert conn.readable(5.0)
    assert list(conn) == []
    assert conn.closed
    conn.close()
    with pytest.raises(Refused):
        Client(served.host, served.port, 1.0)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system is not trusted to wait")
@pytest.mark.parametrize("connected", [None, False])
def test_a_read_is_sent_and_received_and_not_waited_for_beside(controller: Served, connected: bool | None) -> None:
    """Two system calls: a third is a tenth of what a read costs."""
    with Connector(controller.host, controller.port, connected=connected) as plc:
        value = plc.read_tag("T1")
        waited: list[object] = []
        ready = plc._transport._ready
        plc._transport._ready = lambda *all_of_it: waited.append(all_of_it) or ready(*all_of_it)  # type: ignore
        for timeout in (None, 1.0, 5.0):
            for _ in range(20):
                assert plc.read_tag("T1", timeout=timeout) == value
        assert len(waited) < 30, "none, but where this process was not let run for 2 ms"
