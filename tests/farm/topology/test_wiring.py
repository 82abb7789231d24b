"""Networks, routers and links survive their trip through JSON, and what is none is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.errors import FarmError
from farm.topology.wiring import (
    GOOD,
    MACVLAN,
    FlowRule,
    LinkQuality,
    NetworkSpec,
    RouterSpec,
    Segment,
    changed_quality,
    decode_quality,
    decode_segment,
    encode_quality,
    encode_segment,
)
from node.config.model import InterfaceConfig

CELL = NetworkSpec("cell", "10.20.0.0/16", "10.20.255.253", "10.20.255.254", purdue=1.0, ipv6="fd20::/64")
WIRE = NetworkSpec("wire", "10.30.0.0/24", "10.30.0.253", internal=True, mtu=1400, uplink="eth9", driver=MACVLAN)
FIREWALL = RouterSpec(
    "fw",
    (
        InterfaceConfig("cell", "10.20.255.252", 16, "02:fa:00:00:00:01"),
        InterfaceConfig("wire", "10.30.0.252", 24, "02:fa:00:00:00:02", routes=(("10.40.0.0/24", "10.30.0.1"),)),
    ),
    (FlowRule("10.30.0.0/24", "10.20.0.0/16", "tcp", (44818, 502)), FlowRule("10.20.0.0/16", "10.30.0.0/24", "icmp")),
    (("10.50.0.0/16", "10.20.0.9"),),
)


@pytest.mark.parametrize("segment", [CELL, WIRE, FIREWALL], ids=lambda segment: segment.name)
def test_a_segment_comes_back_as_it_was(segment: Segment) -> None:
    assert decode_segment(json.loads(json.dumps(encode_segment(segment)))) == segment


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "network"},
        {"kind": "network", "name": "x", "subnet": "10.0.0.0/8", "watch": "10.0.0.1", "colour": "red"},
        {"kind": "router", "name": "x"},
        {"kind": "router", "name": "x", "interfaces": [{"network": "cell"}]},
        {"kind": "router", "name": "x", "interfaces": [], "allow": [{"from": "anywhere"}]},
        {"kind": "network", "name": 3, "subnet": "10.0.0.0/8", "watch": "10.0.0.1"},
    ],
)
def test_what_is_no_segment_is_refused(body: dict[str, object]) -> None:
    with pytest.raises(FarmError, match="not a network or router"):
        decode_segment(body)


@given(
    st.builds(
        LinkQuality,
        delay=st.floats(0, 60),
        jitter=st.floats(0, 60),
        loss=st.floats(0, 100),
        rate=st.integers(0, 10**10),
        up=st.booleans(),
        kernel=st.booleans(),
    )
)
def test_a_quality_comes_back_as_it_was(quality: LinkQuality) -> None:
    assert decode_quality(json.loads(json.dumps(encode_quality(quality)))) == quality


def test_a_link_is_changed_field_by_field_and_made_good() -> None:
    slow = changed_quality(GOOD, {"delay": 0.2})
    lossy = changed_quality(slow, {"loss": 2.0, "up": False})
    assert lossy == LinkQuality(delay=0.2, loss=2.0, up=False)
    assert changed_quality(lossy, {}) == GOOD


@pytest.mark.parametrize(
    "changes", [{"delay": -1}, {"loss": 101}, {"rate": "fast"}, {"delay": float("inf")}, {"jitter": None}]
)
def test_what_no_link_can_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(FarmError, match="a link cannot be"):
        changed_quality(GOOD, changes)


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(FarmError, match=r"not a link quality: .*'colour'"):
        changed_quality(GOOD, {"colour": "red"})
