"""A client for the data files of SLC 500 and MicroLogix controllers, which know no tags by name: PCCC, unconnected.

Paths are a tag's, so that whoever reads tags reads files too: `N7[3]`, `ST9`, `T4[2].ACC`, `C5[0].DN`. One command
takes 236 bytes, so a read or write of more goes in several, and is no longer of one instant.
"""

from collections.abc import Mapping, Sequence
from itertools import count

from node.cip.epath import Class, Element, Instance, Segment, Symbolic, encode_epath
from node.cip.message import Request
from node.cip.path_text import format_path, parse_path
from node.cip.pccc import (
    LARGEST,
    MASKED_WRITE,
    READ,
    TYPED,
    WRITE,
    Address,
    Command,
    PcccError,
    decode_answer,
    encode_address,
    encode_command,
)
from node.cip.services import EXECUTE_PCCC, PCCC_CLASS
from node.cip.slc_files import FileType, parse_file_name
from node.cip.slc_structures import SLC_STRING, swap_characters
from node.cip.status import CipError
from node.cip.structure_values import decode_structures
from node.cip.template import Member, Template
from node.cip.types import BOOL, INT, Type, decode_values
from node.client.aio import AsyncConnector, deadline
from node.client.tag_values import TagType, Value, encode_elements, parse_truths
from node.enip.header import PORT
from node.errors import LocalProtocolError, RemoteProtocolError
from node.record import dataclass

_OBJECT = encode_epath([Class(PCCC_CLASS), Instance(1)])
_NOBODY = bytes((7, 0, 0, 0, 0, 0, 0))
_WORD = 2
_FIRST_BIT, _LAST_TRANSACTION = 8, 0xFFFF


@dataclass(frozen=True, slots=True)
class _Spot:
    """Element `element` of file `number`, or a `member` of it."""

    type: FileType
    number: int
    kind: Type | Template
    element: int
    member: Member | None

    def address(self, size: int, element: int = 0, sub: int = 0) -> Address:
        """`size` bytes from word `sub` of the element that is `element` after this one."""
        return Address(size, self.number, self.type.code, self.element + element, sub)


class AsyncDataFiles(AsyncConnector):
    """As `AsyncConnector`, whose methods for tags read and write data files here. `kinds` are what files hold (UINT),
    by name without case, where that is not the usual (INT). Every method raises `PcccError` as well."""

    def __init__(
        self, host: str, port: int = PORT, timeout: float = 5.0, kinds: Mapping[str, TagType] | None = None
    ) -> None:
        super().__init__(host, port, timeout)
        self._file_kinds = kinds or {}
        self._transactions = count(1)

    async def read(self, tag: str, count: int = 1) -> list[Value]:
        """`count` elements of a file, or a member of one. Raises `LocalProtocolError` for what is no data file."""
        spot = self._spot(tag)
        async with deadline(self.host, self.port, self.timeout):
            if spot.member is None:
                return _values(spot.kind, await self._elements(spot, count))
            data = await self._do(READ, spot.address(_WORD, sub=_word_of(spot.member)), _WORD)
        (value,) = decode_values(INT, data)
        return [value if spot.member.bit is None else bool(int(value) >> _bit_of(spot.member) & 1)]

    async def write(self, tag: str, values: Value | Sequence[Value], type: str | TagType | None = None) -> None:
        """Writes one value or several from `tag` on. What they are is the file's to say, not `type`'s.

        Raises `LocalProtocolError` for values that do not fit, or for what is no data file.
        """
        spot = self._spot(tag)
        listed = list(values) if isinstance(values, Sequence) and not isinstance(values, str | bytes) else [values]
        if spot.member is not None and spot.member.bit is not None:
            (truth,) = parse_truths([str(value).lower() for value in listed])
            bit = 1 << _bit_of(spot.member)
            return await self._modify(spot, bit if truth else 0, 0 if truth else bit, _WORD)
        async with deadline(self.host, self.port, self.timeout):
            if spot.member is None:
                await self._write_elements(spot, encode_elements(spot.kind, listed))
            else:
                (data,) = encode_elements(INT, listed)
                await self._do(WRITE, spot.address(_WORD, sub=_word_of(spot.member)), 0, data)
        return None

    async def modify(self, tag: str, ones: int, zeros: int, size: int) -> None:
        """Sets the bits `ones` of a word or double word and clears the bits `zeros`, in one masked write of all of it,
        however few bytes `size` says that they are in."""
        spot = self._spot(tag)
        await self._modify(spot, ones, zeros, max(size, spot.kind.size if isinstance(spot.kind, Type) else _WORD))

    async def _modify(self, spot: _Spot, ones: int, zeros: int, size: int) -> None:
        every = (1 << 8 * size) - 1
        mask, data = (number.to_bytes(size, "little") for number in ((ones | zeros) & every, ones & every))
        async with deadline(self.host, self.port, self.timeout):
            await self._do(MASKED_WRITE, spot.address(size), 0, mask + data)

    async def _elements(self, spot: _Spot, wanted: int) -> bytes:
        size = spot.kind.size
        each = LARGEST // size
        data = b""
        for start in range(0, wanted, each):
            part = size * min(each, wanted - start)
            data += await self._do(READ, spot.address(part, start), part)
        return data

    async def _write_elements(self, spot: _Spot, elements: Sequence[bytes]) -> None:
        each = LARGEST // spot.kind.size
        for start in range(0, len(elements), each):
            data = b"".join(elements[start : start + each])
            if spot.kind is SLC_STRING:
                data = swap_characters(data)
            await self._do(WRITE, spot.address(len(data), start), 0, data)

    async def _do(self, function: int, address: Address, wanted: int, data: bytes = b"") -> bytes:
        """The data of the reply, `wanted` bytes of it."""
        transaction = next(self._transactions) & _LAST_TRANSACTION
        command = Command(_NOBODY, TYPED, transaction, function, encode_address(address) + data)
        reply = await self._message(Request(EXECUTE_PCCC, _OBJECT, encode_command(command)))
        if reply.status:
            raise CipError(reply.status, reply.extended, reply.data)
        answer = decode_answer(reply.data)
        if answer.transaction != transaction:
            raise RemoteProtocolError(f"an answer to transaction {answer.transaction}, wanted one to {transaction}")
        if answer.status:
            raise PcccError(answer.status, answer.extended)
        if len(answer.data) != wanted:
            raise RemoteProtocolError(f"{len(answer.data)} bytes of a data file, wanted {wanted}")
        return answer.data

    def _spot(self, tag: str) -> _Spot:
        segments = parse_path(tag)
        name, element, member = _parts(segments, tag)
        found = parse_file_name(name)
        if found is None:
            raise LocalProtocolError(f"{name!r} is no data file (as N7 is), and PCCC reaches nothing else")
        declared = self._file_kinds.get(name.casefold())
        kind = declared if isinstance(declared, Type | Template) else found[0].kind
        place = None
        if member:
            place = kind.member(member) if isinstance(kind, Template) else None
            if place is None or place.hidden or place.length:
                raise LocalProtocolError(f"{format_path(segments)}: an element of {name} has no {member!r} of its own")
        return _Spot(*found, kind, element, place)


def _parts(segments: Sequence[Segment], tag: str) -> tuple[str, int, str]:
    """File, element and member ("") of a path."""
    kinds = [segment.__class__ for segment in segments]
    if kinds[:1] == [Symbolic] and kinds[1:] in ([], [Element], [Symbolic], [Element, Symbolic]):
        names = [segment.name for segment in segments if isinstance(segment, Symbolic)]
        elements = [segment.index for segment in segments if isinstance(segment, Element)]
        return names[0], elements[0] if elements else 0, names[1] if len(names) > 1 else ""
    raise LocalProtocolError(f"{tag!r} is no place in a data file; wanted one like N7[3] or T4[2].ACC")


def _values(kind: Type | Template, data: bytes) -> list[Value]:
    if isinstance(kind, Type):
        return [*decode_values(kind, data)]
    return [*decode_structures(kind, swap_characters(data) if kind is SLC_STRING else data)]


def _word_of(member: Member) -> int:
    """The word of an element that a member is, or is a bit of."""
    return 0 if member.bit is not None else member.offset // _WORD


def _bit_of(member: Member) -> int:
    """The bit of the control word: all flags are in its upper byte."""
    assert member.bit is not None and member.type is BOOL
    return _FIRST_BIT * member.offset + member.bit
