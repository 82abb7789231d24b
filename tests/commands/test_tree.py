"""The tree of commands over stand-ins for a node's parts."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.commands.captures import CaptureCommands
from node.commands.errors import CommandError
from node.commands.tags import TagCommands
from node.commands.tree import CommandTree
from node.config.load import Json
from node.config.model import TagConfig
from node.controller import build_tags
from node.enip.commands import encode_unconnected
from node.enip.header import SEND_RR_DATA, Header, encode_header
from node.errors import NodeError
from node.exchange.metrics import Metrics

REGISTER = bytes.fromhex("65000400" + "00" * 20 + "01000000")
NO_TAG = encode_header(Header(SEND_RR_DATA, 28)) + encode_unconnected(bytes.fromhex("4c0391044e6f706501000000"))
NO_TAG_REPLY = encode_header(Header(SEND_RR_DATA, 20)) + encode_unconnected(bytes.fromhex("cc000400"))
CONFIGS = (TagConfig("SCADA", "INT", (3,)),)


class Doors:
    """A server that notes what it is told."""

    def __init__(self) -> None:
        self.listening = True
        self.switching = False
        self.error: str | None = None
        self.numbers = {"enip": 44818}
        self.counted = {"enip": Metrics()}
        self.counted["enip"].ring.append((1.5, REGISTER, None, "127.0.0.1:5000"))
        self.counted["enip"].refuse(NO_TAG[24:], NO_TAG, NO_TAG_REPLY, 2.5)
        self.counted["enip"].refuse(NO_TAG[24:], NO_TAG, NO_TAG_REPLY, 3.5)

    def switch(self, on: bool) -> None:
        self.listening = on


class Choices:
    """Options that take no negative delay."""

    def __init__(self) -> None:
        self._delay = (0.0, 0.0)

    @property
    def delay(self) -> tuple[float, float]:
        return self._delay

    @delay.setter
    def delay(self, delay: tuple[float, float]) -> None:
        if delay[0] < 0:
            raise NodeError("a delay below 0")
        self._delay = delay


class Watched:
    """What was asked to be watched last."""

    def __init__(self) -> None:
        self.asked: tuple[list[str], bool, float] | None = None

    def watch(self, tags: Iterable[str], writes: bool, now: float) -> None:
        self.asked = [*tags], writes, now


class Guest:
    """A peer that can be ended."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.since = 2.0
        self.requests, self.errors, self.bytes_in, self.bytes_out = 3, 1, 300, 200
        self.ended = False

    def describe(self) -> dict[str, Json]:
        return {"session": "0x00000007"}

    def eof(self) -> None:
        self.ended = True


@pytest.fixture
def guest() -> Guest:
    return Guest("127.0.0.1:5000")


@pytest.fixture
def tree(guest: Guest) -> CommandTree:
    return build_tree(guest)


def build_tree(guest: Guest, watch: Watched | None = None) -> CommandTree:
    tags = TagCommands(build_tags(CONFIGS, 0.0), CONFIGS, lambda: 0.0)
    captures = CaptureCommands("127.0.0.1", lambda: 5.5, lambda: 1e9, lambda: None)
    choices = Choices()
    rooms = {"capture": lambda: captures}
    return CommandTree(tags, Doors(), choices, lambda: [("enip", guest)], lambda: 5.5, watch or Watched(), rooms)


def test_tags_are_listed_read_and_written(tree: CommandTree) -> None:
    rows = tree.get("tags")
    assert isinstance(rows, list)
    assert tree.run("tags/SCADA[1]", 7) == tree.get("tags/SCADA[1]")
    row = tree.get("/tags/scada/")
    assert isinstance(row, dict)
    assert row["value"] == [0, 7, 0]


def test_the_server_is_stopped_and_started(tree: CommandTree) -> None:
    shown = {"listening": True, "switching": False, "ports": {"enip": 44818}, "error": None}
    assert tree.get("server") == shown
    assert tree.run("server/stop") == {**shown, "listening": False}
    assert tree.run("server/start") == shown


@pytest.mark.parametrize(
    ("value", "delay"), [(0.5, [0.5, 0.5]), ("0.1-0.5", [0.1, 0.5]), ([1, 2.5], [1.0, 2.5]), ("0", [0.0, 0.0])]
)
def test_the_delay_is_set(tree: CommandTree, value: Json, delay: Json) -> None:
    assert tree.run("options/delay", value) == delay
    assert tree.get("options") == {"delay": delay}


def test_connections_are_listed_and_ended(tree: CommandTree, guest: Guest) -> None:
    row = {"protocol": "enip", "peer": "127.0.0.1:5000", "seconds": 3.5, "requests": 3, "errors": 1}
    row |= {"bytes_in": 300, "bytes_out": 200, "session": "0x00000007", "last": "RegisterSession"}
    assert tree.get("connections") == [row]
    assert tree.run("connections/127.0.0.1:5000/eof") == 1
    assert guest.ended


def test_the_last_requests_are_told_in_words(tree: CommandTree) -> None:
    row = {"age_s": 4.0, "protocol": "enip", "peer": "127.0.0.1:5000", "request": "RegisterSession"}
    assert tree.get("requests") == [{**row, "reply": "", "ok": True, "status": ""}]


def test_what_is_asked_for_and_not_there_is_counted(tree: CommandTree) -> None:
    assert tree.get("undefined") == [{"name": "Nope", "count": 2, "last_s": 2.0}]


def test_a_watch_is_passed_on(guest: Guest) -> None:
    watched = Watched()
    tree = build_tree(guest, watched)
    assert tree.run("watch", {"tags": ["SCADA", "Other"], "writes": True}) == 2
    assert watched.asked == (["SCADA", "Other"], True, 5.5)
    assert tree.run("watch", {}) == 0
    assert watched.asked == ([], False, 5.5)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("", None, "there is nothing at ''; groups are options server tags connections"),
        ("tag/SCADA", None, "there is nothing at 'tag/SCADA'"),
        ("tags/NOPE", None, "there is no tag 'NOPE'"),
        ("tags/SCADA[0]", "x", "'x' does not fit INT"),
        ("options/speed", None, "there is no option 'speed'; there is delay"),
        ("options", 5, "name the option to set: options/delay"),
        ("options/delay", "soon", "'soon' is no delay"),
        ("options/delay", -1, "a delay below 0"),
        ("options/delay", {"a": 1}, "is no delay; wanted seconds"),
        ("options/delay", True, "True is no delay; wanted seconds"),
        ("options/delay", [0, 10**400], "is no delay; wanted seconds"),
        ("watch", 7, 'wanted {"tags": [NAME], "writes": true}'),
        ("watch", {"tags": ["x"] * 101}, "101 tags; at most 100"),
        ("requests/5", None, "there is nothing at 'requests/5'"),
        ("server/pause", None, "the server has no 'pause'; it has start and stop"),
        ("connections/1.2.3.4:5", None, "what can be done to a connection is connections/1.2.3.4:5/eof"),
        ("connections/1.2.3.4:5/eof", None, "no peer '1.2.3.4:5' is connected"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(tree: CommandTree, path: str, value: Json, said: str) -> None:
    with pytest.raises(CommandError) as caught:
        tree.run(path, value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@given(
    st.sampled_from(["tags", "tags/SCADA", "tags/SCADA[", "options/delay", "server", "connections/", "x"]),
    st.text(max_size=10),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
        max_leaves=5,
    ),
)
def test_nothing_from_outside_is_a_bug(start: str, rest: str, value: Json) -> None:
    tree = build_tree(Guest("p"))
    try:
        answer = tree.run(start + rest, value)
    except CommandError:
        return
    assert answer is not None
