"""The data files of an SLC 500 or MicroLogix: tags that are called as such files are, N7 or ST9, seen as words.

There is no memory here but the tags', so signals, rights, gates and Modbus apply to a data file as to any tag. A client
reads and writes any words of it, across elements; on the wire the characters of each word of a string change places.

Faults are `PcccError`: 0x10 for a file or word that is not there (what these controllers say, and no part of a request
is answered or done), 0xF0 0x07 for more than they take at once, 0x60 for what may not be written, 0x50 for what a gate
does not admit.
"""

from collections.abc import Iterator

from node.cip.epath import Element, Symbolic
from node.cip.pccc import (
    ADDRESSING_PROBLEM,
    EXTENDED,
    ILLEGAL_COMMAND,
    LARGEST,
    NOT_ALLOWED,
    WRONG_SIZE,
    Address,
    PcccError,
)
from node.cip.slc_files import FileType, by_code, parse_file_name
from node.cip.slc_structures import SLC_CONTROL, SLC_COUNTER, SLC_STRING, SLC_TIMER, swap_characters
from node.cip.status import ATTRIBUTE_NOT_SETTABLE, CipError
from node.cip.template import Template
from node.cip.types import BOOL
from node.memory.attribute import Attribute
from node.memory.place import Place, follow
from node.memory.tags import TagTable
from node.memory.view import stored
from node.record import dataclass

WORD = 2
_WITH_MEMBERS = (SLC_TIMER, SLC_COUNTER, SLC_CONTROL)
FULL_MASK = b"\xff\xff"


@dataclass(frozen=True, slots=True)
class DataFile:
    """`attribute` holds the elements of file `number`."""

    number: int
    type: FileType
    attribute: Attribute

    @property
    def size(self) -> int:
        """Bytes of all elements."""
        return self.attribute.length * self.attribute.size


@dataclass(frozen=True, slots=True)
class Words:
    """Bytes [`start`, `stop`) of a data file, and the elements [`first`, `last`) that hold them."""

    file: DataFile
    start: int
    stop: int

    @property
    def first(self) -> int:
        """The first element."""
        return self.start // self.file.attribute.size

    @property
    def last(self) -> int:
        """The element after the last one."""
        return -(-self.stop // self.file.attribute.size)

    @property
    def whole(self) -> bool:
        """Whether no element is there in part."""
        return not (self.start % self.file.attribute.size or self.stop % self.file.attribute.size)


class DataFiles:
    """The data files among `tags`."""

    def __init__(self, tags: TagTable) -> None:
        self._tags = tags
        self._files: dict[int, DataFile] = {}
        self._stale = True
        tags.watch(self._forget)

    def __iter__(self) -> Iterator[DataFile]:
        """All of them by number."""
        return (file for _, file in sorted(self._known().items()))

    def get(self, number: int) -> DataFile | None:
        """The file with that number."""
        return self._known().get(number)

    def find(self, address: Address) -> Words:
        """The words that `address` names. Raises `PcccError`."""
        kind = by_code(address.type)
        file = self.get(address.file)
        if file is None or file.type is not kind or not address.size or address.size % WORD:
            raise PcccError(ILLEGAL_COMMAND)
        if address.size > LARGEST:
            raise PcccError(EXTENDED, WRONG_SIZE)
        each = file.attribute.size
        words = file.size // WORD if kind.letter in "OI" else each // WORD
        start = address.element * each + WORD * address.sub
        if address.sub >= words or start + address.size > file.size:
            raise PcccError(ILLEGAL_COMMAND)
        return Words(file, start, start + address.size)

    def _known(self) -> dict[int, DataFile]:
        if self._stale:
            self._files = {file.number: file for file in _among(self._tags)}
            self._stale = False
        return self._files

    def _forget(self) -> None:
        self._stale = True


def read_words(words: Words, now: float) -> bytes:
    """Their bytes as they travel. Raises `PcccError`."""
    attribute = words.file.attribute
    try:
        data = attribute.dump(words.first, words.last, now)
    except CipError as exc:
        raise _refused(exc) from exc
    skip = words.first * attribute.size
    return _turned(attribute, data)[words.start - skip : words.stop - skip]


def write_words(words: Words, data: bytes, now: float, mask: bytes = FULL_MASK) -> None:
    """Puts `data`, as many bytes as the words have, where `mask` (2 or 4 bytes, again and again) has ones.

    Raises `PcccError`.
    """
    attribute = words.file.attribute
    attribute.enter(True)
    part = not words.whole or bool(mask.strip(b"\xff"))
    try:
        if part and attribute.source is not None and attribute.type in _WITH_MEMBERS:
            _write_members(words, data, now, mask)
            return
        if part:
            if not attribute.settable:
                raise CipError(ATTRIBUTE_NOT_SETTABLE)
            skip = words.first * attribute.size
            held = bytearray(_turned(attribute, stored(attribute, words.first, words.last, now)))
            place = slice(words.start - skip, words.stop - skip)
            held[place] = _masked(bytes(held[place]), data, mask)
            data = bytes(held)
        attribute.load(words.first, _turned(attribute, data), now)
    except CipError as exc:
        raise _refused(exc) from exc


def _among(tags: TagTable) -> Iterator[DataFile]:
    """Tags that are called as data files are and are of the type that their letter says."""
    for name, attribute in tags:
        found = parse_file_name(name)
        if found is not None and attribute.type in found[0].kinds:
            yield DataFile(found[1], found[0], attribute)


def _masked(held: bytes, data: bytes, mask: bytes) -> bytes:
    ones = _repeated(mask, len(data))
    return bytes(old & ~one & 0xFF | new & one for old, new, one in zip(held, data, ones, strict=True))


def _write_members(words: Words, data: bytes, now: float, mask: bytes) -> None:
    """The same by members, each of which may have a signal of its own. Bits of a control word that are no member's have
    no meaning and stay as they are."""
    attribute = words.file.attribute
    assert isinstance(attribute.type, Template)
    ones = _repeated(mask, len(data))
    writes: list[tuple[Place, int, int]] = []
    for at in range(0, len(data), WORD):
        element, within = divmod(words.start + at, attribute.size)
        new, touched = (int.from_bytes(part[at : at + WORD], "little") for part in (data, ones))
        for member in attribute.type.visible:
            shift = 8 * (member.offset - within) + (member.bit or 0)
            meant = (touched if member.bit is None else touched >> shift & 1) if 0 <= shift < 16 else 0
            if meant:
                place = follow(attribute, [Element(element), Symbolic(member.name)])
                writes.append((place, new >> shift, meant))
    if not all(place.attribute.settable for place, _, _ in writes):
        raise CipError(ATTRIBUTE_NOT_SETTABLE)
    for place, new, touched in writes:
        if place.attribute.type is not BOOL:
            or_mask, and_mask = (word.to_bytes(WORD, "little") for word in (new & touched, new | ~touched & 0xFFFF))
            place.attribute.modify(place.start, or_mask, and_mask, now)
        else:
            place.attribute.write(place.start, [bool(new & 1)], now)


def _repeated(mask: bytes, size: int) -> bytes:
    return (mask * (size // len(mask) + 1))[:size]


def _turned(attribute: Attribute, data: bytes) -> bytes:
    """`data`, whole elements, with the characters of each word changed over where they are strings: to the wire, and
    back from it."""
    return swap_characters(data) if attribute.type is SLC_STRING else data


def _refused(exc: CipError) -> PcccError:
    return PcccError(NOT_ALLOWED if exc.general == ATTRIBUTE_NOT_SETTABLE else ADDRESSING_PROBLEM)
