"""Tag table version, class 0xAC: numbers that are others once tags came or went, for clients that keep a list of them.

    1 u16 | 2 u16 | 3 edition u32 | 4 names u32 | 10 structures u32

Attribute 3 counts the names that were added; 4 is a sum over all names and what they are of, and 10 one over the
structures. So a node that was started anew with other tags is seen to have them, and one with the same tags is not
asked again.
"""

from binascii import crc32
from collections.abc import Sequence

from node.cip.attribute_values import Number
from node.cip.browse import encode_symbol
from node.cip.definition import encode_definition
from node.cip.services import TAG_VERSION_CLASS
from node.cip.template import Template
from node.cip.types import UDINT, UINT
from node.memory.tags import CONTROLLER, TagTable
from node.objects.attribute_access import READ_SERVICES
from node.objects.object import AttributeRow, Object, constant
from node.objects.symbol import describe

_NAME_TYPE_LENGTHS = (1, 2, 8)
_MASK = 0xFFFFFFFF


def tag_version_object(tags: TagTable, templates: Sequence[Template] = ()) -> Object:
    """The version of `tags`, and of the structures that they may be."""
    short, long = Number(UINT), Number(UDINT)
    structures = 0
    for template in templates:
        structures = crc32(encode_definition(template), structures)
    rows = [
        constant(1, "major", short.encode(1), codec=short),
        constant(2, "minor", short.encode(1), codec=short),
        AttributeRow(3, "edition", lambda: long.encode(tags.edition & _MASK), codec=long),
        AttributeRow(4, "names", _Names(tags).get, codec=long),
        constant(10, "structures", long.encode(structures), codec=long),
    ]
    return Object(TAG_VERSION_CLASS, "Tag Version", {1: rows}, dict(READ_SERVICES))


class _Names:
    """The sum over all symbols, made when it is asked for."""

    def __init__(self, tags: TagTable) -> None:
        self._tags = tags
        self._edition = -1
        self._sum = b""

    def get(self) -> bytes:
        """Its bytes."""
        tags = self._tags
        if self._edition != tags.edition:
            total = 0
            for scope in (CONTROLLER, *tags.programs()):
                for symbol in tags.symbols(scope):
                    total = crc32(encode_symbol(symbol.instance, describe(symbol), _NAME_TYPE_LENGTHS), total)
            self._sum = total.to_bytes(4, "little")
            self._edition = tags.edition
        return self._sum
