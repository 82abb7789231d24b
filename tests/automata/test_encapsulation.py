"""The machine of an encapsulation frame and the codec of a node: two readers of the same bytes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.automata import dotdict, peekable
from node.automata.encapsulation import LISTS, MOST_LISTED, REGISTER_SESSION, SENDS, encapsulation
from node.enip.commands import decode_register_session, decode_send
from node.enip.cpf import Item, decode_cpf
from node.enip.framing import FrameBuffer
from node.enip.header import HEADER_SIZE, decode_header
from node.errors import RemoteProtocolError
from tests.vectors import read_vectors

FRAMES = read_vectors("encapsulation")
MACHINE = encapsulation()


def codec(data: bytes) -> dotdict | None:
    """What a node's codec reads of the frame at the start of `data`, under the machine's names; None for none."""
    found = dotdict()
    try:
        frames = FrameBuffer().feed(data)
        if not frames:
            return None
        header, body = decode_header(frames[0]), frames[0][HEADER_SIZE:]
        for name in ("command", "length", "session", "status", "options"):
            found[f"enip.{name}"] = getattr(header, name)
        found["enip.sender_context"] = header.context
        if header.command == REGISTER_SESSION:
            found["enip.register.version"], found["enip.register.options"] = decode_register_session(body)
        elif header.command in SENDS:
            found["enip.send.interface"], found["enip.send.timeout"], items = decode_send(body)
            put_items(found, items)
        elif header.command in LISTS and body:
            put_items(found, decode_cpf(body, limit=MOST_LISTED))
        elif body:
            found["enip.data"] = body
    except RemoteProtocolError:
        return None
    return found


def put_items(found: dotdict, items: list[Item]) -> None:
    found["enip.CPF.count"] = len(items)
    for index, item in enumerate(items):
        for name, value in (("type_id", item.type), ("length", len(item.data)), ("data", item.data)):
            found[f"enip.CPF.item[{index}].{name}"] = value


def agree(data: bytes) -> None:
    """Both read the same, or neither anything; so does who watches."""
    wanted = codec(data)
    read, source = dotdict(), peekable(data)
    assert MACHINE.consume(source, read) == (wanted is not None)
    assert source.sent <= len(data)
    if wanted is not None:
        assert read == wanted
        assert source.sent == HEADER_SIZE + wanted["enip.length"]
    seen, again = dotdict(), peekable(data)
    for _ in MACHINE.run(again, seen):
        pass
    assert (MACHINE.accepted, again.sent, seen) == (wanted is not None, source.sent, read)


@pytest.mark.parametrize("name", FRAMES)
def test_every_vector(name: str) -> None:
    assert codec(FRAMES[name].data) is not None
    agree(FRAMES[name].data)
    agree(FRAMES[name].data + b"\0behind")


@pytest.mark.parametrize("name", ["read_tag", "connected_read", "list_identity_reply", "register_session", "nop"])
def test_every_beginning_of_a_frame(name: str) -> None:
    for end in range(len(FRAMES[name].data)):
        agree(FRAMES[name].data[:end])


@given(st.sampled_from(list(FRAMES)), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3))
@settings(deadline=None)
def test_spoilt_frames(name: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(FRAMES[name].data)
    for at, value in changes:
        data[[2, 3, 30, 31, 34, 35, 38, 39][at % 8] % len(data) if at % 2 else at % len(data)] = value
    agree(bytes(data))


@given(st.sampled_from([0x65, 0x6F, 0x70, 0x63, 0x04, 0x00]), st.binary(max_size=40))
@settings(deadline=None)
def test_any_body(command: int, body: bytes) -> None:
    agree(command.to_bytes(2, "little") + len(body).to_bytes(2, "little") + bytes(20) + body)


@pytest.mark.parametrize(
    ("name", "at", "digits", "where"),
    [
        ("read_tag", 30, "0900", 30),  # nine items: the count is where it goes wrong
        ("read_tag", 38, "ff00", 54),  # an item that is longer than all there is
        ("register_session", 2, "0500", 28),  # a byte more than there is
    ],
)
def test_where_it_goes_wrong(name: str, at: int, digits: str, where: int) -> None:
    data = bytearray(FRAMES[name].data)
    data[at : at + 2] = bytes.fromhex(digits)
    source = peekable(bytes(data))
    assert not MACHINE.consume(source)
    assert source.sent == where


def test_a_frame_may_come_byte_by_byte() -> None:
    read = dotdict()
    assert MACHINE.consume(iter(FRAMES["read_tag"].data), read)
    assert read["enip.CPF.item[1].data"] == FRAMES["read_tag"].data[40:]
