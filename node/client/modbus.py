"""A Modbus client for threads, over TCP, UDP, TLS, RTU and RTU over TCP, that keeps its limits of time.

    with ModbusClient.tcp("192.168.1.7", limits=Limits(total=2.0)) as client:
        level, flow = client.read(40001, REAL, 2, "CDAB")
        client.write(40010, [12])
        client.write_bits(1, [True])

Registers are named as people do, 40001 or 400001 (`node.modbus.ranges`), or by table and wire address, ("holding", 0).
What is more than one request can carry is split; each request has its own `Limits`, and a write that is split is not
one. Methods raise `ModbusError` when the device answers with an exception, `NoAnswer` when it does not answer,
`RemoteProtocolError` when its answer makes no sense, `RangeError` and `LocalProtocolError` for what cannot be asked,
and what `service_actions` raise.
"""

import importlib
import math
import ssl
import struct
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Self

from node.cip.types import BOOL, UINT, Type, Value, by_name
from node.client.channels import Channel, TcpChannel, TlsChannel, UdpChannel
from node.client.patience import Actions, Patience
from node.errors import LocalProtocolError, NodeError
from node.modbus.functions import ModbusError
from node.modbus.line import BROADCAST
from node.modbus.pdu import (
    READ_FUNCTIONS,
    READ_LIMITS,
    DataReply,
    MaskWrite,
    Read,
    Reply,
    Request,
    check_reply,
    decode_reply,
    encode_request,
)
from node.modbus.ranges import BIT_TABLES, COILS, HOLDING, RangeError, wire_address
from node.modbus.splits import split_coils, split_read, split_registers
from node.modbus.values import decode_registers, decode_text, encode_registers, encode_text, registers_of

try:
    from node.client.modbus_line import Limits, Line
except ModuleNotFoundError as exc:
    raise ImportError(
        f"{exc.name} is missing, the Modbus client stands on it: pip install 'plcfarm[modbus-client]'", name=exc.name
    ) from exc

Where = int | tuple[str, int]
"""A register number, or a table and a wire address."""

ADDRESSES = 65536

PATIENT = Limits(retries=2, receive=1.0)
"""For what may lose a message on the way."""


class ModbusClient:
    """Talks to `unit` over `line`, which may be shared: any thread may use any client of a line at any time.

    `service_actions` is called from time to time while it waits, by the thread that waits.
    """

    def __init__(
        self, line: Line, unit: int = 1, limits: Limits | None = None, service_actions: Actions | None = None
    ) -> None:
        if not 0 <= unit <= 255:
            raise LocalProtocolError(f"unit {unit}; there are 0 to 255")
        self.line = line
        self.unit = unit
        self.limits = limits or Limits()
        self.service_actions = service_actions

    @classmethod
    def tcp(
        cls,
        host: str,
        port: int = 502,
        unit: int = 1,
        limits: Limits | None = None,
        service_actions: Actions | None = None,
    ) -> Self:
        """Over TCP. Nothing is connected before the first request."""
        return cls(Line(TcpChannel(host, port)), unit, limits, service_actions)

    @classmethod
    def udp(
        cls,
        host: str,
        port: int = 502,
        unit: int = 1,
        limits: Limits | None = None,
        service_actions: Actions | None = None,
    ) -> Self:
        """Over UDP."""
        return cls(Line(UdpChannel(host, port)), unit, limits or PATIENT, service_actions)

    @classmethod
    def tls(
        cls,
        host: str,
        port: int = 802,
        unit: int = 1,
        limits: Limits | None = None,
        service_actions: Actions | None = None,
        *,
        context: ssl.SSLContext | None = None,
        name: str = "",
    ) -> Self:
        """Over TLS (`mbaps`). `context` has this side's certificate and whom it trusts, by default those that this
        machine trusts; `name` is what the device's certificate is for, `host` by default."""
        return cls(
            Line(TlsChannel(host, port, context or ssl.create_default_context(), name or host)),
            unit,
            limits,
            service_actions,
        )

    @classmethod
    def rtu_over_tcp(
        cls,
        host: str,
        port: int,
        unit: int = 1,
        limits: Limits | None = None,
        service_actions: Actions | None = None,
    ) -> Self:
        """RTU frames over TCP, as converters of serial lines take them."""
        return cls(Line(TcpChannel(host, port), rtu=True), unit, limits, service_actions)

    @classmethod
    def rtu(
        cls,
        device: str,
        baud: int = 19200,
        unit: int = 1,
        limits: Limits | None = None,
        service_actions: Actions | None = None,
        *,
        parity: str = "E",
        stop_bits: int = 1,
    ) -> Self:
        """On the serial line `device`. Raises `NodeError` where there is no pyserial."""
        channel: Channel = _serial_channels().SerialChannel(device, baud, parity, stop_bits)
        return cls(Line(channel, rtu=True), unit, limits or PATIENT, service_actions)

    def view(
        self, *, unit: int | None = None, limits: Limits | None = None, service_actions: Actions | None = None
    ) -> "ModbusClient":
        """A client on the same line, alike but for what is given."""
        return ModbusClient(
            self.line,
            self.unit if unit is None else unit,
            limits or self.limits,
            service_actions or self.service_actions,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection, for all clients of the line. It is opened again when it is used."""
        self.line.close()

    def alone(self) -> AbstractContextManager[None]:
        """Has the line for itself for a block of several requests, once the others before it are answered."""
        return self.line.turns.taken(Patience(math.inf, self.service_actions))

    def request(self, request: Request) -> Reply | None:
        """One request and its reply, which fits it; None for what is said to all stations of a serial line."""
        try:
            asked = encode_request(request)
        except struct.error as exc:
            raise LocalProtocolError(f"{request} cannot be sent: {exc}") from exc
        pdu = self.line.transact(self.unit, asked, self.limits, self.service_actions)
        if not pdu:
            return None
        reply = decode_reply(pdu)
        check_reply(request, reply)
        return reply

    def read(self, where: Where, kind: Type | str | None = None, count: int = 1, order: str = "ABCD") -> list[Value]:
        """`count` values of type `kind` in word order `order`: UINT by default, of coils and discrete inputs BOOL."""
        table, _ = located(where)
        if table in BIT_TABLES:
            if kind is not None and _type(kind) is not BOOL:
                raise LocalProtocolError(f"{_type(kind).name} from the {table} table, which holds bits")
            return [*self.read_bits(where, count)]
        wanted = UINT if kind is None else _type(kind)
        return decode_registers(wanted, self.read_raw(where, count * registers_of(wanted)), order)

    def read_together(
        self, reads: Sequence[tuple[str, int, int]], depth: int
    ) -> list[tuple[bool, ...] | tuple[int, ...] | ModbusError]:
        """The values of several reads, (table, wire address, count), each of as much as one request carries, with up to
        `depth` requests under way at once; of one that the device refuses, its exception. For devices on TCP or TLS
        that take so many: others lose what they have no room for."""
        requests = []
        for table, address, count in reads:
            _check_span(table, address, count)
            (request,) = split_read(table, address, count)
            requests.append(request)
        pdus = [encode_request(request) for request in requests]
        answers = self.line.together(self.unit, pdus, depth, self.limits, self.service_actions)
        return [_values(request, answer) for request, answer in zip(requests, answers, strict=True)]

    def read_bits(self, where: Where, count: int = 1) -> list[bool]:
        """Coils or discrete inputs; of registers their bits, 16 each, the lowest first."""
        table, address = located(where)
        if table in BIT_TABLES:
            bits = int.from_bytes(self._read(table, address, count), "little")
        else:
            data = self.read_raw(where, (count + 15) // 16)
            bits = int.from_bytes(bytes(data[at ^ 1] for at in range(len(data))), "little")
        return [bool(bits >> index & 1) for index in range(count)]

    def read_raw(self, where: Where, count: int = 1) -> bytes:
        """Registers as they travel: two bytes each, big-endian."""
        table, address = located(where)
        if table in BIT_TABLES:
            raise LocalProtocolError(f"registers from the {table} table, which holds bits")
        return self._read(table, address, count)

    def read_text(self, where: Where, registers: int, order: str = "ABCD") -> str:
        """The text in `registers` registers."""
        return decode_text(self.read_raw(where, registers), order)

    def write(self, where: Where, values: Sequence[Value], kind: Type | str = UINT, order: str = "ABCD") -> None:
        """Values of type `kind` to holding registers in word order `order`; to coils, truths."""
        table, _ = located(where)
        if table in BIT_TABLES:
            self.write_bits(where, [bool(value) for value in values])
        else:
            self.write_raw(where, encode_registers(_type(kind), values, order))

    def write_text(self, where: Where, text: str, registers: int, order: str = "ABCD") -> None:
        """A text to `registers` holding registers, NULs after it."""
        self.write_raw(where, encode_text(text, registers, order))

    def write_bits(self, where: Where, values: Sequence[bool]) -> None:
        """Coils: one by function 5, more by function 15."""
        address = _writable(where, COILS, len(values))
        for request in split_coils(address, values):
            self.request(request)

    def write_raw(self, where: Where, data: bytes) -> None:
        """Holding registers as they travel: one by function 6, more by function 16."""
        if len(data) % 2:
            raise LocalProtocolError(f"{len(data)} bytes are no whole number of registers")
        address = _writable(where, HOLDING, len(data) // 2)
        for request in split_registers(address, data):
            self.request(request)

    def mask_write(self, where: Where, and_mask: int, or_mask: int) -> None:
        """Function 22 on one holding register: its bits in one step, without touching the others."""
        self.request(MaskWrite(_writable(where, HOLDING, 1), and_mask, or_mask))

    def _read(self, table: str, address: int, count: int) -> bytes:
        _check_span(table, address, count)
        if self.line.rtu and self.unit == BROADCAST:
            raise LocalProtocolError("a read from unit 0: all stations of a serial line, and none of them answers")
        parts = []
        for request in split_read(table, address, count):
            reply = self.request(request)
            assert isinstance(reply, DataReply)
            parts.append(reply.data)
        return b"".join(parts)


def _serial_channels() -> Any:
    """Their module, imported when it is asked for: most lines are not serial, and pyserial may not be there."""
    try:
        return importlib.import_module("node.client.serial_channel")
    except ModuleNotFoundError as exc:
        raise NodeError("pyserial is missing, serial lines stand on it: pip install 'plcfarm[modbus-client]'") from exc


def _values(request: Read, answer: bytes) -> tuple[bool, ...] | tuple[int, ...] | ModbusError:
    """What a reply says of the addresses that were read."""
    quantity = request.quantity
    registers = READ_LIMITS[request.function] == READ_LIMITS[READ_FUNCTIONS[HOLDING]]
    size = 2 * quantity if registers else (quantity + 7) // 8
    if answer[:2] != bytes((request.function, size)) or len(answer) != 2 + size:
        try:
            check_reply(request, decode_reply(answer))
        except ModbusError as exc:
            return exc
    if registers:
        return struct.unpack_from(f">{quantity}H", answer, 2)
    bits = int.from_bytes(answer[2:], "little")
    return tuple(bool(bits >> index & 1) for index in range(quantity))


def located(where: Where) -> tuple[str, int]:
    """Table and wire address. Raises `RangeError` for a number that names no register, a table that is none, or an
    address that it has not."""
    if isinstance(where, int):
        return wire_address(where)
    table, address = where
    if table not in READ_FUNCTIONS:
        raise RangeError(f"table {table!r}; there are {', '.join(READ_FUNCTIONS)}")
    if not 0 <= address < ADDRESSES:
        raise RangeError(f"wire address {address} of the {table} table; it has 0 to {ADDRESSES - 1}")
    return table, address


def _writable(where: Where, table: str, count: int) -> int:
    """The wire address of what can be written."""
    found, address = located(where)
    if found != table:
        raise LocalProtocolError(f"a write to the {found} table; this one writes {table}")
    _check_span(table, address, count)
    return address


def _check_span(table: str, address: int, count: int) -> None:
    if count < 1 or address < 0 or address + count > ADDRESSES:
        raise RangeError(f"{count} from wire address {address} of the {table} table on; it has 0 to {ADDRESSES - 1}")


def _type(kind: Type | str) -> Type:
    found = by_name(kind) if isinstance(kind, str) else kind
    if found is None:
        raise LocalProtocolError(f"{kind!r} is no type; wanted one like DINT, REAL or BOOL")
    return found
