"""`dataclass`, cheaper to define. A node has a hundred value classes, and each that Python's own makes costs a start a
millisecond, two thirds of it for methods that hardly any of them is ever asked for.

Only `__init__` is generated; comparing, hashing and showing are the same code for all. A frozen one is frozen to the
type checker, not at run time, which makes instances of it twice as quick to make. All else is as Python's: `fields`,
`replace`, `is_dataclass`, `field`, slots.
"""

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls: type | None = None, *, frozen: bool = False, slots: bool = False) -> Any:
        """The decorator, with the two options that are used here."""

        def decorate(cls: type) -> type:
            return _complete(dataclasses.dataclass(repr=False, eq=False, slots=slots)(cls), frozen)

        return decorate if cls is None else decorate(cls)


def _complete(cls: Any, frozen: bool) -> Any:
    """`cls` with what Python would have generated, unless the class has its own."""
    own = vars(cls)
    if "__repr__" not in own:
        cls.__repr__ = _repr
    if "__eq__" not in own:
        key = _key(tuple(field.name for field in dataclasses.fields(cls) if field.compare))
        cls.__eq__, hashed = _compared(key)
        cls.__hash__ = hashed if frozen else None
    return cls


def _key(names: tuple[str, ...]) -> Callable[[Any], object]:
    """What two instances are compared by."""
    return attrgetter(*names) if names else lambda instance: None


def _compared(key: Callable[[Any], object]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def equal(self: Any, other: object) -> Any:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(key(self))

    return equal, hashed


def _repr(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"
