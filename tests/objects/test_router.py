"""Paths to targets, and what is remembered of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.message import decode_reply
from node.cip.types import DINT
from node.errors import RemoteProtocolError
from node.memory.text_attribute import create_attribute
from node.objects.router import MAX_PLANS
from tests.objects.devices import ask, build, name, request

FAULTS = {
    "a service alone": ("4c", "cc001300"),
    "a path longer than the message": ("4c05 2001", "cc002600"),
    "no path": ("4c00 0100", "cc000400"),
    "a segment that is none": ("4c01 e000 0100", "cc000400"),
    "an attribute first": ("0e01 3001", "8e000400"),
    "a symbol behind a class": ("4c04 2001 91024142 0000", "cc000400"),
    "a symbol behind an element": (
        request(0x4C, name("SCADA") + "2801" + name("X"), "0100").hex(),
        "cc000401 0000",
    ),
    "an attribute behind a name": (request(0x4C, name("SCADA") + "3001", "0100").hex(), "cc000401 0000"),
    "a service no tag has": (request(0x33, name("ONE")).hex(), "b3000800"),
    "a reply in place of a request": (request(0xCC, name("ONE"), "0100").hex(), "cc000800"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_faults_are_replies(case: str) -> None:
    message, reply = FAULTS[case]
    assert build().router.request(bytes.fromhex(message)).hex() == reply.replace(" ", "")


def test_no_bytes_have_no_reply() -> None:
    with pytest.raises(RemoteProtocolError, match="no bytes"):
        build().router.request(b"")


def test_a_new_tag_is_found_at_once() -> None:
    device = build()
    message = request(0x4C, name("LATER"), "0100")
    assert ask(device, message) == "cc0004010000"
    device.router.tags.add("Later", create_attribute(DINT, (), 5))
    assert ask(device, message) == "cc000000c40005000000"


def test_hostile_paths_fill_nothing() -> None:
    device = build()
    for index in range(3000):
        element = (index % 1000).to_bytes(2, "little").hex()
        count = f"{1 + index // 1000:02x}00"
        ask(device, request(0x4C, name("SCADA") + "2900" + element, count), limit=4000)
        device.router.request(request(0x4C, name(f"NO{index}"), "0100"))
    assert len(device.router.plans) <= MAX_PLANS
    assert ask(device, request(0x4C, name("ONE"), "0100")) == "cc000000c40007000000"


@given(st.binary(min_size=1, max_size=80), st.integers(16, 504))
def test_any_request_gets_a_reply_of_its_service(message: bytes, limit: int) -> None:
    reply = decode_reply(DEVICE.router.request(message, limit=limit))
    assert reply.service == message[0] & 0x7F


@given(
    st.sampled_from((0x4C, 0x4D, 0x4E, 0x52, 0x53, 0x0E, 0x10, 0x0A, 0x54, 0x5B, 0x03)),
    st.sampled_from(
        [name(tag) for tag in ("SCADA", "TEXT", "NAME", "FLAG")] + ["20062401", "20022401", "201624013001"]
    ),
    st.binary(max_size=120),
)
def test_any_data_behind_a_good_path_gets_a_reply(service: int, path: str, data: bytes) -> None:
    reply = DEVICE.router.request(request(service, path) + data)
    assert decode_reply(reply).service == service or service == 0x52
    assert len(reply) <= 504


DEVICE = build()
