"""A controller's tags and structures as a client learns them, of a node with structures of every make."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from node.cip.message import Reply, Request
from node.cip.template import Template
from node.client import AsyncConnector, Connector, TagError
from node.client.browsing import Tag, browse, browse_steps, symbol_steps, template_steps
from node.client.exchanges import run
from node.client.structures import Structures
from node.config.load import dump
from node.config.model import TagConfig
from node.errors import LocalProtocolError, RemoteProtocolError
from tests.cli.lone import ready
from tests.client.nodes import ROOT
from tests.peers.browse_node import CONFIG, TYPES, sample

pytestmark = pytest.mark.net

HOST = "127.64.33.10"
MANY = 400
ARRAY = TYPES[7].name


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    tags = [tag for tag in CONFIG.tags if not tag.name.startswith("Tag_") or int(tag.name[4:]) < MANY]
    file = tmp_path_factory.mktemp("node") / "node.json"
    more = (TagConfig("Pumps", ARRAY, (3,)), TagConfig("Grid", "DINT", (4, 5)))
    file.write_text(json.dumps(dump(replace(CONFIG, address=HOST, tags=(*tags, *more)))))
    command = [sys.executable, "-m", "node", "run", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert HOST in ready(process)
            yield HOST
        finally:
            process.terminate()


@pytest.fixture(params=[True, False], ids=["connected", "unconnected"])
def plc(address: str, request: pytest.FixtureRequest) -> Iterator[Connector]:
    with Connector(address, connected=request.param) as connector:
        yield connector


def test_every_tag_is_found_with_its_type(plc: Connector) -> None:
    tags = {tag.name: tag for tag in browse(plc)}
    assert len([name for name in tags if name.startswith("Tag_")]) == MANY
    assert len([name for name in tags if name.startswith("Program:Main.P_")]) == 300
    assert tags["Tag_00007"] == Tag("Tag_00007", "DINT", (), None, "read/write", tags["Tag_00007"].instance)
    assert (tags["Grid"].type, tags["Grid"].dimensions) == ("DINT", (4, 5))
    assert tags["Program:Main.P_0"].dimensions == (2,)
    assert tags["Program:Main.Own"].type == TYPES[-1].name
    assert {f"S_{made.name}" for made in TYPES} <= tags.keys()
    assert not any(name.startswith(("__", "ZZZ")) or name == "Program:Main" for name in tags)
    assert not any(tag.name.startswith("Program:") for tag in browse(plc, programs=False))


def test_structures_are_read_and_written_whole(plc: Connector) -> None:
    dice = random.Random(7)
    browse(plc)
    for made in TYPES[::4]:
        value = sample(made.name, 0, dice)
        plc.write_tag(f"S_{made.name}", value)
        assert plc.read_tag(f"S_{made.name}") == value
    values = [sample(ARRAY, 0, dice) for _ in range(3)]
    plc.write_tag("Pumps", values)
    assert plc.read_tag("Pumps[0-2]") == values
    assert plc.read_tag("Pumps[2]") == values[2]
    own = sample(TYPES[-1].name, 0, dice)
    plc.write_tag("Program:Main.Own", own)
    assert plc.read_tag("Program:Main.Own") == own


def test_a_dataclass_is_made_of_a_template(plc: Connector) -> None:
    (tag,) = [tag for tag in browse(plc) if tag.name == "Pumps"]
    assert tag.template is not None
    structures = Structures()
    value = sample(ARRAY, 0, random.Random(9))
    assert isinstance(value, dict)
    pump = structures.instance(tag.template, value)
    assert type(pump).__name__ == ARRAY
    assert type(structures.instance(tag.template, value)) is type(pump)
    plc.write_tag("Pumps[1]", pump)
    assert structures.instance(tag.template, plc.read_tag("Pumps[1]")) == pump
    assert plc.read_tag("Pumps[1]") == value


def test_a_structure_nobody_asked_about_is_its_bytes(plc: Connector) -> None:
    raw = plc.read_tag(f"S_{ARRAY}")
    assert isinstance(raw, bytes)
    with pytest.raises(LocalProtocolError, match=rf"S_{ARRAY} is a structure \(handle 0x\w+\) that is not known here"):
        plc.write_tag(f"S_{ARRAY}", {})
    browse(plc)
    assert isinstance(plc.read_tag(f"S_{ARRAY}"), dict)


def test_the_asyncio_client_browses_too(address: str) -> None:
    async def body(connected: bool) -> None:
        async with AsyncConnector(address, connected=connected) as plc:
            names = {tag.name for tag in await plc.browse()}
            assert "Program:Main.Own" in names
            value = sample(ARRAY, 0, random.Random(3))
            await plc.write_tags({"Pumps[0]": value, "Tag_00001": 5, "Grid[1,2]": [7, 8]})
            assert await plc.read_tags(["Pumps[0]", "Tag_00001", "Grid[1,2-3]"]) == [value, 5, [7, 8]]
            await plc.write("Tag_00002", 6)
            assert await plc.read("Tag_00002") == [6]
            with pytest.raises(TagError, match=f"{address}:44818: Nope: path segment error"):
                await plc.read_tags(["Tag_00001", "Nope"])

    for connected in (False, True):
        asyncio.run(body(connected))


def scripted(*replies: Reply) -> object:
    """Gives these replies, whatever is asked, the last for ever."""
    left = list(replies)

    def answer(request: Request) -> Reply:
        reply = left.pop(0) if len(left) > 1 else left[0]
        return Reply(request.service, reply.status, reply.extended, reply.data)

    return answer


SYMBOL = b"\1\0\0\0\1\0A\xc4\0" + bytes(12) + b"\0"


def test_a_list_that_does_not_end_is_not_followed_for_ever() -> None:
    with pytest.raises(RemoteProtocolError, match="a list of symbols that does not end: 2 of them"):
        run(symbol_steps(), scripted(Reply(0, 6, (), SYMBOL)))  # type: ignore[arg-type]


def test_a_controller_of_old_is_asked_for_less() -> None:
    older = b"\1\0\0\0\1\0A\xc4\0" + bytes(12)
    ((instance, values),) = run(symbol_steps(), scripted(Reply(0, 8), Reply(0, 0, (), older)))  # type: ignore[arg-type]
    assert (instance, values.name, values.type) == (1, "A", 0xC4)


def test_one_structure_that_makes_no_sense_does_not_cost_the_others() -> None:
    def symbol(instance: int, name: bytes, kind: int) -> bytes:
        return bytes((instance, 0, 0, 0, len(name), 0)) + name + kind.to_bytes(2, "little") + bytes(12) + b"\0"

    symbols = symbol(1, b"A", 0xC4) + symbol(2, b"B", 0x8101) + symbol(3, b"C", 0x8101) + symbol(4, b"D", 0xEE)
    asked = []

    def answer(request: Request) -> Reply:
        asked.append(request.service)
        return Reply(request.service, 0, (), symbols) if request.service == 0x55 else Reply(request.service, 5)

    tags = run(browse_steps({}), answer)
    assert [(tag.name, tag.type) for tag in tags] == [
        ("A", "DINT"),
        ("B", "structure 0x101"),
        ("C", "structure 0x101"),
        ("D", "0xEE"),
    ]
    assert asked == [0x55, 3], "and is asked for once"


def attributes(words: int, size: int, members: int) -> Reply:
    """Those of a template."""
    data = b"\4\0\4\0\0\0" + words.to_bytes(4, "little") + b"\5\0\0\0" + size.to_bytes(4, "little")
    return Reply(3, 0, (), data + b"\2\0\0\0" + members.to_bytes(2, "little") + b"\1\0\0\0\xcd\xab")


LOOP = b"\0\0\x01\x81\0\0\0\0" + b"Loop;nEC\0Again\0"
"""A structure 0x101 whose member is a structure 0x101."""


@pytest.mark.parametrize(
    ("replies", "words"),
    [
        ((Reply(3, 0, (), b"\0\0"),), "template 0x101 with attributes"),
        ((attributes(0, 4, 1),), "the definition of a template has -23 bytes"),
        ((attributes(0x7FFFFFFF, 4, 1),), "the definition of a template has"),
        ((attributes(20, 4, 1), Reply(0, 0)), "ends after 0 of 57 bytes"),
        ((attributes(20, 4, 9), Reply(0, 0, (), bytes(57))), "a template of 9 members in"),
        ((attributes(12, 4, 1), Reply(0, 0, (), b"\0\0\xee\0\0\0\0\0X;nEC\0M\0".ljust(25, b"\0"))), "type 0xEE"),
        ((attributes(12, 4, 1), Reply(0, 0, (), b"\0\0\xc4\0\2\0\0\0X;nEC\0M\0".ljust(25, b"\0"))), "not within its 4"),
        ((attributes(12, 4, 1), Reply(0, 0, (), LOOP.ljust(25, b"\0"))) * 40, "structures within structures"),
    ],
)
def test_a_template_that_makes_no_sense_is_refused(replies: tuple[Reply, ...], words: str) -> None:
    known: dict[int, Template] = {}
    with pytest.raises(RemoteProtocolError, match=words):
        run(template_steps(0x101, known), scripted(*replies))  # type: ignore[arg-type]
    assert known == {}
