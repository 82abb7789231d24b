"""The types of data files that SLC 500 and MicroLogix controllers have: letter, code on the wire, what an element is.

    O I S B N A   a word                     F   a REAL          L   two words, a DINT
    T C R         three words                ST  LEN and 82 characters, 84 bytes

A data file is called by its letter and its number: N7, ST9. The output, input and status file are O0, I1 and S2 and
there is one of each; B3 to F8 are there from the start; what is made has numbers up to 255. (Rockwell 1770-6.5.16,
7-17; the codes of L from nodepccc and pycomm3; 0x8B and 0x8C mean the same to a client as 0x82 and 0x83.)
"""

from node.cip.slc_structures import SLC_CONTROL, SLC_COUNTER, SLC_STRING, SLC_TIMER
from node.cip.template import Template
from node.cip.types import DINT, DWORD, INT, REAL, UDINT, UINT, WORD, Type
from node.record import dataclass

LAST_FILE = 255
LAST_FIXED = 8
"""Files up to this number are of one type in every controller."""


@dataclass(frozen=True, slots=True)
class FileType:
    """`kinds` are what an element may be in memory, the usual one first; `fixed` the number of the file that every
    controller has of it, None where there is none; `alone` when there can be no other."""

    letter: str
    codes: tuple[int, ...]
    kinds: tuple[Type | Template, ...]
    fixed: int | None = None
    alone: bool = False

    @property
    def code(self) -> int:
        """The code that a file directory lists."""
        return self.codes[0]

    @property
    def kind(self) -> Type | Template:
        """What an element usually is."""
        return self.kinds[0]


_WORDS = (INT, UINT, WORD)

FILE_TYPES: tuple[FileType, ...] = (
    FileType("O", (0x82, 0x8B), _WORDS, 0, alone=True),
    FileType("I", (0x83, 0x8C), _WORDS, 1, alone=True),
    FileType("S", (0x84,), _WORDS, 2, alone=True),
    FileType("B", (0x85,), _WORDS, 3),
    FileType("T", (0x86,), (SLC_TIMER,), 4),
    FileType("C", (0x87,), (SLC_COUNTER,), 5),
    FileType("R", (0x88,), (SLC_CONTROL,), 6),
    FileType("N", (0x89,), _WORDS, 7),
    FileType("F", (0x8A,), (REAL,), 8),
    FileType("ST", (0x8D,), (SLC_STRING,)),
    FileType("A", (0x8E,), _WORDS),
    FileType("L", (0x91,), (DINT, UDINT, DWORD)),
)

_BY_LETTER = {kind.letter: kind for kind in FILE_TYPES}
_BY_CODE = {code: kind for kind in FILE_TYPES for code in kind.codes}
_FIXED = {kind.fixed: kind for kind in FILE_TYPES if kind.fixed is not None}

DEFAULT_SIZES: tuple[int, ...] = (4, 4, 66, 16, 8, 8, 4, 64, 32)
"""Elements of the files 0 to 8, which are there from the start, as in a MicroLogix 1400."""


def by_code(code: int) -> FileType | None:
    """The type of a wire code, None when no data file has it."""
    return _BY_CODE.get(code)


def by_number(number: int) -> FileType | None:
    """The type of one of the files that every controller has."""
    return _FIXED.get(number)


def parse_file_name(name: str) -> tuple[FileType, int] | None:
    """`N7` in any case as the type N and 7; None for what is no data file's name."""
    letter = name.rstrip("0123456789")
    digits = name[len(letter) :]
    kind = _BY_LETTER.get(letter.upper())
    if kind is None or not digits or (digits[0] == "0" and len(digits) > 1) or int(digits) > LAST_FILE:
        return None
    return kind, int(digits)


def belongs(kind: FileType, number: int) -> bool:
    """Whether a file of that type can have that number."""
    if number <= LAST_FIXED or kind.alone:
        return kind.fixed == number
    return True
