"""The connections that a server takes just before it closes: asyncio makes a connection in three turns of its loop, and
of a server that closed meanwhile, or in a loop that ends, it leaves the socket open with nobody behind it.
"""

import asyncio

TURNS = 3
"""A task for what was accepted, its transport, and the protocol's `connection_made`."""


async def close(server: asyncio.Server) -> None:
    """Takes no more connections, and returns when those that were taken have been made: they are there to be closed."""
    loop = asyncio.get_running_loop()
    for each in server.sockets:
        loop.remove_reader(each.fileno())
    for _ in range(TURNS):
        await asyncio.sleep(0)
    server.close()
