"""What comes on a connection before it can be led on is kept, in order, and so is its end."""

import asyncio
import contextlib
import socket

import pytest

from node.relay.pump import Caller, Half

pytestmark = pytest.mark.net

READ = 256 << 10
"""Bytes that asyncio reads at once."""


def test_much_that_comes_before_its_way_is_there_is_read_no_faster_than_it_is_taken() -> None:
    client, ours = socket.socketpair()
    theirs, node = socket.socketpair()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        callers: set[Caller] = set()

        async def dial(half: Half) -> object:
            return await loop.connect_accepted_socket(lambda: half, theirs)

        _, caller = await loop.connect_accepted_socket(lambda: Caller(dial, callers), ours)
        caller.data_received(bytes(2 * READ))  # by the Pythons that read a connection which was paused as it was made
        sent = 0
        for _ in range(20):
            await asyncio.sleep(0.01)
            with contextlib.suppress(BlockingIOError):
                while True:
                    sent += client.send(bytes(READ))
        assert sent < 8 * READ, "what nobody takes is not kept"
        node.close()
        caller.hang_up(reset=True)
        await asyncio.sleep(0.01)

    with client, node:
        for sock in (client, node):
            sock.setblocking(False)
        asyncio.run(main())


@pytest.mark.parametrize("ended", [False, True])
def test_nothing_is_lost_that_comes_before_its_way_is_there(ended: bool) -> None:
    """As Python 3.11.2 has it come, which reads a connection that was paused when it was made."""
    client, ours = socket.socketpair()
    theirs, node = socket.socketpair()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        way = asyncio.Event()

        async def dial(half: Half) -> object:
            await way.wait()
            return await loop.connect_accepted_socket(lambda: half, theirs)

        _, caller = await loop.connect_accepted_socket(lambda: Caller(dial, set()), ours)
        caller.data_received(b"first ")
        if ended:
            caller.eof_received()
        else:
            client.sendall(b"and second")
        way.set()
        async with asyncio.timeout(10):
            wanted, found = b"first " if ended else b"first and second", b""
            while len(found) < len(wanted):
                found += await loop.sock_recv(node, 100)
            assert found == wanted
            if ended:
                assert await loop.sock_recv(node, 1) == b""
            await loop.sock_sendall(node, b"answer")
            assert await loop.sock_recv(client, 100) == b"answer"
        caller.hang_up(reset=True)
        await asyncio.sleep(0.05)

    with client, node:
        for sock in (client, node):
            sock.setblocking(False)
        asyncio.run(main())
