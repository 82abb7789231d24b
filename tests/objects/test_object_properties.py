"""Any request to any object of any device is answered: what is wrong with it is a status, never an exception."""

from hypothesis import given, settings
from hypothesis import strategies as st

from node.cip.epath import Attribute, Class, Instance, Segment, encode_epath
from node.cip.message import Request, encode_request
from node.objects.device import Device
from node.objects.profiles import PROFILES
from tests.objects.devices import build_of

DEVICES: dict[str, Device] = {name: build_of(name) for name in PROFILES}

SERVICES = st.sampled_from([0x01, 0x03, 0x04, 0x05, 0x0E, 0x10, 0x4C]) | st.integers(0, 0x7F)


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, bytes]:
    """A profile, and a request to one of its objects; its data mostly what the attribute says already."""
    name = draw(st.sampled_from(sorted(PROFILES)))
    objects = DEVICES[name].router.objects
    item = objects[draw(st.sampled_from(sorted(objects)))]
    instance = draw(st.sampled_from([0, 1, 2, *item.instances]))
    rows = item.instances.get(instance, [])
    row = draw(st.sampled_from(rows)) if rows else None
    number = row.id if row is not None and draw(st.booleans()) else draw(st.none() | st.integers(0, 0x1FF))
    segments: list[Segment] = [
        Class(item.class_id),
        Instance(instance),
        *([] if number is None else [Attribute(number)]),
    ]
    data = draw(st.binary(max_size=60))
    if row is not None and draw(st.booleans()):
        data = row.get() + data[:2]
        if draw(st.booleans()):
            data = b"\x01\0" + row.id.to_bytes(2, "little") + data
    return name, encode_request(Request(draw(SERVICES), encode_epath(segments), data))


@settings(max_examples=1500)
@given(requests())
def test_every_request_has_a_reply(asked: tuple[str, bytes]) -> None:
    name, message = asked
    device = DEVICES[name]
    device.instant.now += 0.5
    reply = device.router.request(message)
    assert reply[0] == message[0] | 0x80
    assert 4 <= len(reply) <= 504
    device.poll(device.instant.now)
