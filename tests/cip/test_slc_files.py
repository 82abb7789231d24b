"""Which data files there are, and what their structures hold."""

import pytest

from node.cip.predefined import PREDEFINED, predefined_by_name
from node.cip.slc_files import DEFAULT_SIZES, FILE_TYPES, LAST_FIXED, belongs, by_code, by_number, parse_file_name
from node.cip.slc_structures import SLC_CONTROL, SLC_COUNTER, SLC_STRING, SLC_STRUCTURES, SLC_TIMER, slc_by_name
from node.cip.structure_values import decode_structure, encode_structure
from node.cip.template import Template


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("N7", ("N", 7)),
        ("n255", ("N", 255)),
        ("ST9", ("ST", 9)),
        ("O0", ("O", 0)),
        ("s2", ("S", 2)),
        ("L10", ("L", 10)),
    ],
)
def test_names_of_data_files(name: str, found: tuple[str, int]) -> None:
    parsed = parse_file_name(name)
    assert parsed is not None
    assert (parsed[0].letter, parsed[1]) == found


@pytest.mark.parametrize("name", ["N", "7", "", "N07", "N256", "X7", "NN7", "N7:0", "Level1", "N7.0", "N" + "9" * 200])
def test_other_names(name: str) -> None:
    assert parse_file_name(name) is None


@pytest.mark.parametrize(
    ("name", "possible"),
    [
        ("O0", True),
        ("O9", False),
        ("I0", False),
        ("S2", True),
        ("N7", True),
        ("N3", False),
        ("B10", True),
        ("L9", True),
    ],
)
def test_files_that_are_always_there_have_their_type(name: str, possible: bool) -> None:
    parsed = parse_file_name(name)
    assert parsed is not None
    assert belongs(*parsed) is possible


def test_codes_and_letters_are_told_apart() -> None:
    codes = [code for kind in FILE_TYPES for code in kind.codes]
    assert len(set(codes)) == len(codes)
    assert len({kind.letter for kind in FILE_TYPES}) == len(FILE_TYPES)
    assert by_code(0x8B) is by_code(0x82)
    assert by_code(0x92) is None
    letters = [kind.letter for number in range(LAST_FIXED + 1) if (kind := by_number(number))]
    assert "".join(letters) == "OISBTCRNF"
    assert len(DEFAULT_SIZES) == LAST_FIXED + 1


@pytest.mark.parametrize(
    ("kind", "digits", "value"),
    [
        (SLC_TIMER, "0020 6400 ffff", {"PRE": 100, "ACC": -1, "EN": False, "TT": False, "DN": True}),
        (SLC_TIMER, "00c0 0000 0100", {"PRE": 0, "ACC": 1, "EN": True, "TT": True, "DN": False}),
        (
            SLC_COUNTER,
            "0094 0500 0600",
            {"PRE": 5, "ACC": 6, "CU": True, "CD": False, "DN": False, "OV": True, "UN": False, "UA": True},
        ),
        (
            SLC_CONTROL,
            "0041 0a00 0200",
            {
                "LEN": 10,
                "POS": 2,
                "EN": False,
                "EU": True,
                "DN": False,
                "EM": False,
                "ER": False,
                "UL": False,
                "IN": False,
                "FD": True,
            },
        ),
        (SLC_STRING, "0300 616263" + 79 * "00", "abc"),
    ],
    ids=["timer done", "timer timing", "counter", "control", "string"],
)
def test_structures_are_words_with_flags_from_bit_15_down(kind: Template, digits: str, value: object) -> None:
    data = bytes.fromhex(digits)
    assert decode_structure(kind, data) == value
    assert encode_structure(kind, value) == data
    assert kind.size == len(data)


def test_their_names_are_known_and_no_controller_serves_their_templates() -> None:
    assert slc_by_name("slc_timer") is predefined_by_name("SLC_Timer") is SLC_TIMER
    assert slc_by_name("TIMER") is None
    assert not set(SLC_STRUCTURES) & set(PREDEFINED)
    numbers = [template.instance for template in (*SLC_STRUCTURES, *PREDEFINED)]
    assert len(set(numbers)) == len(numbers)
