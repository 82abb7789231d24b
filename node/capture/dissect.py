"""Bytes of any protocol that a node speaks, taken apart: which one it is, its parts, and where it goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from node.capture.parts import Part, Reader, Spoilt
from node.capture.parts_cip import take_message, take_path
from node.capture.parts_enip import take_frames
from node.capture.parts_modbus import take_adus, take_ascii, take_rtu
from node.enip.header import COMMANDS, HEADER_SIZE
from node.modbus.adu import PREFIX_SIZE
from node.modbus.ascii import START
from node.modbus.rtu import crc16
from node.record import dataclass

ENIP, CIP, EPATH, MODBUS, RTU, ASCII = "enip", "cip", "epath", "modbus", "rtu", "ascii"

Take = Callable[[Reader, bool | None], None]

TAKES: Mapping[str, Take] = {
    ENIP: lambda reader, reply: take_frames(reader),
    CIP: lambda reader, reply: take_message(reader),
    EPATH: lambda reader, reply: _take_epath(reader),
    MODBUS: take_adus,
    RTU: take_rtu,
    ASCII: take_ascii,
}
"""What bytes can be: EtherNet/IP frames, a CIP message or a path alone, Modbus over TCP, RTU, ASCII."""


@dataclass(frozen=True, slots=True)
class Dissection:
    """`parts` in the order of their bytes; `fault` says where it goes wrong, None where it does not."""

    protocol: str
    data: bytes
    parts: tuple[Part, ...]
    fault: Spoilt | None


def dissect(data: bytes, protocol: str = "", reply: bool | None = None) -> Dissection:
    """`data` taken apart as `protocol`, a key of `TAKES`, "" to see by its form; `reply`: whether Modbus frames are
    replies, None to see by theirs."""
    kind = protocol or recognise(data)
    reader = Reader(data)
    fault: Spoilt | None = None
    if not data:
        fault = Spoilt(0, "a frame", "nothing")
    else:
        try:
            TAKES[kind](reader, reply)
        except Spoilt as exc:
            fault = exc
    return Dissection(kind, data, tuple(reader.parts), fault)


def recognise(data: bytes) -> str:
    """What bytes look like; EtherNet/IP when they look like nothing."""
    if data[:1] == bytes((START,)):
        return ASCII
    fits = len(data) > PREFIX_SIZE and int.from_bytes(data[4:6], "big") <= len(data) - PREFIX_SIZE
    if fits and data[2:4] == b"\0\0" and data[4:6] != b"\0\0":
        return MODBUS
    if int.from_bytes(data[:2], "little") in COMMANDS and len(data) >= HEADER_SIZE:
        return ENIP
    if len(data) > 3 and not crc16(data):
        return RTU
    return MODBUS if data[2:4] == b"\0\0" and len(data) < HEADER_SIZE else ENIP


def _take_epath(reader: Reader) -> None:
    take_path(reader, reader.left)
