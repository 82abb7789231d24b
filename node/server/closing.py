"""How the ports and connections of a node end by request, as the web interface of 2016 has it: soon, and in good order.

    latency    seconds until an `eof`, a `disable` or a `done` takes effect; until then all goes on as before
    timeout    seconds that it may take from there: what was asked before is answered, if its delay is over by then, and
               the rest is cut off; twice the latency as long as nobody sets it

The simulator of 2016 noticed such a request when its sockets had blocked for so long. Nothing blocks here, so the two
are what people set them for: a link that takes its time to be gone.
"""

import asyncio
from collections.abc import Collection, Coroutine, Iterator
from typing import Any

from node.server.peer import Peer
from node.server.ports import LOOK_AGAIN, Ports

LATENCY = 0.1


class Closing:
    """The controls of `ports`."""

    def __init__(self, ports: Ports) -> None:
        self.latency = LATENCY
        self.done = False
        self._timeout: float | None = None
        self._ports = ports
        self._under_way: set[asyncio.Task[None]] = set()

    @property
    def timeout(self) -> float:
        """Seconds."""
        return 2 * self.latency if self._timeout is None else self._timeout

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._timeout = seconds

    @property
    def disabled(self) -> bool:
        """Whether the ports are to be closed."""
        return not self._ports.wanted

    def connections(self) -> Iterator[tuple[str, Peer]]:
        """(protocol, peer) of every live connection."""
        return self._ports.connections()

    def disable(self, disabled: bool) -> None:
        """Closes all ports and ends all connections, or opens the ports again."""
        if not disabled:
            self._ports.switch(True)
        elif self._ports.wanted:
            self._ports.close_later(self.latency, self.timeout)

    def finish(self) -> None:
        """Closes them for good."""
        if not self.done:
            self.done = True
            self.disable(True)
            self._go_on_with(self._when_closed())

    def end(self, names: Collection[str]) -> None:
        """Ends the connections of peers that are called so."""
        peers = tuple(peer for _, peer in self._ports.connections() if peer.name in names)
        self._go_on_with(self._end(peers, self.latency, self.timeout))

    async def _when_closed(self) -> None:
        await self._ports.settled()
        if self._ports.when_done is not None:
            self._ports.when_done()

    async def _end(self, peers: tuple[Peer, ...], latency: float, seconds: float) -> None:
        await asyncio.sleep(latency)
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        for peer in peers:
            peer.retire()
        while peers:
            owing = () if loop.time() >= until else tuple(peer for peer in peers if peer.owes)
            for peer in set(peers).difference(owing):
                peer.eof()
            peers = owing
            if peers:
                await asyncio.sleep(LOOK_AGAIN)

    def _go_on_with(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._under_way.add(task)  # the loop alone would let go of it
        task.add_done_callback(self._under_way.discard)
