"""File, class 0x37: where a tool would find the device's own data sheet (CIP Vol 1, 5-42).

    instance 0xC8, the data sheet:
    1 state u8, 1 empty | 4 file name STRINGI | 5 file revision u8 u8 | 6 file size u32 (bytes) | 7 checksum i16 |
    8 invocation method u8 | 9 save parameters u8 | 10 type u8, 1 read only

A data sheet belongs to the maker of a device, so there is none in here: the file is empty, and uploading one is no
service of it.
"""

from node.cip.attribute_values import Number, Raw, Revision
from node.cip.services import FILE_CLASS
from node.cip.types import INT, UDINT, USINT
from node.objects.attribute_access import READ_SERVICES
from node.objects.object import Object, constant

DATA_SHEET = 0xC8
EMPTY = 1
NOT_APPLICABLE = 255
READ_ONLY = 1

_NO_NAME = b"\0"
"""A STRINGI in no language."""


def file_object() -> Object:
    """The object with its one instance."""
    u8, u32, checksum, revision = Number(USINT), Number(UDINT), Number(INT), Revision()
    rows = [
        constant(1, "state", u8.encode(EMPTY), codec=u8),
        constant(4, "file name", _NO_NAME, codec=Raw()),
        constant(5, "file revision", revision.encode("0.0"), codec=revision),
        constant(6, "file size", u32.encode(0), codec=u32),
        constant(7, "file checksum", checksum.encode(0), codec=checksum),
        constant(8, "invocation method", u8.encode(NOT_APPLICABLE), codec=u8),
        constant(9, "file save parameters", u8.encode(0), codec=u8),
        constant(10, "file type", u8.encode(READ_ONLY), codec=u8),
    ]
    return Object(FILE_CLASS, "File", {DATA_SHEET: rows}, dict(READ_SERVICES))
