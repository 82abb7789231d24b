"""Includes: what they bring, who wins, and where they may not lead."""

from pathlib import Path

import pytest

from farm.topology import load_plant
from tests.farm.topology.plants import HEAD, load, problems, write

PLC = "nodes: {plc1: {kind: logix}}\n"


def test_maps_merge_and_the_including_file_wins(tmp_path: Path) -> None:
    files = {
        "tags/tank.yaml": "templates: {tank: {tags: {Level: {type: REAL, init: 1}, Pump: BOOL}}}\nvars: {a: 1}\n",
        "tags/zone.yaml": "templates: {tank: {tags: {Level: {init: 2}}}}\n",
    }
    text = (
        "include: [tags/*.yaml]\n"
        "templates: {tank: {tags: {Level: {unit: m}, Pump: null}}}\n"
        "nodes: {plc1: {kind: logix, use: tank}}\n"
    )
    plant = load(tmp_path, text, files)
    (level,) = plant.nodes[0].tags
    assert (level.name, level.type, level.initial, level.unit) == ("Level", "REAL", 2.0, "m")
    places = plant.origins["plc1"]
    assert str(places["tags.Level.type"]).endswith("tags/tank.yaml:1:41")
    assert str(places["tags.Level.initial"]).endswith("tags/zone.yaml:1:41")
    assert str(places["tags.Level.unit"]).endswith("plant.yaml:4:41")


def test_an_included_file_may_include_relative_to_itself(tmp_path: Path) -> None:
    files = {"a/one.yaml": "include: two.yaml\n", "a/two.yaml": "kinds: {l8x: {extends: logix}}\n"}
    plant = load(tmp_path, "include: a/one.yaml\nnodes: {plc1: {kind: l8x}}\n", files)
    assert plant.nodes[0].kind == "logix"


def test_a_file_reached_twice_is_read_once(tmp_path: Path) -> None:
    files = {
        "a.yaml": "include: c.yaml\n",
        "b.yaml": "include: c.yaml\n",
        "c.yaml": "templates: {t: {tags: {A: REAL}}}\n",
    }
    plant = load(tmp_path, "include: [a.yaml, b.yaml]\nnodes: {plc1: {kind: logix, use: t}}\n", files)
    assert [tag.name for tag in plant.nodes[0].tags] == ["A"]


def test_a_pattern_never_matches_the_file_it_stands_in(tmp_path: Path) -> None:
    plant = load(tmp_path, f"include: '*.yaml'\n{PLC}", {"more.yaml": "nodes: {plc2: {kind: logix}}\n"})
    assert [node.name for node in plant.nodes] == ["plc2", "plc1"]


@pytest.mark.parametrize(
    ("include", "files", "why"),
    [
        ("../secret.yaml", {}, "cannot include '../secret.yaml'"),
        ("/etc/passwd", {}, "cannot include '/etc/passwd'"),
        ("'**/*.yaml'", {}, "cannot include"),
        ("'a/../../b.yaml'", {}, "cannot include"),
        ('"${HOME}/a.yaml"', {}, "cannot include"),
        ("none.yaml", {}, "'none.yaml' matches no file"),
        ("'kinds/*.yaml'", {}, "'kinds/*.yaml' matches no file"),
        ("a.yaml", {"a.yaml": "include: plant.yaml\n"}, "includes itself in a circle"),
        ("a.yaml", {"a.yaml": "include: b.yaml\n", "b.yaml": "include: a.yaml\n"}, "includes itself in a circle"),
    ],
)
def test_what_is_not_followed(tmp_path: Path, include: str, files: dict[str, str], why: str) -> None:
    found = problems(tmp_path, f"include: {include}\n{PLC}", files)
    assert [problem.code for problem in found] == ["F006"]
    assert why in found[0].message


def test_links_that_lead_out_are_refused(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a.yaml").write_text("vars: {a: 1}\n")
    plant = tmp_path / "plant"
    plant.mkdir()
    (plant / "a.yaml").symlink_to("../outside/a.yaml")
    (plant / "b").symlink_to("../outside")
    (plant / "zero.yaml").symlink_to("/dev/zero")
    (plant / "gone.yaml").symlink_to("nowhere")
    for name in ("a.yaml", "b/a.yaml", "zero.yaml", "gone.yaml"):
        (found,) = problems(plant, f"include: {name}\n{PLC}")
        assert found.code == "F006", name


def test_a_device_inside_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    (found,) = problems(tmp_path, f"include: folder.yaml\n{PLC}")
    assert (found.code, found.message) == ("F001", "is not a regular file")


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    files = {f"i/{number}.yaml": "vars: {a: 1}\n" for number in range(101)}
    assert problems(tmp_path, f"include: i/*.yaml\n{PLC}", files)[0].code == "F006"


def test_faults_of_an_included_file_keep_its_name_and_line(tmp_path: Path) -> None:
    found = problems(tmp_path, f"include: a.yaml\ntag: 1\n{PLC}", {"a.yaml": "vars: {}\nkind: {}\n"})
    assert [(Path(problem.file).name, problem.line) for problem in found] == [("plant.yaml", 4), ("a.yaml", 2)]


def test_names_in_messages_are_relative_as_the_plant_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, f"include: a.yaml\n{PLC}", {"a.yaml": "defaults: {profile: 1756-L61}\n"})
    monkeypatch.chdir(tmp_path)
    assert str(load_plant(Path("plant.yaml")).origins["plc1"]["profile"]) == "a.yaml:1:21"
    assert HEAD.startswith("farm: 1")
