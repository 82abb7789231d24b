"""A typed vector: its bytes, its values, its rights, and what stands before and behind it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.status import CipError
from node.cip.types import BOOL, DINT, ELEMENTARY, INT, REAL, SINT, UINT, Type
from node.errors import NodeError
from node.memory.attribute import Attribute, Value


def test_elements_are_in_wire_order() -> None:
    attribute = Attribute(INT, (3,), (1, -2, 300))
    assert attribute.dump(0, 3) == bytes.fromhex("0100 feff 2c01")
    assert attribute.dump(1, 2) == bytes.fromhex("feff")
    assert attribute[0] == 1
    assert attribute[-1] == 300
    assert attribute[1:] == [-2, 300]
    assert list(attribute) == [1, -2, 300]


def test_a_scalar_has_one_element() -> None:
    attribute = Attribute(REAL, initial=1.5)
    assert (len(attribute), attribute[0], attribute.read(0, 1)) == (1, 1.5, [1.5])


def test_one_initial_value_is_for_all_elements() -> None:
    assert Attribute(UINT, (2, 3), 7)[:] == [7] * 6


def test_bool_is_0_or_1_in_memory_whatever_was_written() -> None:
    attribute = Attribute(BOOL, (4,))
    attribute.load(0, b"\xff\x00\x02\x01")
    assert attribute.dump(0, 4) == b"\x01\x00\x01\x01"
    assert attribute[:] == [True, False, True, True]
    attribute[1] = 5
    assert attribute.dump(1, 2) == b"\x01"


@pytest.mark.parametrize(
    ("kind", "value"), [(SINT, 128), (SINT, -129), (UINT, -1), (DINT, 1.5), (DINT, "7"), (REAL, "x")]
)
def test_a_value_that_does_not_fit_changes_nothing(kind: Type, value: Value) -> None:
    attribute = Attribute(kind, (3,), 1)
    with pytest.raises(CipError) as caught:
        attribute.write(0, [2, 2, value])
    assert caught.value.general == 0x09
    assert attribute[:] == [1, 1, 1]
    with pytest.raises(CipError):
        attribute[0] = value
    assert attribute[0] == 1


@pytest.mark.parametrize(("start", "stop"), [(0, 4), (-1, 1), (3, 4), (2, 1)])
def test_past_the_end_is_an_error(start: int, stop: int) -> None:
    attribute = Attribute(DINT, (3,))
    for access in (attribute.read, attribute.dump):
        with pytest.raises(CipError) as caught:
            access(start, stop)
        assert (caught.value.general, caught.value.extended) == (0xFF, (0x2105,))


def test_a_write_past_the_end_changes_nothing() -> None:
    attribute = Attribute(DINT, (3,))
    with pytest.raises(CipError):
        attribute.write(2, [1, 2])
    with pytest.raises(CipError):
        attribute.load(2, bytes.fromhex("01000000 02000000"))
    assert attribute[:] == [0, 0, 0]


def test_half_an_element_is_not_enough_data() -> None:
    with pytest.raises(CipError) as caught:
        Attribute(DINT).load(0, b"\1\2\3")
    assert caught.value.general == 0x13


def test_a_read_only_attribute_can_still_be_set_from_inside() -> None:
    attribute = Attribute(DINT, writable=False)
    with pytest.raises(CipError) as caught:
        attribute.write(0, [1])
    assert caught.value.general == 0x0E
    attribute[0] = 5
    assert attribute.read(0, 1) == [5]
    assert not attribute.settable


@pytest.mark.parametrize("key", [3, -4])
def test_indexes_outside_are_index_errors(key: int) -> None:
    attribute = Attribute(DINT, (3,))
    with pytest.raises(IndexError):
        attribute[key]
    with pytest.raises(IndexError):
        attribute[key] = 1


def test_a_slice_takes_as_many_values_as_it_has_elements() -> None:
    attribute = Attribute(DINT, (3,))
    with pytest.raises(CipError):
        attribute[0:2] = [1]
    with pytest.raises(IndexError):
        attribute[0:3:2] = [1, 2]
    attribute[1:3] = [8, 9]
    assert attribute[:] == [0, 8, 9]


@pytest.mark.parametrize("dimensions", [(0,), (2, -1), (1, 1, 1, 1)])
def test_dimensions_that_cannot_be(dimensions: tuple[int, ...]) -> None:
    with pytest.raises(NodeError, match="dimensions"):
        Attribute(DINT, dimensions)


@pytest.mark.parametrize("initial", [(1, 2), 2**40, "text"])
def test_initial_values_that_do_not_fit(initial: Value | Sequence[Value]) -> None:
    with pytest.raises(NodeError, match=r"initial|does not fit"):
        Attribute(DINT, (3,), initial)


class Clock:
    """A source that writes the instant into every element, and notes what was written."""

    def __init__(self, refuses: bool = False) -> None:
        self.refuses = refuses
        self.written: list[tuple[float, int, int]] = []

    def fill(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        attribute[start:stop] = [int(now)] * (stop - start)

    def wrote(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        self.written.append((now, start, stop))


def test_a_source_writes_before_a_read_and_hears_of_a_write() -> None:
    attribute = Attribute(DINT, (3,))
    attribute.source = source = Clock()
    assert attribute.dump(0, 1, 7.0) == b"\7\0\0\0"
    assert attribute.read(1, 2, 9.0) == [9]
    assert attribute[:] == [7, 9, 0]
    attribute.write(1, [1, 2], 10.0)
    attribute.load(0, b"\1\0\0\0", 11.0)
    assert source.written == [(10.0, 1, 3), (11.0, 0, 1)]


def test_a_source_may_refuse_writes() -> None:
    attribute = Attribute(DINT)
    attribute.source = Clock(refuses=True)
    with pytest.raises(CipError):
        attribute.write(0, [1])


class Forced:
    """A gate that shows 99, and refuses all writes."""

    def admit(self, attribute: Attribute, now: float, start: int, stop: int, writing: bool) -> None:
        if writing:
            raise CipError(0x10)

    def shown(self, attribute: Attribute, now: float, start: int, values: Sequence[Value]) -> Sequence[Value]:
        return [99] * len(values)


def test_a_gate_decides_what_is_seen_and_what_is_let_in() -> None:
    attribute = Attribute(INT, (2,), 1)
    attribute.gate = Forced()
    assert attribute.read(0, 2) == [99, 99]
    assert attribute.dump(1, 2) == b"\x63\0"
    assert attribute.view(0, 2) is None
    assert attribute[:] == [1, 1]
    with pytest.raises(CipError) as caught:
        attribute.load(0, b"\0\0")
    assert caught.value.general == 0x10


def test_watchers_hear_of_sources_and_gates() -> None:
    attribute = Attribute(INT)
    heard: list[int] = []
    attribute.watch(lambda: heard.append(1))
    attribute.source = Clock()
    attribute.gate = Forced()
    attribute.gate = None
    assert len(heard) == 3


class Weather(Attribute):
    """As a user writes one: reads come from elsewhere, writes are refused."""

    def __getitem__(self, key):  # type: ignore[no-untyped-def]
        return [21] * len(range(*key.indices(len(self)))) if isinstance(key, slice) else 21

    def __setitem__(self, key, value):  # type: ignore[no-untyped-def]
        raise CipError(0x10)


def test_an_override_is_honoured_by_every_access() -> None:
    weather = Weather(INT, (3,))
    assert weather.read(0, 2) == [21, 21]
    assert weather.dump(0, 1) == b"\x15\0"
    assert weather.view(0, 1) is None
    for write in (lambda: weather.write(0, [1]), lambda: weather.load(0, b"\1\0")):
        with pytest.raises(CipError) as caught:
            write()
        assert caught.value.general == 0x10


def test_a_view_is_live() -> None:
    attribute = Attribute(INT, (4,), (1, 2, 3, 4))
    view = attribute.view(1, 3)
    assert view is not None
    assert bytes(view) == b"\2\0\3\0"
    attribute.write(1, [9])
    assert bytes(view) == b"\x09\0\3\0"


@given(st.sampled_from(ELEMENTARY), st.binary(max_size=64))
def test_what_is_loaded_is_dumped(kind: Type, data: bytes) -> None:
    data = data[: len(data) // kind.size * kind.size]
    attribute = Attribute(kind, (64,))
    attribute.load(0, data)
    count = len(data) // kind.size
    wanted = bytes(1 if byte else 0 for byte in data) if kind is BOOL else data
    assert attribute.dump(0, count) == wanted
    assert len(attribute.read(0, count)) == count


def test_what_clients_may_not_read_they_may_not_write() -> None:
    attribute = Attribute(DINT, initial=5)
    heard: list[int] = []
    attribute.watch(lambda: heard.append(1))
    attribute.readable = False
    for access in (attribute.read, attribute.dump):
        with pytest.raises(CipError) as caught:
            access(0, 1)
        assert (caught.value.general, caught.value.extended) == (0xFF, (0x2100,))
    assert (attribute.settable, attribute.view(0, 1), attribute[0]) == (False, None, 5)
    attribute.readable = True
    assert (attribute.settable, attribute.read(0, 1), len(heard)) == (True, [5], 2)


def test_the_right_to_write_can_be_given_and_taken() -> None:
    attribute = Attribute(DINT)
    heard: list[int] = []
    attribute.watch(lambda: heard.append(1))
    attribute.writable = False
    assert (attribute.writable, attribute.settable, heard) == (False, False, [1])


def test_a_true_bool_is_sent_as_its_device_sends_it() -> None:
    attribute = Attribute(BOOL, (2,), (True, False))
    assert attribute.dump(0, 2).translate(attribute.wire_bools) == b"\xff\0"
    attribute.bool_true = 1
    assert attribute.dump(0, 2).translate(attribute.wire_bools) == b"\1\0"


@pytest.mark.parametrize(
    ("kind", "old", "ones", "kept", "new"),
    [
        (DINT, 0x0F, "10000000", "fdffffff", 0x1D),
        (DINT, -1, "00000000", "ffffff7f", 0x7FFFFFFF),
        (DINT, 0x0102, "80", "ff", 0x0182),
        (SINT, 0, "80", "ff", -128),
        (UINT, 0xFFFF, "0000", "00ff", 0xFF00),
    ],
)
def test_bits_of_an_element_are_modified(kind: Type, old: int, ones: str, kept: str, new: int) -> None:
    attribute = Attribute(kind, (2,), old)
    assert attribute.modify(1, bytes.fromhex(ones), bytes.fromhex(kept)) == attribute.dump(1, 2)
    assert attribute[:] == [old, new]


def test_bits_are_modified_in_what_is_held_and_not_in_what_is_shown() -> None:
    class Shown(Forced):
        def admit(self, attribute: Attribute, now: float, start: int, stop: int, writing: bool) -> None:
            """All may pass."""

    attribute = Attribute(INT, (), 1)
    attribute.gate = Shown()
    attribute.modify(0, b"\4\0", b"\xff\xff")
    assert attribute[0] == 5
    attribute.gate = Forced()
    with pytest.raises(CipError):
        attribute.modify(0, b"\4\0", b"\xff\xff")


def test_modified_bits_are_those_of_the_moment_and_the_source_hears_of_them() -> None:
    attribute = Attribute(DINT)
    attribute.source = source = Clock()
    attribute.modify(0, b"\x08", b"\xff", 3.0)
    assert (attribute[0], source.written) == (11, [(3.0, 0, 1)])


def test_an_override_modifies_what_it_shows() -> None:
    with pytest.raises(CipError) as caught:
        Weather(INT).modify(0, b"\1\0", b"\xff\xff")
    assert caught.value.general == 0x10
