"""Frames of a relay's pipe, whole, byte by byte, with a tail, and spoilt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import LocalProtocolError, RemoteProtocolError
from node.relay.frames import (
    CHUNK,
    CLOSE,
    COUNT,
    DATA,
    GRANT,
    OPEN,
    SIZES,
    Frame,
    FrameReader,
    granted,
    text_frame,
)

VECTORS = [
    ("01 00000001 0000000e 31302e302e302e353a3430303031", Frame(OPEN, 1, b"10.0.0.5:40001")),
    ("01 00000002 00000000", Frame(OPEN, 2)),
    ("02 00000001 00000003 7b7d0a", Frame(DATA, 1, b"{}\n")),
    ("03 ffffffff 00000004 00004000", Frame(GRANT, 0xFFFFFFFF, COUNT.pack(16384))),
    ("04 00000001 00000000", Frame(CLOSE, 1)),
]
STREAM = b"".join(bytes.fromhex(text) for text, _ in VECTORS)
FRAMES = [frame for _, frame in VECTORS]


@pytest.mark.parametrize(("text", "frame"), VECTORS)
def test_a_frame_is_these_bytes_and_these_bytes_are_it(text: str, frame: Frame) -> None:
    data = bytes.fromhex(text)
    assert frame.encode() == data
    reader = FrameReader()
    assert (reader.decode(data), reader.whole) == ([frame], True)


def test_byte_by_byte_and_all_at_once() -> None:
    reader = FrameReader()
    found = [frame for at in range(len(STREAM)) for frame in reader.decode(STREAM[at : at + 1])]
    assert (found, reader.whole) == (FRAMES, True)
    assert FrameReader().decode(STREAM) == FRAMES


def test_what_comes_after_a_frame_is_kept_for_the_next() -> None:
    for text, frame in VECTORS:
        reader = FrameReader()
        assert reader.decode(bytes.fromhex(text) + STREAM[:5]) == [frame]
        assert not reader.whole
        assert reader.decode(STREAM[5:]) == FRAMES


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("00 00000001 00000000", "kind 0: wanted 1 to 4; is it another version"),
        ("05 00000001 00000000", "kind 5"),
        ("47 45542f20 48545450", "kind 71"),
        ("02 00000001 00000000", "kind 2 with 0 bytes: wanted 1 to 16384"),
        ("02 00000001 00004001", "kind 2 with 16385 bytes"),
        ("03 00000001 00000003", "kind 3 with 3 bytes: wanted 4 to 4"),
        ("01 00000001 00000401", "kind 1 with 1025 bytes"),
        ("02 00000001 ffffffff", "kind 2 with 4294967295 bytes"),
    ],
)
def test_what_is_no_frame_is_said_by_its_head_alone(text: str, said: str) -> None:
    """Before its body has come: nothing is kept for one that is too long."""
    with pytest.raises(RemoteProtocolError, match=said):
        FrameReader().decode(bytes.fromhex(text))


def test_a_body_that_does_not_fit_its_kind_is_not_sent() -> None:
    for frame in (
        Frame(DATA, 1),
        Frame(DATA, 1, bytes(CHUNK + 1)),
        Frame(GRANT, 1, b"123"),
        Frame(OPEN, 1, bytes(1025)),
    ):
        with pytest.raises(LocalProtocolError, match="bytes, not"):
            frame.encode()


def test_a_text_that_is_too_long_is_cut() -> None:
    assert len(text_frame(CLOSE, 1, "é" * 1000).body) == SIZES[CLOSE][1]
    assert granted(Frame(GRANT, 1, COUNT.pack(70_000))) == 70_000


def bodies(kind: int) -> st.SearchStrategy[bytes]:
    least, most = SIZES[kind]
    return st.binary(min_size=least, max_size=min(most, 200))


some_frames = st.lists(
    st.sampled_from(sorted(SIZES)).flatmap(
        lambda kind: st.builds(Frame, st.just(kind), st.integers(0, (1 << 32) - 1), bodies(kind))
    ),
    max_size=8,
)


@given(some_frames, st.lists(st.integers(1, 40), min_size=1))
def test_frames_survive_any_cutting(frames: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(frame.encode() for frame in frames)
    reader, found, at, turn = FrameReader(), [], 0, 0
    while at < len(stream):
        found += reader.decode(stream[at : at + cuts[turn % len(cuts)]])
        at, turn = at + cuts[turn % len(cuts)], turn + 1
    assert (found, reader.whole) == (frames, True)


@given(st.binary(max_size=300))
def test_any_bytes_are_frames_or_an_error(data: bytes) -> None:
    """Those that are frames are the very bytes; nothing else is ever raised."""
    reader = FrameReader()
    try:
        found = reader.decode(data)
    except RemoteProtocolError:
        return
    again = b"".join(frame.encode() for frame in found)
    assert data.startswith(again)
    assert reader.whole == (len(again) == len(data))
