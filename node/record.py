"""`dataclass`, cheaper to define. A node has a hundred value classes, and each that Python's own makes costs a start a
millisecond, two thirds of it for methods that hardly any of them is ever asked for.

Only `__init__` is generated, and that when the first instance is made: most nodes never see half of the classes.
Comparing, hashing and showing are the same code for all. A frozen one is frozen to the type checker, not at run time,
which makes instances of it twice as quick to make. All else is as Python's: `fields`, `replace`, `is_dataclass`,
`field`, slots; but for fields by keyword alone, which there are none of here.
"""

import dataclasses
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls: type | None = None, *, frozen: bool = False, slots: bool = False) -> Any:
        """The decorator, with the two options that are used here."""

        def decorate(cls: type) -> type:
            return _complete(dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls), frozen)

        return decorate if cls is None else decorate(cls)


def replace(record: T, **changes: Any) -> T:
    """`dataclasses.replace`, in a third of its time: the record with some fields otherwise. Raises TypeError for a name
    that is no field's."""
    names = record.__match_args__  # type: ignore[attr-defined]
    values = [changes.pop(name) if name in changes else getattr(record, name) for name in names]
    if changes:
        raise TypeError(f"{type(record).__name__} has no field {next(iter(changes))!r}")
    return type(record)(*values)


def _complete(cls: Any, frozen: bool) -> Any:
    """`cls` with what Python would have generated, unless the class has its own."""
    own = vars(cls)
    if "__init__" not in own:
        cls.__init__ = _init_when_needed(cls)
    if "__repr__" not in own:
        cls.__repr__ = _repr
    if "__eq__" not in own:
        key = _key(tuple(field.name for field in dataclasses.fields(cls) if field.compare))
        cls.__eq__, hashed = _compared(key)
        cls.__hash__ = hashed if frozen else None
    return cls


def _init_when_needed(cls: Any) -> Callable[..., None]:
    """An `__init__` that puts the real one in its own place when it is first called."""

    def first(self: Any, *values: Any, **named: Any) -> None:
        if vars(cls)["__init__"] is first:
            cls.__init__ = _init(cls)
        cls.__init__(self, *values, **named)

    return first


def _init(cls: Any) -> Callable[..., None]:
    """The one that Python would have generated: a field's default is an argument's, its factory is called anew."""
    known: dict[str, Any] = {"_MISSING": dataclasses.MISSING}
    fields = [field for field in dataclasses.fields(cls) if field.init]
    arguments = ", ".join(_argument(field, known) for field in fields)
    lines = [*_assignments(fields), *(("self.__post_init__()",) if hasattr(cls, "__post_init__") else ())]
    exec(f"def __init__(self, {arguments}):\n " + "\n ".join(lines or ["pass"]), known)
    made: Callable[..., None] = known["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    return made


def _argument(field: "dataclasses.Field[Any]", known: dict[str, Any]) -> str:
    """The field as an argument; what its default needs is put into `known`."""
    if field.default_factory is not dataclasses.MISSING:
        known[f"_make_{field.name}"] = field.default_factory
        return f"{field.name}=_MISSING"
    if field.default is dataclasses.MISSING:
        return field.name
    known[f"_default_{field.name}"] = field.default
    return f"{field.name}=_default_{field.name}"


def _assignments(fields: "list[dataclasses.Field[Any]]") -> Iterator[str]:
    for field in fields:
        made = f"_make_{field.name}() if {field.name} is _MISSING else "
        yield f"self.{field.name} = {made if field.default_factory is not dataclasses.MISSING else ''}{field.name}"


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
