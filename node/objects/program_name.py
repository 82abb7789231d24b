"""Program name, class 0x64: what the program in the controller is called; pycomm3 asks for it when it opens.

1 name: length u16, characters
"""

from struct import Struct

from node.cip.services import PROGRAM_NAME_CLASS
from node.objects.attribute_access import READ_SERVICES
from node.objects.object import Object, constant

_U16 = Struct("<H")


def program_name_object(name: str) -> Object:
    """A controller whose program is called `name`."""
    raw = name.encode("iso-8859-1", "replace")[:0xFFFF]
    return Object(
        PROGRAM_NAME_CLASS, "Program Name", {1: [constant(1, "name", _U16.pack(len(raw)) + raw)]}, dict(READ_SERVICES)
    )
