"""Frames out of a stream that is split and joined at will."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.enip.framing import FrameBuffer
from node.enip.header import HEADER_SIZE, NO_CONTEXT, pack_header
from node.errors import RemoteProtocolError
from tests.vectors import read_vectors

FRAMES = [vector.data for vector in read_vectors("encapsulation").values()]


def frame(length: int) -> bytes:
    """A frame with `length` bytes after its header."""
    return pack_header(0x6F, length, 1, 0, NO_CONTEXT) + bytes(length)


def test_a_whole_frame_comes_out_as_it_went_in() -> None:
    buffer = FrameBuffer()
    assert [buffer.feed(data) for data in FRAMES] == [[data] for data in FRAMES]
    assert buffer.pending == 0


def test_all_frames_of_a_segment_come_out_at_once() -> None:
    buffer = FrameBuffer()
    assert buffer.feed(b"".join(FRAMES) + FRAMES[0][:5]) == FRAMES
    assert buffer.pending == 5
    assert buffer.feed(FRAMES[0][5:]) == [FRAMES[0]]
    assert buffer.pending == 0


def test_byte_by_byte() -> None:
    buffer = FrameBuffer()
    stream = b"".join(FRAMES)
    frames = [frame for index in range(len(stream)) for frame in buffer.feed(stream[index : index + 1])]
    assert frames == FRAMES


def test_the_longest_frame_there_is_passes() -> None:
    longest = frame(0xFFFF)
    buffer = FrameBuffer()
    assert buffer.feed(longest[:-1]) == []
    assert buffer.pending == len(longest) - 1
    assert buffer.feed(longest[-1:]) == [longest]


def test_a_frame_over_the_limit_is_refused_after_those_before_it() -> None:
    buffer = FrameBuffer(limit=100)
    assert buffer.feed(frame(76)) == [frame(76)]
    assert buffer.feed(frame(10) + frame(77)[:HEADER_SIZE]) == [frame(10)]
    with pytest.raises(RemoteProtocolError, match="a frame of 101 bytes; 100 are taken here"):
        buffer.feed(b"\0")


@given(st.lists(st.integers(0, 60), max_size=8), st.lists(st.integers(0, 500), max_size=12))
def test_frames_do_not_depend_on_where_the_stream_is_cut(lengths: list[int], cuts: list[int]) -> None:
    stream = b"".join(frame(length) for length in lengths)
    buffer = FrameBuffer()
    frames: list[bytes] = []
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    for start, end in pairwise(edges):
        frames += buffer.feed(stream[start:end])
    assert frames == [frame(length) for length in lengths]
    assert buffer.pending == 0


@given(st.lists(st.binary(max_size=80), max_size=8))
def test_any_bytes_are_frames_or_refused(pieces: list[bytes]) -> None:
    buffer = FrameBuffer(limit=1000)
    taken = 0
    try:
        for piece in pieces:
            taken += len(piece)
            taken -= sum(len(whole) for whole in buffer.feed(piece))
            assert buffer.pending == taken
    except RemoteProtocolError as exc:
        assert "1000 are taken here" in str(exc)
