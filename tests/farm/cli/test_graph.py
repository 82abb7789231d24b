"""A plant drawn: every network, router and node in each form, 500 nodes in a few lines, and well-formed whatever the
names are."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from farm.cli import app, plants
from farm.cli.graph_svg import as_svg
from farm.cli.graph_text import as_dot, as_mermaid, as_text
from farm.cli.plant_graph import Crossing, Group, PlantGraph, Zone, build_graph
from farm.topology.wiring import NetworkSpec
from tests.architecture.sources import ROOT
from tests.farm.cli.plants import PLANT

PURDUE = ROOT / "topologies" / "purdue.yaml"
HUGE = ROOT / "topologies" / "tank-farm-500.yaml"
RUDE = PlantGraph(
    'x"&<y>',
    (Zone(NetworkSpec('n"\\&<1>', "10.0.0.0/8", ""), (Group('a"<', "b", 2, "10.0.0.1", "10.0.0.2", "w&"),)),),
    (Crossing('r"&<', (('n"\\&<1>', "10.0.0.3"),), tuple(f"{n} -> b" for n in range(9))),),
)


@pytest.fixture(scope="module")
def purdue() -> PlantGraph:
    return build_graph(plants.load(PURDUE, backend="netns"))


def test_levels_stand_in_order_with_what_is_on_them(purdue: PlantGraph) -> None:
    text = as_text(purdue, 100)
    assert re.findall(r"^level ([\d.]+): (\S+),", text, re.MULTILINE) == [
        ("4", "enterprise"), ("3.5", "dmz"), ("2", "supervision"), ("1", "cell"),
    ]  # fmt: skip
    assert re.search(r"^  <fw-cell>  supervision \S+, cell \S+$", text, re.MULTILINE)
    assert "    | historian -> cell: tcp 502,44818" in text.splitlines()
    assert all(len(line) <= 60 for line in as_text(purdue, 60).splitlines())


def test_five_hundred_nodes_are_a_few_lines() -> None:
    graph = build_graph(plants.load(HUGE, backend="netns"))
    lines = as_text(graph, 100).splitlines()
    assert len(lines) < 10
    assert any("tank-01-1 … tank-50-8 (400)" in line and "10.65.1.1 … 10.65.50.8" in line for line in lines)
    assert sum(group.count for zone in graph.zones for group in zone.groups) == 500


def test_a_plant_without_networks_is_one() -> None:
    graph = build_graph(PLANT)
    assert [(zone.network.subnet, [group.name for group in zone.groups]) for zone in graph.zones] == [
        ("127.0.0.0/8", ["tank", "meter"])
    ]
    assert build_graph(replace(PLANT, nodes=())).zones[0].groups == ()


def test_dot_and_mermaid_name_everything_once(purdue: PlantGraph) -> None:
    for text in (as_dot(purdue), as_mermaid(purdue)):
        assert len(re.findall(r"^ *z\dn\d", text, re.MULTILINE)) == 11
        assert len(re.findall(r"^ *subgraph", text, re.MULTILINE)) == 4
        assert len(re.findall(r"^ *z\d --", text, re.MULTILINE)) == 5


@pytest.mark.parametrize("graph", [RUDE, None])
def test_a_picture_is_well_formed_and_within_its_frame(graph: PlantGraph | None, purdue: PlantGraph) -> None:
    picture = as_svg(graph or purdue)
    assert picture == as_svg(graph or purdue)
    root = ElementTree.fromstring(picture)
    width, height = int(root.attrib["width"]), int(root.attrib["height"])
    boxes = [each.attrib for each in root.iter() if each.tag.endswith("rect")]
    assert len(boxes) == (3 if graph else 4 + 11 + 2)
    for box in boxes:
        assert int(box["x"]) + int(box["width"]) <= width
        assert int(box["y"]) + int(box["height"]) <= height
    bands = [box for box in boxes if box["class"] == "z"]
    edges = [int(band["y"]) + int(band["height"]) for band in bands]
    assert all(edge < int(band["y"]) for edge, band in zip(edges, bands[1:], strict=False)), "bands do not overlap"


def test_rude_names_stay_texts() -> None:
    assert 'label="x\\"&<y>"' in as_dot(RUDE)
    assert 'r0{"r&quot;&amp;&lt;<br/>0 -&gt; b' in as_mermaid(RUDE)
    assert "and 3 more" in as_mermaid(RUDE)
    assert as_text(RUDE, 100).count("-> b") == 9


def test_the_verb(run_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["graph", str(PURDUE), "--format", "svg"]) == 0
    assert capsys.readouterr().out.startswith("<svg ")
    assert app.run(["graph", str(PURDUE), "--format", "png"]) == 2
    assert "there is text, dot, mermaid, svg" in capsys.readouterr().err
    assert app.run(["graph", str(HUGE)]) == 0
    assert "127.65.1.1 … 127.65.50.8" in capsys.readouterr().out
