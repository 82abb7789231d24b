"""Vectors of structures: bytes, values, and parts of them."""

from collections.abc import Sequence

import pytest

from node.cip.predefined import STRING, TIMER
from node.cip.status import CipError
from node.errors import NodeError
from node.memory.attribute import Attribute, Value
from node.memory.structured import StructuredAttribute
from tests.memory.structures import LINE, MOTOR, NAME, line, motor


def test_a_value_is_a_dict_of_members() -> None:
    attribute = StructuredAttribute(MOTOR, (2,), [motor(1.5, True), motor(label="b")])
    assert (attribute.size, len(attribute), attribute.type_bytes) == (36, 2, MOTOR.type_bytes)
    assert attribute[0] == motor(1.5, True)
    assert attribute[-1] == motor(label="b")
    assert attribute[0:2] == [motor(1.5, True), motor(label="b")]
    attribute[1] = motor(2.0)
    assert attribute.dump(1, 2)[4:8] == bytes.fromhex("00000040")
    with pytest.raises(IndexError):
        attribute[2]


def test_one_initial_value_is_for_all_elements() -> None:
    assert StructuredAttribute(NAME, (3,), "abc")[:] == ["abc"] * 3
    assert StructuredAttribute(MOTOR, (2,), motor(3.0))[1] == motor(3.0)


def test_a_logix_string_takes_88_bytes() -> None:
    text = StructuredAttribute(STRING, initial="abc")
    assert text.dump(0, 1) == b"\3\0\0\0abc" + b"\0" * 81
    assert (text.type_bytes, text.size) == (b"\xa0\2\xce\x0f", 88)


def test_bytes_are_kept_as_a_client_wrote_them() -> None:
    text = StructuredAttribute(NAME)
    text.load(0, b"\xff\0\0\0abcdefgh")
    assert (text.dump(0, 1), text[0]) == (b"\xff\0\0\0abcdefgh", "abcdef")
    timer = StructuredAttribute(TIMER)
    timer.load(0, b"\xff" * 12)
    assert timer.dump(0, 1) == b"\xff" * 12


def test_a_view_is_live() -> None:
    text = StructuredAttribute(NAME, (2,), ["a", "b"])
    view = text.view(1, 2)
    assert view is not None
    text[1] = "c"
    assert bytes(view) == text.dump(1, 2)


@pytest.mark.parametrize("value", ["x" * 7, "\u20ac", 7, {"LEN": 1}])
def test_what_does_not_fit_changes_nothing(value: Value) -> None:
    texts = StructuredAttribute(NAME, (2,), "old")
    with pytest.raises(CipError) as caught:
        texts.write(0, ["new", value])
    assert caught.value.general == 0x09
    assert texts[:] == ["old", "old"]


def test_an_initial_value_that_does_not_fit() -> None:
    with pytest.raises(NodeError, match="does not fit type Motor"):
        StructuredAttribute(MOTOR, initial={"Speed": 1.0})


def test_half_a_structure_is_not_enough_data() -> None:
    with pytest.raises(CipError) as caught:
        StructuredAttribute(NAME).load(0, bytes(11))
    assert caught.value.general == 0x13


def test_some_members_are_written_and_the_others_stay() -> None:
    attribute = StructuredAttribute(LINE, (2,), line(motor(1.0), motor(2.0), ident=5))
    attribute.write_part(1, {"Motors": [{}, {"Run": True}], "total": 9})
    assert attribute[1] == line(motor(1.0), motor(2.0, True), ident=5, total=9)
    assert attribute[0] == line(motor(1.0), motor(2.0), ident=5)
    for index, value, status in ((2, {}, 0xFF), (0, {"Nothing": 1}, 0x09), (0, {"Id": 200}, 0x09)):
        with pytest.raises(CipError) as caught:
            attribute.write_part(index, value)
        assert caught.value.general == status


def test_bytes_are_patched_across_structures() -> None:
    attribute = StructuredAttribute(NAME, (3,), ["aaaaaa", "bbbbbb", "cccccc"])
    touched = attribute.patch(8, b"XX\0\0\3\0\0\0YY")
    assert attribute[:] == ["aaaaXX", "YYb", "cccccc"]
    assert touched == attribute.dump(0, 2)
    with pytest.raises(CipError) as caught:
        attribute.patch(34, b"1234")
    assert caught.value.extended == (0x2105,)


class Doubled:
    """A gate that shows twice the speed."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int, bool]] = []

    def admit(self, attribute: Attribute, now: float, start: int, stop: int, writing: bool) -> None:
        self.asked.append((start, stop, writing))

    def shown(self, attribute: Attribute, now: float, start: int, values: Sequence[Value]) -> Sequence[Value]:
        assert all(isinstance(value, dict) for value in values)
        return [{**value, "Speed": value["Speed"] * 2} for value in values]  # type: ignore[dict-item,index,operator]


def test_a_gate_shows_members_and_hidden_bytes_stay() -> None:
    attribute = StructuredAttribute(MOTOR, (2,), motor(1.5))
    raw = bytearray(attribute.dump(1, 2))
    raw[1] = 0x77
    attribute.load(1, bytes(raw))
    attribute.gate = Doubled()
    seen = attribute.dump(1, 2)
    assert seen[4:8] == bytes.fromhex("00004040")
    assert seen[:4] + seen[8:] == bytes(raw[:4] + raw[8:])
    assert attribute.read(0, 2) == [motor(3.0), motor(3.0)]
    attribute.patch(4, bytes.fromhex("0000803f"))
    assert attribute[0] == motor(1.0)


class Shouting(StructuredAttribute):
    """An override: texts are read in capitals, and written in small letters."""

    def __getitem__(self, key: int | slice) -> "Value | list[Value]":  # type: ignore[override]
        values = super().__getitem__(slice(key, key + 1) if isinstance(key, int) else key)
        shouted: list[Value] = [str(value).upper() for value in values]
        return shouted[0] if isinstance(key, int) else shouted

    def __setitem__(self, key: int | slice, value: "Value | Sequence[Value]") -> None:  # type: ignore[override]
        values = [value] if isinstance(key, int) else value
        assert isinstance(values, Sequence)
        span = slice(key, key + 1) if isinstance(key, int) else key
        super().__setitem__(span, [str(item).lower() for item in values])


def test_an_override_is_seen_by_every_access() -> None:
    attribute = Shouting(NAME, (2,), ["one", "two"])
    assert attribute.dump(0, 1)[4:7] == b"ONE"
    assert attribute.view(0, 1) is None
    attribute.load(0, b"\3\0\0\0SIXxxxxx")
    attribute.patch(16, b"TEN")
    assert StructuredAttribute.__getitem__(attribute, slice(0, 2)) == ["six", "ten"]
