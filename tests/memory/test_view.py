"""Tags seen as registers and coils: every type, parts of elements, and writes that are refused whole."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.predefined import STRING
from node.cip.status import ATTRIBUTE_NOT_SETTABLE, INVALID_ATTRIBUTE_VALUE, CipError
from node.cip.template import Template
from node.cip.text import SSTRING, TextType
from node.cip.types import BOOL, BYTE, DINT, INT, LINT, REAL, SINT, UINT, USINT
from node.memory.attribute import Attribute, Value
from node.memory.text_attribute import create_attribute
from node.memory.text_view import TextRegisterView
from node.memory.view import BitView, BlockError, ByteRegisterView, CoilView, Registers, RegisterView
from node.memory.word_order import ORDERS, permutation


class Counting:
    """A source that shows how often it was asked, in every element."""

    def __init__(self, refuses: bool = False) -> None:
        self.refuses = refuses
        self.written: list[tuple[int, int]] = []

    def fill(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        for index in range(start, stop):
            attribute[index] = int(now)

    def wrote(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        self.written.append((start, stop))


class Gated:
    """A gate that admits reads or writes or neither, and shows 7."""

    def __init__(self, reads: bool = True, writes: bool = True) -> None:
        self.reads = reads
        self.writes = writes

    def admit(self, attribute: Attribute, now: float, start: int, stop: int, writing: bool) -> None:
        if not (self.writes if writing else self.reads):
            raise CipError(0x10)

    def shown(self, attribute: Attribute, now: float, start: int, values: Sequence[Value]) -> Sequence[Value]:
        return [7] * len(values)


def read(view: Registers, start: int, stop: int, now: float = 0.0) -> str:
    """Both ways of reading, which must agree."""
    data = view.read(start, stop, now)
    assert view.reader(start, stop)(now) == data
    return data.hex()


def test_permutations_undo_themselves() -> None:
    data = bytes(range(16))
    for size in (2, 4, 8):
        for order in ORDERS:
            permute = permutation(size, order)
            assert permute(permute(data)) == data
    with pytest.raises(ValueError, match="ABCD"):
        permutation(4, "BCDA")


@pytest.mark.parametrize(
    ("order", "shown"), [("ABCD", "449a5000"), ("CDAB", "5000449a"), ("BADC", "9a440050"), ("DCBA", "00509a44")]
)
def test_a_real_in_every_order(order: str, shown: str) -> None:
    attribute = Attribute(REAL, (2,), [0.0, 1234.5])
    view = RegisterView(attribute, 4, order)
    assert read(view, 2, 4) == shown
    view.stage(0, bytes.fromhex(shown), 0.0)()
    assert attribute[0] == 1234.5


def test_half_an_element_is_read_and_written_in_place() -> None:
    attribute = Attribute(DINT, (2,), [0x11223344, 0x55667788])
    view = RegisterView(attribute, 4)
    assert read(view, 1, 3) == "33445566"
    view.stage(1, bytes.fromhex("AAAABBBB"), 0.0)()
    assert [int(value) & 0xFFFFFFFF for value in attribute[0:2]] == [0x1122AAAA, 0xBBBB7788]


@given(st.sampled_from(ORDERS), st.data())
def test_registers_are_memory(order: str, data: st.DataObject) -> None:
    attribute = Attribute(LINT, (4,), [1, 2, 3, 4])
    view = RegisterView(attribute, 16, order)
    before = bytearray(view.read(0, 16, 0.0))
    start = data.draw(st.integers(0, 15))
    size = data.draw(st.integers(1, 16 - start))
    written = data.draw(st.binary(min_size=2 * size, max_size=2 * size))
    view.stage(start, written, 0.0)()
    before[2 * start : 2 * (start + size)] = written
    assert view.read(0, 16, 0.0) == bytes(before)
    assert read(view, start, start + size) == written.hex()


def test_one_byte_types_take_a_register_each() -> None:
    signed = Attribute(SINT, (3,), [-1, 127, 0])
    view = ByteRegisterView(signed, 3)
    assert read(view, 0, 3) == "ffff007f0000"
    view.stage(1, bytes.fromhex("FF80 0001"), 0.0)()
    assert signed[0:3] == [-1, -128, 1]
    unsigned = Attribute(USINT, (2,), [255, 1])
    assert read(ByteRegisterView(unsigned, 2, "BADC"), 0, 2) == "ff000100"
    flags = Attribute(BOOL, (2,), [True, False])
    view = ByteRegisterView(flags, 2)
    assert read(view, 0, 2) == "00010000"
    view.stage(0, bytes.fromhex("0000 0100"), 0.0)()
    assert flags[0:2] == [False, True]


@pytest.mark.parametrize(("kind", "data"), [(SINT, "0080"), (USINT, "0100"), (BYTE, "FFFF")])
def test_a_value_that_one_byte_cannot_hold(kind: object, data: str) -> None:
    attribute = Attribute(kind, (1,), [5])  # type: ignore[arg-type]
    with pytest.raises(CipError) as caught:
        ByteRegisterView(attribute, 1).stage(0, bytes.fromhex(data), 0.0)
    assert caught.value.general == INVALID_ATTRIBUTE_VALUE
    assert attribute[0] == 5


def test_coils_of_bools() -> None:
    attribute = Attribute(BOOL, (12,), [index % 3 == 0 for index in range(12)])
    view = CoilView(attribute, 12)
    assert view.read(0, 12, 0.0) == 0b001001001001
    assert view.read(3, 7, 0.0) == 0b1001
    view.stage(1, 4, 0b011, 0.0)()
    assert attribute[0:6] == [True, True, True, False, False, False]
    assert view.span(1, 4) == (attribute, 1, 4)


@given(st.sampled_from([SINT, INT, DINT, LINT]), st.data())
def test_coils_of_integers_are_their_bits(kind: object, data: st.DataObject) -> None:
    attribute = Attribute(kind, (3,), [-1, 5, 0])  # type: ignore[arg-type]
    view = BitView(attribute, 24 * attribute.type.size)
    before = view.read(0, view.count, 0.0)
    assert [before >> k & 1 for k in range(8)] == [1] * 8
    start = data.draw(st.integers(0, view.count - 1))
    stop = data.draw(st.integers(start + 1, view.count))
    bits = data.draw(st.integers(0, (1 << stop - start) - 1))
    view.stage(start, stop, bits, 0.0)()
    mask = (1 << stop - start) - 1 << start
    assert view.read(0, view.count, 0.0) == before & ~mask | bits << start
    assert view.read(start, stop, 0.0) == bits


def text_view(
    kind: TextType | Template, texts: list[str], count: int, order: str = "ABCD"
) -> tuple[Attribute, TextRegisterView]:
    attribute = create_attribute(kind, (len(texts),), texts)
    return attribute, TextRegisterView(attribute, kind, count, order)


def test_texts_share_the_registers() -> None:
    attribute, view = text_view(SSTRING, ["Pump", "Valve 7"], 6)
    assert read(view, 0, 6) == (b"Pump\0\0" + b"Valve ").hex()
    view.stage(2, b"er\0\0", 0.0)()
    assert attribute[0:2] == ["Pumper", "\0\0lve "]
    view.stage(3, b"Tank\0\0", 0.0)()
    assert attribute[1] == "Tank"
    assert view.span(2, 4) == (attribute, 0, 2)


def test_texts_with_the_first_character_in_the_low_byte() -> None:
    for order in ("BADC", "DCBA"):
        attribute, view = text_view(STRING, ["Pump"], 2, order)
        assert read(view, 0, 2) == b"uPpm".hex()
        view.stage(0, b"aTkn", 0.0)()
        assert attribute[0] == "Tank"


def test_a_text_longer_than_its_type() -> None:
    attribute, view = text_view(SSTRING, ["a"], 128)
    with pytest.raises(CipError) as caught:
        view.stage(0, b"x" * 256, 0.0)
    assert caught.value.general == INVALID_ATTRIBUTE_VALUE
    view.stage(0, b"x" * 255 + b"\0", 0.0)()
    assert attribute[0] == "x" * 255


@pytest.mark.parametrize(
    ("what", "make"),
    [
        ("0 registers", lambda: RegisterView(Attribute(INT, (3,)), 0)),
        ("4 registers", lambda: RegisterView(Attribute(INT, (3,)), 4)),
        ("7 registers", lambda: RegisterView(Attribute(DINT, (3,)), 7)),
        ("order ACBD", lambda: RegisterView(Attribute(DINT, (3,)), 6, "ACBD")),
        ("cannot be registers", lambda: RegisterView(Attribute(SINT, (3,)), 3)),
        ("4 registers", lambda: ByteRegisterView(Attribute(SINT, (3,)), 4)),
        ("4 coils", lambda: CoilView(Attribute(BOOL, (3,)), 4)),
        ("49 coils", lambda: BitView(Attribute(INT, (3,)), 49)),
        ("5 registers", lambda: text_view(SSTRING, ["a", "b"], 5)),
        ("42 registers", lambda: text_view(STRING, ["a"], 42)),
    ],
)
def test_blocks_that_cannot_be(what: str, make: object) -> None:
    assert callable(make)
    with pytest.raises(BlockError, match=what):
        make()


def test_a_source_is_asked_at_each_read() -> None:
    attribute = Attribute(UINT, (4,))
    view = RegisterView(attribute, 4)
    plain = view.reader(0, 2)
    attribute.source = Counting()
    asked = view.reader(0, 2)
    assert asked(3.0).hex() == "00030003"
    assert view.read(1, 2, 9.0).hex() == "0009"
    assert attribute[2:4] == [0, 0]
    assert plain(9.0).hex() == "00030009"


def test_a_write_tells_the_source() -> None:
    attribute = Attribute(UINT, (4,))
    source = Counting()
    attribute.source = source
    RegisterView(attribute, 4).stage(1, b"\0\1\0\2", 0.0)()
    assert source.written == [(1, 3)]


@pytest.mark.parametrize("how", ["rights", "source"])
def test_what_may_not_be_written(how: str) -> None:
    attribute = Attribute(UINT, (4,), 5, "tag", how != "rights")
    if how == "source":
        attribute.source = Counting(refuses=True)
    with pytest.raises(CipError) as caught:
        RegisterView(attribute, 4).stage(0, b"\0\1", 0.0)
    assert caught.value.general == ATTRIBUTE_NOT_SETTABLE
    assert attribute[0] == 5


def test_a_gate_refuses_before_anything_is_written() -> None:
    attribute = Attribute(UINT, (4,), 5)
    view = RegisterView(attribute, 4)
    attribute.gate = Gated(reads=False, writes=False)
    with pytest.raises(CipError):
        view.read(0, 1, 0.0)
    with pytest.raises(CipError):
        view.stage(0, b"\0\1", 0.0)
    assert attribute[0] == 5


def test_what_a_gate_shows_is_not_written_back() -> None:
    attribute = Attribute(DINT, (1,), 0x11112222)
    view = RegisterView(attribute, 2)
    attribute.gate = Gated()
    assert read(view, 0, 2) == "00000007"
    view.stage(0, b"\x33\x33", 0.0)()
    assert attribute[0] == 0x33332222


class Doubled(Attribute):
    """Shows twice what it holds."""

    def __getitem__(self, key):  # type: ignore[no-untyped-def]
        value = super().__getitem__(key)
        return [2 * each for each in value] if isinstance(key, slice) else 2 * value


def test_a_subclass_is_seen_through_registers() -> None:
    attribute = Doubled(UINT, (2,), [3, 4])
    assert read(RegisterView(attribute, 2), 0, 2) == "00060008"
