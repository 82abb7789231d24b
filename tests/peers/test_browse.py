"""Browsing as released clients do it, with their own parsers: thousands of tags, and structures of every make."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest
from pycomm3 import LogixDriver
from pylogix import PLC

from node.cip.template import Template
from node.config.model import TypeConfig
from node.config.structures import build_templates
from tests.peers.browse_node import CONFIG, MANY, TYPES, browse_node, sample

pytestmark = pytest.mark.net

TEMPLATES = build_templates(TYPES)
STRUCTURES = [made for made in TYPES if made.members]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with browse_node(tmp_path_factory.mktemp("browse")) as host:
        yield host


@pytest.fixture(scope="module")
def driver(address: str) -> Iterator[LogixDriver]:
    with LogixDriver(address) as client:
        yield client


@pytest.fixture(scope="module")
def plc(address: str) -> Iterator[PLC]:
    with PLC(address) as client:
        yield client
    client.conn.msg_socket.close()  # made by pylogix, and never closed by it


def test_pycomm3_uploads_every_tag(driver: LogixDriver) -> None:
    assert set(driver.tags) == {tag.name for tag in CONFIG.tags}
    assert set(driver.info["programs"]) == {"Main", "Idle"}
    numbered = [driver.tags[f"Tag_{index:05}"]["instance_id"] for index in range(MANY)]
    assert numbered == sorted(numbered)
    assert driver.read("Tag_04999").value == 4999
    assert driver.tags["Program:Main.P_7"]["dimensions"] == [2, 0, 0]


@pytest.mark.quiet
def test_pycomm3_hardly_waits_for_five_thousand_tags(driver: LogixDriver) -> None:
    """What it takes beside the client's own work, which counts on a machine that does other things too."""
    took = []
    for _ in range(3):
        began = time.process_time(), time.perf_counter()
        assert len(driver.get_tag_list(cache=False)) > MANY
        took.append(time.perf_counter() - began[1] - (time.process_time() - began[0]))
    assert min(took) < 0.3, f"waited {min(took):.3f} s for the node"


@pytest.mark.parametrize("made", STRUCTURES, ids=lambda made: made.name)
def test_pycomm3_reads_a_structure_as_it_wrote_it(driver: LogixDriver, made: TypeConfig) -> None:
    name = made.name
    told = driver.tags[f"S_{name}"]["data_type"]
    template = TEMPLATES[name.casefold()]
    assert told["name"] == name
    assert told["attributes"] == [member.name for member in template.visible]
    assert told["template"]["structure_size"] == template.size
    assert told["template"]["structure_handle"] == template.handle
    value = sample(name, 0, random.Random(name))
    assert isinstance(value, dict)
    written = driver.write(f"S_{name}", value)
    assert written.error is None
    assert driver.read(f"S_{name}").value == value
    members = [f"S_{name}.{member.name}" for member in template.visible if not member.length]
    read = {tag.tag: tag.value for tag in [driver.read(member) for member in members]}
    assert read == {f"S_{name}.{key}": part for key, part in value.items() if f"S_{name}.{key}" in read}


def test_pycomm3_knows_a_program_s_structure(driver: LogixDriver) -> None:
    name = TYPES[-1].name
    value = sample(name, 0, random.Random(1))
    assert driver.tags["Program:Main.Own"]["data_type_name"] == name
    assert driver.write("Program:Main.Own", value)
    assert driver.read("Program:Main.Own").value == value


def test_pylogix_lists_every_tag(plc: PLC) -> None:
    listed = plc.GetTagList()
    assert listed.Status == "Success"
    names = {tag.TagName for tag in listed.Value}
    assert names == {tag.name for tag in CONFIG.tags} | {"Program:Main", "Program:Idle"}
    assert plc.GetProgramsList().Value == ["Program:Main", "Program:Idle"]
    local = plc.GetProgramTagList("Program:Main").Value
    assert {tag.TagName for tag in local} == {tag.name for tag in CONFIG.tags if tag.name.startswith("Program:Main.")}
    assert plc.GetProgramTagList("Program:Idle").Value == []


def test_pylogix_knows_every_structure(plc: PLC) -> None:
    tags = {tag.TagName: tag for tag in plc.GetTagList().Value}
    for name, template in TEMPLATES.items():
        assert tags[f"S_{template.name}"].DataType == template.name
        told = plc.UDTByName[template.name]
        shown = [(field.TagName, field.Internal) for field in told.Fields]
        assert shown == [(member.name, member.hidden) for member in template.members], name
        for field, member in zip(told.Fields, template.members, strict=True):
            kind = member.type
            assert field.DataType == (_called(kind) if isinstance(kind, Template) else kind.name), member.name
            assert (field.Size, field.Meta) == (member.length, member.offset & 0xFFFF)


def _called(template: Template) -> str:
    return "ASCIISTRING82" if template.name == "STRING" else template.name
