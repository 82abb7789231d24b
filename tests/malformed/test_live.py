"""Each wrong request on a live node, on a connection of its own, while a good client reads and sees no error."""

from __future__ import annotations

import contextlib

import pytest

from tests.malformed import (
    browse_cases,
    enip_cases,
    modbus_cases,
    opening_cases,
    packet_cases,
    path_cases,
    pccc_cases,
)
from tests.malformed.case import Case
from tests.malformed.live import connect, enip_frame, hold, modbus_frame, register
from tests.malformed.nodes import ENIP, MODBUS, PCCC_HOST

pytestmark = pytest.mark.net

ENIP_CASES = [
    case for table in (enip_cases, path_cases, browse_cases, packet_cases, opening_cases) for case in table.CASES
]


@pytest.mark.parametrize("case", ENIP_CASES, ids=lambda case: case.name)
def test_enip(good_client: list[str], case: Case) -> None:
    with connect(ENIP) as link:
        hold(link, case, enip_cases.GOOD, enip_frame, register(link))
    assert good_client == []


@pytest.mark.parametrize("case", enip_cases.UNREGISTERED, ids=lambda case: case.name)
def test_enip_without_a_session(good_client: list[str], case: Case) -> None:
    with connect(ENIP) as link:
        link.sendall(case.send)
        assert isinstance(case.expect, bytes)
        assert enip_frame(link).hex() == case.expect.hex()
        session = register(link)
        link.sendall(enip_cases.GOOD.send.replace(enip_cases.SESSION, session))
        assert enip_frame(link)[8:12] == b"\0\0\0\0"
    assert good_client == []


def test_a_session_of_another_connection(good_client: list[str]) -> None:
    with connect(ENIP) as mine, connect(ENIP) as theirs:
        register(mine)
        handle = register(theirs)
        mine.sendall(enip_cases.GOOD.send.replace(enip_cases.SESSION, handle))
        assert enip_frame(mine)[8:12] == b"\x64\0\0\0"
    assert good_client == []


@pytest.mark.parametrize("case", pccc_cases.CASES, ids=lambda case: case.name)
def test_pccc(micrologix: None, case: Case) -> None:
    with connect(ENIP, PCCC_HOST) as link:
        hold(link, case, pccc_cases.GOOD, enip_frame, register(link))


@pytest.mark.parametrize("case", modbus_cases.CASES, ids=lambda case: case.name)
def test_modbus(good_client: list[str], case: Case) -> None:
    with connect(MODBUS) as link:
        hold(link, case, modbus_cases.GOOD, modbus_frame, b"")
    assert good_client == []


def test_a_failed_write_changed_nothing(good_client: list[str]) -> None:
    with connect(MODBUS) as link:
        link.sendall(modbus_cases.adu("03 0063 0003"))
        assert modbus_frame(link).hex() == modbus_cases.adu("03 06 0063 0000 0000").hex()
    assert good_client == []


@pytest.mark.timeout(30)
def test_a_frame_that_is_never_finished_is_closed_within_its_time(good_client: list[str]) -> None:
    """On either port, both at once, for it is waited for."""
    with connect(ENIP) as enip, connect(MODBUS) as modbus:
        for link in (enip, modbus):
            link.sendall(b"\x65\0\4")
            link.settimeout(9)
        for link in (enip, modbus):
            with contextlib.suppress(ConnectionResetError):
                assert link.recv(1) == b""
    assert good_client == []
