"""A line's frames in a TCP connection, from the client's side: no transaction ids, so one request at a time.

A reply is known by its station, its function and its check alone. So when one did not come in time the connection is
given up: it could be taken for the answer to the next request.
"""

import asyncio

from node.client.failure import NoAnswer
from node.client.rtu_replies import RtuReplies
from node.errors import RemoteProtocolError
from node.modbus.adu import encode_adu
from node.modbus.ascii import CR, LF, START, decode_ascii, encode_ascii
from node.modbus.rtu import decode_rtu, encode_rtu

RTU, ASCII = "rtu", "ascii"


class LineLink(asyncio.Protocol):
    """The connection; `framing` is RTU or ASCII."""

    transport: asyncio.Transport

    def __init__(self, host: str, port: int, framing: str) -> None:
        self.host = host
        self.port = port
        self.aside = ""
        self._ascii = framing == ASCII
        self._turn = asyncio.Lock()
        self._buffer = b""
        self._replies = RtuReplies(0, 0)
        self._asked = (0, 0)
        self._waiting: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self._waiting is None or self._waiting.done():
            return
        if self._ascii:
            found = self._find_ascii(data)
        else:
            frame = self._replies.feed(data)
            found = decode_rtu(frame)[1] if frame else b""
        if found:
            self._waiting.set_result(encode_adu(0, self._asked[0], found))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(self._closed())

    async def exchange(self, unit: int, pdu: bytes) -> bytes:
        """The frame that answers `pdu`, with the header of Modbus/TCP."""
        async with self._turn:
            if self.transport.is_closing():
                raise self._closed()
            self._buffer = b""
            self._replies = RtuReplies(unit, pdu[0])
            self._asked = (unit, pdu[0])
            self._waiting = asyncio.get_running_loop().create_future()
            self.transport.write(encode_ascii(unit, pdu) if self._ascii else encode_rtu(unit, pdu))
            try:
                return await self._waiting
            except asyncio.CancelledError:
                self.transport.abort()
                raise
            finally:
                self._waiting = None

    def _closed(self) -> NoAnswer:
        return NoAnswer(self.host, self.port, "connection closed by the device")

    def _find_ascii(self, data: bytes) -> bytes:
        """The reply's PDU, b"" while it is not there."""
        *whole, self._buffer = (self._buffer + data).split(bytes((CR, LF)))
        for line in whole:
            try:
                station, pdu = decode_ascii(line[line.rfind(START) :] + bytes((CR, LF)))
            except RemoteProtocolError:
                continue
            if (station, pdu[0] & 0x7F) == self._asked:
                return pdu
        return b""
