"""Program name, class 0x64: what the program in the controller is called; pycomm3 asks for it when it opens.

1 name: length u16, characters
"""

from node.cip.attribute_values import misfit
from node.cip.services import PROGRAM_NAME_CLASS
from node.cip.status import NOT_ENOUGH_DATA, TOO_MUCH_DATA, CipError
from node.objects.attribute_access import READ_SERVICES
from node.objects.object import Object, constant

MAX_NAME = 255
"""Characters, so that any reply can carry it."""


class Name:
    """A text behind its length, without a pad."""

    name = "STRING"
    size = 0

    def encode(self, value: object, before: bytes = b"") -> bytes:
        """From a text. Raises `LocalProtocolError`."""
        if not isinstance(value, str) or len(value) > MAX_NAME or any(ord(character) > 0xFF for character in value):
            raise misfit(value, f"a text of at most {MAX_NAME} ISO-8859-1 characters")
        return len(value).to_bytes(2, "little") + value.encode("iso-8859-1")

    def decode(self, data: bytes) -> object:
        """The text. Raises `CipError`."""
        if len(data) > self.measure(data):
            raise CipError(TOO_MUCH_DATA)
        return data[2:].decode("iso-8859-1")

    def measure(self, data: bytes) -> int:
        """Length and characters. Raises `CipError` 0x13."""
        end = 2 + int.from_bytes(data[:2], "little")
        if len(data) < end:
            raise CipError(NOT_ENOUGH_DATA)
        return end


def program_name_object(name: str) -> Object:
    """A controller whose program is called `name`; what such a name cannot hold is left out."""
    codec = Name()
    shown = name.encode("iso-8859-1", "replace").decode("iso-8859-1")[:MAX_NAME]
    row = constant(1, "name", codec.encode(shown), codec=codec)
    return Object(PROGRAM_NAME_CLASS, "Program Name", {1: [row]}, dict(READ_SERVICES))
