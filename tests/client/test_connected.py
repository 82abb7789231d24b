"""Which way messages go: a connection where one can be had, the large one first, and else none."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from node.cip.forward import decode_forward_open
from node.cip.message import Reply, Request
from node.cip.services import FORWARD_CLOSE, FORWARD_OPEN, LARGE_FORWARD_OPEN, READ_TAG
from node.client import AsyncConnector, Connector, TagError
from node.client.exchanges import run
from node.client.failure import TimedOut
from node.client.forward_open import open_steps
from node.errors import RemoteProtocolError
from tests.client.hostile import HOST, Hostile, Say, hostile
from tests.client.nodes import Served, node

pytestmark = pytest.mark.net

Opening = Callable[[Request], Reply | None]


def no_large(request: Request) -> Reply | None:
    """A device that knows the small Forward Open alone."""
    return Reply(request.service, 8) if request.service == LARGE_FORWARD_OPEN else None


def at_most(size: int) -> Opening:
    """A device that names the largest size it takes."""

    def opening(request: Request) -> Reply | None:
        asked = decode_forward_open(request.data, request.service == LARGE_FORWARD_OPEN).o_t.size
        return Reply(request.service, 1, (0x0109, size)) if asked > size else None

    return opening


def none_at_all(request: Request) -> Reply | None:
    """A device without class 3."""
    return Reply(request.service, 8)


def in_use_once() -> Opening:
    """A device that still has the connection of a client that was killed."""
    left = [1]
    return lambda request: Reply(request.service, 1, (0x0100,)) if left and left.pop() else None


GRANTS = {
    "large": (lambda request: None, 4000, [LARGE_FORWARD_OPEN]),
    "small": (no_large, 498, [LARGE_FORWARD_OPEN, FORWARD_OPEN]),
    "a size it names": (at_most(1000), 998, [LARGE_FORWARD_OPEN, LARGE_FORWARD_OPEN]),
    "a small size it names": (at_most(300), 298, [LARGE_FORWARD_OPEN, FORWARD_OPEN]),
    "in use": (in_use_once(), 4000, [LARGE_FORWARD_OPEN, LARGE_FORWARD_OPEN]),
    "none": (none_at_all, 0, [LARGE_FORWARD_OPEN, FORWARD_OPEN]),
}


@pytest.mark.parametrize("name", GRANTS)
def test_the_largest_connection_that_is_granted(name: str) -> None:
    opening, size, services = GRANTS[name]
    with hostile() as server:
        server.opening = opening
        with Connector(HOST, server.port, 5.0) as plc:
            assert plc.read_tag("T[7]") == 7
            assert plc.read_tags([f"T[{number}]" for number in range(50)]) == list(range(50))
            assert plc.connection_size == size
            assert server.requests[: len(services) + 1] == [*services, READ_TAG]
        assert (server.requests[-1] == FORWARD_CLOSE) == bool(size)


def test_without_a_connection_one_that_is_told_to_have_it_fails() -> None:
    with hostile() as server:
        server.opening = none_at_all
        with pytest.raises(TagError, match=rf"{HOST}:{server.port}: Forward Open: service not supported \(0x08\)"):
            Connector(HOST, server.port, 5.0, connected=True)


def test_a_device_that_hangs_up_at_a_forward_open_is_asked_unconnected() -> None:
    def hang_up(request: Request) -> Reply | None:
        raise OSError("it does that")

    with hostile() as server:
        server.opening = hang_up
        with Connector(HOST, server.port, 5.0) as plc:
            assert plc.read_tag("T[3]") == 3
            assert plc.connection_size == 0


def test_a_device_that_never_answers_a_forward_open_leaves_time_for_the_request() -> None:
    silence = True

    def answering(server: Hostile, answers: list[bytes], say: Say) -> None:
        for answer in answers:
            say(answer)

    def opening(request: Request) -> Reply | None:
        time.sleep(0.6 if silence else 0)
        return Reply(request.service, 8)

    with hostile(answering) as server:
        server.opening = opening
        with Connector(HOST, server.port, 5.0) as plc:
            begun = time.monotonic()
            assert plc.read_tag("T[3]", timeout=1.0) == 3
            assert time.monotonic() - begun < 1.5


def test_several_under_way_go_unconnected_unless_told() -> None:
    for connected, opens in ((None, 0), (True, 1)):
        with hostile() as server, Connector(HOST, server.port, 5.0, connected=connected) as plc:
            assert list(plc.results(["T[1]", "T[2]"], depth=4)) == [[1], [2]]
            assert server.requests.count(LARGE_FORWARD_OPEN) == opens


def test_a_grant_of_another_connection_is_refused() -> None:
    steps = open_steps(b"")
    ask = decode_forward_open(next(steps).data, large=True)
    other = (ask.serial ^ 1).to_bytes(2, "little")
    data = bytes(8) + other + bytes(16) + b"\0\0"
    with pytest.raises(RemoteProtocolError, match="about another connection"):
        steps.send(Reply(LARGE_FORWARD_OPEN, 0, (), data))


def test_a_device_that_names_ever_smaller_sizes_is_given_up() -> None:
    sizes = iter(range(4000, 0, -1))
    asked = []

    def ask(request: Request) -> Reply:
        asked.append(request)
        return Reply(request.service, 1, (0x0109, next(sizes)))

    with pytest.raises(Exception, match="invalid connection size"):
        run(open_steps(b"\1\0"), ask)
    assert len(asked) == 5


def test_every_call_keeps_its_time_in_all() -> None:
    """Not each of its fragments."""

    def slow(request: Request) -> Reply:
        time.sleep(0.15)
        return Reply(request.service, 6, (), b"\xc4\0\1\0\0\0")

    async def asked(port: int) -> None:
        async with AsyncConnector(HOST, port, 5.0) as plc:
            plc.timeout = 0.4
            await plc.read("T[0]", 50)

    with hostile() as server:
        server.reply = slow
        with Connector(HOST, server.port, 5.0, connected=False) as plc:
            begun = time.monotonic()
            with pytest.raises(TimedOut, match=r"no answer within 0\.4 s"):
                plc.read_tag("T[0-49]", timeout=0.4)
            assert time.monotonic() - begun < 3.0  # all of its fragments take seven seconds
        begun = time.monotonic()
        with pytest.raises(TimedOut):
            asyncio.run(asked(server.port))
        assert time.monotonic() - begun < 3.0


def test_who_looks_at_results_slowly_loses_none() -> None:
    async def looked_at(port: int) -> list[object]:
        async with AsyncConnector(HOST, port, 5.0) as plc:
            plc.timeout = 0.2
            values = []
            async for outcome in plc.outcomes([f"T[{number}]" for number in range(5)], depth=3):
                values.append(outcome.value)
                await asyncio.sleep(0.25)
            return values

    with hostile() as server, Connector(HOST, server.port, 5.0, connected=False) as plc:
        values = []
        for *_, val in plc.pipeline([f"T[{number}]" for number in range(5)], depth=3, timeout=0.2):
            values.append(val)
            time.sleep(0.25)
        assert values == [[number] for number in range(5)]
        assert asyncio.run(looked_at(server.port)) == values


def test_each_request_of_many_has_its_time_from_when_it_was_sent() -> None:
    """However many are before it."""

    def slow(request: Request) -> Reply:
        time.sleep(0.2)
        return plain(request)

    async def asked(port: int) -> None:
        async with AsyncConnector(HOST, port, 5.0) as plc:
            plc.timeout = 0.5
            async for _ in plc.outcomes([f"T[{number}]" for number in range(20)], depth=20):
                pass

    def asked_by_the_other(port: int) -> None:
        with Connector(HOST, port, 5.0) as plc:
            plc.process([f"T[{number}]" for number in range(20)], depth=20, timeout=0.5)

    with hostile() as server:
        plain = server.reply
        server.reply = slow
        for ask in (lambda port: asyncio.run(asked(port)), asked_by_the_other):
            begun = time.monotonic()
            with pytest.raises(TimedOut, match=r"no answer within 0\.5 s"):
                ask(server.port)
            assert time.monotonic() - begun < 2.0


def test_a_connection_that_the_node_forgot_is_opened_anew(controller: Served) -> None:
    with Connector(controller.host, controller.port) as plc:
        first = plc.read_tag("T1")
        plc._used -= 1e6
        assert plc.read_tag("T1") == first
        assert plc.connection_size == 4000


def test_a_micro_controller_is_asked_as_it_can_be() -> None:
    with node("--profile", "1766-L32BXB", "N7=INT[10]") as micro, Connector(micro.host, micro.port) as plc:
        ((name,),) = ([val for *_, val in plc.pipeline([{"method": "get_attribute_single", "path": "@1/1/7"}])],)
        assert bytes(name[1:]).startswith(b"1766-L32BXB")


def test_an_asyncio_client_may_be_opened_again_with_its_connection() -> None:
    async def asked(server: Hostile) -> None:
        plc = AsyncConnector(HOST, server.port, 5.0, connected=True)
        for _ in range(2):
            await plc.open()
            assert await plc.read_tags(["T[4]"]) == [4]
            assert plc._link is not None
            plc._link.abort()  # as if the network had gone
            await plc._link.closed
            assert plc.closed
        await plc.close()

    with hostile() as server:
        asyncio.run(asked(server))
