"""Status codes in words, and service names."""

import pytest

from node.cip.services import service_name
from node.cip.status import EXTENDED_STATUS, GENERAL_STATUS, CipError, describe
from node.errors import NodeError


@pytest.mark.parametrize(
    ("general", "extended", "text"),
    [
        (0x05, (), "path destination unknown (0x05)"),
        (0xFF, (0x2105,), "general error (0xFF), count or index past the end of the tag (0x2105)"),
        (0x01, (0x0109, 504), "connection failure (0x01), invalid connection size (0x0109), 0x01F8"),
        (0x99, (0x7777,), "unknown status (0x99), 0x7777"),
    ],
)
def test_a_status_is_described_with_its_codes(general: int, extended: tuple[int, ...], text: str) -> None:
    assert describe(general, extended) == text
    assert str(CipError(general, extended)) == text


def test_a_cip_error_keeps_what_its_reply_needs() -> None:
    error = CipError(1, (0x0107,), b"\x01")
    assert isinstance(error, NodeError)
    assert (error.general, error.extended, error.data) == (1, (0x0107,), b"\x01")


def test_every_extended_status_belongs_to_a_known_general_one() -> None:
    assert {general for general, _ in EXTENDED_STATUS} <= GENERAL_STATUS.keys()


@pytest.mark.parametrize(
    ("service", "class_id", "name"),
    [
        (0x4C, None, "Read Tag"),
        (0xCC, None, "Read Tag"),
        (0x4E, 0x6B, "Read Modify Write Tag"),
        (0x4E, 0x06, "Forward Close"),
        (0x52, 0x06, "Unconnected Send"),
        (0x5B, None, "Large Forward Open"),
        (0x7F, None, "service 0x7F"),
    ],
)
def test_a_service_is_named_by_the_class_it_was_asked_of(service: int, class_id: int | None, name: str) -> None:
    assert service_name(service, class_id) == name
