"""The reply to Diagnostic Status, PCCC command 06 03, of an SLC 500 or MicroLogix (Rockwell 1770-6.5.16, 10-6).

0 mode | 1 0xEE: what follows is an extended type | 2 interface | 3 processor | 4 revision (bits 0-4) and series
(5-7) | 5-15 bulletin, 11 characters | 16 major error u16 | 18 processor mode u16 | 20 program id u16 |
22 memory in KB | 23 program owner (bits 2-7)
"""

from struct import Struct

from node.errors import LocalProtocolError, RemoteProtocolError
from node.record import dataclass

EXTENDED_TYPE = 0xEE
DF1_FULL_DUPLEX = 0x34
NO_OWNER = 0x3F
RUN = 0x06
"""Processor mode, in the low five bits of its word."""

_LAYOUT = Struct("<BBBBB11sHHHBB")
_SERIES = 5


@dataclass(frozen=True, slots=True)
class DiagnosticStatus:
    """`processor` is the extended type code, `series` and `revision` count from 0, `memory` is in KB, `mode` and
    `error` are the words S:1 and S:6 of the status file."""

    processor: int
    bulletin: str
    series: int = 0
    revision: int = 0
    memory: int = 0
    mode: int = RUN
    error: int = 0
    program: int = 0
    interface: int = DF1_FULL_DUPLEX
    owner: int = NO_OWNER


def encode_status(status: DiagnosticStatus) -> bytes:
    """Raises `LocalProtocolError` for a bulletin of more than 11 characters or a number that does not fit."""
    raw = status.bulletin.encode("ascii", "replace")
    wide = status.series > 7 or status.revision > 31 or status.owner > NO_OWNER
    if len(raw) > 11 or wide:
        raise LocalProtocolError(f"{status} does not fit the reply to a diagnostic status")
    return _LAYOUT.pack(
        0,
        EXTENDED_TYPE,
        status.interface,
        status.processor,
        status.series << _SERIES | status.revision,
        raw.ljust(11),
        status.error,
        status.mode,
        status.program,
        status.memory,
        status.owner << 2,
    )


def decode_status(data: bytes) -> DiagnosticStatus:
    """Raises `RemoteProtocolError` when it is cut short or not of such a controller; surplus bytes are ignored."""
    if len(data) < _LAYOUT.size or data[1] != EXTENDED_TYPE:
        raise RemoteProtocolError(f"{data.hex()} is no diagnostic status of an SLC or MicroLogix")
    _, _, interface, processor, revision, raw, error, mode, program, memory, owner = _LAYOUT.unpack_from(data)
    return DiagnosticStatus(
        processor,
        raw.decode("iso-8859-1").rstrip(),
        revision >> _SERIES,
        revision & (1 << _SERIES) - 1,
        memory,
        mode,
        error,
        program,
        interface,
        owner >> 2,
    )
