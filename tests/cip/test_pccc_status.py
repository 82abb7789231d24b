"""The reply to Diagnostic Status."""

import pytest

from node.cip.pccc_status import DiagnosticStatus, decode_status, encode_status
from node.errors import LocalProtocolError, RemoteProtocolError
from tests.vectors import check_codec

# Of a MicroLogix 1000 as 1770-6.5.16, 10-6, lays it out: series B, release 3, run, 8 KB, no owner.
MICROLOGIX_1000 = bytes.fromhex("00ee345822 313736312d4c3136415741 0500 0600 3412 08 fc")


def test_a_status_of_a_micrologix() -> None:
    status = DiagnosticStatus(0x58, "1761-L16AWA", 1, 2, 8, error=5, program=0x1234)
    check_codec(MICROLOGIX_1000, status, decode_status, encode_status, tail="ignored")


def test_clients_find_the_bulletin_at_bytes_5_to_15() -> None:
    data = encode_status(DiagnosticStatus(0x78, "5/05"))
    assert len(data) == 24
    assert data[5:16] == b"5/05       "


@pytest.mark.parametrize(
    "status",
    [DiagnosticStatus(0x78, "a" * 12), DiagnosticStatus(0x78, "", series=8), DiagnosticStatus(0x78, "", revision=32)],
)
def test_what_does_not_fit_is_refused(status: DiagnosticStatus) -> None:
    with pytest.raises(LocalProtocolError, match="does not fit"):
        encode_status(status)


def test_a_status_of_another_family_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="no diagnostic status"):
        decode_status(b"\0\xeb" + bytes(22))
