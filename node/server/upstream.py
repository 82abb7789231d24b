"""A TCP session with another device, for what is sent on to it.

One peer's requests go over it one after the other; an answer that comes after its time is dropped by its token. The
session is opened from the node's own address, so that the other device sees who asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from node.enip.header import SUCCESS, describe_status
from node.enip.originator import Answer, Connection, OriginatorSession
from node.errors import RemoteProtocolError
from node.objects.onward import Relay
from node.objects.routes import Address


class Upstream(asyncio.Protocol):
    """`relays` are the connections that go over it, `used` the instant of its last request on the loop's clock, and
    `ended` is called once it is gone."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.relays: dict[Relay, Connection] = {}
        self.used = 0.0
        self.ended: Callable[[Upstream], None] | None = None
        self._session = OriginatorSession()
        self._waiting: dict[int, asyncio.Future[Answer]] = {}

    @classmethod
    async def connect(cls, address: Address, source: str) -> Upstream:
        """A registered session with `address`, from `source` ("" leaves that to the system).

        Raises `OSError` when nobody answers there, `RemoteProtocolError` when it is no EtherNet/IP.
        """
        loop = asyncio.get_running_loop()
        local = (source, 0) if source else None
        _, upstream = await loop.create_connection(cls, *address, local_addr=local)
        try:
            await upstream._answer(*upstream._session.register())
        except BaseException:
            upstream.transport.abort()
            raise
        return upstream

    @property
    def idle(self) -> bool:
        """Whether nothing goes over it now."""
        return not self.relays and not self._waiting

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Gives answers to those who wait; what is malformed ends the session."""
        try:
            answers = self._session.receive(data)
        except RemoteProtocolError as exc:
            self._fail(exc)
            self.transport.abort()
            return
        for answer in answers:
            future = self._waiting.pop(answer.token, None)
            if future is not None and not future.done():
                future.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody will answer any more, and what went over it has ended."""
        self._fail(ConnectionResetError("the session has ended"))
        relays, self.relays = self.relays, {}
        for relay in relays:
            relay.lost()
        if self.ended is not None:
            self.ended(self)

    async def unconnected(self, message: bytes) -> bytes:
        """The CIP reply to `message`. Raises `OSError` or `RemoteProtocolError`."""
        return await self._answer(*self._session.unconnected(message))

    async def connected(self, relay: Relay, message: bytes) -> bytes:
        """The CIP reply to `message` over a relay's connection. Raises `OSError` or `RemoteProtocolError`."""
        connection = self.relays.get(relay)
        if connection is None:
            raise ConnectionResetError("the connection has ended")
        return await self._answer(*self._session.connected(connection, message))

    def carry(self, relay: Relay) -> None:
        """Has a connection that the target opened go over this session, until it ends at either side."""
        self.relays[relay] = self._session.connect(relay.target_id, relay.own_id)
        relay.ended = self.drop

    def drop(self, relay: Relay) -> None:
        """Closes a relay's connection at the target; nobody waits for the answer."""
        connection = self.relays.pop(relay, None)
        if connection is not None:
            self._session.disconnect(connection)
        if not self.transport.is_closing():
            token, frame = self._session.unconnected(relay.closing())
            self._session.forget(token)
            self.transport.write(frame)

    def close(self) -> None:
        """Ends the session; its connections end with it at the target."""
        if self.transport.is_closing():
            return
        self.transport.write(self._session.unregister())
        if self.transport.get_write_buffer_size():  # a target that reads nothing would hold the socket for ever
            self.transport.abort()
        else:
            self.transport.close()

    async def _answer(self, token: int, frame: bytes) -> bytes:
        loop = asyncio.get_running_loop()
        self.used = loop.time()
        if self.transport.is_closing():
            raise ConnectionResetError("the session has ended")
        future = self._waiting[token] = loop.create_future()
        self.transport.write(frame)
        try:
            answer: Answer = await future
        finally:
            self._waiting.pop(token, None)
            self._session.forget(token)
        if answer.status != SUCCESS:
            raise RemoteProtocolError(f"the target answers {describe_status(answer.status)}")
        return answer.data

    def _fail(self, exc: Exception) -> None:
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(exc)
