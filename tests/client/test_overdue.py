"""What a line may still answer after a time-out: which requests wait for it, and which tell it from their own."""

import pytest

from node.client.overdue import Overdue, fits

READ_2, READ_2_ELSEWHERE, READ_3 = (bytes.fromhex(text) for text in ("03 0000 0002", "03 0064 0002", "03 0000 0003"))
WRITE, WRITE_OTHER = bytes.fromhex("06 0005 1234"), bytes.fromhex("06 0005 1235")
WRITE_2, WRITE_2_OTHER = bytes.fromhex("10 0000 0002 04 0001 0002"), bytes.fromhex("10 0000 0002 04 0003 0004")


def given_up(unit: int, pdu: bytes) -> Overdue:
    """One second was waited, until 10."""
    overdue = Overdue()
    overdue.give_up(unit, pdu, 1.0, 10.0)
    return overdue


@pytest.mark.parametrize(
    ("unit", "given", "pdu", "pause"),
    [
        (1, READ_2, READ_2_ELSEWHERE, 0.4),
        (1, READ_2, READ_2, 0.0),  # the late answer is one to this very question
        (1, READ_2, READ_3, 0.0),
        (2, READ_2, READ_2_ELSEWHERE, 0.0),
        (1, READ_2, b"\x04" + READ_2[1:], 0.0),
        (1, WRITE, WRITE_OTHER, 0.0),
        (1, WRITE_2, WRITE_2_OTHER, 0.4),  # an answer names the place and not the values
        (1, bytes.fromhex("01 0000 0009"), bytes.fromhex("01 0010 0010"), 0.4),  # two bytes of bits each
        (1, bytes.fromhex("01 0000 0008"), bytes.fromhex("01 0010 0009"), 0.0),
        (1, bytes.fromhex("18 0000"), bytes.fromhex("18 0001"), 0.4),
    ],
)
def test_only_who_could_take_it_for_his_waits(unit: int, given: bytes, pdu: bytes, pause: float) -> None:
    assert given_up(1, given).pause(unit, pdu, 10.1) == pytest.approx(pause)


def test_it_is_waited_for_half_as_long_again() -> None:
    overdue = given_up(1, READ_2)
    assert overdue.any(10.49)
    assert not overdue.any(10.5)
    assert overdue.pause(1, READ_2_ELSEWHERE, 10.6) == 0.0


def test_an_answer_to_the_same_question_may_be_followed_by_its_twin() -> None:
    overdue = given_up(1, READ_2)
    overdue.answered(1, READ_2, 10.3)
    assert overdue.pause(1, READ_2_ELSEWHERE, 10.3) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("pdu", "reply", "fit"),
    [
        (READ_2, "03 04 0001 0002", True),
        (READ_2, "03 06 0001 0002 0003", False),
        (READ_2, "83 02", True),
        (WRITE, "06 0005 1234", True),
        (WRITE, "06 0005 1235", False),
        (WRITE_2, "10 0000 0002", True),
        (WRITE_2, "10 0001 0002", False),
        (b"\x41\x01", "41 07", True),  # a function that nobody knows
    ],
)
def test_an_answer_fits_its_request(pdu: bytes, reply: str, fit: bool) -> None:
    assert fits(pdu, bytes.fromhex(reply)) is fit
