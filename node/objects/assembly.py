"""Assembly, class 0x04: data of a device bundled for I/O, here by explicit messages (CIP Vol 1, 5-5).

    3 data | 4 size u16 (bytes)

The samples are those of the freely available adapter stacks: what is written to the output (150) is read from the input
(100), a configuration (151) and explicit data (154) keep what they are told.
"""

from collections.abc import Iterable

from node.cip.attribute_values import Number, Raw
from node.cip.services import ASSEMBLY_CLASS
from node.cip.status import NOT_ENOUGH_DATA, TOO_MUCH_DATA, CipError
from node.cip.types import UINT
from node.objects.attribute_access import ATTRIBUTE_SERVICES
from node.objects.object import AttributeRow, Object, constant

INPUT, OUTPUT, CONFIGURATION, EXPLICIT = 100, 150, 151, 154


class Assembly:
    """`size` bytes; `shown_in` is an assembly that repeats what is written to this one. An input is not `settable`."""

    def __init__(self, size: int, *, settable: bool = True, shown_in: "Assembly | None" = None) -> None:
        self.size = size
        self.settable = settable
        self.data = self._start = bytes(size)
        self._shown_in = shown_in

    def set(self, data: bytes) -> None:
        """Raises `CipError`: 0x13 and 0x15 for too few and too many bytes."""
        if len(data) != self.size:
            raise CipError(NOT_ENOUGH_DATA if len(data) < self.size else TOO_MUCH_DATA)
        self.data = data
        if self._shown_in is not None:
            self._shown_in.data = data

    def preset(self, data: bytes) -> None:
        """What it starts with."""
        self._start = self.data = data

    def restore(self) -> None:
        """What it started with."""
        self.data = self._start


def sample_assemblies() -> dict[int, Assembly]:
    """The assemblies of a plain adapter, by instance."""
    shown = Assembly(32, settable=False)
    return {
        INPUT: shown,
        OUTPUT: Assembly(32, shown_in=shown),
        CONFIGURATION: Assembly(10),
        EXPLICIT: Assembly(32),
    }


def assembly_object(assemblies: Iterable[tuple[int, Assembly]]) -> Object:
    """The object of these (instance, assembly) pairs."""
    instances = {instance: _rows(assembly) for instance, assembly in assemblies}
    return Object(ASSEMBLY_CLASS, "Assembly", instances, dict(ATTRIBUTE_SERVICES), 2)


def _rows(assembly: Assembly) -> list[AttributeRow]:
    size = Number(UINT)
    put = assembly.set if assembly.settable else None
    return [
        AttributeRow(
            3,
            "data",
            lambda: assembly.data,
            put,
            codec=Raw(assembly.size),
            preset=assembly.preset,
            restore=assembly.restore,
        ),
        constant(4, "size", size.encode(assembly.size), codec=size),
    ]
