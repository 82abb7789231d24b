"""Parts of an attribute: one memory, and the rights, source and gate of the tag they belong to."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.epath import Element, Symbolic
from node.cip.status import CipError
from node.cip.types import DINT, LINT, UINT
from node.errors import NodeError
from node.memory.attribute import Attribute, Value
from node.memory.bit import BitAttribute, bit_of
from node.memory.member import MemberAttribute
from node.memory.place import Place, follow
from node.memory.structured import StructuredAttribute
from node.memory.text_attribute import create_attribute
from tests.memory.structures import LINE, MOTOR, line, motor


def within(attribute: Attribute, *parts: str | int) -> Place:
    return follow(attribute, [Symbolic(part) if isinstance(part, str) else Element(part) for part in parts])


def motors() -> StructuredAttribute:
    return StructuredAttribute(MOTOR, (2,), [motor(1.0, label="a"), motor(2.0, True, "b")], "Motors")


def test_a_member_is_the_same_memory() -> None:
    tag = motors()
    speed, label = within(tag, 1, "Speed").attribute, within(tag, 1, "Label").attribute
    assert isinstance(speed, MemberAttribute)
    assert (speed.size, speed.type_bytes, speed.dimensions) == (4, b"\xca\0", ())
    speed.write(0, [5.5])
    label.write(0, ["new"])
    assert tag[:] == [motor(1.0, label="a"), motor(5.5, True, "new")]
    tag[1] = motor(7.0)
    assert (speed[0], speed.dump(0, 1), label[0]) == (7.0, bytes.fromhex("0000e040"), "")
    view = speed.view(0, 1)
    assert view is not None
    tag.write_part(1, {"Speed": 1.0})
    assert bytes(view) == bytes.fromhex("0000803f")


def test_an_array_of_structures_in_a_structure() -> None:
    tag = StructuredAttribute(LINE, (), line(motor(1.0), motor(2.0)), "Line")
    inner = within(tag, "Motors").attribute
    assert isinstance(inner, StructuredAttribute)
    assert (len(inner), inner[-1], inner.size) == (2, motor(2.0), 36)
    inner.patch(36 + 4, bytes.fromhex("00004040"))
    inner.write_part(0, {"Run": True})
    assert tag[0] == line(motor(1.0, True), motor(3.0))
    assert inner.dump(1, 2) == tag.dump(0, 1)[40:76]


def test_a_bool_is_its_bit_and_no_other() -> None:
    tag = motors()
    raw = bytearray(tag.dump(0, 2))
    raw[36] = 0xA0
    tag.load(0, bytes(raw))
    run, fault = within(tag, 1, "Run").attribute, within(tag, 1, "Fault").attribute
    assert isinstance(run, BitAttribute)
    assert (run.type.name, run.size, run.view(0, 1)) == ("BOOL", 1, None)
    fault.load(0, b"\x80")
    assert (tag.dump(1, 2)[0], run[0], fault.dump(0, 1)) == (0xA2, False, b"\1")
    run[0] = True
    fault.write(0, [False])
    assert (tag.dump(1, 2)[0], run.read(0, 1), fault[0]) == (0xA1, [True], False)


def test_elements_past_the_end() -> None:
    history = within(motors(), 0, "History").attribute
    for access in (lambda: history.read(2, 4), lambda: history.write(2, [1, 2])):
        with pytest.raises(CipError) as caught:
            access()
        assert caught.value.extended == (0x2105,)
    for index in (3, -4):
        with pytest.raises(IndexError):
            history.item(index)
    assert history.item(-1) == 0


@pytest.mark.parametrize(
    ("right", "read", "write"), [("readable", (0xFF, (0x2100,)), (0x0E, ())), ("writable", None, (0x0E, ()))]
)
def test_rights_are_the_tags(right: str, read: object, write: object) -> None:
    tag = motors()
    parts = [within(tag, 0, "Speed").attribute, within(tag, 0, "Run").attribute]
    setattr(tag, right, False)
    parts.append(within(tag, 0, "Label").attribute)
    for part in parts:
        assert (part.settable, getattr(part, right)) == (False, False)
        with pytest.raises(CipError) as caught:
            part.write(0, part[:])
        assert (caught.value.general, caught.value.extended) == write
        if read is not None:
            with pytest.raises(CipError) as caught:
                part.read(0, 1)
            assert (caught.value.general, caught.value.extended) == read
            assert part.view(0, 1) is None


def test_a_true_bool_is_what_the_tag_says() -> None:
    tag = motors()
    run = within(tag, 0, "Run").attribute
    assert run.wire_bools[1] == 0xFF
    tag.bool_true = 1
    assert (run.bool_true, run.wire_bools[:3]) == (1, b"\0\1\1")


class Noting:
    """A source that puts a number in every element it is asked for, and notes what it was told."""

    def __init__(self, number: int = 7, refuses: bool = False) -> None:
        self.number = number
        self.refuses = refuses
        self.filled: list[tuple[str, int, int]] = []
        self.wrote_to: list[tuple[str, int, int]] = []

    def fill(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        self.filled.append((attribute.name, start, stop))
        for index in range(start, stop):
            attribute.array[index] = self.number  # type: ignore[assignment]

    def wrote(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        self.wrote_to.append((attribute.name, start, stop))


def test_a_source_of_the_tag_is_asked_for_what_a_member_touches() -> None:
    tag = create_attribute(DINT, (4,), 0, "Words")
    bit = bit_of(tag, 2, 1, "Words[2].1")
    source = Noting()
    tag.source = source
    assert bit.read(0, 1) == [True]
    bit.write(0, [False])
    assert source.filled == [("Words", 2, 3)]
    assert source.wrote_to == [("Words", 2, 3)]
    tag.source = None
    assert (bit.source, bit.read(0, 1)) == (None, [False])


def test_a_source_of_a_member_moves_it_alone() -> None:
    tag = motors()
    speed, run = Noting(9), Noting(1)
    within(tag, 1, "Speed").attach(speed)
    within(tag, 0, "Run").attach(run)
    assert tag.read(0, 2) == [motor(1.0, True, "a"), motor(9.0, True, "b")]
    assert (speed.filled, run.filled) == ([("Motors[1].Speed", 0, 1)], [("Motors[0].Run", 0, 1)])
    within(tag, 0, "Speed").attribute.read(0, 1)
    within(tag, 1, "Run").attribute.read(0, 1)
    assert len(speed.filled) == len(run.filled) == 1
    assert within(tag, 1, "Speed").attribute.read(0, 1) == [9.0]
    assert len(speed.filled) == 2


def test_a_write_is_told_to_the_source_of_what_was_written() -> None:
    tag = motors()
    speed, run, history = Noting(), Noting(), Noting()
    within(tag, 0, "Speed").attach(speed)
    within(tag, 0, "Run").attach(run)
    within(tag, 0, "History", 1).attach(history)
    within(tag, 0, "Fault").attribute.write(0, [True])
    within(tag, 1, "Speed").attribute.write(0, [1.0])
    within(tag, 0, "History").attribute.write(0, [1])
    assert speed.wrote_to == run.wrote_to == history.wrote_to == []
    within(tag, 0, "Run").attribute.write(0, [True])
    within(tag, 0, "History").attribute.write(0, [1, 2, 3])
    tag.load(1, bytes(36))
    assert (speed.wrote_to, run.wrote_to) == ([], [("Motors[0].Run", 0, 1)])
    assert history.wrote_to == [("Motors[0].History", 1, 2)]
    tag.load(0, bytes(36))
    assert speed.wrote_to == [("Motors[0].Speed", 0, 1)]


def test_a_source_that_refuses_refuses_its_member_and_the_whole() -> None:
    tag = motors()
    within(tag, 0, "Speed").attach(Noting(refuses=True))
    speed, run = within(tag, 0, "Speed").attribute, within(tag, 0, "Run").attribute
    assert (speed.settable, run.settable, tag.settable) == (False, True, False)
    run.write(0, [True])
    for part in (speed, tag):
        with pytest.raises(CipError) as caught:
            part.write(0, part[0:1])
        assert caught.value.general == 0x0E


def test_two_sources_of_one_place_are_refused() -> None:
    tag = motors()
    within(tag, 0, "History", 1).attach(Noting())
    for parts in (("History",), ("History", 1), ("History", 1, "3")):
        with pytest.raises(NodeError, match="another signal moves it already"):
            within(tag, 0, *parts).attach(Noting())
    within(tag, 0, "History", 0).attach(Noting())
    within(tag, 0, "History", 2).attach(Noting())
    within(tag, 0, "History").attach(None)
    within(tag, 0, "History").attach(Noting(3))
    assert within(tag, 0, "History").attribute.read(0, 3) == [3, 3, 3]


def test_an_element_of_a_plain_array_has_a_source_of_its_own() -> None:
    tag = create_attribute(UINT, (5,), range(5), "T")
    source = Noting()
    within(tag, 3).attach(source)
    assert tag.read(0, 3) == [0, 1, 2]
    assert source.filled == []
    assert tag.read(2, 5) == [2, 7, 4]
    assert source.filled == [("T", 3, 4)]


def test_a_source_of_the_whole_comes_before_those_of_its_parts() -> None:
    tag = create_attribute(UINT, (3,), 0, "T")
    whole, one = Noting(1), Noting(2)
    tag.source = whole
    within(tag, 1).attach(one)
    assert tag.read(0, 3) == [1, 2, 1]
    tag.write(1, [5])
    assert (whole.wrote_to, one.wrote_to) == ([("T", 1, 2)], [("T", 1, 2)])


def test_prepared_replies_are_void_when_a_part_gets_a_source() -> None:
    tag = motors()
    told: list[int] = []
    tag.watch(lambda: told.append(1))
    part = within(tag, 0, "Speed").attribute
    part.watch(lambda: told.append(2))
    part.source = Noting()
    assert told == [1, 2]
    assert part.source is not None


class Frozen:
    """A gate that shows 9 in the first element of a history, and refuses writes to element 1 of the tag."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int, bool]] = []

    def admit(self, attribute: Attribute, now: float, start: int, stop: int, writing: bool) -> None:
        self.asked.append((attribute.name, start, stop, writing))
        if writing and start == 1:
            raise CipError(0xFF, (0x2101,))

    def shown(self, attribute: Attribute, now: float, start: int, values: Sequence[Value]) -> Sequence[Value]:
        return [{**value, "History": [9, 8, 7], "Run": True} for value in values if isinstance(value, dict)]


def test_a_gate_of_the_tag_stands_before_its_parts() -> None:
    tag = motors()
    gate = Frozen()
    tag.gate = gate
    history = within(tag, 0, "History")
    assert history.attribute.read(1, 3) == [8, 7]
    assert history.attribute.dump(0, 1) == b"\x09\0"
    assert within(tag, 0, "Run").attribute.dump(0, 1) == b"\1"
    assert within(tag, 0, "Fault").attribute.read(0, 1) == [False]
    assert history.attribute.view(0, 3) is None
    within(tag, 0, "Run").attribute.write(0, [False])
    with pytest.raises(CipError) as caught:
        within(tag, 1, "Run").attribute.write(0, [True])
    assert caught.value.extended == (0x2101,)
    assert gate.asked[0] == ("Motors", 0, 1, False)
    tag.gate = None
    assert within(tag, 0, "Run").attribute.read(0, 1) == [False]


def test_a_gate_given_to_a_part_is_the_tags() -> None:
    tag = motors()
    gate = Frozen()
    within(tag, 0, "Run").attribute.gate = gate
    assert tag.gate is gate


class Negated(Attribute):
    """An override: what is held is the negative of what is seen."""

    def __getitem__(self, key: int | slice) -> "Value | list[Value]":  # type: ignore[override]
        if isinstance(key, int):
            return -int(str(super().__getitem__(key)))
        return [-int(str(value)) for value in super().__getitem__(key)]

    def __setitem__(self, key: int | slice, value: "Value | Sequence[Value]") -> None:  # type: ignore[override]
        if isinstance(key, int):
            super().__setitem__(key, -int(str(value)))
        else:
            assert isinstance(value, Sequence)
            super().__setitem__(key, [-int(str(item)) for item in value])


def test_an_override_is_seen_through_its_parts() -> None:
    tag = Negated(DINT, (3,), [0, 0, 0], "T")
    tag[1] = 6
    bit, element = bit_of(tag, 1, 1, "T[1].1"), Place(tag, 1, True).alone()
    assert (bit.dump(0, 1), element.read(0, 1), element.view(0, 1)) == (b"\1", [6], None)
    bit.write(0, [False])
    assert tag[1] == 4
    element.load(0, (9).to_bytes(4, "little"))
    assert (tag[:], tag.array[1]) == ([0, 9, 0], -9)


@given(st.data())
def test_bits_of_any_span_are_written_and_read_back(data: st.DataObject) -> None:
    tag = create_attribute(LINT, (3,), [-1, 0x0123456789ABCDEF, 0], "T")
    begin = data.draw(st.integers(0, 191))
    count = data.draw(st.integers(1, 192 - begin))
    bits = BitAttribute(tag, begin, (count,), "bits")
    before = int.from_bytes(tag.dump(0, 3), "little")
    assert bits[:] == [bool(before >> begin + at & 1) for at in range(count)]
    start = data.draw(st.integers(0, count - 1))
    values: list[Value] = [*data.draw(st.lists(st.booleans(), min_size=1, max_size=count - start))]
    bits.write(start, values)
    assert bits.read(start, start + len(values)) == values
    mask = (1 << len(values)) - 1 << begin + start
    assert (int.from_bytes(tag.dump(0, 3), "little") ^ before) & ~mask == 0


@pytest.mark.parametrize("access", [lambda bits: bits.read(0, 0), lambda bits: bits.load(0, b"")])
def test_no_bits_at_all(access: Callable[[Attribute], object]) -> None:
    tag = create_attribute(DINT, (), 5)
    access(BitAttribute(tag, 0, (3,), "bits"))
    assert tag[0] == 5
