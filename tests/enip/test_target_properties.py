"""Whatever comes, a session answers, stays silent, or says that it was no frame."""

from hypothesis import given
from hypothesis import strategies as st

from node.cip.unconnected import UnconnectedSend, encode_unconnected_send
from node.enip.framing import FrameBuffer
from node.enip.header import HEADER
from node.errors import RemoteProtocolError
from node.objects.onward import Onward
from node.objects.routes import parse_subnet
from tests.enip.test_target import Pair, connect, frame, rr, unit
from tests.objects.devices import build, name, request

DEVICE = build()
COMMANDS = st.sampled_from((0x00, 0x04, 0x63, 0x64, 0x65, 0x66, 0x6F, 0x70, 0x71))


def check(pair: Pair, data: bytes) -> None:
    """A reply is one whole frame that copies command and context."""
    try:
        reply = pair.session.answer(data)
    except RemoteProtocolError:
        assert len(data) < HEADER.size
        return
    if reply is not None:
        assert FrameBuffer().feed(reply) == [reply]
        assert reply[:2] == data[:2]
        assert reply[12:20] == data[12:20]
        assert len(reply) <= 46 + 504


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    check(Pair(DEVICE), data)


@given(COMMANDS, st.binary(max_size=120), st.booleans())
def test_any_data_of_any_command(command: int, data: bytes, registered: bool) -> None:
    pair = Pair(DEVICE)
    session = pair.register() if registered else "00000000"
    check(pair, frame(command, data.hex(), session))
    pair.session.leave()


GOOD = request(0x4C, name("SCADA"), "0100")


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), min_size=1, max_size=4), st.booleans())
def test_good_frames_with_bytes_changed(changes: list[tuple[int, int]], connected: bool) -> None:
    pair = Pair(DEVICE)
    handle = pair.register()
    good = unit(connect(pair, handle), 1, GOOD, handle) if connected else rr(GOOD, handle)
    data = bytearray(good)
    for offset, value in changes:
        data[offset % len(data)] = value
    check(pair, bytes(data))
    pair.session.leave()
    assert len(DEVICE.connections) == 0


@given(st.binary(max_size=60))
def test_the_failure_of_any_frame_is_a_reply_or_nothing(data: bytes) -> None:
    pair = Pair(DEVICE)
    whole = data.ljust(HEADER.size, b"\0")
    reply = pair.session.failure(whole)
    assert reply is None or reply[:2] == whole[:2]


def test_the_session_is_as_good_as_new_afterwards() -> None:
    pair = Pair(DEVICE)
    handle = pair.register()
    assert pair.ask(rr(GOOD, handle)) == rr("cc000000c40000000000", handle).hex()


GATEWAY = build(onward=parse_subnet("127.64.0.0/10"))
ROUTES = st.lists(
    st.sampled_from(
        ("0100", "120a3132372e36342e312e35", "12083130302e302e312e", "20022401", "34040000000000000000", "4305")
    ),
    max_size=4,
).map("".join)


@given(
    st.sampled_from((0x52, 0x54, 0x5B, 0x4E)),
    st.binary(min_size=20, max_size=44),
    ROUTES,
    st.booleans(),
    st.sampled_from((0x0204, 0x0301, 0x0312)),
    st.binary(max_size=40),
)
def test_what_is_sent_on_comes_back_as_a_reply_whatever_becomes_of_it(
    service: int, head: bytes, route: str, connected: bool, status: int, answer: bytes
) -> None:
    pair = Pair(GATEWAY)
    handle = pair.register()
    words = len(bytes.fromhex(route)) // 2
    if service == 0x52:
        data = encode_unconnected_send(UnconnectedSend(head, bytes.fromhex(route)))
    else:
        data = head.ljust(35 if service == 0x54 else 39, b"\xa3")[:-1] + bytes((words,)) + bytes.fromhex(route)
    message = request(service, "20062401", data.hex())
    sent = unit(connect(pair, handle), 1, message, handle) if connected else rr(message, handle)
    try:
        reply = pair.session.answer(sent)
    except Onward as onward:
        try:
            back = onward.answer(answer)
        except RemoteProtocolError:
            back = onward.fail(status)
        reply = pair.session.finish(sent, back)
    assert reply is not None
    assert FrameBuffer().feed(reply) == [reply]
    assert reply[:2] == sent[:2]
    assert reply[12:20] == sent[12:20]
    pair.session.leave()
    assert len(GATEWAY.connections) == 0
