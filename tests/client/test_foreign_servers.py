"""Other people's servers, as `tests.client.foreign` behaves: each is used with the defaults, or says what it lacks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from node.cip.message import Reply, Request, decode_reply
from node.cip.services import (
    LARGE_FORWARD_OPEN,
    MULTIPLE_SERVICE_PACKET,
    READ_TAG_FRAGMENTED,
    UNCONNECTED_SEND,
)
from node.cip.status import CipError
from node.cli.enip_client import main
from node.client import AsyncConnector, BadAnswer, Connector, Proxy, ProxySimple, TagError, TimedOut, browse
from node.client.client import Client
from node.enip.commands import encode_unconnected
from node.enip.header import LIST_IDENTITY, SEND_RR_DATA, decode_header, pack_header
from node.errors import RemoteProtocolError
from tests.client.foreign import HOST, ROUTER, AbServer, Adapter, Foreign, running
from tests.client.hostile import HOST as HOSTILE_HOST
from tests.client.hostile import Hostile, Say, hostile

pytestmark = pytest.mark.net

MICRO = ROUTER
"""The connection path of a Micro800: it has no backplane."""

BACKPLANE = b"\1\0" + ROUTER


@pytest.fixture(params=[(2020, BACKPLANE), (2020, MICRO), (2025, BACKPLANE), (2026, BACKPLANE)])
def ab_server(request: pytest.FixtureRequest) -> Iterator[AbServer]:
    """libplctag's, of each age, as a ControlLogix and as a Micro800."""
    age, path = request.param
    with running(AbServer(age, path)) as server:
        assert isinstance(server, AbServer)
        yield server


@pytest.fixture
def adapter() -> Iterator[Foreign]:
    """OpENer's."""
    with running(Adapter()) as server:
        yield server


@pytest.mark.parametrize("connected", [None, True])
def test_tags_of_ab_server_with_the_defaults(ab_server: AbServer, connected: bool | None) -> None:
    with Connector(HOST, ab_server.port, 5.0, connected=connected) as plc:
        assert plc.read_tag("T") == 0
        assert plc.read_tag("T[1500]") == 1500
        plc.write_tag("T[7]", [-7, 8, 9])
        assert plc.read_tags(["T[7]", "T[8-9]", "T[3]"]) == [-7, [8, 9], 3], "bundled where it knows bundles"
        assert plc.read_tag("T[100-999]") == list(range(100, 1000)), "in fragments"
        plc.write_tag("T[0-1999]", list(range(5000, 7000)))
        assert plc.read_tag("T[1999]") == 6999
    assert ab_server.connections == 0, "closed"


@pytest.mark.parametrize("depth", [1, 3])
def test_operations_at_ab_server(ab_server: AbServer, depth: int) -> None:
    with Connector(HOST, ab_server.port, 5.0) as plc:
        texts = ["T[3]", "T[4]=(DINT)44", "T[4-5]", "Nope", "T[6]"]
        for multiple in (0, True):
            results = list(plc.pipeline(texts, depth=depth, multiple=multiple, fragment=True))
            assert [val for *_, val in results] == [[3], True, [44, 5], None, [6]]
            assert results[3][4] == (3 if ab_server.age == 2026 else 8)


def test_extended_status_that_is_counted_in_bytes(ab_server: AbServer) -> None:
    with Connector(HOST, ab_server.port, 5.0) as plc:
        with pytest.raises(TagError, match=r"T\[1999-2000\]: general error \(0xFF\), count or index past"):
            plc.read_tag("T[1999-2000]")
        assert plc.read_tag("T[1]") == 1


@pytest.mark.parametrize("age", [2020, 2026])
def test_a_connection_that_is_said_to_be_open_is_asked_for_again(age: int) -> None:
    """`--reject_fo`."""
    with running(AbServer(age, refusals=2)) as server, Connector(HOST, server.port, 5.0) as plc:
        assert plc.read_tag("T[2]") == 2
        assert plc.connection_size == 4000
        assert server.services.count(LARGE_FORWARD_OPEN) == 3


def test_what_ab_server_has_not(ab_server: AbServer) -> None:
    with Connector(HOST, ab_server.port, 5.0) as plc:
        with pytest.raises(CipError, match="service not supported"):
            browse(plc)
        assert plc.read_tag("T[5]") == 5
    via = Proxy(HOST, ab_server.port, identity_default="ab_server")
    with via:
        assert list(via.read(["T[1]", "T[2-3]"])) == [[1], [2, 3]]
    via.close()


@pytest.mark.parametrize(("age", "options"), [(2020, ("-S",)), (2020, ("-S", "-m")), (2026, ()), (2026, ("-m",))])
def test_enip_client_and_ab_server(age: int, options: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with running(AbServer(age)) as server:
        code = main(["-a", f"{HOST}:{server.port}", *options, "T[3]=(DINT)33", "T[2-4]"])
        out, _ = capsys.readouterr()
        assert (code, [line.strip() for line in out.splitlines()]) == (
            0,
            ["T[3] <= [33]: 'OK'", "T[2-4] == [2, 33, 4]: 'OK'"],
        )


def test_enip_client_says_how_a_device_without_routes_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with running(AbServer(2020)) as server:
        assert main(["-a", f"{HOST}:{server.port}", "T[3]"]) == 1
    out, err = capsys.readouterr()
    assert out.strip() == "T[3] == None: 'service not supported (0x08)'"
    assert err.splitlines()[1:] == [
        "a device that routes nothing is asked with --simple (-S)",
        "enip_client: 1 of 1 operations failed",
    ]


def test_the_asyncio_client_and_ab_server(ab_server: AbServer) -> None:
    async def asked(connected: bool | None) -> list[object]:
        route = ((1, 0),) if ab_server.path == BACKPLANE and (connected is None or ab_server.age == 2026) else None
        async with AsyncConnector(HOST, ab_server.port, 5.0, route=route, connected=connected) as plc:
            return await plc.read_tags(["T[1]", "T[2-3]", "T[100-499]"])

    for connected in (None, False):
        assert asyncio.run(asked(connected)) == [1, [2, 3], list(range(100, 500))]


@pytest.mark.parametrize("connected", [False, True])
def test_a_late_answer_without_context_or_count_is_nobody_s(connected: bool) -> None:
    """Answers come in order, so that it is known which one is late."""

    class Slow(AbServer):
        def tag(self, request: Request) -> bytes:
            if request.path[-1] == 9:
                time.sleep(0.3)
            return super().tag(request)

    with (
        running(Slow(2020)) as server,
        Connector(HOST, server.port, 5.0, connected=connected, simple=not connected) as plc,
    ):
        for _ in range(2):
            with pytest.raises(TimedOut):
                plc.read_tag("T[9]", timeout=0.1)
            assert [plc.read_tag(f"T[{number}]") for number in (1, 2, 3)] == [1, 2, 3]


def test_who_gives_contexts_back_always_does() -> None:
    """An answer without one is no answer of such a server."""

    def nameless(server: Hostile, answers: list[bytes], say: Say) -> None:
        for answer in answers:
            say(answer[:12] + bytes(8) + answer[20:-4] + b"\1\2\3\4" + answer)

    with hostile() as server, Connector(HOSTILE_HOST, server.port, 5.0, connected=False) as plc:
        assert plc.read_tag("T[1]") == 1
        server.answering = nameless
        assert [plc.read_tag(f"T[{number}]") for number in range(5)] == [0, 1, 2, 3, 4]


def attributes(*paths: str) -> list[dict[str, object]]:
    """Their reads."""
    methods = {2: "get_attributes_all", 3: "get_attribute_single"}
    return [{"method": methods[len(path.split("/"))], "path": path} for path in paths]


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("multiple", [0, True])
def test_an_adapter_with_the_defaults(adapter: Foreign, depth: int, multiple: int) -> None:
    """It routes nothing: what was sent by Unconnected Send, all of what is under way, is sent again without."""
    asked = attributes("@1/1/1", "@1/1/7", "@1/1", "@1/1/99", "@4/100/3")
    with Connector(HOST, adapter.port, 5.0) as plc:
        results = list(plc.pipeline(asked, depth=depth, multiple=multiple))
        assert [val for *_, val in results] == [
            [1, 0],
            list(b"\x09OpENer PC"),
            list(b"\1\0\x0c\0\xe9\xfd\x09OpENer PC"),
            None,
            None,
        ]
        assert [sts for *_, sts, _ in results] == [0, 0, 0, 0x14, 5]
        sent = adapter.services.count(UNCONNECTED_SEND)
        assert 1 <= sent <= depth
        list(plc.pipeline(asked, depth=depth, multiple=multiple))
        assert adapter.services.count(UNCONNECTED_SEND) == sent, "it is known then"
        with pytest.raises(TagError, match=r"T: path segment error \(0x04\)"):
            plc.read_tag("T")


def test_an_adapter_s_connection_has_no_port_in_its_path(adapter: Foreign) -> None:
    with Connector(HOST, adapter.port, 5.0, connected=True) as plc:
        assert plc.connection_size == 4000
        for _ in range(3):
            ((*_, val),) = plc.pipeline(attributes("@1/1/1"))
            assert val == [1, 0]
        assert adapter.connections == 1
    assert adapter.connections == 0


@pytest.mark.parametrize("kind", [Proxy, ProxySimple])
def test_a_proxy_of_an_adapter(adapter: Foreign, kind: type[Proxy]) -> None:
    via = kind(HOST, adapter.port, timeout=5.0)
    with via:
        name, vendor, missing = via.read(["Product Name", ("@1/1/1", "UINT"), "@1/1/99"])
    assert (name, vendor, missing) == (["OpENer PC"], [1], None)
    assert str(via).startswith("OpENer PC at ")
    via.close()


@pytest.mark.parametrize("keywords", [{"route_path": "1/0"}, {"send_path": "@6/1"}, {"connected": False}])
def test_who_is_told_a_way_takes_no_other(adapter: Foreign, keywords: dict[str, object]) -> None:
    with Connector(HOST, adapter.port, 5.0, **keywords) as plc:  # type: ignore[arg-type]
        ((*_, sts, val),) = plc.pipeline(attributes("@1/1/1"))
    assert (sts, val) == (8, None)


def test_read_tag_fragmented_is_not_mistaken_for_unconnected_send() -> None:
    """Both are service 0x52: a router behind which somebody does not know the one knows the other."""

    def no_fragments(request: Request) -> Reply:
        return Reply(request.service, 8 if request.service == READ_TAG_FRAGMENTED else 0x14)

    with hostile() as server:
        server.opening = lambda request: Reply(request.service, 8)
        server.reply = no_fragments
        with Connector(HOSTILE_HOST, server.port, 5.0) as plc:
            for depth in (1, 3):
                results = list(plc.pipeline(["T[1]", "T[2]"], fragment=True, depth=depth))
                assert [sts for *_, sts, _ in results] == [8, 8]
            assert plc._send is not None, "routed still"


def test_bundles_that_are_not_known_are_asked_once(adapter: Foreign) -> None:
    with Connector(HOST, adapter.port, 5.0, connected=True) as plc:
        results = list(plc.pipeline(attributes(*["@1/1/1"] * 40), multiple=True))
        assert [val for *_, val in results] == [[1, 0]] * 40
        assert adapter.services.count(MULTIPLE_SERVICE_PACKET) == 1


@pytest.mark.parametrize("says", ["nothing", "goodbye", "no"])
def test_the_asyncio_client_does_without_a_connection(says: str) -> None:
    def opening(request: Request) -> Reply:
        if says == "goodbye":
            raise OSError("it hangs up")
        time.sleep(0.8 if says == "nothing" else 0)
        return Reply(request.service, 8)

    async def asked(port: int) -> object:
        async with AsyncConnector(HOSTILE_HOST, port, 1.0, connected=None) as plc:
            assert not plc.closed
            return await plc.read_tags(["T[3]"])

    with hostile() as server:
        server.opening = opening
        assert asyncio.run(asked(server.port)) == [3]


@pytest.mark.parametrize(("timeout", "told"), [(1.0, 800), (0.1, 80), (2.4, 1920), (5.0, 0), (None, 0)])
def test_devices_are_told_how_long_a_broadcast_is_waited_for(timeout: float | None, told: int) -> None:
    """Else OpENer, for one, may take 2 s."""
    with Client("127.255.255.255", 44818, udp=True, broadcast=True) as conn:
        frames: list[bytes] = []
        conn.timeout = timeout
        conn._transport.send = lambda frame, deadline: frames.append(frame)  # type: ignore[method-assign]
        conn.list_identity()
    (header,) = map(decode_header, frames)
    assert header.command == LIST_IDENTITY
    assert int.from_bytes(header.context[:4], "little") == told


def test_a_reply_that_is_cut_short_is_none_still() -> None:
    assert decode_reply(b"\xcc\0\xff\2\5\x21") == Reply(0x4C, 0xFF, (0x2105,))
    for cut in (b"\xcc\0\xff\2\5", b"\xcc\0\xff\3\5\x21\0", b"\xcc\0\0\2\5\x21", b"\xcc\0\xff\2\5\x21\0"):
        with pytest.raises(RemoteProtocolError):
            decode_reply(cut)


def test_a_refusal_that_is_cut_short_is_named() -> None:
    def cut(server: Hostile, answers: list[bytes], say: Say) -> None:
        for answer in answers:
            body = encode_unconnected(b"\xd2\0\x08\7")
            say(pack_header(SEND_RR_DATA, len(body), 0, 0, answer[12:20]) + body)

    with hostile() as server:
        server.opening = lambda request: Reply(request.service, 8)
        with Connector(HOSTILE_HOST, server.port, 5.0) as plc:
            assert plc.read_tag("T[1]") == 1
            server.answering = cut
            with pytest.raises(BadAnswer, match="announces 7 words"):
                plc.read_tag("T[1]")
            with pytest.raises(BadAnswer, match="announces 7 words"):
                plc.process(["T[1]"], depth=3)
