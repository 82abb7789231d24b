"""Addresses: given by hand, kept by the lock file, or the next free one; never twice, never outside."""

import os
from pathlib import Path

import pytest

from farm.topology import TopologyProblems, load_plant
from tests.farm.topology.plants import HEAD, headlines, load, write


def addresses(folder: Path, text: str) -> dict[str, str]:
    return {node.name: node.address for node in load(folder, text).nodes}


def locked(folder: Path, text: str) -> dict[str, str]:
    plant = load_plant(write(folder, text), write_lock=True)
    return {node.name: node.address for node in plant.nodes}


def test_the_next_free_ones_in_file_order(tmp_path: Path) -> None:
    text = "nodes: {a: {kind: logix}, b: {kind: logix, address: 127.64.0.2}, c: {kind: logix}, d: {kind: logix}}\n"
    assert addresses(tmp_path, text) == {"a": "127.64.0.1", "b": "127.64.0.2", "c": "127.64.0.3", "d": "127.64.0.4"}


def test_addresses_that_look_like_networks_are_skipped(tmp_path: Path) -> None:
    found = list(addresses(tmp_path, "groups: {g: {count: 600, kind: logix}}\n").values())
    assert len(set(found)) == 600
    assert not [each for each in found if each.endswith((".0", ".255"))]
    assert found[253:256] == ["127.64.0.254", "127.64.1.1", "127.64.1.2"]


def test_networks_and_formulas(tmp_path: Path) -> None:
    text = (
        "networks: {cell: {subnet: 127.70.0.0/16}, default: {subnet: 127.80.0.0/24}}\n"
        "groups: {g: {count: 300, kind: logix, network: cell,"
        ' address: "127.70.${1 + (i - 1) // 250}.${1 + (i - 1) % 250}"}}\n'
        "nodes: {a: {kind: logix}, b: {kind: logix, network: cell}}\n"
    )
    found = addresses(tmp_path, text)
    assert (found["g-1"], found["g-250"], found["g-251"]) == ("127.70.1.1", "127.70.1.250", "127.70.2.1")
    assert (found["a"], found["b"]) == ("127.80.0.1", "127.70.0.1")


def test_adding_a_node_never_moves_another(tmp_path: Path) -> None:
    assert locked(tmp_path, "nodes: {b: {kind: logix}, d: {kind: logix}}\n") == {"b": "127.64.0.1", "d": "127.64.0.2"}
    assert (tmp_path / "plant.lock").read_text() == (
        "# plcfarm lock 1: addresses given by plant.yaml. Keep it beside that file, in version control too.\n"
        "default b 127.64.0.1\ndefault d 127.64.0.2\n"
    )
    more = "nodes: {a: {kind: logix}, b: {kind: logix}, c: {kind: logix}, d: {kind: logix}}\n"
    assert locked(tmp_path, more) == {"a": "127.64.0.3", "b": "127.64.0.1", "c": "127.64.0.4", "d": "127.64.0.2"}
    fewer = "nodes: {d: {kind: logix}, e: {kind: logix}}\n"
    assert locked(tmp_path, fewer) == {"d": "127.64.0.2", "e": "127.64.0.1"}


def test_the_lock_is_written_only_when_asked_and_when_it_changed(tmp_path: Path) -> None:
    text = "nodes: {a: {kind: logix}}\n"
    load(tmp_path, text)
    assert not (tmp_path / "plant.lock").exists()
    locked(tmp_path, text)
    before = (tmp_path / "plant.lock").stat()
    locked(tmp_path, text)
    after = (tmp_path / "plant.lock").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["plant.lock", "plant.yaml"]


def test_no_lock_where_every_address_is_given(tmp_path: Path) -> None:
    locked(tmp_path, "nodes: {a: {kind: logix, address: 127.64.0.9}}\n")
    assert not (tmp_path / "plant.lock").exists()


def test_a_faulty_plant_leaves_the_lock_alone(tmp_path: Path) -> None:
    locked(tmp_path, "nodes: {a: {kind: logix}}\n")
    before = (tmp_path / "plant.lock").read_text()
    with pytest.raises(TopologyProblems):
        locked(tmp_path, "nodes: {a: {kind: logix}, b: {kind: logics}}\n")
    assert (tmp_path / "plant.lock").read_text() == before


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **more: object) -> int:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, "nodes: {a: {kind: logix}}\n")
    monkeypatch.setattr("tempfile.mkstemp", refuse)
    plant = load_plant(path, write_lock=True)
    assert plant.nodes[0].address == "127.64.0.1"
    (warning,) = plant.warnings
    assert "warning: cannot be written: Permission denied" in warning


def test_an_interrupted_write_leaves_the_old_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked(tmp_path, "nodes: {a: {kind: logix}}\n")
    before = (tmp_path / "plant.lock").read_text()

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    plant = load_plant(write(tmp_path, "nodes: {a: {kind: logix}, b: {kind: logix}}\n"), write_lock=True)
    assert "No space left" in plant.warnings[0]
    assert (tmp_path / "plant.lock").read_text() == before
    assert len(list(tmp_path.iterdir())) == 2


def test_an_address_given_by_hand_takes_it_from_the_lock(tmp_path: Path) -> None:
    locked(tmp_path, "nodes: {a: {kind: logix}, b: {kind: logix}}\n")
    plant = load(tmp_path, "nodes: {a: {kind: logix}, b: {kind: logix}, c: {kind: logix, address: 127.64.0.1}}\n")
    assert [node.address for node in plant.nodes] == ["127.64.0.3", "127.64.0.2", "127.64.0.1"]
    assert "'a' leaves its address 127.64.0.1, which is now given to 'c'" in plant.warnings[0]


@pytest.mark.parametrize(
    "content", ["<<<<<<< HEAD\n", "# plcfarm lock 1\ndefault a 127.64.0.300\n", "# plcfarm lock 1\n<<<\n"]
)
def test_a_lock_that_cannot_be_read_is_an_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "plant.lock").write_text(content)
    with pytest.raises(TopologyProblems) as caught:
        load(tmp_path, "nodes: {a: {kind: logix}}\n")
    assert [problem.code for problem in caught.value.problems] == ["F044"]
    assert caught.value.problems[0].file.endswith("plant.lock")


def test_a_lock_that_is_a_device_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "plant.lock").symlink_to("/dev/zero")
    with pytest.raises(TopologyProblems, match="is not a regular file"):
        load(tmp_path, "nodes: {a: {kind: logix}}\n")


def test_an_unused_network_is_a_warning(tmp_path: Path) -> None:
    plant = load(tmp_path, "networks: {cell: {subnet: 127.70.0.0/16}}\nnodes: {a: {kind: logix}}\n")
    assert "no node is on network 'cell' - say 'network: cell', or call it 'default' [F070]" in plant.warnings[0]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "nodes:\n  a: {kind: logix, address: 127.64.0.5}\n  b: {kind: logix, address: 127.64.0.5}\n",
            "address 127.64.0.5 of 'b' is already given to 'a'",
        ),
        ("nodes: {a: {kind: logix, address: 127.1.0.5}}\n", "address 127.1.0.5 of 'a' is outside network 'default'"),
        ("nodes: {a: {kind: logix, address: 127.64.0.0}}\n", "is outside network 'default'"),
        ("nodes: {a: {kind: logix, address: localhost}}\n", "'address' in node 'a' is 'localhost'; wanted an IPv4"),
        ("nodes: {a: {kind: logix, network: cel}}\n", "network 'cel' is unknown"),
        (
            "networks: {default: {subnet: 127.70.0.0/30}}\ngroups: {g: {count: 3, kind: logix}}\n",
            "network 'default', 127.70.0.0/30, has no free address left [F043]",
        ),
        ("networks: {a: {subnet: 224.0.0.0/8}}\n", "subnet 224.0.0.0/8 has no addresses that a machine can have"),
        ("networks: {a: {subnet: 127.64.0.0/31}}\n", "subnet 127.64.0.0/31 is not from /8 to /30"),
        (
            "networks: {a: {subnet: 127.70.0.0/16}, b: {subnet: 127.70.8.0/24}}\n",
            "subnet 127.70.8.0/24 overlaps 127.70.0.0/16 of network 'a'",
        ),
        ("networks: {a: {subnet: 127.70.0.1/16}}\n", "did you mean 127.70.0.0/16?"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, wanted: str) -> None:
    assert any(wanted in line for line in headlines(tmp_path, HEAD + text))
