"""The least an asyncio server can do: fixed bytes for every read of one register, nothing looked at: `HOST PORT`.

What it reaches is the ceiling for one request in flight on this machine: the rest is the kernel, the event loop and the
load generator, which no server code changes.
"""

import asyncio
import sys

REPLY = b"\0\0\0\5\1\3\2\0\0"


class Floor(asyncio.Protocol):
    """Answers the transaction id and a zero."""

    transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """One request, one reply."""
        self.transport.write(data[:2] + REPLY)


async def main() -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(Floor, sys.argv[1], int(sys.argv[2]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
