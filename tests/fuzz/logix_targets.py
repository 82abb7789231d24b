"""More of what is fuzzed: a Logix controller with structures, programs and connections, a MicroLogix, and the codecs of
what they say.

Requests that only read are put twice, for the second answer may come from a plan and must be the same.
"""

import contextlib
import math
from collections.abc import Callable

from node.cip import browse, definition, message, pccc, pccc_status, slc_directory
from node.cip.services import REPLY
from node.cip.structure_values import StructureValue, decode_structure, encode_structure, lay_over
from node.cip.unconnected import UNCONNECTED_LIMIT
from node.config.object_files import parse_object_file
from node.config.places import places, root
from node.enip.target import TargetSession
from node.errors import NodeError
from node.exchange.metrics import Metrics
from tests.peers.wire_device import REGISTER, TAGS, logix, micrologix
from tests.vectors import read_vectors

LOGIX = logix()
MICROLOGIX = micrologix()
FORWARD_OPEN = read_vectors("pycomm3_requests")["large_forward_open"].data
READS = (0x01, 0x03, 0x0E, 0x4C, 0x52, 0x55)
MANAGER = b"\x20\x06\x24\x01"
LIMITS = (8, 30, UNCONNECTED_LIMIT, 4000)
RECIPE = next(iter(LOGIX.templates.values()))
SPOTS = [tag for tag in TAGS if tag.name in ("SCADA", "Cube", "BA", "STR", "U", "UA")]


def requests_to_logix(data: bytes) -> None:
    """A Message Router request; the first byte chooses how much the reply may be."""
    if len(data) < 2:
        return
    limit, request = LIMITS[data[0] % len(LIMITS)], data[1:]
    _ask(request, limit)


def paths_in_logix(data: bytes) -> None:
    """A path, cut to whole words, for a read, a write and a bit."""
    path = data[: len(data) & ~1][:510]
    head = bytes((len(path) >> 1,)) + path
    for service, rest in ((0x4C, b"\1\0"), (0x0E, b""), (0x4D, b"\xc4\0\1\0\0\0\0\0"), (0x4E, b"\1\0\1\1")):
        _ask(bytes((service,)) + head + rest, 4000)


def connected(data: bytes) -> None:
    """A session with a connection, and what comes on it: each message behind a byte of its length."""
    device = LOGIX.device
    session = TargetSession(device.router, device.connections, lambda: b"", Metrics())
    session.answer(REGISTER)
    handle = session.handle.to_bytes(4, "little")
    opened = session.answer(_frame(0x6F, handle, _items(b"\0\0\0\0", b"\xb2\0", FORWARD_OPEN)))
    assert opened is not None
    ident, number = opened[44:48], 0
    while data:
        request, data = data[1 : 1 + data[0]], data[1 + data[0] :]
        number += 1
        body = number.to_bytes(2, "little") + request
        reply = session.answer(_frame(0x70, handle, _items(b"\xa1\0\4\0" + ident, b"\xb1\0", body)))
        if reply is None or len(reply) > 4002 + 44:
            raise AssertionError(f"{request.hex()} was answered {reply!r}")
    session.leave()
    if len(device.connections):
        raise AssertionError(f"{len(device.connections)} connections after their socket was gone")


def routing(data: bytes) -> None:
    """What the Connection Manager is sent: the first byte is the service."""
    if data:
        session = TargetSession(LOGIX.device.router, LOGIX.device.connections, lambda: b"", Metrics())
        for service in (data[0], 0x52, 0x54, 0x5B, 0x4E):
            _ask(bytes((service, 2)) + MANAGER + data[1:], UNCONNECTED_LIMIT, session)
        session.leave()


def execute_pccc(data: bytes) -> None:
    """A PCCC message on a MicroLogix, and both of its codecs."""
    router = MICROLOGIX.device.router
    for request in (data, b"\x4b\x02\x20\x67\x24\x01\x07\x09\x10\x66\xbb\xf6\x56" + data):
        if request:
            message.decode_reply(router.request(request))
    for decode in (pccc.decode_command, pccc.decode_answer, pccc.decode_address, pccc_status.decode_status):
        with contextlib.suppress(NodeError):
            decode(data)
    for layout in (slc_directory.SLC, slc_directory.MICROLOGIX_1100, slc_directory.MICROLOGIX_1400):
        with contextlib.suppress(NodeError):
            slc_directory.decode_directory(layout, data)


def browsing(data: bytes) -> None:
    """Pages of symbols and definitions of structures, as a client reads them."""
    for attributes in ((1, 2, 8), (1, 2, 3, 5, 6, 8, 10), (10, 7, 1), (99,)):
        with contextlib.suppress(NodeError):
            symbols = browse.decode_symbols(data, attributes)
            again = b"".join([browse.encode_symbol(number, told, attributes) for number, told in symbols])
            if again != data and not _lengths_with_gaps(symbols):
                raise AssertionError(f"{data.hex()} became {again.hex()}")
    for count in (0, 1, 3, 0xFFFF):
        with contextlib.suppress(NodeError):
            definition.decode_definition(data, count)
    with contextlib.suppress(NodeError):
        offset, size = definition.decode_template_read(data)
        if len(definition.read_definition(data, offset, size)) > size:
            raise AssertionError(f"more than the {size} bytes that were asked for")


def structures(data: bytes) -> None:
    """Bytes to values and back: what a person sees must give the same values again."""
    with contextlib.suppress(NodeError):
        value = decode_structure(RECIPE, data)
        again = decode_structure(RECIPE, encode_structure(RECIPE, value))
        if not _same(value, again):
            raise AssertionError(f"{value} became {again}")
        if not _same(decode_structure(RECIPE, lay_over(RECIPE, data[: RECIPE.size], {})), value):
            raise AssertionError(f"{value} changed though nothing was laid over it")
    text = data.decode("iso-8859-1")
    for tag in SPOTS:
        spot = root(tag, LOGIX.templates)
        assert spot is not None
        with contextlib.suppress(NodeError):
            list(places(spot, text))


def object_files(data: bytes) -> None:
    """A `cpppo.cfg`."""
    with contextlib.suppress(NodeError):
        parse_object_file(data.decode("utf-8", "replace"), "fuzz.cfg")


def _ask(request: bytes, limit: int, origin: object = None) -> None:
    router = LOGIX.device.router
    reply = router.request(request, origin=origin, limit=limit)
    told = message.decode_reply(reply)
    if told.service | REPLY != request[0] | REPLY and request[0] != 0x52:
        raise AssertionError(f"{request.hex()} was answered {reply.hex()}")
    if len(reply) > limit and told.status in (0, 6):
        raise AssertionError(f"{len(reply)} bytes where {limit} were allowed: {request.hex()}")
    if request[0] in READS and request[0] != 0x52 and router.request(request, origin=origin, limit=limit) != reply:
        raise AssertionError(f"{request.hex()} is answered otherwise the second time")


def _frame(command: int, handle: bytes, body: bytes) -> bytes:
    return command.to_bytes(2, "little") + len(body).to_bytes(2, "little") + handle + bytes(16) + body


def _items(address: bytes, kind: bytes, data: bytes) -> bytes:
    return bytes(6) + b"\2\0" + address + kind + len(data).to_bytes(2, "little") + data


def _lengths_with_gaps(symbols: list[tuple[int, browse.SymbolValues]]) -> bool:
    """Trailing lengths of 0 cannot be told from none."""
    return any(len(told.lengths) != 0 for _, told in symbols)


def _same(one: StructureValue, other: StructureValue) -> bool:
    """Equal, where a NaN equals a NaN."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return one == other


LOGIX_TARGETS: dict[str, Callable[[bytes], None]] = {
    "logix": requests_to_logix,
    "paths": paths_in_logix,
    "connected": connected,
    "routing": routing,
    "pccc": execute_pccc,
    "browse": browsing,
    "structures": structures,
    "object files": object_files,
}
