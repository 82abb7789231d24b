"""The controllers that two clients were logged on, as far as their requests tell: the same tags under the same numbers.

The log names a structure of 108 bytes by its handle 0xABCD. A handle is a CRC over the structure's name and the types
of its members, so there is a name that gives this one.
"""

from __future__ import annotations

import struct

from node.cip.template import Template
from node.config.model import IdentityConfig, MemberConfig, TagConfig, TypeConfig
from node.config.structures import build_templates
from node.enip.target import TargetSession
from node.exchange.metrics import Metrics
from node.memory.access import Access
from node.memory.attribute import Instant
from node.memory.tags import TagTable
from node.objects.device import build_device
from node.objects.profiles import PROFILES
from node.tag_memory import build_tags

LOGIX, MICROLOGIX = PROFILES["1756-L73"], PROFILES["1766-L32BXB"]
SERIAL = 0x00C0FFEE
WALL = 1_480_000_000.25
"""The host's clock, seconds since 1970."""

CONTEXT = b"\x01_wired_"
REGISTER = bytes.fromhex("65000400" + "00" * 20 + "01000000")
PROGRAM = "MainProgram"

RECIPE = TypeConfig(
    "RjW8kQ",
    (
        MemberConfig("d", "DINT"),
        MemberConfig("b0", "BOOL"),
        MemberConfig("b1", "BOOL"),
        MemberConfig("s", "STRING"),
        MemberConfig("arr", "INT", 3),
        MemberConfig("r", "REAL"),
    ),
)

TAGS = (
    TagConfig("SCADA", "DINT", initial=0x11),  # instance 1
    TagConfig("ARR", "DINT", (1000,), initial=tuple(range(1000))),
    TagConfig("Tiny", "SINT"),
    TagConfig("Word", "INT"),
    TagConfig("Long", "LINT"),
    TagConfig("Speed", "REAL"),
    TagConfig("Flag", "BOOL"),
    TagConfig("Cube", "DINT", (2, 3, 4)),
    TagConfig("BA", "BOOL", (96,), packed=True),  # 9
    TagConfig("STR", "STRING"),  # 10
    TagConfig("Fixed", "DINT", access="read only"),
    TagConfig("U", "RjW8kQ"),  # 12
    TagConfig("UA", "RjW8kQ", (3,)),
    TagConfig("BIG", "DINT", (5000,), initial=tuple(range(5000))),  # 14
    *(TagConfig(f"T{index:03}", "DINT", initial=1000 + index) for index in range(100)),  # 15 to 114
    TagConfig(f"Program:{PROGRAM}.P1", "DINT", initial=11),
)

DATA_FILES = (TagConfig("N7", "INT", (16,), initial=tuple(range(1, 17))),)


class Wired:
    """One client on one device: a session, and the connection it opened if it did."""

    def __init__(self, tags: tuple[TagConfig, ...], types: tuple[TypeConfig, ...], profile: str) -> None:
        known = PROFILES[profile]
        self.templates: dict[str, Template] = build_templates(types)
        self.tags: TagTable = build_tags(tags, 0.0, self.templates)
        identity = IdentityConfig(
            known.vendor,
            known.device_type,
            known.product_code,
            known.revision,
            known.status,
            SERIAL,
            known.product_name,
            known.state,
        )
        self.device = build_device(
            identity,
            self.tags,
            Instant(),
            profile=known,
            address="192.168.0.201",
            host_name="plant",
            templates=list(self.templates.values()),
            wall=lambda: WALL,
        )
        self.session: TargetSession[list[Access]] = TargetSession(
            self.device.router, self.device.connections, lambda: b"", Metrics()
        )
        registered = self.session.answer(REGISTER)
        assert registered is not None
        self.handle = registered[4:8]
        self.o_t = self.t_o = b""
        self.sequence = 0

    def unconnected(self, request: bytes) -> bytes:
        """The reply to a Message Router request in SendRRData; all that is around it must be right."""
        body = struct.pack("<IHHHHHH", 0, 5, 2, 0, 0, 0xB2, len(request)) + request
        reply = self.exchange(0x6F, body)
        assert reply[:6] == bytes(6) or reply[4:6] == b"\x05\0"
        assert reply[6:14] == bytes.fromhex("0200 0000 0000 b200")
        assert struct.unpack_from("<H", reply, 14) == (len(reply) - 16,)
        return reply[16:]

    def connected(self, request: bytes) -> bytes:
        """The same in SendUnitData, over the connection that was opened."""
        self.sequence += 1
        data = struct.pack("<H", self.sequence) + request
        body = struct.pack("<IHHHH4sHH", 0, 0, 2, 0xA1, 4, self.o_t, 0xB1, len(data)) + data
        reply = self.exchange(0x70, body)
        assert reply[:12] == bytes.fromhex("00000000 0000 0200 a100 0400")
        assert reply[12:16] == self.t_o
        assert struct.unpack_from("<HHH", reply, 16) == (0xB1, len(reply) - 20, self.sequence)
        return reply[22:]

    def exchange(self, command: int, body: bytes) -> bytes:
        """What an encapsulated command is answered, behind the header."""
        frame = struct.pack("<HH4sI8sI", command, len(body), self.handle, 0, CONTEXT, 0) + body
        reply = self.session.answer(frame)
        assert reply is not None
        assert reply[:24] == struct.pack("<HH4sI8sI", command, len(reply) - 24, self.handle, 0, CONTEXT, 0)
        return reply[24:]

    def open(self, forward_open: bytes) -> bytes:
        """Opens the connection of a Forward Open as it was logged, and gives its reply."""
        reply = self.unconnected(forward_open)
        assert reply[2] == 0, reply.hex()
        self.o_t, self.t_o = reply[4:8], reply[8:12]
        return reply


def logix() -> Wired:
    """A ControlLogix."""
    return Wired(TAGS, (RECIPE,), LOGIX.name)


def micrologix() -> Wired:
    """A MicroLogix 1400."""
    return Wired(DATA_FILES, (), MICROLOGIX.name)
