"""A tag as a person types it: `SCADA=INT[1000]`, `TEXT=SSTRING[100]`, `TAG@22/1/1=DINT`, `M=REAL[2,3,4]`.

    tag      name [ @class/instance/attribute ] = type [ "[" length { , length } "]" ]

Numbers after @ may be hexadecimal (`@0x93/1/10`). Type names are known without regard to case. Scanned by hand: a
grammar compiled when a node starts would cost every node that time.
"""

from collections.abc import Collection

from node.cip.predefined import PREDEFINED, STRING
from node.cip.slc_structures import slc_by_name
from node.cip.text import SSTRING
from node.cip.types import ELEMENTARY
from node.config.hint import closest
from node.config.model import TagConfig
from node.errors import ConfigError

TYPES: tuple[str, ...] = (
    *(cip_type.name for cip_type in ELEMENTARY),
    SSTRING.name,
    *(template.name for template in PREDEFINED),
)
"""Every type a tag may have without one being declared, by name."""

BLOCK_TYPES = {
    "bool": "BOOL",
    "int16": "INT",
    "uint16": "UINT",
    "int32": "DINT",
    "uint32": "UDINT",
    "int64": "LINT",
    "uint64": "ULINT",
    "float32": "REAL",
    "float64": "LREAL",
}
"""Names that registers may use for a type beside the CIP ones."""

TEXT_TYPES = frozenset((SSTRING.name, STRING.name))

MAX_NAME = 255
"""Characters; the length of a symbolic segment is one byte."""

MAX_ELEMENTS = 1 << 22
"""Elements of one tag; more is a slip of the finger."""

_MEANT = {
    "REAL": ("a 32-bit float", ("FLOAT", "FLOAT32", "SINGLE", "F32")),
    "LREAL": ("a 64-bit float", ("DOUBLE", "FLOAT64", "F64")),
    "SINT": ("an 8-bit integer", ("INT8", "I8")),
    "INT": ("a 16-bit integer", ("INT16", "SHORT", "I16")),
    "DINT": ("a 32-bit integer", ("INT32", "INTEGER", "LONG", "I32")),
    "LINT": ("a 64-bit integer", ("INT64", "I64")),
    "USINT": ("an unsigned 8-bit integer", ("UINT8", "U8", "CHAR")),
    "UINT": ("an unsigned 16-bit integer", ("UINT16", "U16")),
    "UDINT": ("an unsigned 32-bit integer", ("UINT32", "U32")),
    "ULINT": ("an unsigned 64-bit integer", ("UINT64", "U64")),
    "BOOL": ("a bit", ("BOOLEAN", "BIT")),
    "STRING": ("a text", ("STR", "TEXT")),
}
OTHER_NAMES = {other: f"{meaning} is {name}" for name, (meaning, others) in _MEANT.items() for other in others}
"""What other languages call a type, to what it is here."""


def parse_tag(text: str) -> TagConfig:
    """The tag that `text` describes. Raises `ConfigError` that quotes it and says what was wanted."""
    source = f"tag {text!r}"
    name, equals, type_text = text.partition("=")
    if not equals:
        raise ConfigError(source, 0, "wanted NAME=TYPE or NAME=TYPE[LENGTH], for instance SCADA=INT[1000]")
    name, at, address = name.partition("@")
    type_name, dimensions = parse_type(type_text, source)
    return TagConfig(
        check_name(name.strip(), source),
        type_name,
        dimensions,
        address=parse_cip_address(address, source) if at else None,
    )


def parse_type(text: str, source: str) -> tuple[str, tuple[int, ...]]:
    """`DINT[10]` as ("DINT", (10,)). Raises `ConfigError` naming `source`."""
    name, dimensions = split_type(text, source)
    return check_type(name, source), dimensions


def split_type(text: str, source: str) -> tuple[str, tuple[int, ...]]:
    """The same for any name, known or not."""
    name, bracket, rest = text.strip().partition("[")
    if not bracket:
        return name.strip(), ()
    if not rest.endswith("]"):
        raise ConfigError(source, 0, f"'[{rest}' does not end with ']'")
    lengths = rest[:-1].split(",")
    dimensions = tuple(int(length) for length in map(str.strip, lengths) if length.isascii() and length.isdigit())
    if len(dimensions) != len(lengths):
        raise ConfigError(source, 0, f"'[{rest}' is no array length; wanted one to three numbers as [10] or [2,3,4]")
    return name.strip(), check_dimensions(dimensions, source)


def check_name(name: str, source: str) -> str:
    """`name`, when a tag can have it. Raises `ConfigError` naming `source`."""
    plain = name.replace(":", "_").replace(".", "_")
    whole = all(name.split(".")) and not name.endswith(":")
    if not (plain.isascii() and plain.isidentifier() and whole and len(name) <= MAX_NAME):
        raise ConfigError(
            source,
            0,
            f"{name!r} is no tag name; wanted a letter or _, then letters, digits, _ and :, at most {MAX_NAME}",
        )
    return name


def check_type(name: str, source: str, own: Collection[str] = ()) -> str:
    """The type's own spelling of `name`, which is one of `TYPES` or of `own`, or of an
    SLC's data files. Raises `ConfigError` naming `source`."""
    wanted = name.upper()
    if wanted in TYPES or slc_by_name(wanted) is not None:
        return wanted
    for known in own:
        if known.upper() == wanted:
            return known
    hint = OTHER_NAMES.get(wanted, "")
    if not hint and (close := closest(wanted, (*TYPES, *own))):
        hint = f"did you mean {close}?"
    some = " ".join((*TYPES, *own)[:60])
    raise ConfigError(source, 0, f"type {name!r} is unknown; known: {some}{hint and f' ({hint})'}")


def check_dimensions(dimensions: tuple[int, ...], source: str) -> tuple[int, ...]:
    """`dimensions`, when an array can have them. Raises `ConfigError` naming `source`."""
    if len(dimensions) > 3:
        raise ConfigError(source, 0, f"{len(dimensions)} dimensions; an array has at most 3")
    elements = 1
    for length in dimensions:
        elements *= length
    if not 0 < elements <= MAX_ELEMENTS or any(length < 1 for length in dimensions):
        shown = ",".join(map(str, dimensions))
        raise ConfigError(source, 0, f"an array of [{shown}] elements; wanted 1 to {MAX_ELEMENTS} in all")
    return dimensions


def parse_cip_address(text: str, source: str) -> tuple[int, int, int]:
    """`22/1/0x0A` as (class, instance, attribute). Raises `ConfigError` naming `source`."""
    try:
        numbers = [int(part.strip(), 0) for part in text.split("/")]
    except ValueError:
        numbers = []
    if len(numbers) != 3 or not all(0 <= number <= 0xFFFF for number in numbers):
        raise ConfigError(
            source, 0, f"'@{text}' is no address; wanted @CLASS/INSTANCE/ATTRIBUTE, 0 to 65535 each, as @22/1/1"
        )
    return numbers[0], numbers[1], numbers[2]
