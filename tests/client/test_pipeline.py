"""Which message goes next, byte by byte, without a socket."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from node.cip.message import Reply, decode_request, encode_reply
from node.cip.multiple import decode_multiple, encode_multiple
from node.cip.predefined import STRING
from node.cip.services import (
    MULTIPLE_SERVICE_PACKET,
    READ_TAG,
    READ_TAG_FRAGMENTED,
    WRITE_TAG,
    WRITE_TAG_FRAGMENTED,
)
from node.cip.structure_values import encode_text
from node.cip.tag_services import decode_read_fragmented, decode_write_fragmented, decode_write_tag
from node.client.operations import parse_operations
from node.client.pipeline import Outcome, Packet, Pipeline
from node.client.tasks import Means, prepare

LIMIT = 480
KNOWN = {STRING.handle: STRING}


def pipeline(texts: Iterable[str], *, fragment: bool = False, message: int = LIMIT, **named: int) -> Pipeline:
    """One of these operations."""
    means = Means(KNOWN, message, fragment)
    return Pipeline((prepare(operation, means) for operation in parse_operations(texts)), **named)


def packets(pipe: Pipeline) -> list[Packet]:
    """All that may be sent now."""
    found = []
    while (packet := pipe.next()) is not None:
        found.append(packet)
    return found


def dints(service: int, *values: int, status: int = 0) -> bytes:
    """A reply of them."""
    data = b"".join(value.to_bytes(4, "little") for value in values)
    return encode_reply(Reply(service, status, (), b"\xc4\0" + data))


def told(outcomes: Iterable[Outcome]) -> list[tuple[int, int, object]]:
    """idx, status, value."""
    return [(outcome.idx, outcome.status, outcome.value) for outcome in outcomes]


def test_depth_is_how_many_are_under_way() -> None:
    pipe = pipeline([f"T{number}" for number in range(5)], depth=2)
    first, second = packets(pipe)
    assert (first.idx, second.idx) == (0, 1)
    assert told(pipe.take(first, dints(READ_TAG, 7))) == [(0, 0, [7])]
    (third,) = packets(pipe)
    assert third.idx == 2
    assert not pipe.done


def test_outcomes_keep_the_order_of_the_operations() -> None:
    pipe = pipeline(["A", "B", "C"], depth=3, index=10)
    a, b, c = packets(pipe)
    assert pipe.take(c, dints(READ_TAG, 3)) == []
    assert pipe.take(a, dints(READ_TAG, 1))[0].value == [1]
    assert told(pipe.take(b, dints(READ_TAG, 2))) == [(11, 0, [2]), (12, 0, [3])]
    assert packets(pipe) == []
    assert pipe.done


def test_requests_are_bundled_to_the_size_told() -> None:
    pipe = pipeline([f"Tag_{number}" for number in range(30)], depth=30, limit=100)
    sent = packets(pipe)
    sizes = [len(packet.message) for packet in sent]
    assert max(sizes) <= 100
    assert len(sent) < 12
    request = decode_request(sent[0].message)
    assert request.service == MULTIPLE_SERVICE_PACKET
    parts = decode_multiple(request.data)
    replies = encode_multiple([dints(READ_TAG, number) for number in range(len(parts))])
    outcomes = pipe.take(sent[0], encode_reply(Reply(MULTIPLE_SERVICE_PACKET, 0, (), replies)))
    assert told(outcomes) == [(0, 0, [number]) for number in range(len(parts))]
    assert all(outcome.multiple for outcome in outcomes)


def test_what_answers_too_long_is_not_bundled() -> None:
    pipe = pipeline(["A[0-99]", "B[0-99]", "C"], depth=5, limit=480)
    services = [packet.message[0] for packet in packets(pipe)]
    assert services == [READ_TAG, MULTIPLE_SERVICE_PACKET]


def test_a_bundle_may_fail_in_part() -> None:
    pipe = pipeline(["A", "B"], limit=480)
    (packet,) = packets(pipe)
    parts = [encode_reply(Reply(READ_TAG, 4, (0,))), dints(READ_TAG, 2)]
    outcomes = pipe.take(packet, encode_reply(Reply(MULTIPLE_SERVICE_PACKET, 0x1E, (), encode_multiple(parts))))
    assert told(outcomes) == [(0, 4, None), (0, 0, [2])]
    assert outcomes[0].extended == (0,)


@pytest.mark.parametrize("status", [0x08, 0x11, 0x02])
def test_a_bundle_that_is_refused_is_asked_one_by_one(status: int) -> None:
    pipe = pipeline(["A", "B=5"], limit=480, depth=3)
    (packet,) = packets(pipe)
    assert pipe.take(packet, encode_reply(Reply(MULTIPLE_SERVICE_PACKET, status))) == []
    a, b = packets(pipe)
    assert (a.message[0], b.message[0]) == (READ_TAG, WRITE_TAG)
    assert told(pipe.take(a, dints(READ_TAG, 1))) == [(0, 0, [1])]
    assert told(pipe.take(b, encode_reply(Reply(WRITE_TAG)))) == [(0, 0, True)]


def test_what_did_not_fit_beside_the_others_is_asked_again_by_itself() -> None:
    pipe = pipeline(["A", "B", "C=1"], limit=480, depth=3)
    (packet,) = packets(pipe)
    parts = [dints(READ_TAG, 1), encode_reply(Reply(READ_TAG, 0x11)), encode_reply(Reply(WRITE_TAG, 0x11))]
    replies = encode_multiple(parts)
    outcomes = pipe.take(packet, encode_reply(Reply(MULTIPLE_SERVICE_PACKET, 0x1E, (), replies)))
    assert told(outcomes) == [(0, 0, [1])]
    b, c = packets(pipe)
    assert (b.message[0], c.message[0]) == (READ_TAG, WRITE_TAG)
    assert told(pipe.take(b, dints(READ_TAG, 2))) == [(0, 0, [2])]
    assert told(pipe.take(c, encode_reply(Reply(WRITE_TAG, 0x11)))) == [(0, 0x11, None)], "and then it is a fault"


def test_a_partial_read_goes_on_from_where_it_ended() -> None:
    pipe = pipeline(["A[0-3]"])
    (packet,) = packets(pipe)
    assert pipe.take(packet, dints(READ_TAG, 1, 2, status=6)) == []
    (packet,) = packets(pipe)
    request = decode_request(packet.message)
    assert (request.service, decode_read_fragmented(request.data)) == (READ_TAG_FRAGMENTED, (4, 8))
    assert told(pipe.take(packet, dints(READ_TAG_FRAGMENTED, 3, 4))) == [(0, 0, [1, 2, 3, 4])]


def test_an_offset_is_of_the_fragment() -> None:
    pipe = pipeline(["A[0-3]+8", "A[0-9]+16=(DINT)4,5,6,7,8,9"], depth=2)
    reads, writes = packets(pipe)
    assert decode_read_fragmented(decode_request(reads.message).data) == (4, 8)
    request = decode_request(writes.message)
    assert request.service == WRITE_TAG_FRAGMENTED
    code, _, elements, offset, data = decode_write_fragmented(request.data)
    assert (code, elements, offset, data[::4]) == (0xC4, 10, 16, bytes((4, 5, 6, 7, 8, 9)))
    assert told(pipe.take(reads, dints(READ_TAG_FRAGMENTED, 3, 4))) == [(0, 0, [3, 4])]


def test_a_write_that_does_not_fit_goes_in_fragments() -> None:
    values = ",".join(str(number) for number in range(300))
    pipe = pipeline([f"A[0-299]=(DINT){values}"])
    written = bytearray()
    while (packet := pipe.next()) is not None:
        assert len(packet.message) <= LIMIT
        code, _, elements, offset, data = decode_write_fragmented(decode_request(packet.message).data)
        assert (code, elements, offset) == (0xC4, 300, len(written))
        written += data
        outcomes = pipe.take(packet, encode_reply(Reply(WRITE_TAG_FRAGMENTED)))
    assert told(outcomes) == [(0, 0, True)]
    assert bytes(written[::4]) == bytes(number & 0xFF for number in range(300))


def test_a_structure_larger_than_a_message_is_cut_within() -> None:
    pipe = pipeline(['S=(STRING)"a long text that is no match for so small a message"'], message=64)
    written = b""
    while (packet := pipe.next()) is not None:
        assert len(packet.message) <= 64
        _, handle, elements, offset, data = decode_write_fragmented(decode_request(packet.message).data)
        assert (handle, elements, offset, offset % 4) == (STRING.handle, 1, len(written), 0)
        written += data
        pipe.take(packet, encode_reply(Reply(WRITE_TAG_FRAGMENTED)))
    assert written == encode_text(STRING, "a long text that is no match for so small a message")


def test_fragmented_services_can_be_forced() -> None:
    pipe = pipeline(["A", "A=1"], fragment=True, depth=2)
    assert [packet.message[0] for packet in packets(pipe)] == [READ_TAG_FRAGMENTED, WRITE_TAG_FRAGMENTED]


def test_a_type_that_is_not_said_is_asked_for() -> None:
    means = Means(KNOWN, LIMIT, False, {})
    operation = {"method": "write", "path": "A[2]", "data": [5, 6], "elements": 2}
    for first in (True, False):
        pipe = Pipeline(iter([prepare(operation, means)]))  # type: ignore[arg-type]
        (packet,) = packets(pipe)
        if first:
            assert packet.message[0] == READ_TAG
            assert pipe.take(packet, dints(READ_TAG, 1)) == []
            (packet,) = packets(pipe)
        code, _, elements, data = decode_write_tag(decode_request(packet.message).data)
        assert (code, elements, data[::4]) == (0xC4, 2, b"\5\6")
        assert told(pipe.take(packet, encode_reply(Reply(WRITE_TAG)))) == [(0, 0, True)]


def test_a_route_that_fails_fails_all_that_went_over_it() -> None:
    pipe = pipeline(["A", "B"], limit=480)
    (packet,) = packets(pipe)
    outcomes = pipe.take(packet, encode_reply(Reply(0x52, 1, (0x0204,))))
    assert told(outcomes) == [(0, 1, None), (0, 1, None)]
    assert pipe.next() is None
    assert pipe.done
