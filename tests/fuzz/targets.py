"""What is fuzzed: a function of bytes each, which may raise its protocol's own errors and nothing else.

Everything a peer can reach with bytes alone has a target: both framers, the encapsulation and what it carries, the
Message Router behind a live session, Modbus units, and the replies that our clients read.
"""

from collections.abc import Callable

from node.cip import (
    attribute_services,
    epath,
    forward,
    message,
    multiple,
    path_text,
    tag_services,
    unconnected,
)
from node.cip.status import CipError
from node.config.model import (
    EnipConfig,
    IdentityConfig,
    ModbusConfig,
    NodeConfig,
    RegisterBlock,
    TagConfig,
    UnitConfig,
)
from node.controller import Controller
from node.enip import commands, cpf
from node.enip.framing import FrameBuffer
from node.errors import ProtocolError
from node.modbus.adu import TcpFramer
from node.modbus.pdu import ModbusError

Target = Callable[[bytes], None]

ALLOWED = (ProtocolError, CipError, ModbusError)

NODE = NodeConfig(
    name="fuzz",
    kind="gateway",
    profile="1756-L61",
    address="127.0.0.1",
    tags=(
        TagConfig("SCADA", "DINT", (100,)),
        TagConfig("FLAG", "BOOL"),
        TagConfig("CUBE", "INT", (2, 3, 4)),
        TagConfig("TEXT", "SSTRING", (4,)),
        TagConfig("NAME", "STRING", (2,)),
        TagConfig("AT", "REAL", (10,), address=(0x93, 1, 10)),
        TagConfig("COILS", "BOOL", (64,)),
    ),
    enip=EnipConfig(IdentityConfig(1, 14, 54, (20, 11), 0x3060, 1, "1756-L61/B LOGIX5561")),
    modbus=ModbusConfig(
        units=(
            UnitConfig(
                1,
                (
                    RegisterBlock("holding", 0, 200, "SCADA", "CDAB"),
                    RegisterBlock("input", 10, 20, "AT", "ABCD"),
                    RegisterBlock("coils", 0, 64, "COILS"),
                ),
            ),
        ),
        device_id=((0, "Maker"), (1, "Code"), (2, "1.0")),
    ),
)


def _both(framer: FrameBuffer | TcpFramer, data: bytes) -> None:
    """Whole, then cut in two: the frames must not depend on where the bytes were cut."""
    cut = data[0] if data else 0
    framer.feed(data[1:cut])
    framer.feed(data[cut:])


def _target(answer: Callable[[bytes], object]) -> Target:
    def run(data: bytes) -> None:
        with contextlib.suppress(*ALLOWED):
            answer(data)

    return run


def _replies(data: bytes) -> None:
    """Everything that a client of ours reads from a server."""
    for decode in (
        message.decode_reply,
        tag_services.decode_read_reply,
        multiple.decode_multiple_reply,
        forward.decode_forward_opened,
        commands.decode_list_identity,
        commands.decode_list_services,
        commands.decode_unconnected,
        commands.decode_connected,
        modbus_decode_reply,
    ):
        with contextlib.suppress(*ALLOWED):
            decode(data)


def _requests(data: bytes) -> None:
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
        decode_request,
    ):
        with contextlib.suppress(*ALLOWED):
            decode(data)
    for large in (False, True):
        with contextlib.suppress(*ALLOWED):
            forward.decode_forward_open(data, large)


def _epath(data: bytes) -> None:
    """Both forms; what decodes must encode and decode to the same again."""
    for padded in (True, False):
        with contextlib.suppress(*ALLOWED):
            segments = epath.decode_epath(data, padded)
            again = epath.decode_epath(epath.encode_epath(segments, padded), padded)
            if again != segments:
                raise AssertionError(f"{segments} became {again}")
