"""What is to be sent on, byte for byte, and what becomes of its answer."""

import pytest

from node.cip.forward import NetworkParameters, decode_forward_close, decode_forward_open
from node.cip.message import decode_request
from node.cip.unconnected import UnconnectedSend, encode_unconnected_send
from node.errors import RemoteProtocolError
from node.objects.device import Device
from node.objects.onward import MAX_WAIT, OPEN_WAIT, Onward, OnwardMessage, OnwardOpen, OnwardSend, Relay
from node.objects.routes import parse_subnet
from tests.objects.devices import ask, build, request
from tests.objects.test_connection_manager import CLOSE, MANAGER, ONE, TRIPLET, open_request

THERE = ("127.64.1.5", 44818)
HOP = "120a 3132372e36342e312e35"
OTHER = "120a 3132372e36342e312e36"
ROUTER = "2002 2401"
OK = bytes.fromhex("cc000000c40007000000")


def gateway(**options: object) -> Device:
    return build(onward=parse_subnet("127.64.0.0/10"), **options)  # type: ignore[arg-type]


def path(text: str) -> bytes:
    return bytes.fromhex(text)


def send(message: bytes, route: str, tick: int = 0x0A, ticks: int = 0x05) -> bytes:
    data = encode_unconnected_send(UnconnectedSend(message, path(route), tick, ticks))
    return request(0x52, MANAGER, data.hex())


def raised(device: Device, message: bytes, origin: object = None, limit: int = 504) -> Onward:
    with pytest.raises(Onward) as caught:
        device.router.request(message, origin=origin, limit=limit)
    return caught.value


def test_the_last_router_sends_the_embedded_message_itself() -> None:
    onward = raised(gateway(), send(ONE, "0100" + HOP))
    assert isinstance(onward, OnwardSend)
    assert (onward.address, onward.message, onward.relay, onward.connected) == (THERE, ONE, None, False)
    assert onward.timeout == pytest.approx(4.87)
    assert onward.answer(OK) == OK
    assert onward.answer(path("cc000401 0000")) == path("cc000401 0000")
    assert onward.fail(0x0204).hex() == "d200010104020700"


def test_a_router_before_it_sends_what_is_left_of_the_route() -> None:
    onward = raised(gateway(), send(ONE, HOP + OTHER + "0102"))
    assert onward.address == THERE
    assert onward.message.hex() == f"520220062401 0598 0a00 {ONE.hex()} 0700 {OTHER} 0102".replace(" ", "")


def test_a_long_time_is_cut() -> None:
    assert raised(gateway(), send(ONE, HOP, ticks=0xFF)).timeout == MAX_WAIT - 0.25
    assert raised(gateway(), send(ONE, HOP, 0, 4)).timeout == 0.003


def test_an_answer_must_fit_and_be_one() -> None:
    onward = raised(gateway(), send(ONE, HOP), limit=9)
    assert onward.answer(OK).hex() == "d2001b000600"
    for broken in (b"", b"\xcc\0\0", b"\x4c\0\0\0"):
        with pytest.raises(RemoteProtocolError):
            onward.answer(broken)


REFUSED = {
    "to another subnet": (send(ONE, "1208 31302e302e302e31"), "d200010112030500"),
    "by a message that asks for the same": (send(send(ONE, HOP), HOP), "d200010105020600"),
    "in no time": (send(ONE, HOP, ticks=0), "d200010105020600"),
    "of 505 bytes": (send(ONE + bytes(495), HOP), "d200010106020600"),
    "by an Unconnected Send that ends here": (send(send(ONE, HOP), "0100"), "d200010111030600"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_sent_on(case: str) -> None:
    message, reply = REFUSED[case]
    assert ask(gateway(), message) == reply


def test_nothing_of_a_packet_is_sent_on() -> None:
    packet = request(0x0A, ROUTER, "0200 0600 1000") + ONE + send(ONE, HOP)
    assert ask(gateway(), packet).endswith("d200010111030600")
    packet = request(0x0A, ROUTER, "0100 0400") + open_request(path=path(HOP + ROUTER))
    assert ask(gateway(), packet) == f"8a001e000100 0400 d400 0101 1103 {TRIPLET} 0800".replace(" ", "")


def opened(device: Device, origin: object = None, **changes: object) -> tuple[OnwardOpen, Relay]:
    onward = raised(device, open_request(True, path=path("0100" + HOP + "0100" + ROUTER), **changes), origin)
    assert isinstance(onward, OnwardOpen)
    assert onward.relay is not None
    return onward, onward.relay


SUCCESS = path(f"db000000 aaaaaaaa bbbbbbbb {TRIPLET} 80841e00 81841e00 0100 cafe")


def test_an_open_goes_on_with_an_id_of_this_side_and_the_rest_of_the_path() -> None:
    device = gateway()
    onward, relay = opened(device, o_t=NetworkParameters(4002), t_o=NetworkParameters(1000))
    further = decode_request(onward.message)
    assert (further.service, further.path.hex()) == (0x5B, "20062401")
    opening = decode_forward_open(further.data, large=True)
    assert (opening.t_o_id, opening.o_t_id) == (relay.own_id, 0)
    assert opening.path == path("0100" + ROUTER)
    assert (opening.o_t.size, opening.t_o.size, opening.triplet) == (4002, 1000, (7, 0x1337, 42))
    assert opening.patience == pytest.approx(OPEN_WAIT - 0.25, abs=0.05)
    assert onward.timeout == OPEN_WAIT - 0.25
    reply = onward.answer(SUCCESS)
    own = relay.o_t_id.to_bytes(4, "little").hex()
    assert reply.hex() == f"db000000 {own} 44332211 {TRIPLET} 80841e00 81841e00 0100 cafe".replace(" ", "")
    assert (relay.target_id, relay.alive) == (0xAAAAAAAA, True)
    assert device.connections.relay(relay.o_t_id) is relay
    assert device.connections.get(relay.o_t_id) is None


def test_a_target_s_refusal_is_passed_on_and_frees_the_place() -> None:
    device = gateway()
    onward, _ = opened(device)
    refusal = path(f"db000102 0901 f801 {TRIPLET} 0000")
    assert onward.answer(refusal) == refusal
    assert len(device.connections) == 0
    onward, _ = opened(device)
    assert onward.fail(0x0312).hex() == f"db0001011203{TRIPLET}0a00".replace(" ", "")
    assert len(device.connections) == 0


def test_an_open_holds_a_place_before_it_is_answered() -> None:
    device = gateway(limit=1)
    onward, relay = opened(device)
    assert ask(device, open_request()) == f"d40001010001{TRIPLET}0000".replace(" ", "")
    assert ask(device, open_request(serial=8)).startswith("d40001011301")
    ask(device, CLOSE)
    assert onward.answer(SUCCESS).hex() == f"db0001010701{TRIPLET}0a00".replace(" ", "")
    assert (relay.target_id, relay.alive) == (0xAAAAAAAA, False)


def test_messages_on_a_relay() -> None:
    device = gateway()
    onward, relay = opened(device)
    onward.answer(SUCCESS)
    message = relay.onward(ONE)
    assert isinstance(message, OnwardMessage)
    assert (message.message, message.relay, message.connected) == (ONE, relay, True)
    assert message.timeout == OPEN_WAIT
    assert message.answer(OK) == OK
    assert message.answer(OK + bytes(489)).hex() == "cc001100"
    assert relay.alive
    assert message.fail(0x0204).hex() == "cc0001010302"
    assert not relay.alive
    assert message.fail(0x0312).hex() == "cc000700"


def test_a_relay_that_the_target_does_not_have_any_more_ends() -> None:
    device = gateway()
    onward, relay = opened(device)
    onward.answer(SUCCESS)
    message = relay.onward(ONE)
    assert isinstance(message, OnwardMessage)
    assert message.answer(path("cc000700")) == path("cc000700")
    assert not relay.alive


def test_the_end_of_a_relay_is_told_once_with_what_closes_its_other_half() -> None:
    device = gateway()
    told: list[Relay] = []
    for serial, end in enumerate(("close", "leave", "silence", "lost")):
        origin = object()
        onward, relay = opened(device, origin, serial=serial)
        onward.answer(SUCCESS)
        relay.ended = told.append
        if end == "close":
            reply = ask(device, CLOSE.replace(path("0700 3713"), path("0000 3713")))
            assert reply == "ce000000" + "000037132a0000000000"
        elif end == "leave":
            device.connections.leave(origin)
        elif end == "silence":
            device.connections.poll(1e6)
        else:
            relay.lost()
        assert not relay.alive
        close = decode_request(relay.closing())
        assert (close.service, decode_forward_close(close.data).triplet) == (0x4E, (serial, 0x1337, 42))
        assert decode_forward_close(close.data).path == path("0100" + ROUTER)
    assert len(told) == 3
    assert len(device.connections) == 0


def test_a_connection_that_ends_here_leads_nowhere() -> None:
    device = build()
    device.router.request(open_request())
    with pytest.raises(TypeError, match="ends here"):
        next(iter(device.connections)).onward(ONE)
