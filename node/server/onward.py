"""What the core cannot answer itself: messages sent on to other devices, while the peer that asked waits in line.

The peer's later frames are not run before that answer is there, so that its replies keep their order; everyone else
goes on. A target that accepts and never answers costs one peer its patience, and nobody else anything. Sessions with
targets belong to the peer they were opened for and end with it: two peers never wait for each other there.
"""

from __future__ import annotations

import asyncio
from functools import partial

from node.cip.status import INVALID_NODE_ADDRESS, NO_BUFFER_MEMORY, UNCONNECTED_TIMED_OUT
from node.errors import RemoteProtocolError
from node.objects.onward import Onward
from node.objects.routes import Address
from node.server.upstream import Upstream

MAX_SESSIONS = 128
"""Sessions of a node with targets."""

MAX_PEER_SESSIONS = 8
"""Those for one peer."""

IDLE = 30.0
"""Seconds after which a session that nothing goes over is closed."""


class NoRoom(Exception):
    """As many sessions as there may be."""


class Gateway:
    """A node's end of what is sent on: `source` is the address it is sent from, `sessions` how many are open."""

    def __init__(self, source: str = "", limit: int = MAX_SESSIONS) -> None:
        self.source = source
        self.limit = limit
        self.sessions = 0


class Forwarder:
    """One peer's sessions with targets."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._upstreams: dict[Address, Upstream] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def ask(self, onward: Onward) -> bytes:
        """The CIP reply for who asked, whatever becomes of the request."""
        try:
            async with asyncio.timeout(onward.timeout):
                return await self._ask(onward)
        except TimeoutError:
            reply = onward.fail(UNCONNECTED_TIMED_OUT)
            self._give_up(onward)
        except NoRoom:
            reply = onward.fail(NO_BUFFER_MEMORY)
        except RemoteProtocolError:
            reply = onward.fail(INVALID_NODE_ADDRESS)
            self._abort(onward.address)
        except OSError:
            reply = onward.fail(INVALID_NODE_ADDRESS)
        return reply

    def close(self) -> None:
        """Ends every session: the peer is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for upstream in tuple(self._upstreams.values()):
            upstream.close()

    async def _ask(self, onward: Onward) -> bytes:
        relay = onward.relay
        if onward.connected and relay is not None:
            upstream = self._upstreams.get(onward.address)
            if upstream is None:
                raise ConnectionResetError("the session has ended")
            return onward.answer(await upstream.connected(relay, onward.message))
        upstream = await self._reach(onward.address)
        reply = onward.answer(await upstream.unconnected(onward.message))
        if relay is not None and relay.target_id:
            upstream.carry(relay)
            if not relay.alive:
                upstream.drop(relay)
        return reply

    async def _reach(self, address: Address) -> Upstream:
        """The session with `address`, opened if there is none. Raises `NoRoom`, `OSError` or `RemoteProtocolError`."""
        upstream = self._upstreams.get(address)
        if upstream is not None:
            return upstream
        if len(self._upstreams) >= MAX_PEER_SESSIONS:
            self._close_idle(0.0)
        if len(self._upstreams) >= MAX_PEER_SESSIONS or self._gateway.sessions >= self._gateway.limit:
            raise NoRoom
        self._gateway.sessions += 1
        try:
            upstream = await Upstream.connect(address, self._gateway.source)
        except BaseException:
            self._gateway.sessions -= 1
            raise
        self._upstreams[address] = upstream
        upstream.ended = partial(self._ended, address)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(IDLE, self._sweep)
        return upstream

    def _ended(self, address: Address, upstream: Upstream) -> None:
        self._gateway.sessions -= 1
        if self._upstreams.get(address) is upstream:
            del self._upstreams[address]

    def _give_up(self, onward: Onward) -> None:
        """A target that did not answer in time: its session is of use only to connections that go over it. What it was
        asked to open is closed, in case it still opens it."""
        upstream = self._upstreams.get(onward.address)
        if upstream is None:
            return
        if not upstream.relays:
            self._abort(onward.address)
        elif onward.relay is not None:
            upstream.drop(onward.relay)

    def _abort(self, address: Address) -> None:
        upstream = self._upstreams.pop(address, None)
        if upstream is not None:
            upstream.transport.abort()

    def _sweep(self) -> None:
        self._timer = None
        self._close_idle(IDLE)
        if self._upstreams:
            self._timer = asyncio.get_running_loop().call_later(IDLE, self._sweep)

    def _close_idle(self, seconds: float) -> None:
        """Closes the sessions that nothing went over for so long."""
        now = asyncio.get_running_loop().time()
        for address, upstream in tuple(self._upstreams.items()):
            if upstream.idle and now - upstream.used >= seconds:
                del self._upstreams[address]
                upstream.close()
