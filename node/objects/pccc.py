"""PCCC, class 0x67: what an SLC 500 or MicroLogix answers, inside service 0x4B, Execute PCCC (`node.cip.pccc`).

    0F A2, A1    read of a data file, with and without a sub-element; file 0 read as the type of a directory is that
    0F AA, A9    write
    0F AB        masked write
    06 00        echo
    06 03        diagnostic status

Whatever else is asked for is answered with STS 0x10, as these controllers do. Bytes behind the data of a write are
ignored: a client that pads its messages sends one. The object has no attributes.
"""

from collections.abc import Callable
from functools import partial
from struct import Struct

from node.cip.pccc import (
    ACCESS_DENIED,
    DIAGNOSTIC,
    DIAGNOSTIC_STATUS,
    ECHO,
    EXTENDED,
    ILLEGAL_COMMAND,
    LARGEST,
    MASKED_WRITE,
    READ,
    READ_TWO,
    REPLY,
    SUCCESS,
    TYPED,
    WRITE,
    WRITE_TWO,
    WRONG_SIZE,
    Address,
    Answer,
    Command,
    PcccError,
    decode_address,
    decode_command,
    encode_answer,
)
from node.cip.pccc_status import DiagnosticStatus, encode_status
from node.cip.services import EXECUTE_PCCC, GET_ATTRIBUTE_SINGLE, PCCC_CLASS
from node.cip.slc_directory import Entry, encode_directory
from node.cip.slc_files import by_code
from node.cip.status import SERVICE_NOT_SUPPORTED, CipError
from node.memory.access import Access
from node.memory.data_files import FULL_MASK, DataFiles, Words, read_words, write_words
from node.memory.hooks import recalling
from node.memory.tags import TagTable
from node.objects.attribute_access import get_attribute_single
from node.objects.object import Call, Handler, Object, ObjectTarget, success
from node.objects.slc_processors import processor_of, series_of

STATUS_FILE, MODE, ERROR = 2, 1, 6
"""The status file, and the words of it that a diagnostic status repeats."""

_U16 = Struct("<H")
_WORD, _DOUBLE_WORD = 2, 4

Run = Callable[[Call, bytes], bytes]
"""Does a function with its data, and gives the data of the reply. Raises `PcccError`."""


class Pccc:
    """The object over `files`; the product name says which processor this is."""

    def __init__(self, files: DataFiles, product_name: str) -> None:
        self._files = files
        self._product_name = product_name
        self._processor = processor_of(product_name)
        self._functions: dict[tuple[int, int | None], Run] = {
            (TYPED, READ): self._read,
            (TYPED, READ_TWO): partial(self._read, two=True),
            (TYPED, WRITE): self._write,
            (TYPED, WRITE_TWO): partial(self._write, two=True),
            (TYPED, MASKED_WRITE): self._masked_write,
            (DIAGNOSTIC, ECHO): self._echo,
            (DIAGNOSTIC, DIAGNOSTIC_STATUS): self._status,
        }

    def object(self) -> Object:
        """Its one instance and its service."""
        services: dict[int, Handler] = {EXECUTE_PCCC: self.execute, GET_ATTRIBUTE_SINGLE: get_attribute_single}
        return Object(PCCC_CLASS, "PCCC", {1: []}, services)

    def execute(self, call: Call) -> bytes:
        """The reply, which is a success of CIP whatever PCCC says."""
        assert isinstance(call.target, ObjectTarget)
        if call.target.instance == Object.CLASS_INSTANCE:
            raise CipError(SERVICE_NOT_SUPPORTED)
        command = decode_command(call.data)
        answer = Answer(command.requestor, command.command & ~REPLY, command.transaction)
        try:
            answer.data = self._run(call, command)
        except PcccError as exc:
            answer.status, answer.extended = exc.status, exc.extended
        return success(call.service, encode_answer(answer))

    def _run(self, call: Call, command: Command) -> bytes:
        run = self._functions.get((command.command, command.function))
        if run is None:
            raise PcccError(ILLEGAL_COMMAND)
        return run(call, command.data)

    def _read(self, call: Call, data: bytes, two: bool = False) -> bytes:
        address, _ = decode_address(data, two)
        if self._is_directory(address):
            return self._read_directory(address)
        words = self._files.find(address)
        try:
            found = read_words(words, call.router.now)
        except PcccError as exc:
            _note(call, words, False, exc.status)
            raise
        _note(call, words, False)
        return found

    def _write(self, call: Call, data: bytes, two: bool = False) -> bytes:
        address, values = decode_address(data, two)
        if len(values) < address.size:
            raise PcccError(ILLEGAL_COMMAND)
        return self._put(call, address, values[: address.size], FULL_MASK)

    def _masked_write(self, call: Call, data: bytes) -> bytes:
        """Of 32-bit elements some clients (libplctag) send a 32-bit mask. One (pycomm3) names the size of an element or
        of a string and then sends less: what it sends is written."""
        address, rest = decode_address(data)
        kind = by_code(address.type)
        wide = kind is not None and kind.kind.size == _DOUBLE_WORD and len(rest) == address.size + _DOUBLE_WORD
        mask = _DOUBLE_WORD if wide else _WORD
        values = rest[mask : mask + address.size]
        address.size = len(values)
        return self._put(call, address, values, rest[:mask])

    def _put(self, call: Call, address: Address, values: bytes, mask: bytes) -> bytes:
        if self._is_directory(address):
            raise PcccError(EXTENDED, ACCESS_DENIED)
        words = self._files.find(address)
        try:
            write_words(words, values, call.router.now, mask)
        except PcccError as exc:
            _note(call, words, True, exc.status)
            raise
        _note(call, words, True)
        return b""

    def _echo(self, call: Call, data: bytes) -> bytes:
        if len(data) > LARGEST:
            raise PcccError(EXTENDED, WRONG_SIZE)
        return data

    def _status(self, call: Call, data: bytes) -> bytes:
        series, revision = series_of(self._product_name)
        mode, error = (self._status_word(word, call.router.now) for word in (MODE, ERROR))
        known = self._processor
        return encode_status(DiagnosticStatus(known.code, known.bulletin, series, revision, known.memory, mode, error))

    def _status_word(self, word: int, now: float) -> int:
        file = self._files.get(STATUS_FILE)
        if file is None or word >= file.attribute.length:
            return 0
        (value,) = _U16.unpack(read_words(Words(file, _WORD * word, _WORD * (word + 1)), now))
        return int(value)

    def _is_directory(self, address: Address) -> bool:
        return address.file == 0 and address.type == self._processor.directory.type

    def _read_directory(self, address: Address) -> bytes:
        layout = self._processor.directory
        whole = encode_directory(layout, [Entry(file.number, file.type.code, file.size) for file in self._files])
        start = _WORD * (address.element + address.sub)
        if address.size > LARGEST:
            raise PcccError(EXTENDED, WRONG_SIZE)
        if not address.size or start + address.size > len(whole):
            raise PcccError(ILLEGAL_COMMAND)
        return whole[start : start + address.size]


def pccc_object(tags: TagTable, product_name: str) -> Object:
    """The PCCC object of a controller with that name in its Identity, over the data files among `tags`."""
    return Pccc(DataFiles(tags), product_name).object()


def _note(call: Call, words: Words, writing: bool, status: int = SUCCESS) -> None:
    """Says which elements were touched, whole, to whoever follows the request; `status` is that of PCCC."""
    if call.trace is not None:
        attribute = words.file.attribute
        with recalling(attribute):
            data = b"" if status else attribute.encode(attribute.held(words.first, words.last))
        call.trace.append(Access(attribute, words.first, words.last, writing, data, status))
