"""Messages sent on to other devices, on real sockets: a gateway, what stands behind it, and who else is served."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from node.capture.dissect_enip import dissect_enip
from node.cip.unconnected import UnconnectedSend, encode_unconnected_send
from node.exchange.delay import even_delay
from node.exchange.exchange import Exchange, build_chain
from node.objects.routes import Subnet, parse_subnet
from node.server import onward as onward_module
from node.server.onward import MAX_PEER_SESSIONS
from node.server.parked import HELD
from node.server.peer import RECEIVE
from tests.enip.test_target import ANSWER, ONE, frame, rr, unit
from tests.objects.devices import name, request
from tests.server.serving import Client, Node, serving
from tests.waiting import eventually

pytestmark = pytest.mark.net

SUBNET: Subnet | None = parse_subnet("127.64.200.0/24")
GATEWAY, TARGET, FAR, DEAD = "127.64.200.1", "127.64.200.2", "127.64.200.3", "127.64.200.66"
MANAGER = "2006 2401"
ROUTER = "2002 2401"
SET_NINE = request(0x4D, name("ONE"), "c400 0100 09000000")


def gateway(host: str = GATEWAY, **options: object) -> "serving":  # type: ignore[valid-type]
    return serving(host=host, onward=SUBNET, **options)


def hop(node: Node | str, port: int = 0) -> str:
    """The port segment that leads to a node, in hex."""
    host, number = (node, port) if isinstance(node, str) else (node.listener.host, node.port)
    text = f"{host}:{number}".encode()
    return (bytes((0x12, len(text))) + text + b"\0" * (len(text) & 1)).hex()


def send(message: bytes, route: str, tick: int = 0x0A, ticks: int = 0x05) -> bytes:
    data = encode_unconnected_send(UnconnectedSend(message, bytes.fromhex(route), tick, ticks))
    return request(0x52, MANAGER, data.hex())


def failed(status: str, route: str) -> str:
    """The reply of an Unconnected Send that got nowhere."""
    return f"d20001 01{status}{len(bytes.fromhex(route)) // 2:02x}00".replace(" ", "")


@asynccontextmanager
async def pair(**options: object) -> AsyncIterator[tuple[Node, Node, Client, str]]:
    """A gateway, a target behind it, and a client with its session handle."""
    async with gateway(**options) as near, serving(host=TARGET) as far:
        client = await near.connect()
        yield near, far, client, await client.register()
        await client.close()


class Rogue:
    """A TCP server that is no good: it answers a first frame with `answer`, and only listens from then on; with None it
    closes."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        self.open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            await reader.readexactly(28)
            if self.answer is not None:
                writer.write(self.answer)
                while await reader.read(4096):
                    pass
        except ConnectionError:
            pass
        finally:
            self.open -= 1
            writer.close()


REGISTERED = bytes.fromhex("6500 0400 07000000 00000000 0000000000000000 00000000 01000000")
REFUSED = bytes.fromhex("6500 0000 00000000 02000000 0000000000000000 00000000")
GARBAGE = bytes.fromhex("6f00 0100 07000000 00000000 0100000000000000 00000000 ff")


@asynccontextmanager
async def rogue(answer: bytes | None = REGISTERED) -> AsyncIterator[tuple[Rogue, str]]:
    """The server, and the port segment that leads to it."""
    server = Rogue(answer)
    listener = await asyncio.start_server(server.serve, TARGET, 0)
    async with listener:
        yield server, hop(TARGET, listener.sockets[0].getsockname()[1])


def test_what_was_refused_elsewhere_is_its_peer_s_error_too() -> None:
    async def scene() -> None:
        async with pair() as (near, far, client, handle):
            nowhere = request(0x4C, name("NONE"), "0100")
            assert (await client.ask(rr(send(nowhere, hop(far)), handle)))[42] == 4
            (peer,) = near.listener.peers
            assert (near.metrics.errors, peer.errors) == (1, 1)
            (refusal,) = near.metrics.refusals.values()
            assert dissect_enip(refusal.frame, refusal.reply).missing == ("NONE",)

    asyncio.run(scene())


def test_a_message_goes_on_and_comes_from_the_gateway() -> None:
    async def scene() -> None:
        async with pair() as (near, far, client, handle):
            for route in (hop(far), "0100" + hop(far), hop(far) + "0100"):
                assert await client.ask(rr(send(SET_NINE, route), handle)) == rr("cd000000", handle)
                assert await client.ask(rr(send(ONE, route), handle)) == rr("cc000000c40009000000", handle)
                assert await client.ask(rr(ONE, handle)) == rr(ANSWER, handle)
                tag = far.device.router.tags.by_name("ONE")
                assert tag is not None
                tag[0] = 7
            (peer,) = far.listener.peers
            assert peer.name.startswith(GATEWAY + ":")
            assert near.service.gateway.sessions == 1
            await client.close()
            await eventually(lambda: not len(far.listener.peers) and not near.service.gateway.sessions)
            assert near.metrics.errors == near.metrics.bugs == 0
            assert near.metrics.requests == 10

    asyncio.run(scene())


def test_two_gateways_and_a_way_back() -> None:
    async def scene() -> None:
        async with pair() as (near, far, client, handle), gateway(FAR) as middle:
            for route in (hop(middle) + hop(far), (hop(middle) + hop(near)) * 3 + hop(far)):
                assert await client.ask(rr(send(ONE, route), handle)) == rr(ANSWER, handle)
            looping = (hop(middle) + hop(near)) * 5
            assert await client.ask(rr(send(ONE, looping), handle)) == rr(failed("1503", looping), handle)

    asyncio.run(scene())


def test_nobody_there() -> None:
    async def scene() -> None:
        async with pair() as (_, _, client, handle):
            for route in (hop(DEAD, 44818), hop(DEAD, 1), hop("10.0.0.1", 44818)):
                assert await client.ask(rr(send(ONE, route), handle)) == rr(failed("1203", route), handle)
            assert await client.ask(rr(ONE, handle)) == rr(ANSWER, handle)

    asyncio.run(scene())


@pytest.mark.parametrize("answer", [None, REFUSED], ids=["closes", "refuses"])
def test_a_target_that_takes_no_session(answer: bytes | None) -> None:
    async def scene() -> None:
        async with pair() as (near, _, client, handle), rogue(answer) as (server, route):
            assert await client.ask(rr(send(ONE, route), handle)) == rr(failed("1203", route), handle)
            await eventually(lambda: server.open == 0)
            assert near.service.gateway.sessions == 0

    asyncio.run(scene())


@pytest.mark.parametrize("answer", [b"", REGISTERED, GARBAGE], ids=["silent", "registers", "garbage"])
def test_a_target_that_never_answers_costs_nobody_else_anything(answer: bytes) -> None:
    async def scene() -> None:
        async with pair() as (near, far, client, handle), rogue(answer) as (server, route):
            other = await near.connect()
            theirs = await other.register()
            client.writer.write(rr(send(ONE, route, 2, 100), handle) + rr(ONE, handle))
            await eventually(lambda: server.open == 1)
            for _ in range(20):
                assert await other.ask(rr(ONE, theirs)) == rr(ANSWER, theirs)
                assert await other.ask(rr(send(ONE, hop(far)), theirs)) == rr(ANSWER, theirs)
            assert server.open == 1
            assert await client.frame() == rr(failed("0402", route), handle)
            assert await client.frame() == rr(ANSWER, handle)
            await eventually(lambda: server.open == 0)
            await other.close()

    asyncio.run(scene())


def test_replies_keep_their_order() -> None:
    async def scene(piece: int) -> None:
        async with pair() as (near, far, client, handle):
            local, onward = rr(ONE, handle), rr(send(SET_NINE, hop(far)), handle)
            data = (local + onward + frame(0x00) + onward + local + frame(0x04)) * 4
            for start in range(0, len(data), piece):
                client.writer.write(data[start : start + piece])
                await client.writer.drain()
                await asyncio.sleep(0)
            for _ in range(4):
                assert await client.frame() == rr(ANSWER, handle)
                assert await client.frame() == rr("cd000000", handle)
                assert await client.frame() == rr("cd000000", handle)
                assert await client.frame() == rr(ANSWER, handle)
                assert (await client.frame())[:2] == b"\x04\0"
            assert near.metrics.requests == 1 + 24

    for piece in (1_000_000, 100, 7):
        asyncio.run(scene(piece))


class Notes:
    """What an interceptor saw."""

    def __init__(self) -> None:
        self.replies: list[bytes | None] = []

    def before(self, exchange: Exchange) -> None:
        assert exchange.reply is None

    def after(self, exchange: Exchange) -> None:
        self.replies.append(exchange.reply)


def test_interceptors_see_the_answer_and_delays_keep_the_order() -> None:
    async def scene() -> None:
        async with pair() as (near, far, client, handle):
            notes = Notes()
            near.service.chain = build_chain([even_delay(1.0), notes])
            wanted = [rr(ANSWER, handle), rr("cd000000", handle), rr(ANSWER, handle)]
            client.writer.write(rr(ONE, handle) + rr(send(SET_NINE, hop(far)), handle) + rr(ONE, handle))
            await eventually(lambda: len(notes.replies) == 3)
            assert notes.replies == wanted
            near.service.chain = None
            client.writer.write(frame(0x04))
            await eventually(lambda: near.metrics.requests == 5)
            near.clock.now += 2
            assert [await client.frame() for _ in range(3)] == wanted
            assert (await client.frame())[:2] == b"\x04\0"

    asyncio.run(scene())


def test_a_client_that_sends_and_says_no_more_gets_its_replies() -> None:
    async def scene() -> None:
        async with pair() as (_, far, client, handle):
            onward = rr(send(SET_NINE, hop(far)), handle)
            client.writer.write(onward + onward + rr(ONE, handle))
            client.writer.write_eof()
            assert [await client.frame() for _ in range(2)] == [rr("cd000000", handle)] * 2
            assert await client.frame() == rr(ANSWER, handle)
            assert await client.ended()

    asyncio.run(scene())


def test_an_end_of_session_behind_a_message_on_its_way() -> None:
    async def scene() -> None:
        async with pair() as (near, far, client, handle):
            client.writer.write(rr(send(ONE, hop(far)), handle) + frame(0x66, "", handle) + rr(ONE, handle))
            assert await client.frame() == rr(ANSWER, handle)
            assert await client.ended()
            await eventually(lambda: not near.service.gateway.sessions)

    asyncio.run(scene())


@pytest.mark.parametrize(("linger", "ticks"), [(1, 0xFF), (0, 0x01)], ids=["is reset", "closes"])
def test_a_client_that_goes_while_it_waits_leaves_nothing(linger: int, ticks: int) -> None:
    async def scene() -> None:
        async with pair() as (near, _, client, handle), rogue() as (server, route):
            client.writer.write(rr(send(ONE, route, 0x0A, ticks), handle))
            await eventually(lambda: server.open == 1)
            sock = client.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", linger, 0))
            client.writer.transport.abort()
            await eventually(lambda: server.open == 0 and not len(near.listener.peers))
            assert near.service.gateway.sessions == 0
            assert near.metrics.bugs == 0

    asyncio.run(scene())


def test_what_a_waiting_client_sends_does_not_pile_up() -> None:
    async def scene() -> None:
        async with pair() as (near, _, client, handle), rogue() as (_, route):
            client.writer.write(rr(send(ONE, route, 3, 100), handle))
            client.writer.write(rr(ONE, handle) * 40_000)
            (peer,) = near.listener.peers
            await eventually(lambda: not peer.transport.is_reading())
            assert near.metrics.bytes_in <= HELD + 2 * RECEIVE
            assert await client.frame() == rr(failed("0402", route), handle)
            for _ in range(40_000):
                assert await client.frame() == rr(ANSWER, handle)

    asyncio.run(scene())


def test_sessions_are_limited_for_a_peer_and_for_a_node(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene() -> None:
        async with AsyncExitStack() as stack:
            near = await stack.enter_async_context(gateway())
            targets = [await stack.enter_async_context(serving(host=TARGET)) for _ in range(MAX_PEER_SESSIONS + 1)]
            client = await near.connect()
            handle = await client.register()
            for target in targets:
                assert await client.ask(rr(send(ONE, hop(target)), handle)) == rr(ANSWER, handle)
                assert near.service.gateway.sessions <= MAX_PEER_SESSIONS
            near.service.gateway.limit = near.service.gateway.sessions
            other = await near.connect()
            theirs = await other.register()
            route = hop(targets[0])
            assert await other.ask(rr(send(ONE, route), theirs)) == rr(failed("0103", route), theirs)
            await client.close()
            await eventually(lambda: not near.service.gateway.sessions)
            monkeypatch.setattr(onward_module, "IDLE", 0.02)
            assert await other.ask(rr(send(ONE, route), theirs)) == rr(ANSWER, theirs)
            await eventually(lambda: not near.service.gateway.sessions)
            await other.close()

    asyncio.run(scene())


def test_a_target_that_was_restarted_is_reached_again() -> None:
    async def scene() -> None:
        async with pair() as (_, far, client, handle):
            route = hop(far)
            for _ in range(3):
                assert await client.ask(rr(send(ONE, route), handle)) == rr(ANSWER, handle)
                await far.listener.close()
                assert await client.ask(rr(send(ONE, route), handle)) == rr(failed("1203", route), handle)
                await far.listener.open()

    asyncio.run(scene())


def opening(route: str, serial: int = 7, size: int = 500, multiplier: int = 3) -> bytes:
    """A Forward Open with T->O id 0x11223344."""
    path = bytes.fromhex(route + ROUTER)
    data = f"0a0e 00000000 44332211 {serial:02x}00 3713 2a000000 {multiplier:02x}000000 80841e00"
    parameters = (0x4200 | size).to_bytes(2, "little").hex()
    return request(0x54, MANAGER, f"{data}{parameters}80841e00{parameters}a3{len(path) // 2:02x}{path.hex()}")


CLOSE = request(0x4E, MANAGER, f"0a0e 0700 3713 2a000000 02 00 {ROUTER}")
TRIPLET = "070037132a000000"


async def connect(client: Client, handle: str, route: str, **options: int) -> str:
    """Opens a connection; its O->T id in hex."""
    reply = (await client.ask(rr(opening(route, **options), handle)))[40:].hex()
    assert reply[:8] == "d4000000", reply
    assert reply[16:24] == "44332211"
    return reply[8:16]


def test_a_connection_goes_on() -> None:
    async def scene() -> None:
        async with pair() as (near, far, client, handle):
            ident = await connect(client, handle, "0100" + hop(far) + "0100")
            (half,) = far.device.connections
            assert half.t_o_id != 0x11223344
            assert (half.limit, half.opening.path.hex()) == (498, "010020022401")
            for sequence in (5, 6, 65535, 0):
                got = await client.ask(unit(ident, sequence, ONE, handle))
                assert got == unit("44332211", sequence, ANSWER, handle)
            assert half.sequence == 4
            assert await client.ask(unit(ident, 1, SET_NINE, handle)) == unit("44332211", 1, "cd000000", handle)
            tag = far.device.router.tags.by_name("ONE")
            assert tag is not None
            tag[0] = 3
            assert await client.ask(unit(ident, 1, SET_NINE, handle)) == unit("44332211", 1, "cd000000", handle)
            assert tag[0] == 3
            local = await connect(client, handle, "", serial=8)
            assert await client.ask(unit(local, 1, ONE, handle)) == unit("44332211", 1, ANSWER, handle)
            assert await client.ask(rr(CLOSE, handle)) == rr(f"ce000000{TRIPLET}0000", handle)
            await eventually(lambda: len(far.device.connections) == 0)
            assert await client.ask(unit(ident, 2, ONE, handle)) == unit(ident, 2, "cc000700", handle)
            assert len(near.device.connections) == 1
            await connect(client, handle, hop(far))

    asyncio.run(scene())


def test_a_connection_through_two_gateways_and_one_that_comes_back() -> None:
    async def scene() -> None:
        async with pair() as (near, far, client, handle), gateway(FAR) as middle:
            ident = await connect(client, handle, hop(middle) + "0100" + hop(far))
            assert await client.ask(unit(ident, 1, ONE, handle)) == unit("44332211", 1, ANSWER, handle)
            assert await client.ask(rr(CLOSE, handle)) == rr(f"ce000000{TRIPLET}0000", handle)
            for node in (near, middle, far):
                await eventually(lambda node=node: len(node.device.connections) == 0)  # type: ignore[misc]
            reply = await client.ask(rr(opening(hop(middle) + hop(near)), handle))
            assert reply[40:].hex() == f"d40001010001{TRIPLET}0000"
            for node in (near, middle):
                assert len(node.device.connections) == 0

    asyncio.run(scene())


def test_ids_are_good_on_their_own_socket_only() -> None:
    async def scene() -> None:
        async with pair() as (near, far, client, handle):
            ident = await connect(client, handle, hop(far))
            other = await near.connect()
            theirs = await other.register()
            assert await other.ask(unit(ident, 1, ONE, theirs)) == unit(ident, 1, "cc000700", theirs)
            assert (await other.ask(unit(ident, 1, ONE, handle)))[8:12] == b"\x64\0\0\0"
            assert await client.ask(unit(ident, 1, ONE, handle)) == unit("44332211", 1, ANSWER, handle)
            await other.close()

    asyncio.run(scene())


def test_a_client_that_goes_takes_the_other_half_with_it() -> None:
    async def scene() -> None:
        async with pair() as (near, far, client, handle):
            await connect(client, handle, hop(far))
            await client.close()
            await eventually(lambda: not len(far.device.connections) and not len(far.listener.peers))
            assert len(near.device.connections) == near.service.gateway.sessions == 0

    asyncio.run(scene())


def test_a_target_that_goes_takes_the_connection_with_it() -> None:
    async def scene() -> None:
        async with pair() as (near, far, client, handle):
            ident = await connect(client, handle, hop(far))
            far.listener.peers.abort()
            await eventually(lambda: len(near.device.connections) == 0)
            assert await client.ask(unit(ident, 1, ONE, handle)) == unit(ident, 1, "cc000700", handle)
            ident = await connect(client, handle, hop(far))
            assert await client.ask(unit(ident, 1, ONE, handle)) == unit("44332211", 1, ANSWER, handle)
            far.device.connections.close((7, 0x1337, 42))
            assert await client.ask(unit(ident, 2, ONE, handle)) == unit("44332211", 2, "cc000700", handle)
            assert len(near.device.connections) == 0

    asyncio.run(scene())


def test_silence_ends_both_halves() -> None:
    async def scene() -> None:
        async with pair() as (near, far, client, handle):
            await connect(client, handle, hop(far), multiplier=0)
            near.clock.now += 11
            await eventually(lambda: not len(near.device.connections) and not len(far.device.connections))
            assert near.device.connections.timeouts == 1
            assert await client.ask(rr(ONE, handle)) == rr(ANSWER, handle)

    asyncio.run(scene())


def test_opens_that_get_nowhere() -> None:
    async def scene() -> None:
        async with pair() as (near, far, client, handle), rogue() as (_, silent):
            words = len(bytes.fromhex(hop(DEAD, 1) + ROUTER)) // 2
            reply = await client.ask(rr(opening(hop(DEAD, 1)), handle))
            assert reply[40:].hex() == f"d40001011203{TRIPLET}{words:02x}00"
            words = len(bytes.fromhex(silent + ROUTER)) // 2
            quick = opening(silent).replace(bytes.fromhex("200624010a0e"), bytes.fromhex("2006240100c8"))
            reply = await client.ask(rr(quick, handle))
            assert reply[40:].hex() == f"d40001010402{TRIPLET}{words:02x}00"
            reply = await client.ask(rr(opening(hop(far), size=4), handle))
            assert reply[40:].hex() == f"d400010227010800{TRIPLET}0000"
            assert len(near.device.connections) == 0
            assert near.metrics.bugs == 0

    asyncio.run(scene())
