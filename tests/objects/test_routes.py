"""Routes that end at a device, and routes that lead on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.epath import Class, Port, Segment
from node.cip.status import CipError
from node.errors import ConfigError
from node.objects.routes import MAX_HOPS, Hop, Route, Routes, Subnet, parse_subnet

SLOT = Port(1, 0)
FARM = parse_subnet("127.64.0.0/10")
HERE = "127.64.0.9"


def to(text: str) -> Port:
    return Port(2, text.encode())


FAR = to("127.64.1.5")
NEXT = ("127.64.1.5", 44818)
CASES: dict[str, tuple[Route | None, list[Segment], Hop | int | None]] = {
    "none": (None, [], None),
    "a slot": (None, [SLOT], None),
    "slots": (None, [SLOT, Port(1, 3), Port(2, 7)], None),
    "an address": (None, [FAR], Hop(NEXT, 1)),
    "a slot and an address": (None, [SLOT, FAR], Hop(NEXT, 2)),
    "an address and what is behind it": (None, [FAR, SLOT, to("127.64.1.6")], Hop(NEXT, 1)),
    "an address with a port": (None, [to("127.64.1.5:2222")], Hop(("127.64.1.5", 2222), 1)),
    "a padded address": (None, [Port(2, b"127.64.1.5\0\0")], Hop(NEXT, 1)),
    "an extended port": (None, [Port(18, b"127.64.1.5")], Hop(NEXT, 1)),
    "this device": (None, [to(HERE)], None),
    "this device and a slot": (None, [to(HERE), SLOT], None),
    "this device, twice": (None, [to(HERE), to(HERE)], None),
    "this device and on": (None, [to(HERE), SLOT, FAR], Hop(NEXT, 3)),
    "this device on another port": (None, [to(f"{HERE}:2222")], Hop((HERE, 2222), 1)),
    "another subnet": (None, [to("10.0.0.1")], 0x0312),
    "a name": (None, [to("plc.local")], 0x0312),
    "three numbers": (None, [to("127.64.1")], 0x0312),
    "no number": (None, [to("127.64.1.300")], 0x0312),
    "port 0": (None, [to("127.64.1.5:0")], 0x0312),
    "no port": (None, [to("127.64.1.5:")], 0x0312),
    "a port too large": (None, [to("127.64.1.5:65536")], 0x0312),
    "a class": (None, [FAR, Class(6)], 0x0315),
    "as many addresses as there may be": (None, [FAR] * MAX_HOPS, Hop(NEXT, 1)),
    "one more": (None, [FAR] * (MAX_HOPS + 1), 0x0315),
    "simple: none": ((), [], None),
    "simple: a slot": ((), [SLOT], 0x0311),
    "simple: an address": ((), [FAR], Hop(NEXT, 1)),
    "simple: a slot and an address": ((), [SLOT, FAR], 0x0311),
    "one: it": (((1, 0),), [SLOT], None),
    "one: none": (((1, 0),), [], 0x0315),
    "one: another slot": (((1, 0),), [Port(1, 1)], 0x0312),
    "one: another port": (((1, 0),), [Port(3, 0)], 0x0311),
    "one: it and a hop": (((1, 0),), [SLOT, SLOT], 0x0311),
    "one: it and an address": (((1, 0),), [SLOT, FAR], Hop(NEXT, 2)),
    "one: an address": (((1, 0),), [FAR], Hop(NEXT, 1)),
    "one: another slot and an address": (((1, 0),), [Port(1, 1), FAR], 0x0312),
    "one: this device and it": (((1, 0),), [to(HERE), SLOT], None),
    "one: this device": (((1, 0),), [to(HERE)], 0x0315),
    "an address as the one: it": (((2, "127.64.1.5"),), [FAR], None),
    "an address as the one: another": (((2, "127.64.1.5"),), [to("127.64.1.6")], Hop(("127.64.1.6", 44818), 1)),
}


@pytest.mark.parametrize("case", CASES)
def test_where_routes_lead(case: str) -> None:
    route, hops, wanted = CASES[case]
    routes = Routes(route, FARM, HERE)
    if isinstance(wanted, int):
        with pytest.raises(CipError) as caught:
            routes.follow(hops)
        assert (caught.value.general, caught.value.extended) == (1, (wanted,))
    else:
        assert routes.follow(hops) == wanted


def test_without_a_subnet_nothing_leads_on() -> None:
    assert Routes().follow([FAR, SLOT, to("plc.local")]) is None
    for hops, status in (([FAR], 0x0311), ([SLOT, SLOT], 0x0311)):
        with pytest.raises(CipError) as caught:
            Routes(()).follow(hops)
        assert caught.value.extended == (status,)


def test_subnets() -> None:
    assert parse_subnet("") is None
    assert parse_subnet("127.64.0.0/10") == Subnet(0x7F400000, 0xFFC00000)
    one = parse_subnet("10.0.0.7")
    assert one is not None
    assert "10.0.0.7" in one
    assert "10.0.0.6" not in one
    everything = parse_subnet("0.0.0.0/0")
    assert everything is not None
    assert "255.255.255.255" in everything
    assert "plc.local" not in everything
    assert FARM is not None
    assert "127.127.255.255" in FARM
    assert "127.128.0.0" not in FARM


@pytest.mark.parametrize(
    "text",
    ["127.64.0.0/33", "127.64.0.0/", "127.64.0.0/x", "127.64.0.1/10", "::1/8", "farm", "1.2.3", "1.2.3.4.5/8", "/8"],
)
def test_what_is_no_subnet_is_said_in_a_line(text: str) -> None:
    with pytest.raises(ConfigError, match=r"onward: .* no subnet; wanted|onward: .* has bits"):
        parse_subnet(text)


LINKS = st.one_of(
    st.integers(0, 255), st.binary(min_size=1, max_size=20), st.sampled_from((HERE.encode(), b"127.64.1.5"))
)
HOPS = st.lists(st.builds(Port, st.integers(1, 20), LINKS), max_size=12)


@given(st.sampled_from((None, (), ((1, 0),))), HOPS)
def test_any_route_ends_leads_on_or_is_refused(route: Route | None, hops: list[Segment]) -> None:
    try:
        hop = Routes(route, FARM, HERE).follow(hops)
    except CipError as exc:
        assert exc.general == 1
        assert exc.extended[0] in (0x0311, 0x0312, 0x0315)
    else:
        assert hop is None or (0 < hop.used <= len(hops) and hop.address[0] != HERE)
