"""The open ports of one controller, by protocol: all of them or none.

A node that listened on one of its two ports would look alive to its farm and dead to half of its clients. So what
cannot be opened whole is closed again.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping

from node.errors import NodeError
from node.exchange.metrics import Metrics
from node.server.listener import Listener
from node.server.peer import Peer

log = logging.getLogger(__name__)

LAST_ANSWERS = 1.2
"""Seconds that delayed answers have when a node ends. A farm has 2 s of patience with it, then it kills."""
LOOK_AGAIN = 0.01
"""Seconds until it is asked again whether all are sent."""


class Ports:
    """The listeners of a controller, by the name of their protocol."""

    def __init__(self, listeners: Mapping[str, Listener]) -> None:
        self.listeners = dict(listeners)
        self.error: str | None = None
        """Why the last `switch` failed."""
        self.wanted = False
        """Whether they are to be open, as far as nobody hides the node."""
        self.hidden = False
        self.when_done: Callable[[], None] | None = None
        """Called when they are closed for good (`node.server.closing`)."""
        self._switching: asyncio.Task[None] | None = None
        self._hurry: asyncio.Event | None = None

    @property
    def numbers(self) -> dict[str, int]:
        """Protocol to port number; the one the system gave once a port 0 was opened."""
        return {protocol: listener.port for protocol, listener in self.listeners.items()}

    @property
    def counted(self) -> dict[str, Metrics]:
        """Protocol to what was counted there."""
        return {protocol: listener.metrics for protocol, listener in self.listeners.items()}

    async def open(self) -> None:
        """Opens all, unless the node hides. Raises `ListenError` and leaves nothing open when one cannot be."""
        self.wanted = True
        self._hurry = None
        if not self.hidden:
            await self._open_all()

    async def _open_all(self) -> None:
        try:
            for listener in self.listeners.values():
                await listener.open()
        except BaseException:
            await self._close_all()
            self._release_all()
            raise

    async def close(self) -> None:
        """Closes all and ends every connection, after what `switch` or `hide` began. What was asked before is answered
        before, as far as that takes no longer than `LAST_ANSWERS`."""
        self.wanted = False
        if self._hurry is not None:
            self._hurry.set()
        await self.settled()
        await self._answer_last(LAST_ANSWERS)
        await self._close_all()
        self._release_all()

    async def _answer_last(self, seconds: float, hurry: asyncio.Event | None = None) -> None:
        listeners, loop = tuple(self.listeners.values()), asyncio.get_running_loop()
        if not any(listener.owes for listener in listeners):
            return
        for listener in listeners:
            listener.retire()
        until = loop.time() + seconds
        while any(listener.owes for listener in listeners) and loop.time() < until:
            if hurry is not None and hurry.is_set():
                return
            await asyncio.sleep(LOOK_AGAIN)

    async def settled(self) -> None:
        """Returns when nothing is being opened or closed."""
        if self._switching is not None:
            await asyncio.wait([self._switching])

    async def _close_all(self, reset: bool = False) -> None:
        for listener in self.listeners.values():
            await listener.close(reset)

    def _release_all(self) -> None:
        for listener in self.listeners.values():
            listener.release()

    def switch(self, on: bool) -> None:
        """Has the loop open or close all ports, after any earlier switch. `error` tells when it could not. Those of a
        node that hides stay closed until it does no more."""
        self.wanted = on
        self._move()

    def close_later(self, latency: float, timeout: float) -> None:
        """As `switch(False)`, but `latency` seconds from now, and what was asked by then is answered, as far as that
        takes no longer than `timeout`. It is done even if they are wanted again meanwhile: they are opened after it."""
        self.wanted = False
        self._hurry = self._hurry or asyncio.Event()
        closing = self._close_after(self._switching, self._hurry, latency, timeout)
        self._switching = asyncio.get_running_loop().create_task(closing)

    async def _close_after(
        self, earlier: "asyncio.Task[None] | None", hurry: asyncio.Event, latency: float, seconds: float
    ) -> None:
        if earlier is not None:
            await asyncio.wait([earlier])
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(hurry.wait(), latency)
        await self._answer_last(seconds, hurry)
        if not hurry.is_set():  # else `close` goes on from here
            await self._close_all(self.hidden)

    def hide(self, hidden: bool) -> None:
        """Closes all ports and resets every connection until it is told to hide no more."""
        self.hidden = hidden
        self._move()

    def refuse(self, refusing: bool) -> None:
        """Has new connections reset, or takes them again; all else goes on."""
        for listener in self.listeners.values():
            listener.refuse(refusing)

    def _move(self) -> None:
        """Has the ports be as they are wanted."""
        self._switching = asyncio.get_running_loop().create_task(self._switch(self._switching))

    async def _switch(self, earlier: "asyncio.Task[None] | None") -> None:
        if earlier is not None:
            await asyncio.wait([earlier])
        self.error = None
        try:
            await (self._open_all() if self.wanted and not self.hidden else self._close_all(self.hidden))
        except NodeError as exc:
            self.error = str(exc)
            log.error("%s", exc)

    @property
    def listening(self) -> bool:
        """Whether all ports are open."""
        return all(listener.listening for listener in self.listeners.values())

    @property
    def switching(self) -> bool:
        """Whether ports are being opened or closed."""
        return self._switching is not None and not self._switching.done()

    def connections(self) -> Iterator[tuple[str, Peer]]:
        """(protocol, peer) of every live connection."""
        for protocol, listener in self.listeners.items():
            for peer in listener.peers:
                yield protocol, peer
