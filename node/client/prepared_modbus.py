"""Registers of a Modbus device as requests that are encoded once, and the connection they go over, without a socket.

Registers that lie side by side are one read, as far as a read goes; what is between them is not read, for a device may
refuse it.
"""

from collections.abc import Iterable, Sequence
from struct import Struct

from node.client.modbus_reads import merge
from node.client.prepared import MALFORMED, READ, WRITE, Fault, Prepared
from node.enip.originator import Answer
from node.errors import LocalProtocolError
from node.modbus.adu import MBAP, PREFIX_SIZE, TcpFramer
from node.modbus.functions import EXCEPTION, EXCEPTIONS, READ_COILS, READ_DISCRETE_INPUTS
from node.modbus.pdu import READ_FUNCTIONS, READ_LIMITS, Read, Request, encode_request
from node.modbus.ranges import BIT_TABLES, WRITABLE_TABLES, RangeError, parse_range, register_text
from node.modbus.splits import split_coils, split_read, split_registers
from node.record import dataclass

_TRANSACTION = Struct(">H")
TRANSACTIONS = 1 << 16


@dataclass(frozen=True, slots=True)
class RegisterItem:
    """`count` registers or coils of `unit`'s `table` from wire address `start` on, in words `name`."""

    name: str
    unit: int
    table: str
    start: int
    count: int


@dataclass(frozen=True, slots=True)
class ModbusRequest:
    """`tail` is the frame behind its transaction id; `answer` how the reply's PDU begins, `size` how long it is."""

    kind: str
    names: tuple[str, ...]
    tail: bytes
    unit: int
    answer: bytes
    size: int


def parse_registers(text: str) -> RegisterItem:
    """`40001`, `40001-40010`, `40001-40010/3` of unit 3. Raises `RangeError`."""
    numbers, slash, unit = text.partition("/")
    if slash and not (unit.isdecimal() and int(unit) <= 255):
        raise RangeError(f"{text}: {unit!r} is no unit id; wanted one from 0 to 255, as in 40001-40010/3")
    if "=" in numbers:
        raise RangeError(f"{text}: what is written is what was read; give no value")
    found = parse_range(numbers)
    return RegisterItem(text, int(unit) if slash else 1, found.table, found.start, len(found.values))


def prepare_register_reads(items: Iterable[RegisterItem], *, multiple: bool) -> list[ModbusRequest]:
    """Reads of all items; with `multiple` as few as can be, else at least one an item."""
    listed = list(items)
    if not multiple:
        return [
            _prepared(READ, item.unit, (item.name,), request)
            for item in listed
            for request in split_read(item.table, item.start, item.count)
        ]
    found = []
    for unit, table in dict.fromkeys((item.unit, item.table) for item in listed):
        wanted = [item for item in listed if (item.unit, item.table) == (unit, table)]
        function = READ_FUNCTIONS[table]
        addresses = {address for item in wanted for address in range(item.start, item.start + item.count)}
        for span in merge(addresses, READ_LIMITS[function], 0):
            stop = span.start + span.count
            names = tuple(item.name for item in wanted if item.start < stop and span.start < item.start + item.count)
            found.append(_prepared(READ, unit, names, Read(function, span.start, span.count)))
    return found


def prepare_register_writes(item: RegisterItem, data: bytes) -> list[ModbusRequest]:
    """Writes of `data` (registers as they travel; of coils a byte each, 0 or 1). Raises `LocalProtocolError` for a
    table that cannot be written."""
    if item.table not in WRITABLE_TABLES:
        shown = register_text(item.table, item.start, item.count)
        raise LocalProtocolError(f"{item.name}: {shown} are {item.table} registers, which Modbus cannot write")
    if item.table in BIT_TABLES:
        requests = split_coils(item.start, [bool(bit) for bit in data])
    else:
        requests = split_registers(item.start, data)
    return [_prepared(WRITE, item.unit, (item.name,), request) for request in requests]


def _prepared(kind: str, unit: int, names: tuple[str, ...], request: Request) -> ModbusRequest:
    pdu = encode_request(request)
    tail = MBAP.pack(0, 0, len(pdu) + 1, unit)[2:] + pdu
    if isinstance(request, Read):
        size = (
            (request.quantity + 7) // 8
            if request.function in (READ_COILS, READ_DISCRETE_INPUTS)
            else 2 * request.quantity
        )
        return ModbusRequest(kind, names, tail, unit, bytes((request.function, size)), 2 + size)
    return ModbusRequest(kind, names, tail, unit, pdu[:5], 5)


class ModbusExchange:
    """A connection to a Modbus/TCP device."""

    def __init__(self) -> None:
        self.ready = True
        self._framer = TcpFramer()
        self._waiting: set[int] = set()
        self._last = 0

    def begin(self) -> bytes:
        """Nothing: a device listens at once."""
        return b""

    def frame(self, request: Prepared) -> tuple[int, bytes]:
        """Transaction id and frame."""
        assert isinstance(request, ModbusRequest)
        if len(self._waiting) >= TRANSACTIONS:
            raise LocalProtocolError("65536 requests are under way; a transaction id more does not exist")
        token = self._last
        while token in self._waiting:
            token = token + 1 & 0xFFFF
        self._last = token + 1 & 0xFFFF
        self._waiting.add(token)
        return token, _TRANSACTION.pack(token) + request.tail

    def receive(self, data: bytes) -> Sequence[Answer]:
        """Answers; `data` of each is unit id and PDU. Raises `RemoteProtocolError`."""
        answers = []
        for adu in self._framer.feed(data):
            token = adu[0] << 8 | adu[1]
            if token in self._waiting:
                self._waiting.remove(token)
                answers.append(Answer(token, 0, 0, adu[PREFIX_SIZE:]))
        if self._framer.fault is not None and not answers:
            raise self._framer.fault
        return answers

    def outgoing(self) -> bytes:
        """Nothing."""
        return b""

    def fault(self, request: Prepared, answer: Answer) -> Fault | None:
        """What is wrong with an answer."""
        assert isinstance(request, ModbusRequest)
        unit, pdu = answer.data[0], answer.data[1:]
        function = request.answer[0]
        if unit != request.unit:
            return Fault(MALFORMED, f"unit {unit} answered for unit {request.unit}")
        if len(pdu) == 2 and pdu[0] == function | EXCEPTION:
            name = EXCEPTIONS.get(pdu[1], "unknown")
            return Fault(f"Modbus exception {pdu[1]:02X} ({name})", request.names[0])
        if len(pdu) != request.size or not pdu.startswith(request.answer):
            return Fault(MALFORMED, f"{request.names[0]}: {pdu[:8].hex()} of {len(pdu)} bytes to function {function}")
        return None

    def forget(self, token: int) -> None:
        """Its answer, if it still comes, is dropped."""
        self._waiting.discard(token)

    def end(self) -> bytes:
        """Nothing."""
        return b""
