"""Data files: tags seen as the words of a controller's files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.epath import Element, Symbolic
from node.cip.pccc import ADDRESSING_PROBLEM, EXTENDED, ILLEGAL_COMMAND, NOT_ALLOWED, WRONG_SIZE, Address, PcccError
from node.cip.slc_files import DEFAULT_SIZES, by_number
from node.cip.slc_structures import SLC_STRING, SLC_TIMER
from node.cip.status import GENERAL_ERROR, CipError
from node.cip.types import DINT, INT, REAL
from node.memory.attribute import Attribute
from node.memory.data_files import DataFiles, read_words, write_words
from node.memory.place import follow
from node.memory.tags import TagTable
from node.memory.text_attribute import create_attribute

N, T, F, ST, L, OUT, IN = 0x89, 0x86, 0x8A, 0x8D, 0x91, 0x82, 0x83


def build() -> tuple[TagTable, DataFiles]:
    """N7 holds its indexes, ST9 two texts; the rest of the files that are always there are 0."""
    tags = TagTable()
    tags.add("Level", create_attribute(REAL))
    tags.add("N7", create_attribute(INT, (200,), range(200)))
    tags.add("ST9", create_attribute(SLC_STRING, (3,), ["abc", "", "x" * 82]))
    tags.add("L10", create_attribute(DINT, (2,), [1, -2]))
    for number, elements in enumerate(DEFAULT_SIZES):
        kind = by_number(number)
        if kind is not None and number != 7:
            tags.add(f"{kind.letter}{number}", create_attribute(kind.kind, (elements,)))
    return tags, DataFiles(tags)


def read(files: DataFiles, address: Address) -> str:
    """Words in hex."""
    return read_words(files.find(address), 0.0).hex()


def refusal(files: DataFiles, address: Address) -> tuple[int, int]:
    """Status and extended status of an address that is refused."""
    with pytest.raises(PcccError) as caught:
        files.find(address)
    return caught.value.status, caught.value.extended


def test_files_are_tags_of_their_name_and_type() -> None:
    _, files = build()
    assert " ".join(f"{file.type.letter}{file.number}" for file in files) == "O0 I1 S2 B3 T4 C5 R6 N7 F8 ST9 L10"
    assert [file.attribute.length for file in files] == [4, 4, 66, 16, 8, 8, 4, 200, 32, 3, 2]


@pytest.mark.parametrize(
    ("address", "digits"),
    [
        (Address(2, 7, N, 5), "0500"),
        (Address(6, 7, N, 198 - 1), "c500c600c700"),
        (Address(84, 9, ST, 0), "0300" + "6261" + "0063" + 78 * "00"),
        (Address(6, 9, ST, 0, 1), "6261" + "0063" + "0000"),
        (Address(4, 9, ST, 1, 41), "0000" + "5200"),
        (Address(8, 10, L, 0), "01000000feffffff"),
        (Address(2, 10, L, 1, 1), "ffff"),
        (Address(4, 8, F, 31), "00000000"),
        (Address(6, 4, T, 7), "000000000000"),
        (Address(2, 4, T, 7, 2), "0000"),
        (Address(2, 1, IN, 0, 3), "0000"),
        (Address(2, 1, 0x8C, 3), "0000"),
    ],
    ids=str,
)
def test_any_words_can_be_read(address: Address, digits: str) -> None:
    _, files = build()
    assert read(files, address) == digits


@pytest.mark.parametrize(
    "address",
    [
        Address(2, 11, N, 0),
        Address(2, 8, N, 0),
        Address(2, 7, 0x85, 0),
        Address(2, 7, 0x99, 0),
        Address(2, 7, N, 200),
        Address(4, 7, N, 199),
        Address(2, 7, N, 0xFFFF, 0),
        Address(2, 7, N, 0, 1),
        Address(2, 4, T, 0, 3),
        Address(4, 4, T, 7, 2),
        Address(2, 1, IN, 0, 4),
        Address(0, 7, N, 0),
        Address(3, 7, N, 0),
    ],
    ids=str,
)
def test_what_is_not_there_is_refused_whole(address: Address) -> None:
    _, files = build()
    assert refusal(files, address) == (ILLEGAL_COMMAND, 0)


def test_236_bytes_fit_and_no_more() -> None:
    _, files = build()
    assert len(read(files, Address(236, 7, N, 0))) == 2 * 236
    assert refusal(files, Address(238, 7, N, 0)) == (EXTENDED, WRONG_SIZE)


def test_words_within_elements_are_written() -> None:
    tags, files = build()
    timers, texts, longs = (tags.by_name(name) for name in ("T4", "ST9", "L10"))
    assert timers and texts and longs
    write_words(files.find(Address(2, 4, T, 1, 2)), b"\x07\0", 0.0)
    write_words(files.find(Address(6, 4, T, 2)), bytes.fromhex("00a0 0500 0300"), 0.0)
    assert timers[1] == {"PRE": 0, "ACC": 7, "EN": False, "TT": False, "DN": False}
    assert timers[2] == {"PRE": 5, "ACC": 3, "EN": True, "TT": False, "DN": True}
    write_words(files.find(Address(6, 9, ST, 1)), bytes.fromhex("0300 4548 0059"), 0.0)
    assert texts[0:3] == ["abc", "HEY", "x" * 82]
    write_words(files.find(Address(2, 10, L, 0, 1)), b"\1\0", 0.0)
    assert longs[0] == 65537


@pytest.mark.parametrize(
    ("mask", "data", "held"),
    [
        ("ffff", "3412", 0x1234),
        ("0800", "0800", 0x0F | 8),
        ("0800", "0000", 7),
        ("0000", "ffff", 0x0F),
        ("f000", "a500", 0xAF),
    ],
)
def test_a_mask_lets_bits_through(mask: str, data: str, held: int) -> None:
    tags, files = build()
    write_words(files.find(Address(2, 7, N, 15)), bytes.fromhex(data), 0.0, bytes.fromhex(mask))
    numbers = tags.by_name("N7")
    assert numbers is not None
    assert numbers[14:17] == [14, held, 16]


def test_a_mask_of_32_bits_reaches_the_upper_word() -> None:
    tags, files = build()
    write_words(files.find(Address(8, 10, L, 0)), b"\0\0\2\0" * 2, 0.0, b"\0\0\2\0")
    longs = tags.by_name("L10")
    assert longs is not None
    assert longs[0:2] == [0x20001, -2 | 0x20000]


class Sine:
    """A source that counts its fills and writes."""

    def __init__(self) -> None:
        self.refuses = False
        self.written: list[tuple[int, int]] = []

    def fill(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        attribute[start] = int(now)

    def wrote(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        self.written.append((start, stop))


class Closed:
    """A gate that admits nobody."""

    def admit(self, attribute: Attribute, now: float, start: int, stop: int, writing: bool) -> None:
        raise CipError(GENERAL_ERROR)

    def shown(self, attribute: Attribute, now: float, start: int, values: list[object]) -> list[object]:
        return values


def test_a_signal_moves_a_data_file_as_any_tag() -> None:
    tags, files = build()
    numbers = tags.by_name("N7")
    assert numbers is not None
    source = Sine()
    numbers.source = source
    assert read_words(files.find(Address(2, 7, N, 3)), 42.0) == b"\x2a\0"
    write_words(files.find(Address(4, 7, N, 8)), bytes(4), 0.0)
    assert source.written == [(8, 10)]


def test_a_write_of_a_word_is_no_write_of_its_neighbours() -> None:
    tags, files = build()
    timers = tags.by_name("T4")
    assert timers is not None
    moving, refusing = Sine(), Sine()
    refusing.refuses = True
    for name, source in (("ACC", moving), ("TT", refusing)):
        follow(timers, [Element(0), Symbolic(name)]).attach(source)
    write_words(files.find(Address(2, 4, T, 0, 1)), b"\x64\0", 0.0)
    write_words(files.find(Address(2, 4, T, 0)), b"\0\x20", 0.0, b"\0\xa0")
    assert timers[0] == {"PRE": 100, "ACC": 0, "EN": False, "TT": False, "DN": True}
    assert (moving.written, refusing.written) == ([], [])
    write_words(files.find(Address(2, 4, T, 0, 2)), b"\7\0", 0.0)
    assert len(moving.written) == 1
    for address, mask in ((Address(2, 4, T, 0), b"\0\x40"), (Address(4, 4, T, 0), b"\xff\xff")):
        with pytest.raises(PcccError) as caught:
            write_words(files.find(address), bytes(address.size), 0.0, mask)
        assert caught.value.status == NOT_ALLOWED
    assert read_words(files.find(Address(4, 4, T, 0)), 0.0) == b"\0\x20\x64\0"


def test_rights_and_gates_are_the_tag_s() -> None:
    tags, files = build()
    numbers, timers, floats = (tags.by_name(name) for name in ("N7", "T4", "F8"))
    assert numbers and timers and floats
    numbers.writable = timers.writable = False
    floats.gate = Closed()  # type: ignore[assignment]
    for address in (Address(2, 7, N, 0), Address(2, 4, T, 0, 1)):
        with pytest.raises(PcccError) as caught:
            write_words(files.find(address), b"\1\0", 0.0)
        assert caught.value.status == NOT_ALLOWED
    with pytest.raises(PcccError) as caught:
        read_words(files.find(Address(4, 8, F, 0)), 0.0)
    assert caught.value.status == ADDRESSING_PROBLEM
    assert numbers[0] == 0


def test_a_tag_of_another_type_is_no_data_file() -> None:
    tags = TagTable()
    tags.add("N9", create_attribute(REAL, (4,)))
    tags.add("T10", create_attribute(SLC_TIMER))
    files = DataFiles(tags)
    assert [file.number for file in files] == [10]
    assert read(files, Address(6, 10, T, 0)) == "00" * 6


def test_a_file_that_is_added_is_found() -> None:
    tags, files = build()
    assert files.get(20) is None
    tags.add("B20", create_attribute(INT, (1,), 5))
    assert read(files, Address(2, 20, 0x85, 0)) == "0500"


@given(
    st.sampled_from([(7, N), (9, ST), (10, L), (4, T), (0, OUT)]),
    st.integers(0, 240),
    st.integers(0, 210),
    st.integers(0, 45),
    st.binary(min_size=240, max_size=240),
)
def test_what_was_written_is_read_and_nothing_beside_it(
    which: tuple[int, int], size: int, element: int, sub: int, data: bytes
) -> None:
    _, files = build()
    try:
        words = files.find(Address(size, *which, element, sub))
    except PcccError:
        return
    attribute = words.file.attribute
    before = attribute.dump(0, attribute.length)
    write_words(words, data[:size], 0.0)
    assert read_words(words, 0.0) == data[:size]
    after = attribute.dump(0, attribute.length)
    assert len(after) == len(before)
    changed = [at for at, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    slack = 1 if attribute.type is SLC_STRING else 0
    assert all(words.start - slack <= at < words.stop + slack for at in changed)
