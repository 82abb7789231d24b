"""Whatever is typed or comes: an operation or one kind of error, a tree or one kind of error."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from node.cip.message import Reply, Request, encode_reply
from node.cip.predefined import PREDEFINED
from node.cip.types import DINT, encode_values
from node.client.browsing import symbol_steps, template_steps
from node.client.dotted import dotdict
from node.client.exchanges import read_steps, run, whole_values
from node.client.operations import Operation, OperationError, parse_operation
from node.client.replies import format_tree, frame_tree
from node.client.tasks import Means, described, prepare
from node.enip.header import HEADER_SIZE, LIST_IDENTITY, LIST_SERVICES, SEND_RR_DATA, SEND_UNIT_DATA, pack_header
from node.errors import LocalProtocolError, NodeError, RemoteProtocolError

KNOWN = {template.handle: template for template in PREDEFINED}

FEW = settings(max_examples=40, deadline=None)

PIECES = st.sampled_from(
    (
        *[
            "Tag",
            "[",
            "]",
            "0",
            "-",
            "10",
            ",",
            "+",
            "*",
            "=",
            "(",
            ")",
            "DINT",
            "REAL",
            "SSTRING",
            '"',
            ".",
            "@",
            "/",
            " ",
        ],
        *['{"class":4}', '{"port":1,"link":"10.0.0.1"}', "0x1F", "0b1", "1e5", "é", "€", "\0", ":", "[1-5]", "{", "}"],
    )
)


@FEW
@given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=30))
def test_a_text_is_an_operation_or_refused(text: str) -> None:
    try:
        operation = parse_operation(text)
    except OperationError as exc:
        assert str(exc).count("\n") == repr(text).count("\n") == 0
        return
    try:
        task = prepare(operation, Means(KNOWN, 480))
    except LocalProtocolError:
        return
    assert task.first
    assert described(operation)


@FEW
@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=20), st.integers(0, 500))
def test_what_is_written_is_what_was_typed(values: list[int], first: int) -> None:
    text = f"Tag[{first}-{first + len(values) - 1}]=(DINT){','.join(map(str, values))}"
    operation = parse_operation(text)
    assert operation["data"] == values
    assert prepare(operation, Means(KNOWN, 480)).first.endswith(encode_values(DINT, values))


COMMANDS = st.sampled_from([LIST_IDENTITY, LIST_SERVICES, SEND_RR_DATA, SEND_UNIT_DATA, 0x01, 0x64, 0x65, 0x99])
MESSAGES = st.binary(max_size=40) | st.builds(
    lambda service, status, data: encode_reply(Reply(service, status, (), data)),
    st.sampled_from([0x4C, 0x4D, 0x52, 0x0A, 0x0E, 0x01, 0x55]),
    st.sampled_from([0, 4, 6, 0x1E, 0xFF]),
    st.binary(max_size=60),
)


@FEW
@given(
    COMMANDS,
    st.binary(max_size=80) | MESSAGES.map(lambda raw: bytes(6) + struct.pack("<HHHHH", 2, 0, 0, 0xB2, len(raw)) + raw),
)
def test_a_frame_is_a_tree_or_malformed(command: int, body: bytes) -> None:
    frame = pack_header(command, len(body), 1, 0, bytes(8)) + body
    assert len(frame) == HEADER_SIZE + len(body)
    try:
        tree = dotdict(frame_tree(frame, ("10.0.0.4", 44818), KNOWN))
    except RemoteProtocolError:
        return
    assert tree["enip.command"] == command
    assert '"enip.status": 0' in format_tree(tree)


REPLIES = st.lists(
    st.builds(Reply, st.just(0), st.sampled_from([0, 6, 0x11, 4]), st.just(()), st.binary(max_size=30)),
    min_size=1,
    max_size=6,
)


@FEW
@given(REPLIES, st.integers(1, 9))
def test_whatever_is_answered_ends(replies: list[Reply], elements: int) -> None:
    """In values of the number that was asked for, or an error of ours; after some requests, not never."""
    for steps in (
        lambda: read_steps(b"\x91\1A\0", elements),
        lambda: symbol_steps(),
        lambda: template_steps(0x101, {}),
    ):
        asked = 0

        def answer(request: Request) -> Reply:
            nonlocal asked
            asked += 1
            if asked > 5000:
                raise AssertionError("it asks for ever")
            reply = replies[min(asked, len(replies)) - 1]
            return Reply(request.service, reply.status, (), reply.data) if asked <= 50 else Reply(request.service, 4)

        try:
            result = run(steps(), answer)  # type: ignore[no-untyped-call]
            if isinstance(result, tuple):
                assert len(whole_values(result, elements, 0, KNOWN)) == elements
        except NodeError:
            pass


@FEW
@given(
    st.dictionaries(
        st.text("abc", min_size=1),
        st.integers()
        | st.lists(st.dictionaries(st.text("xy", min_size=1), st.integers(), min_size=1), min_size=1, max_size=3),
    )
)
def test_a_tree_is_made_again_of_its_leaves(content: dict[str, object]) -> None:
    tree = dotdict(content)
    again = dotdict(tree.items())
    assert again == tree
    for key, value in tree.items():
        assert tree[key] == value


def test_an_operation_of_a_mapping_that_is_none() -> None:
    for path in ([{"class": "x"}], [{"element": [1]}], [{}], [{"class": 1, "instance": 2}]):
        operation: Operation = {"method": "read", "path": path}  # type: ignore[typeddict-item]
        try:
            prepare(operation, Means(KNOWN, 480))
        except LocalProtocolError as exc:
            assert "path" in str(exc)
        else:
            raise AssertionError(f"{path} was taken")
