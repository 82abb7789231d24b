"""A Modbus/TCP client on asyncio and our own codecs: for probes, `farm read` and load, hundreds at once.

Requests are told apart by transaction id, so any number may be under way on one connection and their answers may
come in any order. Each has one deadline from the call to the whole answer: a device that trickles bytes is as late
as one that is silent. An answer that comes too late is dropped.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from node.cip.types import UINT, Type, Value
from node.client.failure import NoAnswer, no_answer
from node.client.modbus_line_link import LineLink
from node.errors import LocalProtocolError, RemoteProtocolError
from node.modbus.adu import TcpFramer, decode_adu, encode_adu
from node.modbus.functions import (
    ModbusError,
)
from node.modbus.identification import BASIC, IdentificationReply, IdentificationRequest
from node.modbus.pdu import (
    READ_FUNCTIONS,
    DataReply,
    MaskWrite,
    Read,
    ReadWrite,
    Reply,
    Request,
    check_reply,
    decode_reply,
    encode_request,
)
from node.modbus.ranges import BIT_TABLES, HOLDING, INPUT
from node.modbus.splits import split_coils, split_read, split_registers
from node.modbus.values import decode_registers, decode_text, encode_registers, encode_text, registers_of

if TYPE_CHECKING:
    import ssl


class _Link(asyncio.Protocol):
    """The connection: frames out, replies in to the future that waits for their transaction."""

    transport: asyncio.Transport

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.waiting: dict[int, asyncio.Future[bytes]] = {}
        self.aside = ""
        """What came that answers nothing that was asked, for whoever is told that there was no answer."""
        self._framer = TcpFramer()
        self._transaction = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        for adu in self._framer.feed(data):
            transaction = int.from_bytes(adu[:2], "big")
            waiting = self.waiting.pop(transaction, None)
            if waiting is None:
                self.aside = f"; one to transaction {transaction} came, for which nobody waits"
            elif not waiting.done():
                waiting.set_result(adu)
        if self._framer.fault is not None:
            self.fail(self._framer.fault)
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail(self.closed())

    def closed(self) -> NoAnswer:
        """What a request gets when the connection has ended."""
        return NoAnswer(self.host, self.port, "connection closed by the device")

    def fail(self, exc: Exception) -> None:
        """Ends all that wait with `exc`."""
        for waiting in self.waiting.values():
            if not waiting.done():
                waiting.set_exception(exc)
        self.waiting.clear()

    async def exchange(self, unit: int, pdu: bytes) -> bytes:
        """The frame that answers `pdu`."""
        if self.transport.is_closing():
            raise self.closed()
        if len(self.waiting) > 0xFFFF:
            raise LocalProtocolError("65536 requests are under way; a transaction id more does not exist")
        while (transaction := self._transaction) in self.waiting:
            self._transaction = transaction + 1 & 0xFFFF
        self._transaction = transaction + 1 & 0xFFFF
        waiting: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.waiting[transaction] = waiting
        self.transport.write(encode_adu(transaction, unit, pdu))
        try:
            return await waiting
        finally:
            self.waiting.pop(transaction, None)


class AsyncModbus:
    """A connection to `unit` at `host`:`port`; `timeout` in seconds holds for connecting, and for each request.

    Its frames are those of Modbus/TCP, or with `framing` `rtu` or `ascii` those of a line; inside `tls` where there is
    one.

    Addresses are wire addresses, from 0. Tables are `coils`, `discrete`, `input` and `holding`. More than one request
    can carry is split, and each part asked for when the one before is answered: there are devices that lose a request
    which comes while they have another. Methods raise `ModbusError` when the device answers with an exception,
    `NoAnswer` when it does not answer, `RemoteProtocolError` when the answer makes no sense.
    """

    def __init__(
        self,
        host: str,
        port: int = 502,
        unit: int = 1,
        timeout: float = 5.0,
        *,
        framing: str = "tcp",
        tls: "ssl.SSLContext | None" = None,
    ) -> None:
        self.host = host
        self.port = port
        self.unit = unit
        self.timeout = timeout
        self._framing = framing
        self._tls = tls
        self._link: _Link | LineLink | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def open(self) -> None:
        """Connects. Raises `NoAnswer`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.timeout):
                _, self._link = await loop.create_connection(self._make_link, self.host, self.port, ssl=self._tls)
        except OSError as exc:
            raise no_answer(self.host, self.port, exc, self.timeout) from exc

    def _make_link(self) -> "_Link | LineLink":
        if self._framing == "tcp":
            return _Link(self.host, self.port)
        return LineLink(self.host, self.port, self._framing)

    def close(self) -> None:
        """Ends the connection; requests under way fail."""
        link, self._link = self._link, None
        if link is not None:
            link.transport.abort()

    async def request(self, request: Request) -> Reply:
        """One request and its reply, which fits it."""
        if self._link is None:
            raise LocalProtocolError("not connected; use `async with`, or `open` first")
        try:
            async with asyncio.timeout(self.timeout):
                adu = await self._link.exchange(self.unit, encode_request(request))
        except TimeoutError as exc:
            found = no_answer(self.host, self.port, exc, self.timeout)
            aside, self._link.aside = self._link.aside, ""
            raise NoAnswer(self.host, self.port, found.reason + aside) from exc
        _, unit, pdu = decode_adu(adu)
        if unit != self.unit:
            raise RemoteProtocolError(f"{self.host}:{self.port}: unit {unit} answered for unit {self.unit}")
        reply = decode_reply(pdu)
        check_reply(request, reply)
        return reply

    async def read_bits(self, table: str, address: int, count: int = 1) -> list[bool]:
        """Coils or discrete inputs."""
        data = await self._read(table, address, count, BIT_TABLES)
        bits = int.from_bytes(data, "little")
        return [bool(bits >> index & 1) for index in range(count)]

    async def read_raw(self, table: str, address: int, count: int = 1) -> bytes:
        """Registers as they travel: two bytes each, big-endian."""
        return await self._read(table, address, count, (INPUT, HOLDING))

    async def read_registers(self, table: str, address: int, count: int = 1) -> list[int]:
        """Registers as numbers, 0 to 65535."""
        return _registers(await self.read_raw(table, address, count))

    async def read_values(
        self, table: str, address: int, kind: Type, count: int = 1, order: str = "ABCD"
    ) -> list[Value]:
        """`count` values of type `kind` from registers in word order `order`."""
        return decode_registers(kind, await self.read_raw(table, address, count * registers_of(kind)), order)

    async def read_text(self, table: str, address: int, registers: int, order: str = "ABCD") -> str:
        """The text in `registers` registers."""
        return decode_text(await self.read_raw(table, address, registers), order)

    async def write_bits(self, address: int, values: Sequence[bool]) -> None:
        """Coils: one by function 5, more by function 15."""
        await self._all(split_coils(address, values))

    async def write_raw(self, address: int, data: bytes) -> None:
        """Holding registers as they travel: one by function 6, more by function 16."""
        await self._all(split_registers(address, data))

    async def write_registers(self, address: int, values: Sequence[int]) -> None:
        """Holding registers, 0 to 65535 each. Raises `LocalProtocolError` for another number."""
        await self.write_raw(address, encode_registers(UINT, values))

    async def write_values(self, address: int, kind: Type, values: Sequence[Value], order: str = "ABCD") -> None:
        """Values of type `kind` to holding registers in word order `order`."""
        await self.write_raw(address, encode_registers(kind, values, order))

    async def write_text(self, address: int, text: str, registers: int, order: str = "ABCD") -> None:
        """A text to `registers` holding registers, NULs after it."""
        await self.write_raw(address, encode_text(text, registers, order))

    async def mask_write(self, address: int, and_mask: int, or_mask: int) -> None:
        """Function 22 on one holding register."""
        await self.request(MaskWrite(address, and_mask, or_mask))

    async def read_write(self, address: int, count: int, write_address: int, values: Sequence[int]) -> list[int]:
        """Function 23: writes `values`, then reads `count` holding registers."""
        reply = await self.request(ReadWrite(address, count, write_address, encode_registers(UINT, values)))
        assert isinstance(reply, DataReply)
        return _registers(reply.data)

    async def identify(self, code: int = BASIC) -> dict[int, str]:
        """The objects of function 43/14 by id, however many replies they take."""
        objects: dict[int, str] = {}
        wanted = 0
        for _ in range(256):
            reply = await self.request(IdentificationRequest(code, wanted))
            assert isinstance(reply, IdentificationReply)
            objects |= {number: text.decode("iso-8859-1") for number, text in reply.objects}
            if not reply.more or reply.next_object <= wanted:
                break
            wanted = reply.next_object
        return objects

    async def _read(self, table: str, address: int, count: int, tables: Sequence[str]) -> bytes:
        if table not in tables:
            raise LocalProtocolError(f"table {table!r}; {' or '.join(tables)} can be read here")
        replies = await self._all(split_read(table, address, count))
        return b"".join(reply.data for reply in replies if isinstance(reply, DataReply))

    async def _all(self, requests: Sequence[Request]) -> list[Reply]:
        return [await self.request(request) for request in requests]


def _registers(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


async def probe_modbus(
    host: str,
    port: int,
    unit: int = 1,
    timeout: float = 2.0,  # noqa: ASYNC109
    table: str = HOLDING,
    address: int = 0,
) -> None:
    """Is a Modbus/TCP device there? Any well-formed reply to a read of one address says yes, an exception too.

    `timeout`, seconds, holds for connecting and for the answer, each. Raises `NodeError` in one line.
    """
    async with AsyncModbus(host, port, unit, timeout) as device:
        await ask_anything(device, table, address)


async def ask_anything(device: AsyncModbus, table: str = HOLDING, address: int = 0) -> None:
    """Returns when the device has answered a read of one address, with an exception too. Raises `NodeError`."""
    with suppress(ModbusError):
        await device.request(Read(READ_FUNCTIONS[table], address, 1))
