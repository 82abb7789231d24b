"""The asyncio client against a controller that does as it is told."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TypeVar

import pytest

from node.cip.epath import Symbolic, decode_epath
from node.cip.message import Reply, Request, decode_request
from node.cip.predefined import STRING, TIMER
from node.cip.services import READ_MODIFY_WRITE, READ_TAG, READ_TAG_FRAGMENTED, WRITE_TAG, WRITE_TAG_FRAGMENTED
from node.cip.status import (
    PARTIAL_TRANSFER,
    PATH_SEGMENT_ERROR,
    REPLY_DATA_TOO_LARGE,
    SERVICE_NOT_SUPPORTED,
    CipError,
)
from node.cip.structure_values import encode_text
from node.cip.tag_services import (
    decode_read_fragmented,
    decode_read_modify_write,
    decode_read_tag,
    decode_write_fragmented,
    decode_write_tag,
    encode_type,
)
from node.cip.template import Declared, lay_out
from node.cip.text import encode_texts
from node.cip.types import BOOL, DINT, REAL, encode_values
from node.cip.unconnected import decode_unconnected_send
from node.client.aio import AsyncConnector, probe_enip
from node.client.failure import NoAnswer
from node.client.tag_values import parse_truths
from node.enip.header import LIST_IDENTITY, REGISTER_SESSION, UNREGISTER_SESSION
from node.errors import LocalProtocolError, NodeError
from tests.client.scripted import HOST, IDENTITY, Scripted, serving

pytestmark = pytest.mark.net

Result = TypeVar("Result")

ROOT = Path(__file__).resolve().parents[2]

STRING_TYPE = encode_type(0xA0, 0x0FCE)
ROOM = 200
"""Bytes of values the scripted controller puts into one reply."""


class Tag:
    """One tag of the scripted controller, as type bytes and value bytes."""

    def __init__(self, type_bytes: bytes, data: bytes, size: int) -> None:
        self.type_bytes = type_bytes
        self.data = bytearray(data)
        self.size = size
        self.first = SERVICE_NOT_SUPPORTED

    def __call__(self, request: Request) -> Reply:
        """Serves the four tag services for `TAG`."""
        if decode_epath(request.path) != [Symbolic("TAG")]:
            raise CipError(PATH_SEGMENT_ERROR, (0,))
        if request.service == READ_TAG:
            if self.first == REPLY_DATA_TOO_LARGE:
                raise CipError(REPLY_DATA_TOO_LARGE)
            return self.part(request.service, decode_read_tag(request.data), 0)
        if request.service == READ_TAG_FRAGMENTED:
            return self.part(request.service, *decode_read_fragmented(request.data))
        offset = 0
        if request.service == WRITE_TAG:
            code, handle, elements, values = decode_write_tag(request.data)
        else:
            code, handle, elements, offset, values = decode_write_fragmented(request.data)
        assert encode_type(code, handle) == self.type_bytes
        assert elements * self.size >= offset + len(values)
        self.data[offset : offset + len(values)] = values
        return Reply(request.service)

    def part(self, service: int, elements: int, offset: int) -> Reply:
        """As many whole elements as fit, from `offset` on."""
        whole = self.data[: elements * self.size] if self.size else self.data
        room = ROOM // self.size * self.size if self.size else ROOM
        piece = bytes(whole[offset : offset + room])
        more = offset + len(piece) < len(whole)
        return Reply(service, PARTIAL_TRANSFER if more else 0, (), self.type_bytes + piece)


def run(body: Coroutine[object, object, Result]) -> Result:
    """Runs a test's body on a loop of its own."""
    return asyncio.run(body)


def connect(script: Scripted, timeout: float = 5.0) -> AsyncConnector:
    """A client of `script`."""
    return AsyncConnector(HOST, script.port, timeout)


def test_a_session_begins_and_ends() -> None:
    async def body() -> None:
        async with serving(Scripted()) as script:
            async with connect(script) as plc:
                assert await plc.list_identity() == IDENTITY
            await asyncio.wait_for(script.closed.wait(), 5)
            assert script.commands == [REGISTER_SESSION, LIST_IDENTITY, UNREGISTER_SESSION]

    run(body())


READS: list[tuple[Tag, list[object]]] = [
    (Tag(b"\xc4\0", encode_values(DINT, [1, -2, 3]), 4), [1, -2, 3]),
    (Tag(b"\xca\0", encode_values(REAL, [0.5, -1.25]), 4), [0.5, -1.25]),
    (Tag(b"\xc1\0", encode_values(BOOL, [True, False]), 1), [True, False]),
    (Tag(STRING_TYPE, encode_text(STRING, "pump") + encode_text(STRING, ""), 88), ["pump", ""]),
    (Tag(b"\xda\0", encode_texts(["a", "valve"]), 0), ["a", "valve"]),
    (Tag(encode_type(0xA0, 0xABCD), b"\1\2\3\4", 4), [b"\1\2\3\4"]),
]


@pytest.mark.parametrize(("tag", "values"), READS, ids=[type(values[0]).__name__ for _, values in READS])
def test_values_of_any_type_are_read(tag: Tag, values: list[object]) -> None:
    async def body() -> None:
        async with serving(Scripted(tag)) as script, connect(script) as plc:
            assert await plc.read("TAG", len(values)) == values
            assert [request.service for request in script.requests] == [READ_TAG]

    run(body())


@pytest.mark.parametrize("first", [PARTIAL_TRANSFER, REPLY_DATA_TOO_LARGE])
def test_a_long_read_goes_on_in_fragments(first: int) -> None:
    values = [float(number) for number in range(1000)]
    tag = Tag(b"\xca\0", encode_values(REAL, values), 4)
    tag.first = first

    async def body() -> None:
        async with serving(Scripted(tag)) as script, connect(script) as plc:
            assert await plc.read("TAG", 1000) == values
            services = [request.service for request in script.requests]
            assert services[0] == READ_TAG
            assert set(services[1:]) == {READ_TAG_FRAGMENTED}

    run(body())


def test_a_short_write_learns_the_type_once() -> None:
    tag = Tag(b"\xc4\0", bytes(8), 4)

    async def body() -> None:
        async with serving(Scripted(tag)) as script, connect(script) as plc:
            await plc.write("TAG", [7, -7])
            await plc.write("TAG", "0x10")
            assert await plc.read("TAG", 2) == [16, -7]
            assert [request.service for request in script.requests] == [READ_TAG, WRITE_TAG, WRITE_TAG, READ_TAG]

    run(body())


def test_a_long_write_goes_in_fragments_that_fit_an_unconnected_message() -> None:
    tag = Tag(b"\xca\0", bytes(4000), 4)
    values = [number / 2 for number in range(1000)]

    async def body() -> None:
        async with serving(Scripted(tag)) as script, connect(script) as plc:
            await plc.write("TAG", values, type="REAL")
            assert await plc.read("TAG", 1000) == values
            writes = [request for request in script.requests if request.service == WRITE_TAG_FRAGMENTED]
            assert len(writes) == 9
            assert max(2 + len(request.path) + len(request.data) for request in writes) <= 504

    run(body())


@pytest.mark.parametrize(
    ("tag", "values"),
    [
        (Tag(STRING_TYPE, encode_text(STRING, "") * 20, 88), [f"pump {number}" for number in range(20)]),
        (Tag(b"\xc1\0", bytes(3), 1), [True, False, True]),
    ],
    ids=["STRING", "BOOL"],
)
def test_texts_and_bools_are_written_and_read_back(tag: Tag, values: list[bool | int | float | str | bytes]) -> None:
    async def body() -> None:
        async with serving(Scripted(tag)) as script, connect(script) as plc:
            await plc.write("TAG", values)
            assert await plc.read("TAG", len(values)) == values

    run(body())


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        ([1 << 31], "DINT", "2147483648 does not fit DINT"),
        ("hot", "REAL", "'hot' where a number was wanted"),
        ([b"raw"], "DINT", "where a value of DINT was wanted"),
        ([], "DINT", "no values to write"),
        (["x" * 83], "STRING", "83 characters: STRING holds 82"),
        ([1], "FLOAT", "'FLOAT' is no type"),
    ],
)
def test_values_that_cannot_be_written_never_leave(
    values: list[int | str | bytes] | str, kind: str, message: str
) -> None:
    async def body() -> None:
        async with serving(Scripted(Tag(b"\xc4\0", bytes(4), 4))) as script, connect(script) as plc:
            with pytest.raises(LocalProtocolError, match=message):
                await plc.write("TAG", values, type=kind)
            assert script.requests == []

    run(body())


def test_a_structure_is_not_written_blindly() -> None:
    async def body() -> None:
        async with serving(Scripted(Tag(encode_type(0xA0, 0xABCD), bytes(4), 4))) as script, connect(script) as plc:
            with pytest.raises(LocalProtocolError, match="TAG is a structure"):
                await plc.write("TAG", 1)

    run(body())


PUMP = lay_out("Pump", 0x101, (Declared("Speed", REAL), Declared("Hours", DINT, 2)))


def test_a_structure_that_is_known_is_its_members() -> None:
    tag = Tag(PUMP.type_bytes, bytes(2 * PUMP.size), PUMP.size)

    async def body() -> None:
        async with serving(Scripted(tag)) as script:
            async with AsyncConnector(HOST, script.port, templates=(PUMP,)) as plc:
                await plc.write("TAG", [{"Speed": 1.5, "Hours": [1, 2]}, {"Speed": 0, "Hours": [3, 4]}])
                assert await plc.read("TAG", 2) == [{"Speed": 1.5, "Hours": [1, 2]}, {"Speed": 0.0, "Hours": [3, 4]}]
                with pytest.raises(LocalProtocolError, match="Pump without Hours; wanted every member"):
                    await plc.write("TAG", {"Speed": 1.5})
            async with connect(script) as stranger:
                assert await stranger.read("TAG") == [bytes(tag.data[: PUMP.size])]

    run(body())


def test_timers_are_known_to_everybody() -> None:
    tag = Tag(TIMER.type_bytes, encode_values(DINT, [0, 500, 7]), TIMER.size)

    async def body() -> None:
        async with serving(Scripted(tag)) as script, connect(script) as plc:
            (timer,) = await plc.read("TAG")
            assert timer == {"PRE": 500, "ACC": 7, "EN": False, "TT": False, "DN": False}

    run(body())


def test_bits_are_set_and_cleared_by_masks() -> None:
    asked: list[tuple[int, bytes, bytes]] = []

    def answer(request: Request) -> Reply:
        assert request.service == READ_MODIFY_WRITE
        asked.append(decode_read_modify_write(request.data))
        return Reply(request.service)

    async def body() -> None:
        async with serving(Scripted(answer)) as script, connect(script) as plc:
            await plc.modify("TAG", 0b0001, 0b1010, 2)

    run(body())
    assert asked == [(2, bytes([1, 0]), bytes([0xF5, 0xFF]))]


def test_truths_as_people_type_them() -> None:
    assert parse_truths(["on", "0", "true", "off", "1"]) == [True, False, True, False, True]
    with pytest.raises(LocalProtocolError, match="'maybe' where true or false was wanted"):
        parse_truths(["maybe"])


def test_a_fault_of_the_controller_keeps_its_status_and_the_session() -> None:
    async def body() -> None:
        async with serving(Scripted(Tag(b"\xc4\0", bytes(4), 4))) as script, connect(script) as plc:
            with pytest.raises(CipError) as caught:
                await plc.read("NONE")
            assert (caught.value.general, caught.value.extended) == (PATH_SEGMENT_ERROR, (0,))
            assert await plc.read("TAG") == [0]

    run(body())


def test_a_path_that_is_none_is_refused_before_it_is_sent() -> None:
    async def body() -> None:
        async with serving(Scripted()) as script, connect(script) as plc:
            with pytest.raises(LocalProtocolError, match="is a range"):
                await plc.read("TAG[0-9]")

    run(body())


def test_an_attribute_is_its_bytes() -> None:
    def identity(request: Request) -> Reply:
        assert (request.service, request.path.hex()) == (0x0E, "200124013007")
        return Reply(request.service, 0, (), b"\x03PLC")

    async def body() -> None:
        async with serving(Scripted(identity)) as script, connect(script) as plc:
            assert await plc.get_attribute_single("@1/1/7") == b"\x03PLC"

    run(body())


@pytest.mark.parametrize("route", [(), ((1, 0),), ((1, 3), (2, "10.0.0.1"))], ids=["empty", "slot", "network"])
def test_a_route_goes_inside_unconnected_send(route: tuple[tuple[int, int | str], ...]) -> None:
    tag = Tag(b"\xc4\0", encode_values(DINT, [5]), 4)
    routes = []

    def unwrap(request: Request) -> Reply:
        assert request.service == 0x52
        send = decode_unconnected_send(request.data)
        routes.append(decode_epath(send.route))
        return tag(decode_request(send.message))

    async def body() -> None:
        async with serving(Scripted(unwrap)) as script, AsyncConnector(HOST, script.port, route=route) as plc:
            assert await plc.read("TAG") == [5]
        assert [len(segments) for segments in routes] == [len(route)]

    run(body())


def test_calls_that_overlap_get_their_own_answers() -> None:
    def echo(request: Request) -> Reply:
        return Reply(request.service, 0, (), b"\xc4\0" + request.path[-1:] + b"\0\0\0")

    async def body() -> None:
        async with serving(Scripted(echo)) as script, connect(script) as plc:
            answers = await asyncio.gather(*(plc.read(f"TAG[{number}]") for number in range(50)))
            assert answers == [[number] for number in range(50)]

    run(body())


def test_no_answer_names_who_was_asked_and_how_long() -> None:
    async def body() -> None:
        async with serving(Scripted(mute=True)) as script:
            with pytest.raises(NoAnswer, match=rf"{HOST}:{script.port}: no answer within 0\.05 s"):
                await connect(script, 0.05).open()

    run(body())


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next() -> None:
    held: list[Request] = []

    def once_silent(request: Request) -> Reply | None:
        held.append(request)
        return None if len(held) == 1 else Reply(request.service, 0, (), b"\xc4\0\x09\0\0\0")

    async def body() -> None:
        async with serving(Scripted(once_silent)) as script, connect(script, 0.05) as plc:
            with pytest.raises(NoAnswer, match="no answer within"):
                await plc.read("TAG")
            plc.timeout = 5
            assert await plc.read("TAG") == [9]

    run(body())


def test_a_controller_that_hangs_up_is_no_answer() -> None:
    async def body() -> None:
        async with serving(Scripted(hang_up=True)) as script, connect(script) as plc:
            for _ in range(2):
                with pytest.raises(NoAnswer, match=f"{HOST}:{script.port}: connection closed by the controller"):
                    await plc.read("TAG")

    run(body())


def test_a_refused_connection_says_so() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        port = taken.getsockname()[1]
        with pytest.raises(NoAnswer, match=f"^{HOST}:{port}: connection refused$"):
            run(AsyncConnector(HOST, port).open())


def test_a_host_that_does_not_exist_says_so() -> None:
    with pytest.raises(NoAnswer, match="no such host"):
        run(AsyncConnector("no host", 1).open())


def test_an_encapsulation_fault_is_named() -> None:
    async def body() -> None:
        async with serving(Scripted(status=0x69)) as script:
            with pytest.raises(NoAnswer, match=f"{script.port}: RegisterSession got unsupported protocol version"):
                await connect(script).open()
            await asyncio.wait_for(script.closed.wait(), 5)

    run(body())


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (b"\0\0", "a malformed answer: a send body of 2 bytes"),
        (Reply(READ_TAG, 0, (), b"\xc4"), "a read reply of 1 bytes"),
        (Reply(READ_TAG, 0, (), b"\xc4\0\1\2\3"), "a malformed answer: 3 bytes of DINT, asked were 1 elements of 4"),
        (Reply(READ_TAG, 6, (), b"\xc4\0"), "a read that does not end"),
    ],
    ids=["frame", "type", "values", "endless"],
)
def test_nonsense_is_no_answer(reply: Reply | bytes, message: str) -> None:
    async def body() -> None:
        async with serving(Scripted(lambda request: reply)) as script, connect(script) as plc:
            with pytest.raises(NoAnswer, match=message):
                await plc.read("TAG")

    run(body())


def test_a_client_without_a_session_says_what_to_do() -> None:
    with pytest.raises(LocalProtocolError, match="async with"):
        run(AsyncConnector(HOST).read("TAG"))


def test_closing_twice_is_closing_once() -> None:
    async def body() -> None:
        async with serving(Scripted()) as script:
            plc = connect(script)
            await plc.open()
            await plc.close()
            await plc.close()
            await asyncio.wait_for(script.closed.wait(), 5)
            assert script.commands.count(UNREGISTER_SESSION) == 1

    run(body())


def test_importing_the_client_loads_nothing_heavy() -> None:
    heavy = {"typer", "rich", "click", "flask", "docker", "pyroute2", "pymodbus", "yaml", "greenery"}
    code = "import sys, node.client.aio; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "node" in loaded
    assert loaded & heavy == set()


def test_a_probe_is_one_list_identity() -> None:
    async def body() -> None:
        async with serving(Scripted()) as script:
            names = await asyncio.gather(*(probe_enip(HOST, script.port, 5) for _ in range(100)))
            assert names == [IDENTITY.product_name] * 100
            assert script.commands == [LIST_IDENTITY] * 100

    run(body())


def test_a_probe_of_nothing_is_one_line() -> None:
    async def body() -> None:
        async with serving(Scripted(mute=True)) as script:
            with pytest.raises(NodeError) as caught:
                await probe_enip(HOST, script.port, 0.05)
            assert str(caught.value) == f"{HOST}:{script.port}: no answer within 0.05 s"

    run(body())


def test_it_says_whether_there_is_a_session() -> None:
    async def talk(script: Scripted) -> None:
        plc = AsyncConnector(HOST, script.port)
        assert plc.closed, "not opened yet"
        async with plc:
            assert not plc.closed
            script.hang_up = True
            with pytest.raises(NoAnswer):
                await plc.read("SCADA")
            assert plc.closed, "the controller hung up"
        script.hang_up = False
        await plc.open()
        assert not plc.closed
        await plc.close()
        assert plc.closed

    async def body() -> None:
        async with serving(Scripted()) as script:
            await talk(script)

    asyncio.run(body())
