"""The structures in the data files of SLC 500 and MicroLogix controllers: words, not the double words of Logix.

    SLC_TIMER    control word: 15 EN, 14 TT, 13 DN                               | PRE | ACC
    SLC_COUNTER  control word: 15 CU, 14 CD, 13 DN, 12 OV, 11 UN, 10 UA          | PRE | ACC
    SLC_CONTROL  control word: 15 EN, 14 EU, 13 DN, 12 EM, 11 ER, 10 UL, 9 IN, 8 FD | LEN | POS
    SLC_STRING   LEN | DATA, 82 characters

Only the lower bits of the control word differ between models, and mean nothing to a client. In a string of the wire the
two characters of a word change places; here they stand in the order they are read in. (Rockwell 1747-RM001.)

These controllers have no templates, so the numbers of these are ours, clear of those that Logix gives its own.
"""

from node.cip.template import Member, Template
from node.cip.types import BOOL, INT, SINT

SLC_STRING_CAPACITY = 82


def _three_words(name: str, instance: int, second: str, third: str, *flags: str) -> Template:
    """A control word with `flags` from bit 15 down, and two more words."""
    words = (Member("CTL", INT, 0, hidden=True), Member(second, INT, 2), Member(third, INT, 4))
    bits = tuple(Member(flag, BOOL, 1, bit=7 - index) for index, flag in enumerate(flags))
    return Template(name, instance, (*words, *bits), 6, instance, alignment=2)


SLC_TIMER = _three_words("SLC_TIMER", 0xFF0, "PRE", "ACC", "EN", "TT", "DN")

SLC_COUNTER = _three_words("SLC_COUNTER", 0xFF1, "PRE", "ACC", "CU", "CD", "DN", "OV", "UN", "UA")

SLC_CONTROL = _three_words("SLC_CONTROL", 0xFF2, "LEN", "POS", "EN", "EU", "DN", "EM", "ER", "UL", "IN", "FD")

SLC_STRING = Template(
    "SLC_STRING",
    0xFF3,
    (Member("LEN", INT, 0), Member("DATA", SINT, 2, SLC_STRING_CAPACITY)),
    2 + SLC_STRING_CAPACITY,
    0xFF3,
    SLC_STRING_CAPACITY,
    alignment=2,
)

SLC_STRUCTURES: tuple[Template, ...] = (SLC_TIMER, SLC_COUNTER, SLC_CONTROL, SLC_STRING)

_BY_NAME = {template.name: template for template in SLC_STRUCTURES}


def swap_characters(data: bytes) -> bytes:
    """Whole SLC_STRINGs from the order of memory to that of the wire, and back: each word of characters turned."""
    swapped = bytearray(data)
    swapped[0::2], swapped[1::2] = data[1::2], data[0::2]
    for start in range(0, len(data), SLC_STRING.size):
        swapped[start : start + 2] = data[start : start + 2]
    return bytes(swapped)


def slc_by_name(name: str) -> Template | None:
    """The structure called `name` in any case, None when there is none."""
    return _BY_NAME.get(name.upper())
