"""Tag services on structures, their members, bits and packed BOOLs: each request with every byte of its reply."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cip.epath import Symbolic
from node.cip.predefined import TIMER
from node.cip.status import CipError
from node.cip.types import BOOL, DINT, SINT
from node.exchange.printing import format_access
from node.memory.access import Access
from node.memory.attribute import Attribute, Instant, Value
from node.memory.place import follow
from node.memory.structured import StructuredAttribute
from node.memory.tags import TagTable
from node.memory.text_attribute import create_attribute
from node.objects.device import Device, build_device
from node.objects.plans import BitPlan, ViewPlan
from tests.memory.structures import LINE, MOTOR, NAME, line, motor
from tests.objects.devices import IDENTITY, ask, name, request

HANDLE = f"a002{MOTOR.handle.to_bytes(2, 'little').hex()}"
NAME_HANDLE = f"a002{NAME.handle.to_bytes(2, 'little').hex()}"
MOTORS = name("Motors")
SPEED, HISTORY, FLAGS, LABEL, RUN, FAULT = map(name, ("Speed", "History", "Flags", "Label", "Run", "Fault"))
ZERO = "00" * 36
MOTOR_1 = "01000000 0000c03f 000000000000 0000 0000000000000000 02000000 6f6b00000000 0000"


def build() -> Device:
    """Motors[3], of which 1 runs at 1.5 and is called ok, is at 112/1/1; Lines[2,2] have their number as ident."""
    tags = TagTable()
    tags.add("Motors", create_attribute(MOTOR, (3,), [motor(), motor(1.5, True, "ok"), motor()]), (112, 1, 1))
    lines: list[Value] = [line(motor(number), motor(), ident=number) for number in range(4)]
    tags.add("Lines", create_attribute(LINE, (2, 2), lines))
    tags.add("Label", create_attribute(NAME, (), "abc"))
    tags.add("Bits", create_attribute(BOOL, (70,), [number in (0, 33, 69) for number in range(70)], packed=True))
    tags.add("Timer", create_attribute(TIMER, (), {"PRE": 1000, "ACC": 5, "EN": True, "TT": False, "DN": False}))
    tags.add("Word", create_attribute(DINT, (2,), (5, 8)))
    return build_device(IDENTITY, tags, Instant(), address="192.168.0.201")


def tag(device: Device, name: str) -> Attribute:
    attribute = device.router.tags.by_name(name)
    assert attribute is not None
    return attribute


READS = {
    "a whole structure": (request(0x4C, MOTORS + "2801", "0100"), f"cc000000 {HANDLE} {MOTOR_1}"),
    "several": (request(0x4C, MOTORS, "0200"), f"cc000000 {HANDLE} {ZERO} {MOTOR_1}"),
    "from a byte on": (request(0x52, MOTORS, "0200 24000000"), f"d2000000 {HANDLE} {MOTOR_1}"),
    "from inside one on": (
        request(0x52, MOTORS + "2801", "0100 18000000"),
        f"d2000000 {HANDLE} 02000000 6f6b00000000 0000",
    ),
    "from a byte that is no step": (request(0x52, MOTORS, "0100 02000000"), "d200ff01 0421"),
    "from the end on": (request(0x52, MOTORS, "0100 24000000"), "d200ff01 0421"),
    "too many": (request(0x4C, MOTORS + "2802", "0200"), "cc00ff01 0521"),
    "a member": (request(0x4C, MOTORS + "2801" + SPEED, "0100"), "cc000000 ca00 0000c03f"),
    "a member of an array that is not indexed": (request(0x4C, MOTORS + SPEED, "0100"), "cc000000 ca00 00000000"),
    "a member twice": (request(0x4C, MOTORS + "2801" + SPEED, "0200"), "cc00ff01 0521"),
    "a BOOL": (request(0x4C, MOTORS + "2801" + RUN, "0100"), "cc000000 c100 ff"),
    "a BOOL that is false": (request(0x4C, MOTORS + "2801" + FAULT, "0100"), "cc000000 c100 00"),
    "an array": (request(0x4C, MOTORS + "2801" + HISTORY, "0300"), "cc000000 c300 000000000000"),
    "an array past its end": (request(0x4C, MOTORS + "2801" + HISTORY + "2801", "0300"), "cc00ff01 0521"),
    "a string": (
        request(0x4C, MOTORS + "2801" + LABEL, "0100"),
        f"cc000000 {NAME_HANDLE} 02000000 6f6b000000000000",
    ),
    "its length": (request(0x4C, MOTORS + "2801" + LABEL + name("LEN"), "0100"), "cc000000 c400 02000000"),
    "its characters": (request(0x4C, MOTORS + "2801" + LABEL + name("DATA") + "2801", "0200"), "cc000000 c200 6b00"),
    "of two dimensions, nested": (
        request(0x4C, name("Lines") + "28012801" + MOTORS + "2800" + SPEED, "0100"),
        "cc000000 ca00 00004040",
    ),
    "one index for two dimensions": (request(0x4C, name("Lines") + "2801" + MOTORS, "0100"), "cc000401 0000"),
    "an unknown member": (request(0x4C, MOTORS + "2801" + name("Nothing"), "0100"), "cc000401 0000"),
    "a bit of a timer": (request(0x4C, name("timer") + name("en"), "0100"), "cc000000 c100 ff"),
    "a timer": (request(0x4C, name("Timer"), "0100"), "cc000000 a002830f 00000080 e8030000 05000000"),
    "a bit of a word": (request(0x4C, name("Word") + "2801" + name("3"), "0100"), "cc000000 c100 ff"),
    "words of BOOLs": (request(0x4C, name("Bits"), "0300"), "cc000000 d300 01000000 02000000 20000000"),
    "a word of BOOLs": (request(0x4C, name("Bits") + "2801", "0100"), "cc000000 d300 02000000"),
    "more words than there are": (request(0x4C, name("Bits"), "0400"), "cc00ff01 0521"),
    "plain bytes": (request(0x0E, "2070 2401 3001"), f"8e000000 {ZERO} {MOTOR_1} {ZERO}"),
    "plain bytes of one": (request(0x0E, "2070 2401 3001 2801"), f"8e000000 {MOTOR_1}"),
    "plain bytes of a member": (request(0x0E, "2070 2401 3001 2801" + RUN), "8e000000 ff"),
}


@pytest.mark.parametrize("case", READS)
def test_reads(case: str) -> None:
    message, reply = READS[case]
    assert ask(build(), message) == reply.replace(" ", "")


SAME = motor(1.5, True, "ok")

WRITES: dict[str, tuple[bytes, str, str, list[Value]]] = {
    "a whole structure": (
        request(0x4D, MOTORS + "2802", f"{HANDLE} 0100 {MOTOR_1}"),
        "cd000000",
        "Motors",
        [motor(), SAME, SAME],
    ),
    "with surplus": (
        request(0x4D, MOTORS, f"{HANDLE} 0100 {MOTOR_1} 0b00"),
        "cd000000",
        "Motors",
        [SAME, SAME, motor()],
    ),
    "cut short": (
        request(0x4D, MOTORS, f"{HANDLE} 0100 {MOTOR_1[:-2]}"),
        "cd001300",
        "Motors",
        [motor(), SAME, motor()],
    ),
    "another structure's handle": (
        request(0x4D, MOTORS, f"{NAME_HANDLE} 0100 {MOTOR_1}"),
        "cd00ff01 0721",
        "Motors",
        [motor(), SAME, motor()],
    ),
    "as a number": (
        request(0x4D, MOTORS, f"c400 0100 {MOTOR_1}"),
        "cd00ff01 0721",
        "Motors",
        [motor(), SAME, motor()],
    ),
    "a fragment": (
        request(0x53, MOTORS, f"{HANDLE} 0200 04000000 00000040"),
        "d3000000",
        "Motors",
        [motor(2.0), SAME, motor()],
    ),
    "a fragment across two": (
        request(0x53, MOTORS, f"{HANDLE} 0200 20000000 00000000 01000000 00000040"),
        "d3000000",
        "Motors",
        [motor(), motor(2.0, True, "ok"), motor()],
    ),
    "a fragment with surplus": (
        request(0x53, MOTORS, f"{HANDLE} 0100 20000000 00000000 ffffffff"),
        "d3000000",
        "Motors",
        [motor(), SAME, motor()],
    ),
    "a fragment past the end": (
        request(0x53, MOTORS, f"{HANDLE} 0100 24000000 00000000"),
        "d300ff01 0421",
        "Motors",
        [motor(), SAME, motor()],
    ),
    "a fragment without bytes": (
        request(0x53, MOTORS, f"{HANDLE} 0100 04000000"),
        "d3001300",
        "Motors",
        [motor(), SAME, motor()],
    ),
    "a member": (
        request(0x4D, MOTORS + "2802" + SPEED, "ca00 0100 00000040"),
        "cd000000",
        "Motors",
        [motor(), SAME, motor(2.0)],
    ),
    "a BOOL, whatever byte is true": (
        request(0x4D, MOTORS + "2802" + RUN, "c100 0100 04"),
        "cd000000",
        "Motors",
        [motor(), SAME, motor(run=True)],
    ),
    "a BOOL to false, and its neighbours stay": (
        request(0x4D, MOTORS + "2801" + RUN, "c100 0100 00"),
        "cd000000",
        "Motors",
        [motor(), motor(1.5, False, "ok"), motor()],
    ),
    "a string": (
        request(0x4D, MOTORS + LABEL, f"{NAME_HANDLE} 0100 03000000 6e65770000000000"),
        "cd000000",
        "Motors",
        [motor(label="new"), SAME, motor()],
    ),
    "the length of a string": (
        request(0x4D, MOTORS + "2801" + LABEL + name("LEN"), "c400 0100 01000000"),
        "cd000000",
        "Motors",
        [motor(), motor(1.5, True, "o"), motor()],
    ),
    "a length out of range is shown as one that is not": (
        request(0x4D, name("Label"), f"{NAME_HANDLE} 0100 ffffff7f 6162636465660000"),
        "cd000000",
        "Label",
        ["abcdef"],
    ),
    "a word of BOOLs": (
        request(0x4D, name("Bits") + "2802", "d300 0100 00000000"),
        "cd000000",
        "Bits",
        [1, 2, 0],
    ),
    "a flag by its mask": (
        request(0x4E, name("Bits") + "2801", "0400 00010000 ffffffff"),
        "ce000000",
        "Bits",
        [1, 0x102, 32],
    ),
    "a flag off by its mask": (
        request(0x4E, name("Bits") + "2801", "0400 00000000 fdffffff"),
        "ce000000",
        "Bits",
        [1, 0, 32],
    ),
    "a mask on a member": (
        request(0x4E, MOTORS + HISTORY + "2801", "0200 0400 ffff"),
        "ce000000",
        "Motors",
        [{**motor(), "History": [0, 4, 0]}, SAME, motor()],
    ),
    "a mask wider than the member": (
        request(0x4E, MOTORS + HISTORY, "0400 01000000 ffffffff"),
        "ce000300",
        "Motors",
        [motor(), SAME, motor()],
    ),
    "a mask on a structure": (
        request(0x4E, MOTORS, "0400 01000000 ffffffff"),
        "ce00ff01 0721",
        "Motors",
        [motor(), SAME, motor()],
    ),
    "a mask on a BOOL member": (
        request(0x4E, MOTORS + RUN, "0100 01 ff"),
        "ce00ff01 0721",
        "Motors",
        [motor(), SAME, motor()],
    ),
    "a mask on a float": (
        request(0x4E, MOTORS + SPEED, "0400 01000000 ffffffff"),
        "ce00ff01 0721",
        "Motors",
        [motor(), SAME, motor()],
    ),
    "a mask of three bytes": (request(0x4E, name("Word"), "0300 010000 ffffff"), "ce000300", "Word", [5, 8]),
    "plain bytes of one": (
        request(0x10, "2070 2401 3001 2802", MOTOR_1),
        "90000000",
        "Motors",
        [motor(), SAME, SAME],
    ),
    "plain bytes of a member": (
        request(0x10, "2070 2401 3001 2802" + SPEED, "00000040"),
        "90000000",
        "Motors",
        [motor(), SAME, motor(2.0)],
    ),
    "plain bytes, too few": (
        request(0x10, "2070 2401 3001 2802", MOTOR_1[:-2]),
        "90001300",
        "Motors",
        [motor(), SAME, motor()],
    ),
}


@pytest.mark.parametrize("case", WRITES)
def test_writes(case: str) -> None:
    message, reply, written, values = WRITES[case]
    device = build()
    assert ask(device, message) == reply.replace(" ", "")
    assert tag(device, written)[:] == values


def test_raw_bytes_are_kept_and_read_back() -> None:
    device = build()
    data = "ff" * 36
    assert ask(device, request(0x4D, MOTORS, f"{HANDLE} 0100 {data}")) == "cd000000"
    assert ask(device, request(0x4C, MOTORS, "0100")) == f"cc000000{HANDLE}{data}"


@pytest.mark.parametrize("limit", [12, 13, 31, 44, 100, 504])
def test_a_structure_is_read_in_pieces_of_whole_steps(limit: int) -> None:
    device = build()
    whole = tag(device, "Lines").dump(0, 4)
    for service, data in ((0x4C, "0400"), (0x52, "0400 00000000")):
        reply = bytes.fromhex(ask(device, request(service, name("Lines") + "28002800", data), limit=limit))
        got = b""
        while True:
            assert len(reply) <= limit
            assert reply[4:8] == LINE.type_bytes
            assert len(reply) % 4 == 0
            got += reply[8:]
            if reply[2] == 0:
                break
            more = "0400" + len(got).to_bytes(4, "little").hex()
            reply = bytes.fromhex(ask(device, request(0x52, name("Lines") + "28002800", more), limit=limit))
        assert got == whole


def test_no_room_for_a_step() -> None:
    assert ask(build(), request(0x4C, MOTORS, "0100"), limit=11) == "cc001100"


@given(st.integers(1, 50), st.binary(min_size=108, max_size=108))
def test_a_structure_is_written_in_pieces_of_any_size(step: int, data: bytes) -> None:
    device = build()
    for offset in range(0, len(data), step):
        part = f"{HANDLE} 0300" + offset.to_bytes(4, "little").hex() + data[offset : offset + step].hex()
        assert ask(device, request(0x53, MOTORS, part)) == "d3000000"
    assert tag(device, "Motors").dump(0, 3) == data


def test_structures_and_members_are_read_through_a_view() -> None:
    device = build()
    for path in (MOTORS, MOTORS + "2801" + SPEED, name("Label"), name("Bits")):
        message = request(0x4C, path, "0100")
        ask(device, message)
        assert isinstance(device.router.plan_of(message), ViewPlan)
    last = request(0x52, MOTORS + "2801", "0100 18000000")
    ask(device, last)
    assert isinstance(device.router.plan_of(last), ViewPlan)
    tag(device, "Motors")[1] = motor(2.5)
    assert ask(device, request(0x4C, MOTORS + "2801" + SPEED, "0100")) == "cc000000ca0000002040"
    assert ask(device, last) == f"d2000000{HANDLE}" + "00" * 12


def test_a_bit_is_taken_when_it_is_asked_for() -> None:
    device = build()
    motors = tag(device, "Motors")
    message = request(0x4C, MOTORS + FAULT, "0100")
    assert ask(device, message) == "cc000000c10000"
    assert isinstance(device.router.plan_of(message), BitPlan)
    motors.load(0, b"\2" + bytes(35))
    assert ask(device, message) == "cc000000c100ff"
    motors.gate = Refusing(0x2108)
    assert ask(device, message) == "cc00ff010821"


class Instants:
    """A source whose value is the instant."""

    refuses = False

    def fill(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        for index in range(start, stop):
            attribute.array[index] = int(now)

    def wrote(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        """Nothing."""


def test_a_member_that_comes_to_move_is_seen_by_what_was_prepared() -> None:
    device = build()
    speed, fault = request(0x4C, MOTORS + SPEED, "0100"), request(0x4C, MOTORS + FAULT, "0100")
    whole = request(0x4C, MOTORS, "0100")
    for message in (speed, fault, whole):
        ask(device, message)
    motors = tag(device, "Motors")
    follow(motors, [Symbolic("Speed")]).attach(Instants())
    follow(motors, [Symbolic("Fault")]).attach(Instants())
    for now in (1.0, 0.0, 1.0):
        device.instant.now = now
        value = "0000803f" if now else "00000000"
        assert ask(device, speed) == f"cc000000ca00{value}"
        assert ask(device, fault) == f"cc000000c100{'ff' if now else '00'}"
        assert ask(device, whole) == f"cc000000{HANDLE}0{2 if now else 0}000000{value}" + "00" * 28


def test_a_true_bool_is_the_byte_that_the_device_answers() -> None:
    device = build()
    message = request(0x4C, MOTORS + "2801" + RUN, "0100")
    assert ask(device, message) == "cc000000c100ff"
    tag(device, "Motors").bool_true = 1
    assert ask(device, message) == "cc000000c10001"


class Refusing:
    """A gate that refuses with an extended status."""

    def __init__(self, status: int) -> None:
        self.status = status

    def admit(self, attribute: Attribute, now: float, start: int, stop: int, writing: bool) -> None:
        raise CipError(0xFF, (self.status,))

    def shown(self, attribute: Attribute, now: float, start: int, values: Sequence[Value]) -> Sequence[Value]:
        return values


@pytest.mark.parametrize("status", range(0x2100, 0x2109))
def test_a_status_reaches_the_client_as_it_is(status: int) -> None:
    device = build()
    tag(device, "Motors").gate = Refusing(status)
    tag(device, "Word").gate = Refusing(status)
    extended = status.to_bytes(2, "little").hex()
    for message in (
        request(0x4C, MOTORS, "0100"),
        request(0x52, MOTORS, "0100 00000000"),
        request(0x4C, MOTORS + SPEED, "0100"),
        request(0x4C, MOTORS + RUN, "0100"),
        request(0x4D, MOTORS, f"{HANDLE} 0100 {MOTOR_1}"),
        request(0x53, MOTORS, f"{HANDLE} 0100 04000000 00000000"),
        request(0x4D, MOTORS + RUN, "c100 0100 01"),
        request(0x4E, name("Word"), "0400 00000000 ffffffff"),
        request(0x0E, "2070 2401 3001"),
    ):
        assert ask(device, message) == f"{message[0] | 0x80:02x}00ff01{extended}"


def test_a_tag_of_no_access_is_neither_read_nor_written() -> None:
    device = build()
    for each in ("Motors", "Word"):
        tag(device, each).readable = False
    for message in (
        request(0x4C, MOTORS, "0100"),
        request(0x52, MOTORS, "0100 00000000"),
        request(0x4C, MOTORS + RUN, "0100"),
        request(0x4D, MOTORS + SPEED, "ca00 0100 00000040"),
        request(0x4D, MOTORS, f"{HANDLE} 0100 {MOTOR_1}"),
        request(0x53, MOTORS, f"{HANDLE} 0100 04000000 00000000"),
        request(0x4E, name("Word"), "0400 00000000 ffffffff"),
    ):
        assert ask(device, message) == f"{message[0] | 0x80:02x}00ff010021"


def test_a_member_that_is_read_only_with_its_tag() -> None:
    device = build()
    tag(device, "Motors").writable = False
    assert ask(device, request(0x4D, MOTORS + SPEED, "ca00 0100 00000040")) == "cd00ff010021"
    assert ask(device, request(0x10, "2070 2401 3001 2802" + SPEED, "00000040")) == "90000e00"
    assert ask(device, request(0x4C, MOTORS + SPEED, "0100")) == "cc000000ca0000000000"


def test_accesses_are_printed_with_their_members() -> None:
    device = build()
    trace: list[Access] = []
    for message in (
        request(0x4C, name("Timer"), "0100"),
        request(0x4C, MOTORS + "2801" + RUN, "0100"),
        request(0x4D, MOTORS + "2802" + SPEED, "ca00 0100 00000040"),
        request(0x4C, name("Lines") + "28012800" + MOTORS + "2801" + HISTORY + "2801", "0200"),
        request(0x53, name("Label"), f"{NAME_HANDLE} 0100 04000000 78"),
        request(0x4E, name("Bits") + "2801", "0400 00010000 ffffffff"),
        request(0x52, MOTORS, "0100 24000000"),
        request(0x53, name("Label"), f"{NAME_HANDLE} 0100 0c000000 78"),
    ):
        ask(device, message, trace)
    assert [format_access(access) for access in trace] == [
        "Timer == [{PRE: 1000, ACC: 5, EN: True, TT: False, DN: False}]",
        "Motors[1].Run == [True]",
        "Motors[2].Speed <= [2.0]",
        "Lines[1,0].Motors[1].History[1-2] == [0, 0]",
        "Label <= ['xbc']",
        "Bits[1] <= [258]",
        "Motors[0] == error 0xFF",
    ]


def test_a_fragment_that_may_not_be_written_is_noted() -> None:
    device = build()
    trace: list[Access] = []
    tag(device, "Motors").writable = False
    ask(device, request(0x53, MOTORS, f"{HANDLE} 0200 20000000 0000000000000000"), trace)
    assert [(access.start, access.stop, access.writing, access.status) for access in trace] == [(0, 2, True, 0xFF)]


def test_an_element_of_a_structure_is_a_number_like_any_other() -> None:
    tags = TagTable()
    tags.add("T", create_attribute(SINT, (), 5))
    device = build_device(IDENTITY, tags, Instant())
    assert ask(device, request(0x4C, name("T") + name("2"), "0100")) == "cc000000c100ff"
    assert ask(device, request(0x4D, name("T") + name("2"), "c100 0100 00")) == "cd000000"
    assert not isinstance(tag(device, "T"), StructuredAttribute)
    assert tag(device, "T")[0] == 1
