"""What a controller does wrong is an error that names it, within its time, and never another request's value."""

from __future__ import annotations

import asyncio
import random
import time
from functools import partial

import pytest

from node.cip.message import Reply, Request
from node.cip.multiple import encode_multiple
from node.cip.services import MULTIPLE_SERVICE_PACKET
from node.client.aio import AsyncConnector
from node.client.client import await_response
from node.client.connector import Connector
from node.client.failure import BadAnswer, ConnectionLost, NoAnswer, Refused, TagError, TimedOut
from node.enip.commands import encode_unconnected
from node.enip.header import HEADER_SIZE, SEND_RR_DATA, decode_header, pack_header
from node.errors import NodeError, RemoteProtocolError
from tests.client.hostile import (
    HOST,
    Answering,
    Hostile,
    Late,
    Say,
    backwards,
    cut,
    flooded,
    honest,
    hostile,
    hung_up,
    silent,
    trickled,
    twice,
)

pytestmark = pytest.mark.net

LIMIT = 0.25
SLACK = 0.5
"""Seconds that a busy machine may be late beside."""

WAYS = [False, True]


def client(server: Hostile, connected: bool | None = False, timeout: float = LIMIT) -> Connector:
    """Registered and connected before anything goes wrong."""
    answering, server.answering = server.answering, honest
    plc = Connector(HOST, server.port, 5.0, connected=connected)
    plc.timeout = plc._transport.timeout = timeout
    server.answering = answering
    return plc


@pytest.mark.parametrize("connected", WAYS)
@pytest.mark.parametrize(
    ("answering", "error"),
    [(silent, TimedOut), (trickled, TimedOut), (flooded, TimedOut), (cut, TimedOut), (hung_up, ConnectionLost)],
    ids=lambda value: value.__name__,
)
def test_no_whole_answer_ends_in_time(answering: Answering, error: type[NoAnswer], connected: bool) -> None:
    with hostile(answering) as server, client(server, connected) as plc:
        begun = time.monotonic()
        with pytest.raises(error, match=f"{HOST}:{server.port}: "):
            plc.read_tag("T[1]")
        assert time.monotonic() - begun < LIMIT + SLACK
        begun = time.monotonic()
        with pytest.raises(NoAnswer, match=f"{HOST}:{server.port}: "):  # half a frame may be a whole one with another
            plc.read_tags(["T[1]", "T[2]"])
        assert time.monotonic() - begun < LIMIT + SLACK


@pytest.mark.parametrize("connected", WAYS)
@pytest.mark.parametrize("answering", [twice, backwards], ids=lambda value: value.__name__)
@pytest.mark.parametrize("multiple", [0, 60])
def test_every_value_is_that_of_its_request(answering: Answering, connected: bool, multiple: int) -> None:
    with hostile(answering) as server, client(server, connected, timeout=5.0) as plc:
        texts = [f"T[{number}]" for number in range(60)]
        for depth in (1, 4, 20):
            got = [val for *_, val in plc.pipeline(texts, depth=depth, multiple=multiple)]
            assert got == [[number] for number in range(60)]
        assert [plc.read_tag(text) for text in texts[:5]] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("connected", WAYS)
def test_a_late_answer_is_nobody_s(connected: bool) -> None:
    with hostile() as server, client(server, connected) as plc:
        server.answering = Late()
        with pytest.raises(TimedOut):
            plc.read_tag("T[1]")
        assert [plc.read_tag(f"T[{number}]") for number in (2, 3, 4)] == [2, 3, 4]


@pytest.mark.parametrize("depth", [1, 3])
def test_a_pipeline_that_was_given_up_leaves_nothing_behind(depth: int) -> None:
    with hostile() as server, client(server, timeout=5.0) as plc:
        for _ in plc.pipeline([f"T[{number}]" for number in range(10)], depth=depth):
            break
        assert plc.results(["T[77]"]) is not None
        assert list(plc.results(["T[77]", "T[78]"])) == [[77], [78]]


def garbage(dice: random.Random, server: Hostile, answers: list[bytes], say: Say) -> None:
    """Bytes that mean nothing."""
    say(dice.randbytes(dice.randint(1, 200)))


@pytest.mark.parametrize("seed", range(6))
def test_garbage_is_named_and_is_no_value(seed: int) -> None:
    dice = random.Random(seed)
    with hostile(partial(garbage, dice)) as server, client(server) as plc:
        begun = time.monotonic()
        with pytest.raises((BadAnswer, TimedOut)):
            plc.read_tag("T[5]")
        assert time.monotonic() - begun < LIMIT + SLACK


HEADERS = (*range(HEADER_SIZE), *range(HEADER_SIZE, HEADER_SIZE + 20))
"""Of an unconnected reply: the encapsulation's, the items', and the Message Router's."""


def spoilt(dice: random.Random, server: Hostile, answers: list[bytes], say: Say) -> None:
    """One byte of the headers is another."""
    answer = bytearray(answers[0])
    answer[dice.choice(HEADERS)] ^= dice.randint(1, 255)
    say(bytes(answer))


@pytest.mark.parametrize("seed", range(3))
def test_a_spoilt_header_is_an_error_or_harmless(seed: int) -> None:
    dice = random.Random(seed)
    with hostile(partial(spoilt, dice)) as server:
        for number in range(20):
            with client(server, timeout=0.1) as plc:
                try:
                    assert plc.read_tag(f"T[{number}]") == number
                except NodeError as exc:
                    assert f"{HOST}:{server.port}: " in str(exc)


def instead(body: bytes) -> Answering:
    """The message `body`, whatever was asked."""

    def say_it(server: Hostile, answers: list[bytes], say: Say) -> None:
        header = decode_header(answers[0])
        frame = encode_unconnected(body)
        say(pack_header(SEND_RR_DATA, len(frame), header.session, 0, header.context) + frame)

    return say_it


BUNDLE = encode_multiple([b"\xcc\0\0\0\xc4\0\1\0\0\0"])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"\xcd\0\0\0", "a reply to service 0x4D, asked was 0x4C"),
        (b"\x4c\0\0\0\xc4\0\1\0\0\0", "service byte 0x4C in a CIP reply"),
        (b"\xcc\0\0\0", "a read reply of 0 bytes"),
        (b"\xcc\0\0\0\xc4\0\1\0\0", "3 bytes of DINT, asked were 1 elements of 4"),
        (b"\xcc\0\0\0\xc4\0\1\0\0\0\2\0\0\0", "8 bytes of DINT, asked were 1 elements of 4"),
        (b"\xcc\0\0\0\xc4\0", "0 bytes of DINT"),
        (b"\xcc\0\6\0\xc4\0", "a read that does not end"),
        (b"\xcc\0\0\7\xc4\0", "announces 7 words of extended status"),
        (b"\xcc", "a CIP reply of 1 bytes"),
    ],
)
def test_a_reply_that_is_none_is_named(body: bytes, words: str) -> None:
    with hostile(instead(body)) as server, client(server) as plc:
        with pytest.raises(BadAnswer, match=words) as caught:
            plc.read_tag("T[1]")
        assert isinstance(caught.value, RemoteProtocolError)
        with pytest.raises(BadAnswer, match=words):
            plc.process(["T[1]"])
        server.answering = honest
        assert plc.read_tag("T[1]") == 1, "the session is still good"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"\x8a\0\0\0" + BUNDLE, "1 replies in a packet to 2 requests"),
        (b"\x8a\0\0\0", "a reply of nothing to a packet of 2 requests"),
        (b"\x8a\0\0\0\x09\0", "Multiple Service Packet reply of 2 bytes"),
        (b"\xcc\0\0\0\xc4\0\1\0\0\0", "a reply to service 0x4C, asked was 0x0A"),
    ],
)
def test_a_bundle_that_is_none_is_named(body: bytes, words: str) -> None:
    with hostile(instead(body)) as server, client(server) as plc, pytest.raises(BadAnswer, match=words):
        plc.read_tags(["T[1]", "T[2]"])


def test_fragments_of_two_types_are_no_value() -> None:
    parts = iter([Reply(0x52, 6, (), b"\xc4\0\1\0\0\0"), Reply(0x52, 0, (), b"\xca\0\1\0\0\0")])
    with hostile() as server, client(server) as plc:
        server.reply = lambda request: next(parts)
        with pytest.raises(BadAnswer, match=r"a malformed answer: T\[0-1\]: fragments of one read are of type 0xC4"):
            plc.process(["T[0-1]"], fragment=True)


def test_a_bundle_refused_as_a_whole_is_asked_again_one_by_one() -> None:
    def no_bundles(server: Hostile, answers: list[bytes], say: Say) -> None:
        for answer in answers:
            header = decode_header(answer)
            bundled = answer[HEADER_SIZE + 16] == MULTIPLE_SERVICE_PACKET | 0x80
            frame = encode_unconnected(b"\x8a\0\x08\0") if bundled else answer[HEADER_SIZE:]
            say(pack_header(SEND_RR_DATA, len(frame), header.session, 0, header.context) + frame)

    with hostile(no_bundles) as server, client(server, timeout=5.0) as plc:
        assert plc.read_tags([f"T[{number}]" for number in range(40)]) == list(range(40))


def test_an_encapsulation_status_is_a_refusal() -> None:
    def refuse(server: Hostile, answers: list[bytes], say: Say) -> None:
        header = decode_header(answers[0])
        say(pack_header(SEND_RR_DATA, 0, header.session, 0x64, header.context))

    words = r"the message got invalid session handle \(0x0064\)"
    with hostile(refuse) as server, client(server) as plc, pytest.raises(Refused, match=words):
        plc.read_tag("T[1]")


def test_nothing_listens_is_a_refusal_too() -> None:
    with hostile() as server:
        port = server.port
    with pytest.raises(Refused, match=f"{HOST}:{port}: connection refused"):
        Connector(HOST, port, 1.0)


def test_a_fault_has_words_code_tag_and_address() -> None:
    with hostile() as server, client(server) as plc:
        server.reply = lambda request: Reply(request.service, 0xFF, (0x2105,))
        with pytest.raises(TagError) as caught:
            plc.read_tag("T[9]")
        assert str(caught.value) == (
            f"{HOST}:{server.port}: T[9]: general error (0xFF), count or index past the end of the tag (0x2105)"
        )
        assert (caught.value.general, caught.value.extended, caught.value.tag) == (0xFF, (0x2105,), "T[9]")


@pytest.mark.parametrize("answering", [silent, trickled, flooded, cut, hung_up], ids=lambda value: value.__name__)
def test_waiting_by_hand_ends_in_time_too(answering: Answering) -> None:
    with hostile(answering) as server, client(server) as plc:
        plc.read("T[1]")
        begun = time.monotonic()
        reply, elapsed = await_response(plc, timeout=LIMIT)
        assert time.monotonic() - begun < LIMIT + SLACK
        assert not reply
        assert (reply is None) == (answering is not hung_up)
        assert elapsed < LIMIT + SLACK


def test_a_foreign_reply_is_not_given_by_hand_either() -> None:
    def foreign(server: Hostile, answers: list[bytes], say: Say) -> None:
        say(answers[0][:12] + b"somebody" + answers[0][20:])

    with hostile(foreign) as server, client(server) as plc:
        plc.read("T[1]")
        assert not plc.readable(0.1)
        assert next(plc) is None


@pytest.mark.parametrize("answering", [silent, trickled, flooded, cut], ids=lambda value: value.__name__)
@pytest.mark.parametrize("connected", [False, True])
def test_the_asyncio_client_ends_in_time(answering: Answering, connected: bool) -> None:
    async def body(server: Hostile) -> None:
        async with AsyncConnector(HOST, server.port, 5.0, connected=connected) as plc:
            plc.timeout = LIMIT
            server.answering = answering
            begun = time.monotonic()
            with pytest.raises(TimedOut, match="no answer within"):
                await plc.read_tags(["T[1]", "T[2]"])
            assert time.monotonic() - begun < LIMIT + SLACK

    with hostile() as server:
        asyncio.run(body(server))


@pytest.mark.parametrize("connected", [False, True])
@pytest.mark.parametrize("answering", [twice, backwards], ids=lambda value: value.__name__)
def test_the_asyncio_client_matches_too(answering: Answering, connected: bool) -> None:
    async def body(server: Hostile) -> list[object]:
        async with AsyncConnector(HOST, server.port, 5.0, connected=connected) as plc:
            server.answering = answering
            texts = [f"T[{number}]" for number in range(40)]
            return [outcome.value async for outcome in plc.outcomes(texts, depth=7, multiple=50)]

    with hostile() as server:
        assert asyncio.run(body(server)) == [[number] for number in range(40)]


def test_a_request_is_not_taken_for_a_reply() -> None:
    """A device that echoes what it is sent."""

    def echo(request: Request) -> Reply:
        return Reply(request.service, 0, (), request.data)

    with hostile() as server, client(server) as plc:
        server.reply = echo
        with pytest.raises(BadAnswer):
            plc.read_tag("T[1]")
