"""The real thing: a supervisor of its own process, shards of theirs, and `kill -9` at bad moments."""

import asyncio
import contextlib
import os
import select
import shutil
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from farm.backends.process import ProcessBackend
from farm.errors import FarmError
from farm.supervisor import link as link_module
from farm.supervisor.allocation import STEADY
from farm.supervisor.clean import take_down
from farm.supervisor.link import Link, NoSupervisor
from farm.supervisor.run_directory import RunDirectory, run_directory
from farm.supervisor.state import Identity
from farm.supervisor.wire import encode_plant, pack
from farm.topology.plant import Plant
from node.client.aio import probe_enip
from node.errors import NodeError
from tests.conftest import marked_processes
from tests.farm.plan.plants import node, plant
from tests.waiting import until

pytestmark = pytest.mark.net

# Addresses of this very test session: another one may run beside it.
NETWORK = f"127.{72 + os.getpid() % 100}.{os.getpid() // 100 % 250}"
NODES = [node(f"pump-{number}", f"{NETWORK}.{number}") for number in range(1, 4)]
WORKS = replace(plant(*NODES), backend="process")


def make_backend(run: RunDirectory, identity: Identity) -> ProcessBackend:
    return ProcessBackend(run.path, identity.run_id, identity.epoch, run.control_socket, identity.token)


@pytest.fixture
def run(run_root: Path) -> Iterator[RunDirectory]:
    run = run_directory("works", run_root)
    yield run
    if marked_processes(run_root) or run.exists():
        take_down(run, make_backend)


def up(run: RunDirectory, wanted: Plant = WORKS) -> dict[str, Any]:
    return Link.open(run, "process").ask("apply", plant=encode_plant(wanted))


def rows(run: RunDirectory) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in Link.open(run).ask("ps")["rows"]}


def pids(run: RunDirectory) -> dict[str, int]:
    return {name: row["pid"] for name, row in rows(run).items()}


def supervisor_of(run: RunDirectory) -> int:
    return int(Link.open(run).ask("status")["pid"])


def environment(pid: int) -> dict[str, str]:
    """That of a process when it began."""
    words = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(word.split("=", 1) for word in words if "=" in word)


def end(pid: int) -> None:
    """`kill -9`, and waits until it is so: its memory goes before its sockets do, and the descriptor tells of both."""
    descriptor = os.pidfd_open(pid)
    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    assert select.select([descriptor], [], [], 10)[0]
    os.close(descriptor)


def wait_for(condition: Callable[[], bool]) -> float:
    """Seconds until `condition` held."""
    began = time.monotonic()
    until(condition, every=0.01)
    return time.monotonic() - began


def answers(address: str) -> bool:
    try:
        return bool(asyncio.run(probe_enip(address, 44818, 1.0)))
    except NodeError:
        return False


def assert_nothing_left(run: RunDirectory) -> None:
    assert marked_processes(run.path.parent) == []
    assert list(run.path.parent.iterdir()) == []


class Client(threading.Thread):
    """Asks one node for its identity over one connection, again and again, and keeps the first error it sees."""

    REQUEST = struct.pack("<HHII8sI", 0x63, 0, 0, 0, b"whatever", 0)

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.answers = 0
        self.error = ""
        self._over = threading.Event()
        self._socket = socket.create_connection((address, 44818), timeout=5)

    def run(self) -> None:
        try:
            while not self._over.wait(0.005):
                self._socket.sendall(self.REQUEST)
                if len(self._socket.recv(4096)) < 50:
                    self.error = "a short answer"
                    return
                self.answers += 1
        except OSError as exc:
            self.error = repr(exc)

    def end(self) -> None:
        self._over.set()
        self.join()
        self._socket.close()


@contextlib.contextmanager
def steady_client(address: str) -> Iterator[Client]:
    client = Client(address)
    client.start()
    try:
        yield client
    finally:
        client.end()
    assert client.error == ""


def test_up_again_and_down(run: RunDirectory) -> None:
    done = up(run)
    assert [row["state"] for row in done["rows"]] == ["up"] * 3
    assert all(answers(each.address) for each in NODES)
    assert up(run)["plan"] == ["nothing to do"]
    tags = Link.open(run).ask("tags")["tags"]
    assert [(tag["node"], tag["name"], tag["type"]) for tag in tags] == [(each.name, "Level", "REAL") for each in NODES]
    assert Link.open(run).ask("down")["nodes"] == 3
    assert not answers(NODES[0].address)
    assert_nothing_left(run)


def test_the_supervisor_allocates_as_a_process_does_that_lives_for_long_and_nodes_as_they_would(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "3")
    up(run)
    supervisor = environment(supervisor_of(run))
    assert {name: supervisor[name] for name in STEADY} == {**STEADY, "MALLOC_ARENA_MAX": "3"}
    others = set(marked_processes(run.path.parent)) - {supervisor_of(run)}
    assert others >= set(pids(run).values())
    for found in map(environment, others):
        assert {name: found[name] for name in STEADY if name in found} == {"MALLOC_ARENA_MAX": "3"}
    Link.open(run).ask("down")


def test_nodes_outlive_their_supervisor_and_are_adopted(run: RunDirectory) -> None:
    up(run)
    before, supervisor = pids(run), supervisor_of(run)
    with steady_client(NODES[0].address) as client:
        end(supervisor)
        began = time.monotonic()
        after = rows(run)
        assert time.monotonic() - began < 5
        assert {name: row["pid"] for name, row in after.items()} == before
        assert {row["state"] for row in after.values()} == {"up"}
        assert supervisor_of(run) != supervisor
        assert up(run)["plan"] == ["nothing to do"]
        seen = client.answers
        wait_for(lambda: client.answers > seen)
    Link.open(run).ask("down")
    assert_nothing_left(run)


@pytest.mark.quiet
def test_a_killed_node_answers_again_within_two_seconds(run: RunDirectory) -> None:
    up(run)
    before = pids(run)
    with steady_client(NODES[0].address):
        end(before["pump-2"])
        took = wait_for(lambda: answers(NODES[1].address))
        assert took < 2
    wait_for(lambda: rows(run)["pump-2"]["state"] == "up")
    after = rows(run)
    assert [name for name in before if after[name]["pid"] != before[name]] == ["pump-2"]
    assert [row["restarts"] for row in after.values()] == [0, 1, 0]


def test_an_adopted_node_is_restarted_like_any_other(run: RunDirectory) -> None:
    up(run)
    end(supervisor_of(run))
    before = pids(run)
    end(before["pump-3"])
    wait_for(lambda: answers(NODES[2].address))
    wait_for(lambda: b'"restarts":{"pump-3":1}' in run.state_file.read_bytes())
    end(supervisor_of(run))
    wait_for(lambda: rows(run)["pump-3"]["state"] == "up")
    assert rows(run)["pump-3"]["restarts"] == 1, "counts outlive the supervisor"


def test_a_node_that_was_stopped_stays_so_over_deaths(run: RunDirectory) -> None:
    up(run)
    Link.open(run).ask("command", node="pump-1", path="server/stop")
    wait_for(lambda: not answers(NODES[0].address))
    end(pids(run)["pump-1"])
    wait_for(lambda: rows(run)["pump-1"]["restarts"] == 1 and rows(run)["pump-1"]["state"] == "stopped")
    wait_for(lambda: not answers(NODES[0].address))
    assert up(run)["plan"] == ["nothing to do"]
    Link.open(run).ask("command", node="pump-1", path="server/start")
    wait_for(lambda: rows(run)["pump-1"]["state"] == "up")


def test_a_port_that_is_taken_takes_the_whole_back(run: RunDirectory) -> None:
    taken = socket.create_server((NODES[1].address, 44818))
    with taken, pytest.raises(FarmError, match=r"^pump-2: [\d.]+\.2:44818: .*in use"):
        up(run)
    assert_nothing_left(run)


def test_a_change_that_fails_leaves_what_was(run: RunDirectory) -> None:
    up(run)
    before = pids(run)
    moved = replace(WORKS, nodes=(NODES[0], replace(NODES[1], address=f"{NETWORK}.99"), NODES[2]))
    taken, failing = (
        socket.create_server((f"{NETWORK}.99", 44818)),
        pytest.raises(FarmError, match=r"^pump-2: .*99:44818"),
    )
    with taken, steady_client(NODES[0].address), failing:
        up(run, moved)
    wait_for(lambda: answers(NODES[1].address))
    after = pids(run)
    assert [name for name in before if after[name] != before[name]] == ["pump-2"]
    assert up(run)["plan"] == ["nothing to do"]


def test_a_change_in_a_shared_shard_leaves_its_neighbours_connected(run: RunDirectory) -> None:
    shared = replace(WORKS, shard=3)
    up(run, shared)
    changed = replace(shared, nodes=(NODES[0], replace(NODES[1], tags=()), replace(NODES[2], address=f"{NETWORK}.33")))
    with steady_client(NODES[0].address):
        done = up(run, changed)
        assert done["plan"] == [
            "[1] change shard shard-001 (pump-1, pump-2, pump-3): "
            f"pump-2: tags changed; pump-3: address {NETWORK}.3 -> {NETWORK}.33"
        ]
        assert answers(f"{NETWORK}.33")
        assert not answers(f"{NETWORK}.3")
        Link.open(run).ask("restart", nodes=["pump-2"])
    end(supervisor_of(run))
    assert up(run, changed)["plan"] == ["nothing to do"], "what was changed in place is known on disk"


def test_a_node_that_fails_beside_others_is_tried_alone(run: RunDirectory) -> None:
    up(run, replace(WORKS, shard=3))
    end(pids(run)["pump-2"])
    with socket.create_server((NODES[1].address, 44818)):
        wait_for(lambda: [row["state"] for row in rows(run).values()] == ["up", "down", "up"])
        assert "address in use" in rows(run)["pump-2"]["error"]
        shard = pids(run)["pump-1"]
    with steady_client(NODES[0].address):
        wait_for(lambda: rows(run)["pump-2"]["state"] == "up")
    assert set(pids(run).values()) == {shard}


def test_two_ups_at_once_come_to_one_farm(run: RunDirectory) -> None:
    done: list[str] = []

    def bring_up() -> None:
        done.extend(row["state"] for row in up(run)["rows"])

    both = [threading.Thread(target=bring_up) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert done == ["up"] * 6
    assert len([pid for pid in marked_processes(run.path.parent) if b"supervise" in command_line(pid)]) == 1


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("lost", ["run.json", "state.json", "both", "shards", "everything"])
def test_down_finds_what_lost_its_files(run: RunDirectory, lost: str) -> None:
    up(run)
    end(supervisor_of(run))
    if lost == "everything":
        shutil.rmtree(run.path)
    elif lost == "shards":
        shutil.rmtree(run.path / "shards")
    else:
        for name in ("run.json", "state.json") if lost == "both" else (lost,):
            (run.path / name).write_text("{damaged")
    take_down(run, make_backend)
    assert_nothing_left(run)


def test_up_after_its_files_were_lost_starts_anew(run: RunDirectory) -> None:
    up(run)
    end(supervisor_of(run))
    shutil.rmtree(run.path)
    assert [row["state"] for row in up(run)["rows"]] == ["up"] * 3
    Link.open(run).ask("down")
    assert_nothing_left(run)


def test_a_supervisor_that_hangs_is_said_and_ended(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    up(run)
    os.kill(supervisor_of(run), signal.SIGSTOP)
    monkeypatch.setattr(link_module, "SILENCE", 0.3)
    with pytest.raises(NoSupervisor, match=r"has said nothing for 0\.3 s"):
        Link.open(run).ask("ps")
    assert take_down(run, make_backend)["nodes"] == 3
    assert_nothing_left(run)


@pytest.mark.parametrize("moment", [0.0, 0.02, 0.05, 0.1, 0.2])
def test_a_supervisor_killed_in_the_middle_of_up(run: RunDirectory, moment: float) -> None:
    link = Link.open(run, "process")
    twenty = replace(WORKS, nodes=tuple(node(f"pump-{n}", f"{NETWORK}.{n + 100}") for n in range(1, 21)))
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(str(run.farm_socket))
        (supervisor, _, _) = struct.unpack("3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        asking.sendall(pack({"op": "apply", "plant": encode_plant(twenty)}))
        threading.Event().wait(moment)
        end(supervisor)
    if moment in (0.02, 0.1):
        assert {row["state"] for row in up(run, twenty)["rows"]} == {"up"}
    link.ask("down")
    assert_nothing_left(run)


def test_a_supervisor_that_cannot_start_says_why(run: RunDirectory) -> None:
    run.prepare()
    run.farm_socket.mkdir()
    with pytest.raises(NoSupervisor, match=r"did not start \(exit code 1\)"):
        Link.open(run, "process")
    run.farm_socket.rmdir()


def test_another_backend_is_refused(run: RunDirectory) -> None:
    up(run)
    with pytest.raises(FarmError, match=r"works runs on process, not on docker: take it down first"):
        Link.open(run, "docker")
