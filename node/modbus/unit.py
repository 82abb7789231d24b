"""One device on Modbus: its registers, files and queues, what it counts, and who it says it is.

What a request meets, in words of Modbus: an address that is not there, a tag that may not be read or written, or one
whose source refuses a write is 02; a value that the tag's type cannot hold, or a tag in error, is 04 (03 is for the
form of a request only). A write that fails has changed nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from node.cip.status import SUCCESS, CipError
from node.memory.access import Access
from node.memory.attribute import Attribute
from node.memory.hooks import recalling
from node.memory.part import Part
from node.memory.tag_gate import onlooking
from node.modbus.bank import RegisterBank
from node.modbus.counters import Counters
from node.modbus.diagnostics import Bare, Diagnostics, ExceptionStatus, ServerId
from node.modbus.exceptions import exception_of
from node.modbus.functions import (
    COMM_EVENT_COUNTER,
    FUNCTIONS,
    ILLEGAL_DATA_ADDRESS,
    ILLEGAL_DATA_VALUE,
    ILLEGAL_FUNCTION,
    READ_EXCEPTION_STATUS,
    READ_WRITE_REGISTERS,
    REPORT_SERVER_ID,
    WRITE_COIL,
    WRITE_COILS,
    ModbusError,
    encode_exception,
)
from node.modbus.identification import Identification, IdentificationRequest
from node.modbus.pdu import (
    COIL_ON,
    READ_TABLES,
    DataReply,
    MaskWrite,
    Read,
    ReadWrite,
    Reply,
    Request,
    WriteMultiple,
    WriteSingle,
    WrittenReply,
    decode_request,
    encode_reply,
)
from node.modbus.ranges import COILS, HOLDING
from node.modbus.records import FIFO_LIMIT, FifoData, FifoRead, FileData, FileRead, FileWrite

STATUS_COILS = 8
"""Coils of an exception status."""
SILENCE = b""
"""In place of a reply where there is to be none."""


class Unit:
    """`identification` None: it does not know function 43. `files` and `queues` hold registers from `holding` 0 on, by
    file number and by pointer address. `server_id` is what function 17 tells, b"" for not knowing it;
    `exception_coils` the first of the eight coils that function 7 tells, None for none set. `functions` are the codes
    that it knows."""

    __slots__ = (
        "bank",
        "counters",
        "exception_coils",
        "files",
        "functions",
        "hooked",
        "identification",
        "queues",
        "server_id",
    )

    def __init__(
        self,
        bank: RegisterBank,
        identification: Identification | None = None,
        *,
        files: Mapping[int, RegisterBank] | None = None,
        queues: Mapping[int, RegisterBank] | None = None,
        server_id: bytes = b"",
        exception_coils: int | None = None,
        functions: frozenset[int] = frozenset(FUNCTIONS),
    ) -> None:
        self.bank = bank
        self.identification = identification
        self.files = files or {}
        self.queues = queues or {}
        self.server_id = server_id
        self.exception_coils = exception_coils
        self.functions = functions
        self.counters = Counters()
        self.hooked = [tag for each in (bank, *self.files.values(), *self.queues.values()) for tag in each.hooked]

    def answer(self, pdu: bytes, now: float, trace: list[Access] | None = None) -> bytes:
        """The reply PDU of a request PDU; every fault of a request is an exception reply. `SILENCE` from a device that
        was told to listen only. `trace` takes the accesses to tags. Raises `HookWaits`, and else only for a bug."""
        if self.hooked:
            self.enter(pdu)
        counters = self.counters
        counters.settle()
        was_listening = counters.listening
        counters.heard(mine=True)
        status = SUCCESS
        try:
            request = self._decode(pdu)
            if was_listening and not isinstance(request, Diagnostics):
                return SILENCE
            found = self._serve(request, now)
            if found is None or was_listening:
                return SILENCE
            reply, code = encode_reply(found), 0
        except ModbusError as exc:
            trace, code = None, exc.code  # nothing was reached
            reply = encode_exception(pdu[0], code)
        except CipError as exc:
            status = exc.general
            code = exception_of(status, *exc.extended)
            reply = encode_exception(pdu[0], code)
        if was_listening:
            return SILENCE
        counters.answered(pdu[0], code)
        if trace is not None:
            trace += self._accesses(pdu, status, now)
        return reply

    def hear(self, pdu: bytes, now: float, broadcast: bool) -> None:
        """Takes a frame that is for everybody, and does it where it writes, or one for another unit; says nothing."""
        self.counters.settle()
        self.counters.heard(mine=False, broadcast=broadcast)
        if not broadcast or self.counters.listening:
            return
        try:
            request = self._decode(pdu)
            if isinstance(request, WriteSingle | WriteMultiple | MaskWrite | FileWrite):
                self._serve(request, now)
        except (ModbusError, CipError):
            return  # a fault of a broadcast is told to nobody

    def enter(self, pdu: bytes) -> None:
        """Raises `HookWaits`, before anything is done or counted, for a request that comes to a hook that may block."""
        try:
            request = self._decode(pdu)
            if isinstance(request, Bare | FifoRead):
                for attribute in self.hooked:
                    attribute.enter(False)
            for bank, table, start, count, writing in self._parts(request):
                for attribute, _, _ in bank.spans(table, start, count):
                    attribute.enter(False)
                    attribute.enter(writing)
        except (ModbusError, CipError, KeyError):
            return  # which the request itself will meet

    def _decode(self, pdu: bytes) -> Request:
        if pdu and pdu[0] not in self.functions:
            raise ModbusError(ILLEGAL_FUNCTION, f"function {pdu[0]} is not supported")
        return decode_request(pdu)

    def _serve(self, request: Request, now: float) -> Reply | None:
        bank = self.bank
        match request:
            case Read(function, address, quantity):
                return DataReply(function, bank.reader(READ_TABLES[function], address, quantity)(now))
            case WriteSingle(function, address, value):
                if function == WRITE_COIL:
                    bank.write_coils(address, 1, int(value == COIL_ON), now)
                else:
                    bank.write_registers(address, value.to_bytes(2, "big"), now)
                return request
            case WriteMultiple(function, address, quantity, data):
                if function == WRITE_COILS:
                    bank.write_coils(address, quantity, int.from_bytes(data, "little"), now)
                else:
                    bank.write_registers(address, data, now)
                return WrittenReply(function, address, quantity)
            case MaskWrite(address, and_mask, or_mask):
                old = int.from_bytes(bank.held(address, now), "big")
                new = old & and_mask | or_mask & ~and_mask
                bank.write_registers(address, new.to_bytes(2, "big"), now)
                return request
            case ReadWrite(address, quantity, write_address, data):
                bank.spans(HOLDING, write_address, len(data) // 2)
                bank.admit_read(HOLDING, address, quantity, now)
                bank.write_registers(write_address, data, now)
                return DataReply(READ_WRITE_REGISTERS, bank.reader(HOLDING, address, quantity)(now))
            case IdentificationRequest():
                return self._identify(request)
            case Diagnostics():
                return self.counters.diagnose(request)
            case Bare(function):
                return self._tell(function, now)
            case FileRead() | FileWrite() | FifoRead():
                return self._records(request, now)

    def _tell(self, function: int, now: float) -> Reply:
        if function == READ_EXCEPTION_STATUS:
            first = self.exception_coils
            return ExceptionStatus(0 if first is None else self.bank.reader(COILS, first, STATUS_COILS)(now)[0])
        if function == REPORT_SERVER_ID:
            if not self.server_id:
                raise ModbusError(ILLEGAL_FUNCTION, "this device has no server id")
            return ServerId(self.server_id)
        return self.counters.event_counter() if function == COMM_EVENT_COUNTER else self.counters.event_log()

    def _records(self, request: FileRead | FileWrite | FifoRead, now: float) -> Reply:
        match request:
            case FileRead(parts):
                readers = [self._file(file).reader(HOLDING, record, length) for file, record, length in parts]
                return FileData(tuple(read(now) for read in readers))
            case FileWrite(given):
                writes = [(self._file(file), record, data) for file, record, data in _joined(given)]
                for held, record, data in writes:
                    held.spans(HOLDING, record, len(data) // 2)
                staged = [held.stage_registers(record, data, now) for held, record, data in writes]
                for commit in chain.from_iterable(staged):
                    commit()
                return request
            case FifoRead(address):
                queue = self.queues.get(address)
                if queue is None:
                    raise ModbusError(ILLEGAL_DATA_ADDRESS, f"no queue at {address}")
                count = queue.size(HOLDING)
                if count > FIFO_LIMIT:
                    raise ModbusError(ILLEGAL_DATA_VALUE, f"a queue of {count} registers")
                return FifoData(queue.reader(HOLDING, 0, count)(now))

    def _file(self, number: int) -> RegisterBank:
        found = self.files.get(number)
        if found is None:
            raise ModbusError(ILLEGAL_DATA_ADDRESS, f"no file {number}")
        return found

    def _accesses(self, pdu: bytes, status: int, now: float) -> Iterator[Access]:
        for bank, table, start, count, writing in self._parts(decode_request(pdu)):
            for attribute, first, last in bank.spans(table, start, count):
                data = b"" if status else _passed(attribute, first, last, writing, now)
                yield Access(attribute, first, last, writing, data, status)

    def _parts(self, request: Request) -> list[tuple[RegisterBank, str, int, int, bool]]:
        """What a request touches: bank, table, address, count, and whether it is written."""
        bank = self.bank
        match request:
            case Read(function, address, quantity):
                return [(bank, READ_TABLES[function], address, quantity, False)]
            case WriteSingle(function, address, _):
                return [(bank, COILS if function == WRITE_COIL else HOLDING, address, 1, True)]
            case WriteMultiple(function, address, quantity, _):
                return [(bank, COILS if function == WRITE_COILS else HOLDING, address, quantity, True)]
            case MaskWrite(address, _, _):
                return [(bank, HOLDING, address, 1, True)]
            case ReadWrite(address, quantity, write_address, data):
                written = (bank, HOLDING, write_address, len(data) // 2, True)
                return [written, (bank, HOLDING, address, quantity, False)]
            case FileRead(asked):
                return [(self.files[file], HOLDING, record, length, False) for file, record, length in asked]
            case FileWrite(given):
                return [(self.files[file], HOLDING, record, len(data) // 2, True) for file, record, data in given]
            case _:
                return []

    def _identify(self, request: IdentificationRequest) -> Reply:
        if self.identification is None:
            raise ModbusError(ILLEGAL_FUNCTION, "this device has no identification")
        reply = self.identification.answer(request)
        if reply is None:
            raise ModbusError(ILLEGAL_DATA_ADDRESS, f"no identification object {request.object_id}")
        return reply


def _joined(parts: Sequence[tuple[int, int, bytes]]) -> list[tuple[int, int, bytes]]:
    """The same records in as few runs as can be, a later part over an earlier one: two that each write a half of one
    value would else undo each other, for what is staged is made of what is held."""
    words: dict[tuple[int, int], bytes] = {}
    for file, record, data in parts:
        for at in range(0, len(data), 2):
            words[file, record + at // 2] = data[at : at + 2]
    runs: list[tuple[int, int, bytes]] = []
    for (file, record), word in sorted(words.items()):
        if runs and runs[-1][0] == file and runs[-1][1] + len(runs[-1][2]) // 2 == record:
            runs[-1] = (file, runs[-1][1], runs[-1][2] + word)
        else:
            runs.append((file, record, word))
    return runs


def _passed(attribute: Attribute, first: int, last: int, writing: bool, now: float) -> bytes:
    """The elements that were read or written: as the client saw them, or as it left them. Nothing is decided anew."""
    root = attribute.root if isinstance(attribute, Part) else attribute
    with recalling(root), onlooking(root):
        return attribute.encode(attribute.held(first, last)) if writing else attribute.dump(first, last, now)
