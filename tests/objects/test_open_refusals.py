"""Every reason a Forward Open is refused for, with every byte of the refusal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.forward import MULTICAST, NULL, NetworkParameters
from node.cip.status import EXTENDED_STATUS
from node.objects.device import Device
from node.objects.profiles import Profile
from node.objects.routes import Route
from tests.objects.devices import ask, build, request
from tests.objects.test_connection_manager import CLOSE, MANAGER, TRIPLET, open_request


def size(size: int, **changes: object) -> NetworkParameters:
    return NetworkParameters(size, **changes)  # type: ignore[arg-type]


def path(text: str) -> bytes:
    return bytes.fromhex(text)


ROUTER = "2002 2401"
IDENTITY = "2001 2401"
ASSEMBLIES = "2004 2497 2c96 2c64"

REFUSALS: dict[str, tuple[dict[str, object], str, int]] = {
    "of class 0": ({"transport": 0x80}, "0301", 0),
    "of class 1, as I/O scanners ask for it": ({"transport": 0x01, "path": path(ASSEMBLIES)}, "0301", 0),
    "of class 2": ({"transport": 0xA2}, "0301", 0),
    "of a class that does not exist": ({"transport": 0xA7}, "1c01", 0),
    "with a trigger that does not exist": ({"transport": 0xB3}, "1d01", 0),
    "with the target as client": ({"transport": 0x23}, "1e01", 0),
    "without O->T": ({"o_t": size(500, connection_type=NULL)}, "2301", 0),
    "multicast O->T": ({"o_t": size(500, connection_type=MULTICAST)}, "2301", 0),
    "of a reserved type O->T": ({"o_t": size(500, connection_type=3)}, "2301", 0),
    "without T->O": ({"t_o": size(500, connection_type=NULL)}, "2401", 0),
    "multicast T->O": ({"t_o": size(500, connection_type=MULTICAST)}, "2401", 0),
    "with a redundant owner": ({"o_t": size(500, redundant_owner=True)}, "0801", 0),
    "too large O->T": ({"o_t": size(4003)}, "0901 a20f", 0),
    "too large T->O": ({"t_o": size(65535)}, "0901 a20f", 0),
    "too small O->T": ({"o_t": size(7)}, "2701 0800", 0),
    "too small T->O": ({"t_o": size(0)}, "2801 0800", 0),
    "without an interval": ({"o_t_rpi": 0}, "1101", 0),
    "with an impossible multiplier": ({"timeout_multiplier": 8}, "1101", 0),
    "with an interval that is too short": ({"o_t_rpi": 999}, "1201 0200 e803 0000 8084 1e00", 0),
    "to another vendor": ({"path": path("3404 0200 0000 0000 00 00" + ROUTER)}, "1401", 0),
    "to another product": ({"path": path("3404 0100 0e00 3700 00 00" + ROUTER)}, "1401", 0),
    "to another type": ({"path": path("3404 0100 0c00 0000 00 00" + ROUTER)}, "1501", 0),
    "to another major revision": ({"path": path("3404 0100 0e00 3600 15 00" + ROUTER)}, "1601", 0),
    "to another minor revision": ({"path": path("3404 0100 0e00 3600 14 05" + ROUTER)}, "1601", 0),
    "to a minor revision still to come": ({"path": path("3404 0100 0e00 3600 94 0c" + ROUTER)}, "1601", 0),
    "nowhere": ({"path": b""}, "1701", 0),
    "to a slot": ({"path": path("0100")}, "1701", 0),
    "to an assembly": ({"path": path("2004 2464")}, "1701", 0),
    "to the class of the Message Router": ({"path": path("2002")}, "1701", 0),
    "to another instance of it": ({"path": path("2002 2402")}, "1701", 0),
    "to an attribute of it": ({"path": path(ROUTER + "3001")}, "1701", 0),
    "to a tag": ({"path": path("91034f4e4500")}, "1701", 0),
    "to four applications": ({"path": path(ROUTER * 4)}, "1701", 0),
    "with configuration data": ({"path": path(ROUTER + "8001 0000")}, "2601 0000", 0),
    "with a configuration and its data": ({"path": path("2004 2497" + ROUTER + "8001 0000")}, "1801", 0),
    "with a configuration": ({"path": path(ASSEMBLIES)}, "2901", 0),
    "to another consumer": ({"path": path(IDENTITY + ROUTER)}, "2a01", 0),
    "to another producer": ({"path": path(ROUTER + IDENTITY)}, "2b01", 0),
    "to another consumer, configured by the Message Router": ({"path": path(ROUTER + "2402 2401")}, "2a01", 0),
    "to another producer of three": ({"path": path(ROUTER + "2401 2402")}, "2b01", 0),
    "over a segment that does not exist": ({"path": path("e000" + ROUTER)}, "1503", 3),
    "over a segment cut short": ({"path": path(ROUTER + "3404")}, "1503", 3),
    "with a key of another format": ({"path": path("3405 0000 0000 0000 0000" + ROUTER)}, "1503", 7),
}


def refusal(service: str, status: str, words: int) -> str:
    extended = bytes.fromhex(status)
    return f"{service}0001{len(extended) // 2:02x}{extended.hex()}{TRIPLET}{words:02x}00".replace(" ", "")


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(case: str) -> None:
    changes, status, words = REFUSALS[case]
    device = build()
    assert ask(device, open_request(large=True, **changes)) == refusal("db", status, words)
    assert len(device.connections) == 0
    assert ask(device, request(0x0E, MANAGER + "3004")) == "8e0000000100"


ROUTED: dict[str, tuple[Route, str, str]] = {
    "another slot": (((1, 0),), "0101", "1203"),
    "another port": (((1, 0),), "0300", "1103"),
    "a slot and a further one": (((1, 0),), "0100 0100", "1103"),
    "a slot, where there is no backplane": ((), "0100", "1103"),
    "a slot, where two hops lead": (((1, 0), (2, 7)), "0100", "1503"),
}


@pytest.mark.parametrize("case", ROUTED)
def test_routes_of_opens(case: str) -> None:
    route, hops, status = ROUTED[case]
    whole = path(hops + ROUTER)
    assert ask(build(route), open_request(path=whole)) == refusal("d4", status, len(whole) // 2)
    assert ask(build(route), open_request(path=path(ROUTER))).startswith("d4000000")


TAKEN: dict[str, dict[str, object]] = {
    "the smallest": {"o_t": size(8), "t_o": size(8)},
    "the largest": {"o_t": size(4002), "t_o": size(4002)},
    "of fixed size": {"o_t": size(500, variable=False), "t_o": size(500, variable=False)},
    "urgent": {"o_t": size(500, priority=3), "t_o": size(500, priority=3)},
    "cyclic, which a server overlooks": {"transport": 0x83},
    "on change, which a server overlooks": {"transport": 0x93},
    "every millisecond": {"o_t_rpi": 1000, "t_o_rpi": 0},
    "in wide segments": {"path": path("0100 2100 0200 2500 0100")},
    "with an inhibit time": {"path": path("4305" + ROUTER)},
    "with the Message Router as consumer and producer": {"path": path(ROUTER * 2)},
    "with the Message Router as everything": {"path": path(ROUTER * 3)},
}


@pytest.mark.parametrize("case", TAKEN)
def test_what_is_taken(case: str) -> None:
    assert ask(build(), open_request(large=True, **TAKEN[case])).startswith("db000000")


def test_the_small_form_has_a_largest_size_of_its_own() -> None:
    assert ask(build(), open_request(o_t=size(511), t_o=size(511))).startswith("d4000000")


def of_profile(**changes: object) -> Device:
    values: dict[str, object] = {
        "name": "small",
        "device_type": 14,
        "product_code": 54,
        "revision": (20, 11),
        "product_name": "small",
    }
    return build(profile=Profile(**(values | changes)))  # type: ignore[arg-type]


def test_a_device_of_small_connections_says_what_it_takes() -> None:
    device = of_profile(largest=504)
    for large, service in ((True, "db"), (False, "d4")):
        reply = ask(device, open_request(large=large, t_o=size(505)))
        assert reply == refusal(service, "0901 f801", 0)
    assert ask(device, open_request(large=True, o_t=size(504), t_o=size(504))).startswith("db000000")


def test_a_device_without_the_large_form_makes_clients_take_the_small_one() -> None:
    device = of_profile(large=False)
    assert ask(device, open_request(large=True)) == "db000800"
    assert ask(device, open_request()).startswith("d4000000")


def test_a_device_without_packets_of_many_services_says_so() -> None:
    packet = request(0x0A, ROUTER, "0100 0400 0e03 2001 2401 3001")
    assert ask(build(), packet).startswith("8a000000")
    assert ask(of_profile(multiple=False), packet) == "8a000800"


def test_a_duplicate_is_refused() -> None:
    device = build()
    ask(device, open_request())
    assert ask(device, open_request()) == refusal("d4", "0001", 0)
    assert len(device.connections) == 1
    ask(device, CLOSE)
    assert ask(device, open_request()).startswith("d4000000")


def test_there_are_only_so_many() -> None:
    device = build(limit=2)
    for serial in (1, 2):
        assert ask(device, open_request(serial=serial)).startswith("d4000000")
    assert ask(device, open_request(serial=7)) == refusal("d4", "1301", 0)
    assert ask(device, request(0x0E, MANAGER + "3003")) == "8e0000000100"


def test_one_tcp_connection_gets_a_share() -> None:
    device = build(limit=64)
    mine, other = object(), object()
    for serial in range(16, 32):
        assert device.router.request(open_request(serial=serial), origin=mine)[2] == 0
    reply = device.router.request(open_request(), origin=mine)
    assert reply.hex() == refusal("d4", "1a01", 0)
    assert ask(device, request(0x0E, MANAGER + "3003")) == "8e0000000100"
    assert device.router.request(open_request(), origin=other)[2] == 0


def test_a_close_of_nothing() -> None:
    assert ask(build(), CLOSE) == refusal("ce", "0701", 0)


def test_every_status_has_a_name() -> None:
    for _, status, _ in REFUSALS.values():
        assert (0x01, int.from_bytes(bytes.fromhex(status)[:2], "little")) in EXTENDED_STATUS


PARAMETERS = st.builds(
    NetworkParameters, st.integers(0, 5000), st.booleans(), st.integers(0, 3), st.integers(0, 3), st.booleans()
)


@given(
    PARAMETERS,
    PARAMETERS,
    st.integers(0, 0xFF),
    st.integers(0, 0xFF),
    st.sampled_from((0, 1, 999, 1000, 0xFFFFFFFF)),
    st.binary(max_size=20).filter(lambda raw: len(raw) % 2 == 0),
)
def test_any_open_is_taken_or_refused_with_its_triplet(
    o_t: NetworkParameters, t_o: NetworkParameters, transport: int, multiplier: int, rpi: int, raw: bytes
) -> None:
    changes = {"o_t": o_t, "t_o": t_o, "transport": transport, "timeout_multiplier": multiplier, "o_t_rpi": rpi}
    reply = build().router.request(open_request(large=True, path=raw, **changes))
    if reply[2]:
        assert reply[2] == 1
        extended = int.from_bytes(reply[4:6], "little")
        assert (1, extended) in EXTENDED_STATUS
        assert reply[4 + 2 * reply[3] :].hex().startswith(TRIPLET.replace(" ", ""))
    else:
        assert transport & 0x8F == 0x83
