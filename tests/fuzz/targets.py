"""What is fuzzed: a function of bytes each, which may raise its protocol's own errors and nothing else.

Everything a peer can reach with bytes alone has a target: both framers, the encapsulation and what it carries, the
Message Router behind a live session, Modbus units, the replies that our clients read, and the texts people type.
"""

import contextlib
from collections.abc import Callable

from node.capture.dissect import TAKES, dissect
from node.cip import attribute_services, epath, forward, message, multiple, path_text, tag_services, types, unconnected
from node.cip.predefined import STRING
from node.cip.text import SSTRING
from node.config.model import IdentityConfig
from node.config.tagspec import parse_tag
from node.enip import commands
from node.enip.framing import FrameBuffer
from node.enip.target import TargetSession, answer_datagram
from node.errors import NodeError
from node.exchange.metrics import Metrics
from node.memory.attribute import Attribute, Instant
from node.memory.tags import TagTable
from node.memory.text_attribute import TextAttribute
from node.modbus import identification, pdu
from node.modbus.adu import TcpFramer, encode_adu
from node.modbus.ascii import AsciiFramer
from node.modbus.bank import RegisterBank
from node.modbus.ranges import parse_range
from node.modbus.rtu import RtuFramer
from node.modbus.unit import Unit
from node.modbus.units import Units
from node.objects.device import Device, build_device
from node.objects.identity import identity_item
from tests.fuzz.logix_targets import LOGIX_TARGETS
from tests.fuzz.modbus_targets import MODBUS_TARGETS

Target = Callable[[bytes], None]

REGISTER = bytes.fromhex("65000400" + "00" * 20 + "01000000")


def tags() -> TagTable:
    """One tag of each make, some seen through both protocols."""
    table = TagTable()
    table.add("SCADA", Attribute(types.DINT, (100,)))
    table.add("FLAG", Attribute(types.BOOL))
    table.add("CUBE", Attribute(types.INT, (2, 3, 4)))
    table.add("TEXT", TextAttribute(SSTRING, (4,)))
    table.add("NAME", TextAttribute(STRING, (2,)))
    table.add("AT", Attribute(types.REAL, (10,)), (0x93, 1, 10))
    table.add("COILS", Attribute(types.BOOL, (64,)))
    table.add("FIXED", Attribute(types.UINT, (4,), writable=False))
    return table


def device() -> Device:
    """A Logix controller with those tags."""
    identity = IdentityConfig(1, 14, 54, (20, 11), 0x3060, 1, "1756-L61/B LOGIX5561", 3)
    return build_device(identity, tags(), Instant(), address="127.0.0.1")


def units() -> Units:
    """Two Modbus units with the same tags."""
    table = tags()
    bank = RegisterBank()
    for where, start, count, name, order in (
        ("holding", 0, 200, "SCADA", "CDAB"),
        ("holding", 200, 20, "AT", "ABCD"),
        ("holding", 300, 4, "FIXED", "ABCD"),
        ("input", 10, 20, "AT", "BADC"),
        ("coils", 0, 64, "COILS", "ABCD"),
        ("discrete", 5, 1, "FLAG", "ABCD"),
    ):
        attribute = table.by_name(name)
        assert attribute is not None
        bank.add(where, start, count, attribute, order)
    known = identification.Identification({0: "Maker", 1: "Code", 2: "1.0", 0x80: "x" * 200})
    return Units({1: Unit(bank, known), 5: Unit(RegisterBank())})


DEVICE = device()
UNITS = units()


def listed() -> bytes:
    """The ListIdentity reply."""
    return commands.encode_list_identity(identity_item(DEVICE.identity, "127.0.0.1", 44818))


def framing(data: bytes) -> None:
    """Frames must not depend on where the bytes were cut."""
    cut, body = (data[0], data[1:]) if data else (0, b"")
    for whole, split in ((FrameBuffer(), FrameBuffer()), (TcpFramer(), TcpFramer())):
        with contextlib.suppress(NodeError):
            expected = whole.feed(body)
            got = split.feed(body[:cut]) + split.feed(body[cut:])
            if got != expected:
                raise AssertionError(f"cut at {cut}: {got} instead of {expected}")


def encapsulation(data: bytes) -> None:
    """A live session of its own, with its handle where the input says so, and a datagram."""
    session = TargetSession(DEVICE.router, DEVICE.connections, listed, Metrics())
    with contextlib.suppress(NodeError):
        session.answer(REGISTER)
        handle = session.handle.to_bytes(4, "little")
        for frame in FrameBuffer().feed(data):
            session.answer(frame[:4] + handle + frame[8:] if frame[4:8] == b"\xff" * 4 else frame)
    session.leave()
    answer_datagram(data, listed)


def routed(data: bytes) -> None:
    """A Message Router request: every one has a reply that can be read."""
    if data:
        message.decode_reply(DEVICE.router.request(data))


def requests(data: bytes) -> None:
    """Every payload of a request, each by itself."""
    for decode in (
        message.decode_request,
        tag_services.decode_read_tag,
        tag_services.decode_read_fragmented,
        tag_services.decode_write_tag,
        tag_services.decode_write_fragmented,
        tag_services.decode_read_modify_write,
        multiple.decode_multiple,
        unconnected.decode_unconnected_send,
        forward.decode_forward_close,
        attribute_services.decode_get_attribute_list,
        commands.decode_register_session,
        commands.decode_unconnected,
        commands.decode_connected,
        pdu.decode_request,
    ):
        with contextlib.suppress(NodeError):
            decode(data)
    for large in (False, True):
        with contextlib.suppress(NodeError):
            forward.decode_forward_open(data, large)


def replies(data: bytes) -> None:
    """Everything that a client of ours reads from a server."""
    for decode in (
        message.decode_reply,
        tag_services.decode_read_reply,
        multiple.decode_multiple_reply,
        forward.decode_forward_opened,
        forward.decode_forward_closed,
        commands.decode_list_identity,
        commands.decode_list_services,
        commands.decode_list_interfaces,
        pdu.decode_reply,
        identification.decode_identification_reply,
    ):
        with contextlib.suppress(NodeError):
            decode(data)


def paths(data: bytes) -> None:
    """Padded and packed; what decodes must encode and decode to the same again."""
    for padded in (True, False):
        with contextlib.suppress(NodeError):
            segments = epath.decode_epath(data, padded)
            again = epath.decode_epath(epath.encode_epath(segments, padded), padded)
            if again != segments:
                raise AssertionError(f"{segments} became {again}")


def modbus(data: bytes) -> None:
    """A PDU to a configured unit, one to another, and the bytes as an ADU."""
    for unit in (1, 5, 9):
        if 0 < len(data) <= 253:
            UNITS.answer(encode_adu(7, unit, data), 0.0)
    with contextlib.suppress(NodeError):
        for adu in TcpFramer().feed(data):
            UNITS.answer(adu, 0.0)


def lines(data: bytes) -> None:
    """The bytes of a line, in one go and in two; and as a frame with its right check."""
    half = len(data) // 2
    for framer in (RtuFramer((1, 5)), AsciiFramer((1, 5))):
        found = [*framer.feed(data, 0.0), *framer.quiet()]
        found += [*framer.feed(data[:half], 1.0), *framer.feed(data[half:], 1.001), *framer.quiet()]
        if 0 < len(data) <= 253:
            frame = framer.encode(1, data)
            found += [*framer.feed(frame, 5.0), *framer.quiet()]
        for frame in found:
            UNITS.answer_station(*framer.decode(frame), 0.0)
        if framer.pending:
            raise AssertionError(f"{framer.pending} bytes are left after a silence")


def text(data: bytes) -> None:
    """What people type."""
    words = data.decode("iso-8859-1")
    for parse in (path_text.parse_path, path_text.parse_route, parse_tag, parse_range):
        with contextlib.suppress(NodeError):
            parse(words)


def taken_apart(data: bytes) -> None:
    """As every protocol: a fault is one of the bytes."""
    for protocol in ("", *TAKES):
        fault = dissect(data, protocol).fault
        if fault is not None and not 0 <= fault.offset <= len(data):
            raise AssertionError(f"{protocol}: {fault}")


TARGETS: dict[str, Target] = {
    "framing": framing,
    "encapsulation": encapsulation,
    "requests": requests,
    "replies": replies,
    "epath": paths,
    "message": routed,
    "modbus": modbus,
    "lines": lines,
    "text": text,
    "dissect": taken_apart,
    **MODBUS_TARGETS,
    **LOGIX_TARGETS,
}
