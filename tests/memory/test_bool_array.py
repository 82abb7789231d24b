"""BOOLs packed in DWORDs: words for CIP, flags for people and signals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.status import CipError
from node.cip.types import BOOL, DWORD
from node.errors import NodeError
from node.memory.attribute import Attribute, Value
from node.memory.bool_array import BoolArray
from node.memory.view import ByteRegisterView, CoilView


def test_flag_i_is_bit_i_of_the_words() -> None:
    flags = BoolArray(70, [index in (0, 33, 69) for index in range(70)], "Flags")
    assert (flags.type, flags.dimensions, len(flags), flags.bits, flags.size) == (DWORD, (3,), 3, 70, 4)
    assert flags[:] == [1, 2, 32]
    assert flags.dump(0, 3) == bytes.fromhex("01000000 02000000 20000000")
    unpacked = flags.unpacked
    assert (unpacked.type, unpacked.dimensions, unpacked.name) == (BOOL, (70,), "Flags")
    assert [index for index in range(70) if unpacked[index]] == [0, 33, 69]
    assert unpacked.read(32, 35) == [False, True, False]


def test_one_initial_value_is_for_all_flags_and_no_bit_beyond_them() -> None:
    assert BoolArray(33, True)[:] == [0xFFFFFFFF, 1]
    with pytest.raises(NodeError, match="2 initial values for 3 elements"):
        BoolArray(3, [True, False])
    with pytest.raises(NodeError, match="dimensions"):
        BoolArray(0)


def test_flags_are_written_and_their_neighbours_stay() -> None:
    flags = BoolArray(64, True)
    flags.unpacked.write(30, [False, True, False])
    assert flags[:] == [0xBFFFFFFF, 0xFFFFFFFE]
    with pytest.raises(CipError) as caught:
        flags.unpacked.write(63, [False, False])
    assert caught.value.extended == (0x2105,)
    flags.unpacked.array[5] = 0
    assert (flags[0], flags.unpacked.array[5], flags.unpacked.array[6]) == (0xBFFFFFDF, 0, 1)


class Alternating:
    """A source of BOOLs: every second flag is true."""

    refuses = False

    def __init__(self) -> None:
        self.filled: list[tuple[int, int]] = []
        self.written: list[tuple[int, int]] = []

    def fill(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        assert attribute.type is BOOL
        self.filled.append((start, stop))
        for index in range(start, stop):
            attribute.array[index] = index % 2

    def wrote(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        self.written.append((start, stop))


def test_a_source_moves_flags() -> None:
    flags = BoolArray(40)
    source = Alternating()
    flags.source = source
    assert flags.read(0, 2) == [0xAAAAAAAA, 0xAA]
    assert flags.unpacked.read(3, 6) == [True, False, True]
    assert source.filled == [(0, 40), (3, 6)]
    flags.source = None
    assert flags.source is None


def test_a_source_is_told_of_the_flags_that_were_written() -> None:
    flags = BoolArray(40)
    source = Alternating()
    flags.source = source
    flags.modify(1, (1 << 3).to_bytes(4, "little"), b"\xfd\xff\xff\xff")
    assert source.written == [(33, 34), (35, 36)]
    flags.unpacked.write(7, [True])
    flags.load(1, bytes(4))
    assert source.written[2:] == [(7, 8), (32, 40)]


def test_one_flag_has_a_source_of_its_own() -> None:
    flags = BoolArray(40)
    flags.unpacked.source = Alternating()
    assert flags.read(0, 1) == [0xAAAAAAAA]
    with pytest.raises(NodeError, match="another signal"):
        flags.unpacked.source = Alternating()


def test_modbus_sees_a_flag_a_coil() -> None:
    flags = BoolArray(40, [index in (1, 39) for index in range(40)])
    coils = CoilView(flags.unpacked, 40)
    assert coils.read(0, 40, 0.0) == 1 << 39 | 2
    coils.stage(0, 3, 0b101, 0.0)()
    assert flags[:] == [5, 128]
    registers = ByteRegisterView(flags.unpacked, 40)
    assert registers.read(0, 3, 0.0) == bytes.fromhex("0001 0000 0001")
    registers.stage(1, bytes.fromhex("0007"), 0.0)()
    assert flags[0] == 7


@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_flags_come_back(values: list[Value]) -> None:
    flags = BoolArray(len(values), values)
    assert flags.unpacked[:] == values
    other = BoolArray(len(values))
    other.load(0, flags.dump(0, len(flags)))
    assert other.unpacked[:] == values
