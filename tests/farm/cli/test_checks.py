"""`farm doctor`: every check answers, what is not good comes with its cure, and `farm up` is refused early."""

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from farm.cli import app, checks, docker_checks, doctor, machine_checks, network_checks, readiness
from farm.cli.checks import BAD, GOOD, LIMITED, Need
from farm.errors import FarmError
from farm.supervisor.run_directory import run_directory
from node.config.model import InterfaceConfig
from tests.farm.cli.plants import PLANT, TANK

ANY = Need()


def test_every_check_answers(run_root: Path) -> None:
    found = list(readiness.all_checks(ANY))
    assert {check.what for check in found} >= {
        "python", "open files", "processes", "memory", "port 502", "pidfd", "docker", "extra farm", "namespaces",
        "namespace count", "neighbour table", "packet backlog", "bridge ports", "nftables",
        *({"netem", "tbf"} if network_checks.find_means() is not None else {"links"}),
    }  # fmt: skip
    assert all(check.state in (GOOD, LIMITED, BAD) and check.found for check in found)
    assert all(check.cure for check in found if check.state == BAD)
    assert not list(run_root.iterdir())


def test_port_502_comes_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_checks, "can_bind_modbus", lambda: False)
    check = machine_checks.modbus_port()
    assert check.state == LIMITED
    assert check.cure == "sysctl net.ipv4.ip_unprivileged_port_start=502"


def test_a_missing_extra_names_itself() -> None:
    check = machine_checks.extra_installed("farm", "no_such_module")
    assert check.state == BAD
    assert check.cure == 'pip install "plcfarm[farm]"'
    assert machine_checks.extra_installed("netns", "no_such_module", ANY).state == LIMITED
    assert machine_checks.extra_installed("netns", "no_such_module", Need("netns")).state == BAD


def test_a_dead_run_is_found(run_root: Path) -> None:
    run = run_directory("north")
    run.prepare()
    (check,) = machine_checks.leftovers()
    assert check.what == "farm north"
    assert "supervisor is gone, 0 processes" in check.found
    assert "farm down north" in check.cure


def test_what_a_plant_needs(run_root: Path) -> None:
    assert Need.of_plant(PLANT) == Need("process", 2, 1, 0, 0, PLANT.nodes)
    wired = replace(TANK, interfaces=(InterfaceConfig("L1", "10.0.0.2", 24, "02:fa:00:00:00:01"),))
    packed = replace(PLANT, nodes=(wired, replace(wired, name="other")), shard=5, backend="netns")
    need = Need.of_plant(packed)
    assert (need.backend, need.nodes, need.processes, need.largest) == ("netns", 2, 1, 2)
    assert (need.on("netns"), need.on("docker"), ANY.on("docker")) == (True, False, True)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of few settings, all of them in files."""
    monkeypatch.setattr(network_checks, "SYSCTL", tmp_path)
    for name, value in (
        ("user/max_net_namespaces", "100"),
        ("net/ipv4/neigh/default/gc_thresh3", "1024"),
        ("net/core/netdev_max_backlog", "1000"),
        ("kernel/unprivileged_userns_clone", "0"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{value}\n")
    return tmp_path


def test_tables_and_queues_against_the_largest_network(small: Path) -> None:
    few, many = Need.of_nodes("netns", 50), Need.of_nodes("netns", 2000)
    assert [check.state for check in network_checks.tables(few)] == [GOOD] * 3
    neighbours, backlog, ports = network_checks.tables(many)
    assert (neighbours.state, backlog.state, ports.state) == (LIMITED, LIMITED, GOOD)
    assert neighbours.cure.startswith("sysctl net.ipv4.neigh.default.gc_thresh1=2000 ")
    assert backlog.cure == "sysctl net.core.netdev_max_backlog=8000"
    assert network_checks.bridge_ports(replace(many, backend="docker")).state == BAD
    assert network_checks.namespace_count(few).state == GOOD
    count = network_checks.namespace_count(many)
    assert (count.state, count.found) == (BAD, "100 a user, 2016 are needed")
    assert count.cure == "sysctl user.max_net_namespaces=3016"


def test_what_shapes_links(monkeypatch: pytest.MonkeyPatch) -> None:
    for means, states in (
        (frozenset({"netem", "tbf"}), [("netem", GOOD), ("tbf", GOOD)]),
        (frozenset({"tbf"}), [("netem", LIMITED), ("tbf", GOOD)]),
        (None, [("links", LIMITED)]),
    ):
        monkeypatch.setattr(network_checks, "find_means", lambda means=means: means)
        assert [(check.what, check.state) for check in network_checks.shaping()] == states


def test_what_forbids_namespaces_is_named(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_checks, "_may_unshare", lambda flags: False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    check = network_checks.namespaces(Need("netns"))
    assert (check.state, check.found) == (BAD, "kernel.unprivileged_userns_clone is 0")
    assert check.cure == "sysctl kernel.unprivileged_userns_clone=1"
    assert network_checks.namespaces(ANY).state == LIMITED
    (small / "kernel/unprivileged_userns_clone").write_text("1")
    (small / "kernel/apparmor_restrict_unprivileged_userns").write_text("1\n")
    assert network_checks.namespaces(ANY).cure == "sysctl kernel.apparmor_restrict_unprivileged_userns=0"


def test_processes_and_memory_are_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert machine_checks.processes(Need.of_nodes("process", 10)).state == GOOD
    too_many = machine_checks.processes(Need.of_nodes("process", 10_000_000))
    assert too_many.state == BAD
    assert "10000100 are needed" in too_many.found
    assert too_many.cure.startswith(("sysctl kernel.", "echo max > ", "ulimit -Hu "))
    monkeypatch.setattr(machine_checks, "_available_mib", lambda: 1000.0)
    assert machine_checks.memory(ANY).found == "1000 MiB free: room for about 160 nodes"
    assert machine_checks.memory(Need.of_nodes("netns", 150)).state == GOOD
    short = machine_checks.memory(Need.of_nodes("netns", 200))
    assert (short.state, short.found) == (BAD, "1000 MiB free, about 1200 are needed")
    assert machine_checks.memory(Need("process", 2000, 100)).state == GOOD


def test_control_groups_bound_processes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pids.max").write_text("60\n")
    (tmp_path / "pids.current").write_text("20\n")
    monkeypatch.setattr(machine_checks, "_control_groups", lambda controller: [tmp_path])
    check = machine_checks.processes(Need.of_nodes("process", 10))
    assert check.found == f"40 more by {tmp_path}/pids.max, 110 are needed"
    assert check.cure == f"echo max > {tmp_path}/pids.max"


def test_up_is_refused_before_it_begins(
    run_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(machine_checks, "_available_mib", lambda: 150.0)
    with pytest.raises(FarmError, match=r"works cannot be started here: memory: 150 MiB free, about 208 are needed"):
        readiness.refuse_early(PLANT)
    monkeypatch.setattr(machine_checks, "hard_limit", lambda: 100)
    with pytest.raises(FarmError, match=r"open files: 100 a process, .*`ulimit -Hn \d+` cures it \(and 1 more, see"):
        readiness.refuse_early(PLANT)
    readiness.refuse_early(replace(PLANT, nodes=()))
    assert app.run(["demo"]) == 1
    shown = capsys.readouterr().err.splitlines()
    assert shown[-1].startswith("error: waterworks cannot be started here: open files: 100 a process")
    assert not any(run_root.iterdir())


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """Somebody who answers as a Docker daemon does, once for each answer in the list."""
    answers: list[bytes] = []
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "d"))
    server.listen()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/d")
    monkeypatch.setattr(docker_checks, "node_image", lambda bad: checks.Check("docker image", GOOD, "not asked here"))

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                client.recv(1000)
                client.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + answers[0])

    thread = threading.Thread(target=serve)
    thread.start()
    yield answers
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join()


def test_docker_and_its_api(daemon: list[bytes]) -> None:
    daemon[:] = [b'{"Version": "27.1.0", "ApiVersion": "1.46"}']
    assert [check.state for check in docker_checks.docker(ANY)] == [GOOD, GOOD, GOOD]
    daemon[:] = [b'{"Version": "18.9", "ApiVersion": "1.39"}']
    _, api, _ = docker_checks.docker(Need("docker"))
    assert (api.state, api.found) == (BAD, "1.39, 1.41 is needed")
    daemon[:] = [b"<html>"]
    (check,) = docker_checks.docker(ANY)
    assert (check.state, check.cure) == (LIMITED, "systemctl restart docker")


def test_no_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setattr(docker_checks, "DOCKER_SOCKET", tmp_path / "none")
    assert [check.state for check in docker_checks.docker(Need("docker"))] == [BAD]
    assert [check.state for check in docker_checks.docker(ANY)] == [LIMITED]


def test_for_scripts(run_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = app.run(["doctor", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == int(any(check["state"] == "missing" for check in found))
    assert set(found[0]) == {"what", "state", "found", "cure"}


def test_of_a_plant_and_of_a_number(run_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["doctor", "topologies/plant.yaml", "--json"]) == 0
    process = {check["what"] for check in json.loads(capsys.readouterr().out)}
    assert "docker" not in process
    assert "port 44818" in process
    assert app.run(["doctor", "--nodes", "1000000"]) == 1
    assert "TO CURE" in capsys.readouterr().out
    assert app.run(["doctor", "topologies/plant.yaml", "--nodes", "5"]) == 2
    assert checks.short(ANY, 5, 1) == GOOD


def test_ten_thousand_nodes_need_processes_of_many(
    run_root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_checks, "hard_limit", lambda: 20_000)
    monkeypatch.setattr(doctor, "hard_limit", lambda: 20_000)
    monkeypatch.setattr(machine_checks, "_available_mib", lambda: 8000.0)

    def found(*options: str) -> dict[str, dict[str, str]]:
        app.run(["doctor", "--nodes", "10000", "--backend", "process", "--json", *options])
        return {check["what"]: check for check in json.loads(capsys.readouterr().out)}

    alone, auto = found(), found("--shard", "auto")
    assert (alone["open files"]["state"], alone["memory"]["state"]) == (BAD, BAD)
    assert alone["open files"]["found"] == "20000 a process, 20192 are needed"
    assert all("--shard auto" in alone[what]["cure"] for what in ("open files", "memory"))
    assert (auto["open files"]["state"], auto["memory"]["state"]) == (GOOD, GOOD)
    assert app.run(["doctor", "--nodes", "10000", "--shard", "0"]) == 2
