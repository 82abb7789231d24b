"""The open ports of one controller, by protocol: all of them or none.

A node that listened on one of its two ports would look alive to its farm and dead to half of its clients. So what
cannot be opened whole is closed again.
"""

import asyncio
from collections.abc import Iterator, Mapping

from node.errors import NodeError
from node.exchange.metrics import Metrics
from node.server.listener import Listener
from node.server.peer import Peer


class Ports:
    """The listeners of a controller, by the name of their protocol."""

    def __init__(self, listeners: Mapping[str, Listener]) -> None:
        self.listeners = dict(listeners)
        self.error: str | None = None
        """Why the last `switch` failed."""
        self._switching: asyncio.Task[None] | None = None

    @property
    def numbers(self) -> dict[str, int]:
        """Protocol to port number; the one the system gave once a port 0 was opened."""
        return {protocol: listener.port for protocol, listener in self.listeners.items()}

    @property
    def counted(self) -> dict[str, Metrics]:
        """Protocol to what was counted there."""
        return {protocol: listener.metrics for protocol, listener in self.listeners.items()}

    async def open(self) -> None:
        """Opens all. Raises `ListenError` and leaves nothing open when one cannot be."""
        try:
            for listener in self.listeners.values():
                await listener.open()
        except BaseException:
            await self._close_all()
            raise

    async def close(self) -> None:
        """Closes all and ends every connection, after what `switch` began."""
        await self.settled()
        await self._close_all()

    async def settled(self) -> None:
        """Returns when no `switch` is under way."""
        if self._switching is not None:
            await asyncio.wait([self._switching])

    async def _close_all(self) -> None:
        for listener in self.listeners.values():
            await listener.close()

    def switch(self, on: bool) -> None:
        """Has the loop open or close all ports, after any earlier switch. `error` tells when it could not."""
        self._switching = asyncio.get_running_loop().create_task(self._switch(on, self._switching))

    async def _switch(self, on: bool, earlier: "asyncio.Task[None] | None") -> None:
        if earlier is not None:
            await asyncio.wait([earlier])
        self.error = None
        try:
            await (self.open() if on else self._close_all())
        except NodeError as exc:
            self.error = str(exc)

    @property
    def listening(self) -> bool:
        """Whether all ports are open."""
        return all(listener.listening for listener in self.listeners.values())

    @property
    def switching(self) -> bool:
        """Whether a `switch` is under way."""
        return self._switching is not None and not self._switching.done()

    def connections(self) -> Iterator[tuple[str, Peer]]:
        """(protocol, peer) of every live connection."""
        for protocol, listener in self.listeners.items():
            for peer in listener.peers:
                yield protocol, peer
