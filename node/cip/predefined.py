"""The structures that every Logix controller has: STRING, TIMER, COUNTER, CONTROL, PID (Rockwell 1756-RM003).

Their handle is the number of their template. The status bits of TIMER, COUNTER, CONTROL and PID are the highest of
their control word, which clients hide when it is called CTL; a bit's place is given by its byte, as in any structure.
"""

from dataclasses import replace

from node.cip.slc_structures import SLC_STRUCTURES
from node.cip.template import Member, Template, string_template
from node.cip.types import BOOL, DINT, REAL

STRING_TEMPLATE = 0xFCE
TIMER_TEMPLATE = 0xF83
COUNTER_TEMPLATE = 0xF82
CONTROL_TEMPLATE = 0xF81
PID_TEMPLATE = 0xF8A
STRING_CAPACITY = 82


def _words(*names: str, start: int = 0, real: bool = False) -> tuple[Member, ...]:
    kind = REAL if real else DINT
    return tuple(Member(name, kind, start + 4 * index) for index, name in enumerate(names))


def _flags(highest: int, *names: str) -> tuple[Member, ...]:
    """Bits of the control word, from `highest` down."""
    bits = range(highest, highest - len(names), -1)
    return tuple(Member(name, BOOL, bit >> 3, bit=bit & 7) for name, bit in zip(names, bits, strict=True))


def _predefined(name: str, instance: int, members: tuple[Member, ...]) -> Template:
    control = replace(members[0], hidden=True)
    rest = members[1:]
    size = max(member.offset + member.size for member in members)
    return Template(name, instance, (control, *rest), size, instance)


_STRING = string_template("STRING", STRING_TEMPLATE, STRING_CAPACITY)

STRING = Template("STRING", STRING_TEMPLATE, _STRING.members, _STRING.size, STRING_TEMPLATE, STRING_CAPACITY)

TIMER = _predefined("TIMER", TIMER_TEMPLATE, (*_words("CTL", "PRE", "ACC"), *_flags(31, "EN", "TT", "DN")))

COUNTER = _predefined(
    "COUNTER", COUNTER_TEMPLATE, (*_words("CTL", "PRE", "ACC"), *_flags(31, "CU", "CD", "DN", "OV", "UN"))
)

CONTROL = _predefined(
    "CONTROL",
    CONTROL_TEMPLATE,
    (*_words("CTL", "LEN", "POS"), *_flags(31, "EN", "EU", "DN", "EM", "ER", "UL", "IN", "FD")),
)

PID = _predefined(
    "PID",
    PID_TEMPLATE,
    (
        *_words("CTL"),
        *_words("SP", "KP", "KI", "KD", "BIAS", "MAXS", "MINS", "DB", "SO", "MAXO", "MINO", start=4, real=True),
        *_words("UPD", "PV", "ERR", "OUT", "PVH", "PVL", "DVP", "DVN", "PVDB", "DVDB", start=48, real=True),
        *_words("MAXI", "MINI", "TIE", "MAXCV", "MINCV", "MINTIE", "MAXTIE", start=88, real=True),
        Member("DATA", REAL, 116, 17),
        *_flags(31, "EN", "CT", "CL", "PVT", "DOE", "SWM", "CA", "MO", "PE", "NDF", "NOBC", "NOZC"),
        *_flags(15, "INI", "SPOR", "OLL", "OLH", "EWD", "DVNA", "DVPA", "PVLA", "PVHA"),
    ),
)

PREDEFINED: tuple[Template, ...] = (STRING, TIMER, COUNTER, CONTROL, PID)


def predefined_by_name(name: str) -> Template | None:
    """The predefined structure called `name` in any case, those of SLC data files too; None when there is none."""
    return _BY_NAME.get(name.upper())


_BY_NAME = {template.name: template for template in (*PREDEFINED, *SLC_STRUCTURES)}
