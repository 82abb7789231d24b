"""Tag services, each request with every byte of its reply (Rockwell 1756-PM020)."""

from collections.abc import Sequence

import pytest

from node.cip.status import CipError
from node.cip.types import DINT
from node.memory.access import Access
from node.memory.attribute import Attribute, Value
from tests.objects.devices import ask, build, name, request

SCADA = name("SCADA")
NUMBERED = "2016 2401 3001"

READS = {
    "a scalar": (request(0x4C, name("ONE"), "0100"), "cc000000 c400 07000000"),
    "case does not count": (request(0x4C, name("oNe"), "0100"), "cc000000 c400 07000000"),
    "element 0 of a scalar": (request(0x4C, name("ONE") + "2800", "0100"), "cc000000 c400 07000000"),
    "element 1 of a scalar": (request(0x4C, name("ONE") + "2801", "0100"), "cc00ff01 0521"),
    "two elements": (request(0x4C, SCADA + "2805", "0200"), "cc000000 c400 05000000 06000000"),
    "a 16-bit element": (request(0x4C, SCADA + "2900e703", "0100"), "cc000000 c400 e7030000"),
    "a 16-bit element that fits 8": (request(0x4C, SCADA + "29000500", "0100"), "cc000000 c400 05000000"),
    "a 32-bit element": (request(0x4C, SCADA + "2a0005000000", "0100"), "cc000000 c400 05000000"),
    "past the end": (request(0x4C, SCADA + "2900e803", "0100"), "cc00ff01 0521"),
    "three dimensions": (request(0x4C, name("CUBE") + "280128022803", "0100"), "cc000000 c300 1700"),
    "from the middle of three dimensions": (
        request(0x4C, name("CUBE") + "280128002800", "0300"),
        "cc000000 c300 0c00 0d00 0e00",
    ),
    "a false BOOL": (request(0x4C, name("FLAG"), "0100"), "cc000000 c100 00"),
    "true BOOLs": (request(0x4C, name("FLAGS"), "0200"), "cc000000 c100 ff00"),
    "an SSTRING": (request(0x4C, name("TEXT") + "2802", "0100"), "cc000000 da00 03 78797a"),
    "all SSTRINGs": (request(0x4C, name("TEXT"), "0400"), "cc000000 da00 0161 00 0378797a 03656e64"),
    "a Logix STRING": (
        request(0x4C, name("NAME") + "2803", "0100"),
        "cc000000 a002ce0f 02000000 6e33" + "00" * 82,
    ),
    "by number": (request(0x4C, NUMBERED, "0300"), "cc000000 c300 010002000300"),
    "by number, an element": (request(0x4C, NUMBERED + "2801", "0100"), "cc000000 c300 0200"),
    "by a 16-bit number": (request(0x4C, "21001600 25000100 31000100", "0100"), "cc000000 c300 0100"),
    "of a program": (request(0x4C, name("Program:Main") + name("P1"), "0100"), "cc000000 c200 05"),
    "a fragment from an offset": (request(0x52, SCADA, "0300 04000000"), "d2000000 c400 01000000 02000000"),
    "a fragment of SSTRINGs": (request(0x52, name("TEXT"), "0400 03000000"), "d2000000 da00 0378797a 03656e64"),
    "a fragment of SSTRINGs within one": (request(0x52, name("TEXT"), "0400 04000000"), "d200ff01 0421"),
    "plain bytes": (request(0x0E, NUMBERED), "8e000000 010002000300"),
    "plain bytes of an element": (request(0x0E, NUMBERED + "2802"), "8e000000 0300"),
    "plain bytes of BOOLs": (request(0x0E, "2016 2401 3002"), "8e000000 ff00"),
    "all attributes of a class of tags": (request(0x01, "2016 2401"), "81000000 010002000300 ff00"),
    "an attribute that is no tag": (request(0x0E, "2016 2401 3003"), "8e001400"),
    "an instance that has no tag": (request(0x0E, "2016 2402 3001"), "8e000500"),
    "nothing": (request(0x4C, name("ONE"), "0000"), "cc000300"),
    "half a count": (request(0x4C, name("ONE"), "01"), "cc001300"),
    "a fragment past the end": (request(0x52, SCADA, "0100 04000000"), "d200ff01 0421"),
    "a fragment of a text past its end": (request(0x52, name("NAME"), "0100 58000000"), "d200ff01 0421"),
    "too few indexes": (request(0x4C, name("CUBE") + "2801", "0100"), "cc000401 0000"),
    "an unknown name": (request(0x4C, name("NO"), "0100"), "cc000401 0000"),
}


@pytest.mark.parametrize("case", READS)
def test_reads(case: str) -> None:
    message, reply = READS[case]
    assert ask(build(), message) == reply.replace(" ", "")


WRITES = {
    "a scalar": (request(0x4D, name("ONE"), "c400 0100 2a000000"), "cd000000", "ONE", [42]),
    "surplus is ignored": (
        request(0x4D, name("ONE"), "c400 0100 2a000000 0b00 4d0220"),
        "cd000000",
        "ONE",
        [42],
    ),
    "an element": (request(0x4D, NUMBERED + "2801", "c300 0100 6300"), "cd000000", "NUMBERED", [1, 99, 3]),
    "too little": (request(0x4D, NUMBERED, "c300 0300 63006300"), "cd001300", "NUMBERED", [1, 2, 3]),
    "another type": (request(0x4D, NUMBERED, "c400 0100 63000000"), "cd00ff01 0721", "NUMBERED", [1, 2, 3]),
    "too many": (request(0x4D, NUMBERED, "c300 0400" + "6300" * 4), "cd00ff01 0521", "NUMBERED", [1, 2, 3]),
    "a BOOL by FF": (request(0x4D, name("FLAG"), "c100 0100 ff"), "cd000000", "FLAG", [True]),
    "a BOOL by 1": (request(0x4D, name("FLAG"), "c100 0100 01"), "cd000000", "FLAG", [True]),
    "read-only": (request(0x4D, name("LOCKED"), "c400 0100 01000000"), "cd00ff01 0021", "LOCKED", [0]),
    "SSTRINGs": (
        request(0x4D, name("TEXT") + "2801", "da00 0200 026869 00"),
        "cd000000",
        "TEXT",
        ["a", "hi", "", "end"],
    ),
    "an SSTRING cut short": (
        request(0x4D, name("TEXT"), "da00 0100 0568"),
        "cd001300",
        "TEXT",
        ["a", "", "xyz", "end"],
    ),
    "a fragment": (request(0x53, NUMBERED, "c300 0300 02000000 63006200"), "d3000000", "NUMBERED", [1, 99, 98]),
    "a fragment with surplus": (
        request(0x53, NUMBERED, "c300 0200 02000000 6300 6200 61"),
        "d3000000",
        "NUMBERED",
        [1, 99, 3],
    ),
    "a fragment within an element": (
        request(0x53, NUMBERED, "c300 0300 01000000 6300"),
        "d3000000",
        "NUMBERED",
        [0x6301, 0, 3],
    ),
    "a fragment of SSTRINGs": (
        request(0x53, name("TEXT"), "da00 0400 02000000 0162 0163 01"),
        "d3000000",
        "TEXT",
        ["a", "b", "c", "end"],
    ),
    "a fragment of SSTRINGs within one": (
        request(0x53, name("TEXT"), "da00 0400 01000000 0162"),
        "d300ff01 0421",
        "TEXT",
        ["a", "", "xyz", "end"],
    ),
    "a fragment past the end": (
        request(0x53, NUMBERED, "c300 0300 06000000 6300"),
        "d300ff01 0421",
        "NUMBERED",
        [1, 2, 3],
    ),
    "a fragment without bytes": (request(0x53, NUMBERED, "c300 0300 02000000"), "d3001300", "NUMBERED", [1, 2, 3]),
    "a fragment of SSTRINGs without one": (
        request(0x53, name("TEXT"), "da00 0400 02000000 09"),
        "d3001300",
        "TEXT",
        ["a", "", "xyz", "end"],
    ),
    "masks wider than the element": (
        request(0x4E, name("NUMBERED"), "0400 01000000 ffffffff"),
        "ce000300",
        "NUMBERED",
        [1, 2, 3],
    ),
    "plain bytes to a read-only tag": (request(0x10, "2016 2401 3003", "01"), "90000800", "ONE", [7]),
    "masks": (request(0x4E, name("ONE"), "0400 10000000 fdffffff"), "ce000000", "ONE", [0x15]),
    "masks with surplus": (
        request(0x4E, name("ONE"), "0400 08000000 ffffffffffffffff"),
        "ce000000",
        "ONE",
        [0x0F],
    ),
    "masks shorter than the element": (request(0x4E, name("ONE"), "0100 80 ff"), "ce000000", "ONE", [0x87]),
    "masks on a REAL": (request(0x4E, name("REAL"), "0400 00000000 ffffffff"), "ce00ff01 0721", "REAL", [0.0]),
    "masks on a read-only tag": (
        request(0x4E, name("LOCKED"), "0400 01000000 ffffffff"),
        "ce00ff01 0021",
        "LOCKED",
        [0],
    ),
    "masks on a BOOL": (request(0x4E, name("FLAG"), "0100 01 ff"), "ce00ff01 0721", "FLAG", [False]),
    "plain bytes": (request(0x10, NUMBERED, "0900 0800 0700"), "90000000", "NUMBERED", [9, 8, 7]),
    "plain bytes of an element": (request(0x10, NUMBERED + "2801", "0900"), "90000000", "NUMBERED", [1, 9, 3]),
    "plain bytes, too few": (request(0x10, NUMBERED, "0900"), "90001300", "NUMBERED", [1, 2, 3]),
    "plain bytes, too many": (request(0x10, NUMBERED, "00" * 7), "90001500", "NUMBERED", [1, 2, 3]),
}


@pytest.mark.parametrize("case", WRITES)
def test_writes(case: str) -> None:
    message, reply, tag, values = WRITES[case]
    device = build()
    assert ask(device, message) == reply.replace(" ", "")
    attribute = device.router.tags.by_name(tag)
    assert attribute is not None
    assert attribute[:] == values


def test_a_read_that_does_not_fit_gives_what_does() -> None:
    device = build()
    reply = bytes.fromhex(ask(device, request(0x4C, SCADA, "e803")))
    assert reply[:6].hex() == "cc000600c400"
    assert len(reply) == 4 + 2 + 124 * 4 <= 504
    more = request(0x52, SCADA, "e803" + (124 * 4).to_bytes(4, "little").hex())
    reply = bytes.fromhex(ask(device, more, limit=4000))
    assert reply[:10].hex() == "d2000000c4007c000000"
    assert len(reply) == 6 + (1000 - 124) * 4


@pytest.mark.parametrize("limit", [40, 94, 96, 97, 200, 504])
def test_fragments_join_to_the_whole(limit: int) -> None:
    device = build()
    for tag, count, head in (("NAME", 8, 4), ("TEXT", 4, 2), ("SCADA", 1000, 2)):
        attribute = device.router.tags.by_name(tag)
        assert attribute is not None
        whole = attribute.dump(0, count)
        got, status = b"", 6
        while status == 6:
            offset = len(got).to_bytes(4, "little").hex()
            message = request(0x52, name(tag), count.to_bytes(2, "little").hex() + offset)
            reply = bytes.fromhex(ask(device, message, limit=limit))
            assert len(reply) <= limit
            status = reply[2]
            got += reply[4 + head :]
        assert status == 0
        assert got == whole


def test_fragments_of_structures_are_written_piece_by_piece() -> None:
    device = build()
    text = (5).to_bytes(4, "little") + b"hello".ljust(84, b"\0")
    for offset in range(0, 88, 8):
        data = "a002ce0f 0100" + offset.to_bytes(4, "little").hex() + text[offset : offset + 8].hex()
        assert ask(device, request(0x53, name("NAME") + "2801", data)) == "d3000000"
    attribute = device.router.tags.by_name("NAME")
    assert attribute is not None
    assert attribute[0:3] == ["n0", "hello", "n2"]


@pytest.mark.parametrize("piece", [1, 3, 7, 3982])
def test_fragments_that_cut_elements_join_to_the_whole(piece: int) -> None:
    device = build()
    values = list(range(1000, 2000))
    whole = b"".join(value.to_bytes(4, "little") for value in values)
    for offset in range(0, len(whole), piece):
        data = "c400 e803" + offset.to_bytes(4, "little").hex() + whole[offset : offset + piece].hex()
        assert device.router.request(request(0x53, SCADA, data)).hex() == "d3000000"
    attribute = device.router.tags.by_name("SCADA")
    assert attribute is not None
    assert attribute[0:1000] == values


def test_no_room_for_one_element() -> None:
    assert ask(build(), request(0x4C, SCADA, "0100"), limit=9) == "cc001100"


def test_a_plan_for_a_large_reply_does_not_answer_a_smaller_one() -> None:
    device = build()
    message = request(0x4C, SCADA, "c800")
    assert len(ask(device, message, limit=4000)) == 2 * (6 + 800)
    assert ask(device, message).startswith("cc000600")


def test_values_are_taken_when_they_are_asked_for() -> None:
    device = build()
    attribute = device.router.tags.by_name("ONE")
    assert attribute is not None
    message = request(0x4C, name("ONE"), "0100")
    ask(device, message)
    attribute[0] = 9
    assert ask(device, message).endswith("09000000")


class Instants:
    """A source whose value is the instant."""

    refuses = True

    def fill(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        attribute[start:stop] = [int(now)] * (stop - start)

    def wrote(self, attribute: Attribute, now: float, start: int, stop: int) -> None:
        raise AssertionError("a refused write was told")


def test_a_source_that_comes_later_is_seen_and_may_refuse() -> None:
    device = build()
    attribute = device.router.tags.by_name("ONE")
    assert attribute is not None
    message = request(0x4C, name("ONE"), "0100")
    assert ask(device, message).endswith("07000000")
    attribute.source = Instants()
    for now in (3.0, 4.0):
        device.instant.now = now
        assert ask(device, message) == f"cc000000c4000{int(now)}000000"
    assert ask(device, request(0x4D, name("ONE"), "c400 0100 01000000")) == "cd00ff010021"
    attribute.source = None
    assert ask(device, message).endswith("04000000")


class Broken:
    """A gate that lets nothing through."""

    def admit(self, attribute: Attribute, now: float, start: int, stop: int, writing: bool) -> None:
        raise CipError(0x10, (0x1234,))

    def shown(self, attribute: Attribute, now: float, start: int, values: Sequence[Value]) -> Sequence[Value]:
        return values


def test_a_tag_in_error_fails_alone() -> None:
    device = build()
    attribute = device.router.tags.by_name("ONE")
    assert attribute is not None
    packet = request(0x0A, "2002 2401", "0200 0600 1000" + "4c0391034f4e45000100" + "4c0391034f4e45000100")
    ask(device, request(0x4C, name("ONE"), "0100"))
    assert ask(device, packet).startswith("8a000000")
    attribute.gate = Broken()
    assert ask(device, request(0x4C, name("ONE"), "0100")) == "cc0010013412"
    assert ask(device, packet).startswith("8a001e00")
    attribute.gate = None
    assert ask(device, packet).startswith("8a000000")


class Moody:
    """A gate that lets things through as long as it is told to."""

    def __init__(self) -> None:
        self.open = True

    def admit(self, attribute: Attribute, now: float, start: int, stop: int, writing: bool) -> None:
        if not self.open:
            raise CipError(0x10)

    def shown(self, attribute: Attribute, now: float, start: int, values: Sequence[Value]) -> Sequence[Value]:
        return values


def test_a_gate_that_closes_is_seen_by_what_was_prepared() -> None:
    device = build()
    attribute = device.router.tags.by_name("ONE")
    assert attribute is not None
    attribute.gate = gate = Moody()
    message = request(0x4C, name("ONE"), "0100")
    packet = request(0x0A, "2002 2401", "0200 0600 1000") + message * 2
    for _ in range(2):
        assert ask(device, message) == "cc000000c40007000000"
        assert ask(device, packet).startswith("8a000000")
        assert device.router.plan_of(packet) is not None
        gate.open = False
        assert ask(device, packet) == "8a001e0002000600" + "0a00" + "cc001000" * 2
        assert ask(device, message) == "cc001000"
        gate.open = True


def test_a_read_only_tag_has_no_settable_bytes() -> None:
    device = build()
    device.router.tags.add("FIXED", Attribute(DINT, writable=False), (22, 2, 1))
    assert ask(device, request(0x10, "2016 2402 3001", "01000000")) == "90000e00"


def test_accesses_are_traced() -> None:
    device = build()
    trace: list[Access] = []
    ask(device, request(0x4C, SCADA + "2805", "0200"), trace)
    ask(device, request(0x4D, name("ONE"), "c400 0100 2a000000"), trace)
    ask(device, request(0x4D, name("LOCKED"), "c400 0100 2a000000"), trace)
    ask(device, request(0x52, name("NAME"), "0800 04000000"), trace, limit=100)
    ask(device, request(0x0E, NUMBERED), trace)
    seen = [(item.attribute.name, item.start, item.stop, item.writing, item.status) for item in trace]
    assert seen == [
        ("SCADA", 5, 7, False, 0),
        ("ONE", 0, 1, True, 0),
        ("LOCKED", 0, 1, True, 0xFF),
        ("NAME", 0, 2, False, 6),
        ("NUMBERED", 0, 3, False, 0),
    ]
    assert [item.values for item in trace[:3]] == [[5, 6], [42], []]
    assert trace[3].values == ["n0", "n1"]


def test_what_is_past_the_end_or_of_another_type_is_traced_as_refused() -> None:
    device = build()
    trace: list[Access] = []
    ask(device, request(0x4C, SCADA + "2900e703", "0200"), trace)
    ask(device, request(0x52, SCADA, "e903 00000000"), trace)
    ask(device, request(0x4D, SCADA + "2805", "ca00 0100 00000000"), trace)
    seen = [(item.attribute.name, item.start, item.stop, item.writing, item.status) for item in trace]
    assert seen == [
        ("SCADA", 999, 1001, False, 0xFF),
        ("SCADA", 0, 1001, False, 0xFF),
        ("SCADA", 5, 6, True, 0xFF),
    ]
