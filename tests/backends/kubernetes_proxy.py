"""Ports of services that pass on to pods: TCP connections and UDP datagrams, on a loop of its own in a thread."""

import asyncio
import contextlib
import socket
import threading

Here = tuple[str, str, int]
"""`TCP` or `UDP`, and where."""
There = tuple[str, int]


class Proxy:
    """Leads what `lead` says, from `start` to `close`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._rows: dict[Here, There] = {}
        self._open: dict[Here, asyncio.Server | asyncio.DatagramTransport] = {}

    def start(self) -> None:
        self._thread.start()

    def lead(self, rows: dict[Here, There]) -> None:
        """These and no others; a row whose target changed keeps its port."""
        asyncio.run_coroutine_threadsafe(self._lead(rows), self._loop).result(60)

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self.lead({})
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    async def _lead(self, rows: dict[Here, There]) -> None:
        self._rows = rows
        for here in [each for each in self._open if each not in rows]:
            self._open.pop(here).close()
        for here in rows:
            if here not in self._open:
                self._open[here] = await self._listen(here)

    async def _listen(self, here: Here) -> asyncio.Server | asyncio.DatagramTransport:
        protocol, address, port = here
        if protocol == "UDP":
            transport, _ = await self._loop.create_datagram_endpoint(
                lambda: _Udp(self, here), local_addr=(address, port)
            )
            return transport
        return await asyncio.start_server(lambda reader, writer: self._carry(here, reader, writer), address, port)

    async def _carry(self, here: Here, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, KeyError):
            far_reader, far_writer = await asyncio.open_connection(*self._rows[here])
            await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
        writer.close()

    def target(self, here: Here) -> There | None:
        return self._rows.get(here)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(64 << 10):
            writer.write(data)
            await writer.drain()
    writer.close()


class _Udp(asyncio.DatagramProtocol):
    """Each datagram by a socket of its own, whose answer goes back."""

    def __init__(self, proxy: Proxy, here: Here) -> None:
        self._proxy = proxy
        self._here = here

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        target = self._proxy.target(self._here)
        if target is not None:
            threading.Thread(target=self._ask, args=(data, address, target), daemon=True).start()

    def _ask(self, data: bytes, address: tuple[str, int], target: There) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, contextlib.suppress(OSError):
            sock.settimeout(2.0)
            sock.sendto(data, target)
            answer = sock.recv(1 << 16)
            self._proxy._loop.call_soon_threadsafe(self._transport.sendto, answer, address)  # type: ignore[attr-defined]
