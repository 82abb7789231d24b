"""Routes, and how connections begin and end."""

import pytest

from node.cip.forward import ForwardClose, ForwardOpen, NetworkParameters, encode_forward_close, encode_forward_open
from node.cip.unconnected import UnconnectedSend, encode_unconnected_send
from node.objects.routes import Route
from tests.objects.devices import ask, build, name, request

MANAGER = "2006 2401"
ONE = request(0x4C, name("ONE"), "0100")
OK = "cc000000c40007000000"


def send(message: bytes, route: str) -> bytes:
    """An Unconnected Send."""
    data = encode_unconnected_send(UnconnectedSend(message, bytes.fromhex(route)))
    return request(0x52, MANAGER, data.hex())


IP = "1209 3132372e302e302e3100"
HOPS: Route = ((1, 0),)
TEXT_HOP: Route = ((2, "127.0.0.1"),)

ROUTES = {
    "any: a slot": (None, "0100", OK),
    "any: another slot": (None, "0105", OK),
    "any: none": (None, "", OK),
    "any: an address": (None, IP, OK),
    "any: a class": (None, "2006", "d2000101 1503 0100"),
    "none: none": ((), "", OK),
    "none: a slot": ((), "0100", "d2000101 1103 0100"),
    "none: an address": ((), IP, "d2000101 1103 0600"),
    "one: it": (HOPS, "0100", OK),
    "one: another slot": (HOPS, "0101", "d2000101 1203 0100"),
    "one: another port": (HOPS, "0200", "d2000101 1103 0100"),
    "one: none": (HOPS, "", "d2000101 1503 0000"),
    "one: two": (HOPS, "0100 0100", "d2000101 1103 0200"),
    "an address: it": (TEXT_HOP, IP, OK),
    "an address: a slot": (TEXT_HOP, "0201", "d2000101 1203 0100"),
}


@pytest.mark.parametrize("case", ROUTES)
def test_routes(case: str) -> None:
    route, path, reply = ROUTES[case]
    device = build(route)
    for _ in range(2):
        assert ask(device, send(ONE, path)) == reply.replace(" ", "")


def test_a_fault_behind_a_route_is_the_embedded_service_s_own() -> None:
    assert ask(build(), send(request(0x4C, name("NO"), "0100"), "0100")) == "cc0004010000"
    assert ask(build(), send(request(0x33, name("ONE")), "0100")) == "b3000800"


def test_a_poll_through_a_route_is_remembered() -> None:
    device = build()
    message = send(ONE, "0100")
    ask(device, message)
    assert device.router.plan_of(message) is device.router.plan_of(ONE) is not None


def test_sends_within_sends_end() -> None:
    message = ONE
    for _ in range(400):
        message = send(message, "")
    assert ask(build(), message) == "d2000800"


def opening(**changes: object) -> ForwardOpen:
    """What pylogix asks for, with a few things different."""
    values: dict[str, object] = {
        "o_t_id": 0x20000002,
        "t_o_id": 0x11223344,
        "serial": 7,
        "vendor": 0x1337,
        "originator_serial": 42,
        "o_t": NetworkParameters(500),
        "t_o": NetworkParameters(500),
        "path": bytes.fromhex("0100 2002 2401"),
        "timeout_multiplier": 3,
    }
    return ForwardOpen(**(values | changes))  # type: ignore[arg-type]


def open_request(large: bool = False, **changes: object) -> bytes:
    return request(0x5B if large else 0x54, MANAGER, encode_forward_open(opening(**changes), large).hex())


CLOSE = request(0x4E, MANAGER, encode_forward_close(ForwardClose(7, 0x1337, 42, bytes.fromhex("20022401"))).hex())
TRIPLET = "0700 3713 2a000000"


def test_open_and_close() -> None:
    device = build()
    origin = object()
    reply = device.router.request(open_request(), origin=origin)
    assert reply[:4].hex() == "d4000000"
    assert reply[8:].hex() == f"44332211{TRIPLET}80841e0080841e000000".replace(" ", "")
    connection = device.connections.get(int.from_bytes(reply[4:8], "little"))
    assert connection is not None
    assert (connection.origin, connection.t_o_id, connection.limit) == (origin, 0x11223344, 498)
    assert ask(device, request(0x0E, "2002 2401 3003")) == "8e0000000100"
    assert ask(device, CLOSE) == f"ce000000{TRIPLET}0000".replace(" ", "")
    assert len(device.connections) == 0
    assert ask(device, CLOSE) == f"ce0001010701{TRIPLET}0000".replace(" ", "")
    assert ask(device, request(0x01, MANAGER)) == "81000000" + "0100 0000 0000 0000 0200 0000 0100 0000".replace(
        " ", ""
    )


def test_a_large_open() -> None:
    device = build()
    parameters = NetworkParameters(4002)
    reply = device.router.request(open_request(large=True, o_t=parameters, t_o=parameters))
    assert reply[:4].hex() == "db000000"
    assert next(iter(device.connections)).limit == 4000


@pytest.mark.parametrize("key", ["0100 0e00 3600 14 0b", "0000 0000 0000 00 00", "0100 0e00 3600 94 05"])
def test_keys_that_match(key: str) -> None:
    device = build()
    reply = ask(device, open_request(path=bytes.fromhex(f"3404 {key} 20022401")))
    assert reply.startswith("d4000000")


def test_the_route_of_an_open_is_checked_too() -> None:
    assert ask(build(((1, 0),)), open_request(path=bytes.fromhex("0101 20022401"))).startswith("d40001011203")
    assert ask(build(((1, 0),)), open_request(path=bytes.fromhex("20022401"))).startswith("d4000000")


@pytest.mark.parametrize(("service", "data"), [(0x54, ""), (0x54, "00" * 30), (0x5B, "00" * 39), (0x4E, "00" * 11)])
def test_cut_short(service: int, data: str) -> None:
    assert ask(build(), request(service, MANAGER, data)) == f"{service | 0x80:02x}001300"


def test_silence_ends_a_connection() -> None:
    device = build()
    device.router.request(open_request(o_t_rpi=1_000_000, timeout_multiplier=0))
    connection = next(iter(device.connections))
    assert device.connections.poll(9.9)
    connection.sequence = 1
    connection.seen = 9.9
    assert device.connections.poll(13.8)
    assert not device.connections.poll(14.0)
    assert device.connections.timeouts == 1
    assert ask(device, request(0x0E, MANAGER + "3008")) == "8e0000000100"


def test_a_peer_that_leaves_takes_its_connections() -> None:
    device = build()
    mine, other = object(), object()
    for serial, origin in ((1, mine), (2, mine), (3, other)):
        device.router.request(open_request(serial=serial), origin=origin)
    device.connections.leave(mine)
    assert [connection.origin for connection in device.connections] == [other]


@pytest.mark.parametrize("service", [0x56, 0x57, 0x5A])
def test_diagnostic_services_are_not_offered(service: int) -> None:
    assert ask(build(), request(service, MANAGER, "0100")) == f"{service | 0x80:02x}000800"
