"""Value classes behave as Python's own dataclasses do, but for being frozen at run time."""

import copy
import dataclasses
import pickle
from dataclasses import field

import pytest

from node.record import dataclass, replace


def forms(decorator):  # type: ignore[no-untyped-def]
    """A frozen class, one that is not, and one with a field that is neither shown nor compared."""

    @decorator(frozen=True, slots=True)
    class Place:
        """A place."""

        x: int
        y: int = 2
        names: tuple[str, ...] = ()

    @decorator(slots=True)
    class Basket:
        """A basket."""

        things: list[int] = field(default_factory=list)

    @decorator(frozen=True, slots=True)
    class Noted:
        """With a note."""

        what: str
        note: str = field(default="", repr=False, compare=False)

    return Place, Basket, Noted


OURS, THEIRS = forms(dataclass), forms(dataclasses.dataclass)


@dataclass(frozen=True, slots=True)
class Kept:
    """One that can be found by its name."""

    value: int


def test_they_look_and_compare_as_python_s_do() -> None:
    for ours, theirs in zip(OURS, THEIRS, strict=True):
        assert [f.name for f in dataclasses.fields(ours)] == [f.name for f in dataclasses.fields(theirs)]
        assert ours.__match_args__ == theirs.__match_args__
        assert ours.__slots__ == theirs.__slots__
    for make in (
        lambda c: c[0](1),
        lambda c: c[0](1, y=3, names=("a",)),
        lambda c: c[1]([1]),
        lambda c: c[2]("w", "n"),
    ):
        ours, theirs = make(OURS), make(THEIRS)
        assert repr(ours) == repr(theirs)
        assert ours == make(OURS)
        assert ours != theirs
        assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert OURS[0](1) != OURS[0](2)
    assert OURS[2]("w", "n") == OURS[2]("w", "m")
    assert OURS[1]() == OURS[1]()
    assert OURS[1]().things is not OURS[1]().things


def test_frozen_ones_are_keys_and_others_are_not() -> None:
    assert len({OURS[0](1), OURS[0](1), OURS[0](2)}) == 2
    with pytest.raises(TypeError, match="unhashable"):
        hash(OURS[1]())


def test_they_are_replaced_copied_and_pickled() -> None:
    assert dataclasses.replace(OURS[0](1), y=5) == OURS[0](1, 5)
    assert dataclasses.is_dataclass(OURS[0])
    assert copy.deepcopy(Kept(1)) == pickle.loads(pickle.dumps(Kept(1))) == Kept(1)


def test_an_init_that_is_called_wrongly_says_so_as_python_s_does() -> None:
    for values in ((), (1, 2, (), 4)):
        said = []
        for place in (OURS[0], THEIRS[0]):
            with pytest.raises(TypeError) as caught:
                place(*values)
            said.append(str(caught.value))
        assert said[0] == said[1]


def test_one_that_is_derived_has_all_fields_and_is_finished() -> None:
    @dataclass(slots=True)
    class Base:
        a: int
        b: int = 2

    @dataclass(slots=True)
    class Derived(Base):
        c: int = 3
        total: int = field(init=False, default=0)

        def __post_init__(self) -> None:
            self.total = self.a + self.b + self.c

    assert Derived(1, 2, 3).total == 6
    assert dataclasses.replace(Derived(1), c=5) == Derived(1, c=5)
    assert (Base(1).a, Base(1).b) == (1, 2)


def test_what_a_class_defines_itself_stays() -> None:
    @dataclass(slots=True)
    class Odd:
        value: int

        def __repr__(self) -> str:
            return "odd"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

    assert (repr(Odd(1)), Odd(1) == Odd(2), hash(Odd(1))) == ("odd", True, 7)


def test_fields_are_replaced_as_python_s_own_does() -> None:
    for form in OURS, THEIRS:
        place = replace(form[0](1, names=("a",)), y=5)
        assert (place.x, place.y, place.names, type(place)) == (1, 5, ("a",), form[0])
        assert replace(form[2]("w", "n"), what="v").note == "n"
        with pytest.raises(TypeError, match="Place has no field 'z'"):
            replace(place, z=1)
