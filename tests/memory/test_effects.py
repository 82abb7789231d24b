"""What is between a tag and its clients: it changes what is read and nothing that is held, there and nowhere beside."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.status import CipError
from node.cip.text import SSTRING
from node.cip.types import BOOL, DINT, DWORD, ELEMENTARY, INT, LREAL, REAL, SINT, UINT, USINT, Type
from node.errors import NodeError
from node.memory.attribute import Attribute, Value
from node.memory.bit import bit_of
from node.memory.bool_array import BoolArray
from node.memory.effects import Bad, Biased, Effected, Forced, Frozen, Refused, Spiked, not_a_value, put, take_away
from node.memory.member import element_of, member_of
from node.memory.structured import StructuredAttribute
from node.memory.tag_gate import TagGate, as_held, onlooking
from node.memory.text_attribute import TextAttribute
from node.memory.view import RegisterView
from tests.memory.structures import LINE, MOTOR, line, motor

NUMBERS = [kind for kind in ELEMENTARY if kind is not BOOL]


class Clocked:
    """A source that puts the instant into every element."""

    refuses = False

    def fill(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        for index in range(start, stop):
            attribute.array[index] = now  # type: ignore[call-overload]

    def wrote(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        """Nothing."""


class Shouting:
    """A gate of somebody else's: it refuses at 13, and shows ten times of what there is."""

    def admit(self, attribute: Attribute, now: float, start: int, stop: int, writing: bool) -> None:
        if now == 13:
            raise CipError(0x0C)

    def shown(self, attribute: Attribute, now: float, start: int, values: Sequence[Value]) -> Sequence[Value]:
        return [value * 10 for value in values]  # type: ignore[operator]


def array_of(kind: Type, values: Sequence[Value]) -> Attribute:
    return Attribute(kind, (len(values),), values, "Array")


def numbers(kind: Type) -> st.SearchStrategy[Any]:
    if isinstance(kind.low, int):
        return st.integers(int(kind.low), int(kind.high))
    return st.floats(allow_nan=False, allow_infinity=False, width=32 if kind is REAL else 64)


@given(st.data())
def test_a_force_is_read_where_it_is_and_nowhere_else(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(NUMBERS))
    held = data.draw(st.lists(numbers(kind), min_size=1, max_size=12))
    start = data.draw(st.integers(0, len(held) - 1))
    values = data.draw(st.lists(numbers(kind), min_size=1, max_size=len(held) - start))
    attribute = array_of(kind, held)
    forced = Forced(attribute, start, start + len(values), values)
    put(forced)
    seen = [*held[:start], *values, *held[start + len(values) :]]
    first = data.draw(st.integers(0, len(held) - 1))
    last = data.draw(st.integers(first + 1, len(held)))
    assert attribute.read(first, last) == seen[first:last]
    assert attribute.dump(first, last) == attribute.encode(seen[first:last])
    assert attribute[:] == held
    written = data.draw(st.lists(numbers(kind), min_size=len(held), max_size=len(held)))
    attribute.write(0, written)
    assert attribute.read(start, start + len(values)) == values
    take_away(forced)
    assert attribute.gate is None
    assert attribute.read(0, len(held)) == written


@given(st.sampled_from(NUMBERS), st.data())
def test_a_bias_stays_within_the_type(kind: Type, data: st.DataObject) -> None:
    value = data.draw(numbers(kind))
    by = data.draw(st.floats(allow_nan=False, allow_infinity=False))
    attribute = array_of(kind, [value])
    put(Biased(attribute, 0, 1, by))
    (seen,) = attribute.read(0, 1)
    assert isinstance(seen, int | float)
    assert kind.low <= seen <= kind.high
    if isinstance(kind.low, int):
        assert seen == min(max(value + math.floor(by + 0.5), kind.low), kind.high)
    assert attribute[:] == [value]


def test_what_is_no_finite_number_is_not_off() -> None:
    for value in (math.inf, -math.inf):
        attribute = array_of(REAL, [value])
        put(Biased(attribute, 0, 1, 5.0))
        assert attribute.read(0, 1) == [value]


@pytest.mark.parametrize("kind", NUMBERS)
def test_no_value_has_its_number(kind: Type) -> None:
    attribute = array_of(kind, [1])
    put(Bad(attribute, 0, 1))
    (seen,) = attribute.read(0, 1)
    expected = not_a_value(kind)
    assert seen == expected or (isinstance(seen, float) and math.isnan(seen) and math.isnan(expected))
    assert kind not in (INT, UINT) or seen == {INT: -32768, UINT: 65535}[kind]


def test_what_has_no_number_is_refused_instead() -> None:
    for attribute in (Attribute(BOOL, (), True, "Run"), TextAttribute(SSTRING, (), "pump", "Name")):
        put(Bad(attribute, 0, 1))
        with pytest.raises(CipError) as caught:
            attribute.read(0, 1)
        assert caught.value.general == 0x10


def test_what_is_frozen_stands_still_while_its_source_goes_on() -> None:
    attribute = array_of(DINT, [0, 0])
    attribute.source = Clocked()
    frozen = Frozen(attribute, 0, 1, 5)
    put(frozen)
    assert attribute.read(0, 2, 9) == [5, 9]
    put(Biased(attribute, 0, 2, 100))
    assert attribute.read(0, 2, 10) == [105, 110]
    take_away(frozen)
    assert attribute.read(0, 2, 11) == [111, 111]


def test_forces_have_the_last_word_and_refusals_come_first() -> None:
    attribute = array_of(INT, [1, 2, 3])
    forced, off, refused = Forced(attribute, 1, 2, [7]), Biased(attribute, 0, 3, 100), Refused(attribute, 0, 1, (8,))
    for effect in (refused, forced, off):
        put(effect)
    assert attribute.read(1, 3) == [7, 103]
    for start, stop in ((0, 1), (0, 3)):
        with pytest.raises(CipError, match="service not supported"):
            attribute.read(start, stop)
    with pytest.raises(CipError):
        attribute.write(0, [5])
    attribute.write(1, [5])
    assert attribute[:] == [1, 5, 3]
    for effect in (forced, off, refused):
        take_away(effect)
        take_away(effect)
    assert attribute.gate is None


def test_the_last_refusal_is_the_one_that_is_met() -> None:
    attribute = array_of(INT, [1, 2, 3])
    first, last = Refused(attribute, 0, 2, (8,)), Refused(attribute, 1, 3, (0x0F,))
    put(first)
    put(last)
    gate = attribute.gate
    assert isinstance(gate, TagGate)
    for start, stop, status in ((0, 1, 8), (0, 2, 0x0F), (2, 3, 0x0F)):
        assert gate.refusal(16 * start, 16 * stop) == (status,)
        with pytest.raises(CipError) as caught:
            attribute.read(start, stop)
        assert caught.value.general == status
    take_away(last)
    assert attribute.read(2, 3) == [3]


def test_a_force_has_the_last_word_where_there_is_no_value() -> None:
    flags = Attribute(BOOL, (4,), [True] * 4, "Flags")
    bad, forced, refused = Bad(flags, 0, 4), Forced(flags, 1, 3, [False, True]), Refused(flags, 1, 2, (8,))
    put(forced)
    put(bad)
    assert flags.read(1, 3) == [False, True]
    flags.write(1, [True])
    for start, stop in ((0, 2), (2, 4), (3, 4)):
        with pytest.raises(CipError) as caught:
            flags.read(start, stop)
        assert caught.value.general == 0x10
    put(refused)
    with pytest.raises(CipError, match="service not supported"):
        flags.read(1, 3)
    assert flags.read(2, 3) == [True]
    text = TextAttribute(SSTRING, (2,), ["pump", "fan"], "Names")
    put(Bad(text, 0, 2))
    put(Forced(text, 1, 2, ["forced"]))
    assert text.read(1, 2) == ["forced"]
    with pytest.raises(CipError):
        text.read(0, 2)


def test_what_is_held_can_be_read_behind_everything() -> None:
    attribute = array_of(INT, [1, 2])
    attribute.gate = Shouting()
    put(Forced(attribute, 0, 1, [7]))
    put(Refused(attribute, 1, 2, (8,)))
    with as_held(attribute):
        assert attribute.read(0, 2) == [10, 20]
    assert attribute.read(0, 1) == [7]
    plain = array_of(INT, [1])
    with as_held(plain):
        assert plain.read(0, 1) == [1]


def test_a_later_force_covers_an_earlier_one() -> None:
    attribute = array_of(INT, [1, 2, 3])
    put(Forced(attribute, 0, 2, [7, 7]))
    put(Forced(attribute, 1, 3, [8, 8]))
    assert attribute.read(0, 3) == [7, 8, 8]


@pytest.mark.parametrize("value", ["x", 40000, None])
def test_a_force_that_does_not_fit_is_refused(value: Any) -> None:
    with pytest.raises(CipError):
        Forced(array_of(INT, [1]), 0, 1, [value])


@pytest.mark.parametrize("kind", [BOOL])
def test_what_is_no_number_cannot_be_off(kind: Type) -> None:
    with pytest.raises(NodeError, match="is a BOOL and no number"):
        Biased(Attribute(kind, (), True, "Run"), 0, 1, 1.0)


def spikes(seed: int, reads: int = 400) -> list[bool]:
    attribute = array_of(DINT, [0, 0])
    put(Spiked(attribute, 0, 1, 50, 20, seed))
    return [attribute.read(0, 1) == [50] for _ in range(reads)]


def test_spikes_are_seeded_and_about_as_many_as_they_should_be() -> None:
    assert spikes(1) == spikes(1) != spikes(2)
    assert 40 < sum(spikes(1)) < 120


def test_reads_of_what_is_beside_take_no_chance_with_a_spike() -> None:
    attribute = array_of(DINT, [0, 0])
    put(Spiked(attribute, 0, 1, 50, 20, 1))
    found = []
    for _ in range(400):
        attribute.read(1, 2)
        with onlooking(attribute):
            before = attribute.read(0, 1)
        found.append(attribute.read(0, 1) == [50])
        with onlooking(attribute):
            assert attribute.read(0, 1) == ([50] if found[-1] else [0])
            assert before == ([50] if found[:-1][-1:] == [True] else [0])
    assert found == spikes(1)


def test_a_member_a_bit_and_an_element_of_a_structure() -> None:
    root = StructuredAttribute(LINE, (2,), [line(motor(1.0, True, "a"), motor(2.0), ident=5)] * 2, "Lines")
    motors = member_of(root, 1, LINE.members[1], "Lines[1].Motors")
    speed = member_of(motors, 1, MOTOR.member("Speed"), "Lines[1].Motors[1].Speed")  # type: ignore[arg-type]
    run = member_of(motors, 0, MOTOR.member("Run"), "Lines[1].Motors[0].Run")  # type: ignore[arg-type]
    before = root.dump(0, 2)
    effects: list[Effected] = [Forced(speed, 0, 1, [9.5]), Forced(run, 0, 1, [False]), Refused(run, 0, 1, (8,))]
    for effect in effects[:2]:
        put(effect)
    assert root.read(0, 1) == [line(motor(1.0, True, "a"), motor(2.0), ident=5)]
    assert root.read(1, 2) == [line(motor(1.0, False, "a"), motor(9.5), ident=5)]
    assert (speed.read(0, 1), run.read(0, 1)) == ([9.5], [False])
    assert motors.read(1, 2) == [motor(9.5)]
    put(effects[2])
    assert speed.read(0, 1) == [9.5]
    for part, start in ((root, 1), (run, 0)):
        with pytest.raises(CipError):
            part.read(start, start + 1)
    assert len(root.read(0, 1)) == 1
    for effect in effects:
        take_away(effect)
    assert root.gate is None
    assert root.dump(0, 2) == before


def test_some_members_of_a_structure_are_forced_and_hidden_bytes_stay() -> None:
    root = StructuredAttribute(MOTOR, (), motor(1.0, True, "abc"), "Motor")
    raw = bytearray(root.dump(0, 1))
    raw[-2:] = b"\xee\xdd"  # what pads the label
    root.load(0, bytes(raw))
    put(Forced(root, 0, 1, [{"Speed": 4.0}]))
    assert root.read(0, 1) == [motor(4.0, True, "abc")]
    assert root.dump(0, 1)[-2:] == b"\xee\xdd"
    put(Biased(root, 0, 1, 100))
    (seen,) = root.read(0, 1)
    assert seen == {**motor(4.0, True, "abc"), "History": [100, 100, 100]}


def test_flags_are_forced_one_by_one() -> None:
    flags = BoolArray(40, False, "Flags")
    put(Forced(flags.unpacked, 33, 35, [True, True]))
    assert flags.read(0, 2) == [0, 0b110]
    assert flags.unpacked.read(32, 36) == [False, True, True, False]
    flags.unpacked.write(0, [True])
    assert flags.read(0, 1) == [1]
    word = Attribute(DWORD, (2,), [0, 0], "Words")
    put(Forced(bit_of(word, 1, 31, "Words[1].31"), 0, 1, [True]))
    assert word.read(0, 2) == [0, 1 << 31]
    assert element_of(word, 1, "Words[1]").read(0, 1) == [1 << 31]


def test_texts_that_vary_in_length() -> None:
    texts = TextAttribute(SSTRING, (3,), ["a", "bb", "ccc"], "Texts")
    frozen = Frozen(texts, 0, 2, 0.0)
    forced = Forced(texts, 1, 2, ["forced"])
    put(frozen)
    put(forced)
    texts.write(0, ["x", "y", "z"])
    assert texts.read(0, 3) == ["a", "forced", "z"]
    assert texts.dump(1, 2) == b"\x06forced"
    take_away(forced)
    assert texts.read(0, 3) == ["a", "bb", "z"]


def test_another_gate_stays_behind_it() -> None:
    attribute = array_of(INT, [1, 2])
    attribute.gate = other = Shouting()
    forced = Forced(attribute, 0, 1, [7])
    put(forced)
    assert isinstance(attribute.gate, TagGate)
    assert attribute.read(0, 2) == [7, 20]
    assert element_of(attribute, 1, "Array[1]").read(0, 1) == [20]
    with pytest.raises(CipError):
        attribute.read(0, 2, 13)
    take_away(forced)
    assert attribute.gate is other


def test_prepared_reads_are_void_when_it_comes_and_goes() -> None:
    attribute = array_of(INT, [1, 2])
    told: list[int] = []
    attribute.watch(lambda: told.append(1))
    forced = Forced(attribute, 0, 1, [7])
    put(forced)
    assert attribute.view(0, 2) is None
    take_away(forced)
    assert attribute.view(0, 2) is not None
    assert len(told) == 2


@pytest.mark.parametrize("kind", [DINT, REAL, LREAL])
def test_a_write_of_half_a_number_is_put_into_what_is_held(kind: Type) -> None:
    attribute = array_of(kind, [0, 0])
    put(Forced(attribute, 0, 1, [5]))
    registers = RegisterView(attribute, kind.size)
    registers.stage(0, b"\0\1", 0.0)()
    held = attribute.encode(attribute[0:1])
    assert sum(byte != 0 for byte in held) == 1


def test_bytes_and_signs_keep_their_range() -> None:
    for kind, low, high in ((SINT, -128, 127), (USINT, 0, 255)):
        attribute = array_of(kind, [0])
        for by, seen in ((-1e9, low), (1e9, high), (0.4, 0), (0.5, 1)):
            effect = Biased(attribute, 0, 1, by)
            put(effect)
            assert attribute.read(0, 1) == [seen]
            take_away(effect)
