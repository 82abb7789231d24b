"""Twenty real shards; what is left when something dies, and that nothing is left in the end."""

import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.backends import pids
from farm.backends.forked import FIRST_USER, USERS
from farm.backends.observed import ObservedShard, ShardSpec
from farm.backends.process import ProcessBackend
from farm.errors import BackendError
from farm.topology.wiring import LinkQuality, Shaping
from node import __version__
from node import shard as node_shard
from node.control.messages import RUN_VARIABLE, process_stat, shard_token, start_time
from tests.backends.conftest import need_root
from tests.backends.contract import Run, a_node, address, dead, one

pytestmark = [pytest.mark.net, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]


def serves(number: int) -> bool:
    """Whether node `number` takes connections."""
    try:
        with socket.create_connection((address(number), 44818), 5):
            return True
    except ConnectionRefusedError:
        return False


def nursery_of(run: Run) -> int:
    """The pid of the run's nursery."""
    return next(
        pid
        for pid, _ in pids.marked(run.id)
        if b"nursery" in Path(f"/proc/{pid}/cmdline").read_bytes()
        and not Path(f"/proc/{pid}/comm").read_text().startswith("plc:")
    )


def test_twenty_shards_up_and_down(run: Run) -> None:
    shards = run.up(*(one(number) for number in range(1, 21)))
    assert run.farm.failed == {}
    assert all(serves(number) for number in range(1, 21))
    assert {hello["token"] for hello in run.farm.hellos.values()} == {
        shard_token("secret", shard.name) for shard in shards
    }
    victim = shards[7]
    pids.end(victim.pid, victim.started, grace=0.0)
    observed = {shard.name: shard for shard in run.backend.observe().shards}
    assert observed[victim.name] == dead(victim)
    assert sum(shard.alive for shard in observed.values()) == 19
    assert serves(1)
    for shard in shards:
        run.backend.stop(shard, 2.0)
        run.backend.remove(shard.name)
    assert run.backend.observe().shards == run.backend.observe().strays == ()
    assert list((run.folder / "shards").iterdir()) == []
    assert run.backend.end_all() == 0
    assert pids.marked(run.id) == []


def test_shards_live_on_without_their_nursery(run: Run) -> None:
    first, second = run.up(one(1), one(2))
    nursery = nursery_of(run)
    pids.end(nursery, start_time(nursery), grace=0.0)
    assert serves(1)
    assert run.backend.observe().shards == (first, second)
    run.up(one(3))
    assert nursery_of(run) != nursery
    assert serves(3)


def test_another_supervisor_sees_and_ends_the_same(run: Run) -> None:
    shards = run.up(one(1), one(2))
    run.backend.close()
    heir = run.again()
    assert heir.observe().shards == tuple(shards)
    assert heir.start("plc-1") == shards[0]
    assert serves(1)
    assert heir.end_all(grace=2.0) == 2
    assert heir.observe().shards == tuple(dead(shard) for shard in shards)


def test_a_nursery_that_its_supervisor_left_is_a_stray(run: Run) -> None:
    run.up(one(1))
    nursery = nursery_of(run)
    heir = run.again()
    assert heir.observe().strays == (nursery,)
    assert run.backend.observe().strays == ()
    heir.stop(ObservedShard("stray", nursery, 0, alive=True, nodes=()), 2.0)
    assert heir.observe().strays == ()
    assert serves(1)


def test_all_ends_without_any_file(run: Run) -> None:
    run.up(*(one(number) for number in range(1, 6)))
    for file in (run.folder / "shards").iterdir():
        file.unlink()
    assert run.again().end_all(grace=2.0) == 6, "five shards and the nursery of the other supervisor"
    assert pids.marked(run.id) == []
    assert not serves(1)


def test_what_does_not_listen_to_sigterm_is_killed(run: Run) -> None:
    shards = run.up(one(1), one(2), one(3))
    for shard in shards[:2]:
        os.kill(shard.pid, signal.SIGSTOP)
    run.backend.stop(shards[0], 0.1)
    assert start_time(shards[0].pid) == 0
    assert run.backend.end_all(grace=0.1) == 2


@pytest.fixture
def decoy(run: Run) -> Iterator[subprocess.Popen[bytes]]:
    """A process of another run whose id begins like ours."""
    environment = {**os.environ, RUN_VARIABLE: f"{run.id}-2"}
    process = subprocess.Popen(["sleep", "100"], env=environment)
    yield process
    process.kill()
    process.wait()


def test_others_are_never_touched(run: Run, decoy: subprocess.Popen[bytes]) -> None:
    (shard,) = run.up(one(1))
    assert run.backend.observe().strays == ()
    run.backend.stop(ObservedShard("x", decoy.pid, 0, alive=True, nodes=()), 0.0)
    run.backend.stop(ObservedShard("x", decoy.pid, shard.started, alive=True, nodes=()), 0.0)
    run.backend.end_all(grace=1.0)
    assert decoy.poll() is None


def test_this_process_is_no_stray_though_it_bears_the_mark(run: Run) -> None:
    script = (
        "from pathlib import Path; from farm.backends import pids; import os, sys; "
        "print(pids.marked(sys.argv[1]), pids.end_marked(sys.argv[1], 1.0))"
    )
    environment = {**os.environ, RUN_VARIABLE: run.id}
    found = subprocess.run(
        [sys.executable, "-c", script, run.id], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout == "[] 0\n"


def test_a_pid_that_was_used_again_is_another_process(run: Run, decoy: subprocess.Popen[bytes]) -> None:
    (shard,) = run.up(one(1))
    pids.end(shard.pid, shard.started, grace=0.0)
    pid_file = run.folder / "shards" / "plc-1.pid"
    pid_file.write_text(pid_file.read_text().replace(f'"pid": {shard.pid}', f'"pid": {decoy.pid}'))
    (observed,) = run.backend.observe().shards
    assert (observed.pid, observed.alive) == (decoy.pid, False)
    run.backend.stop(observed, 0.0)
    assert decoy.poll() is None


@pytest.mark.parametrize("field", ["boot_id", "run"])
def test_a_pid_file_of_another_boot_or_run_says_nothing(run: Run, field: str) -> None:
    (shard,) = run.up(one(1))
    pid_file = run.folder / "shards" / "plc-1.pid"
    written = pid_file.read_text()
    pid_file.write_text(written.replace(f'"{field}": "', f'"{field}": "x'))
    observed = run.backend.observe()
    assert observed.shards == (ObservedShard("plc-1", 0, 0, alive=False, nodes=shard.nodes),)
    assert observed.strays == (shard.pid,)
    pid_file.write_text(written)


@pytest.mark.parametrize("content", [b"", b"{", b"\0" * 100, b"[1, 2]", b'{"nodes": [5]}'])
def test_damaged_files_cost_what_they_said_and_no_more(run: Run, content: bytes) -> None:
    one_, two = run.up(one(1), one(2))
    folder = run.folder / "shards"
    (folder / "plc-1.json").write_bytes(content)
    (folder / "plc-2.pid").write_bytes(content)
    (folder / "..json").write_bytes(content)
    observed = run.backend.observe()
    assert observed.shards == (
        ObservedShard("plc-1", one_.pid, one_.started, alive=True, nodes=()),
        ObservedShard("plc-2", 0, 0, alive=False, nodes=two.nodes),
    )
    assert observed.strays == (two.pid,)


def test_a_file_says_that_its_nodes_are_checked_until_somebody_changes_them(run: Run) -> None:
    run.backend.create(one(1))
    file = run.folder / "shards" / "plc-1.json"
    written = file.read_bytes()
    assert node_shard.read("plc-1", written).checked
    changed = written.replace(b'"SCADA"', b'"SC/DA"')
    assert not node_shard.read("plc-1", changed).checked
    assert not node_shard.read("plc-1", written.replace(__version__.encode(), b"0.0.0")).checked
    file.write_bytes(changed)
    with pytest.raises(BackendError, match=r"plc-1: start: its file is damaged: .*SC/DA"):
        run.backend.start("plc-1")
    assert run.backend.observe().shards[0].nodes == ()
    file.write_bytes(written)
    assert run.backend.start("plc-1").nodes == one(1).nodes


def test_files_are_this_users_alone(run: Run) -> None:
    (shard,) = run.up(one(1))
    files = [path for path in run.folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"plc-1.json", "plc-1.pid", "plc-1.log", "nursery.log"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {stat.S_IMODE((run.folder / name).stat().st_mode) for name in ("shards", "logs")} == {0o700}
    run.backend.stop(shard, 2.0)
    run.backend.remove("plc-1")
    assert run.backend.logs("plc-1").exists(), "what it said is wanted most when it is gone"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a.b", "../../etc/passwd", "x" * 33, "a\0b", "ä"])
def test_a_name_never_leaves_the_folder(run: Run, name: str) -> None:
    for act in (lambda: run.backend.create(ShardSpec(name, ())), lambda: run.backend.logs(name)):
        with pytest.raises(BackendError, match="a name is 1 to 32 of"):
            act()


def test_a_folder_that_cannot_be_written(run: Run) -> None:
    (run.folder / "shards").write_text("in the way")
    with pytest.raises(BackendError, match=r"plc-1: create: cannot write its files: "):
        run.backend.create(one(1))
    assert run.backend.observe().shards == ()


def test_a_nursery_that_cannot_start_is_told_with_its_last_words(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.backend.create(one(1))
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(BackendError, match=r"plc-1: start: the nursery failed \(.*\): it said nothing"):
        run.backend.start("plc-1")
    monkeypatch.undo()
    assert run.backend.start("plc-1").alive


def test_a_link_of_loopback_can_only_be_slow(run: Run) -> None:
    slow = LinkQuality(delay=0.2, jitter=0.05)
    assert run.backend.shape("plc-1", slow) == Shaping(slow, left=slow)
    for quality in (
        LinkQuality(loss=5.0),
        LinkQuality(rate=9600),
        LinkQuality(up=False),
        LinkQuality(0.2, kernel=True),
    ):
        with pytest.raises(BackendError, match=r"plc-1: shape: .* only a delay can be had"):
            run.backend.shape("plc-1", quality)


def test_a_link_is_remembered_until_it_is_good(run: Run) -> None:
    slow = LinkQuality(delay=0.2)
    run.backend.shape("plc-1", slow)
    (run.folder / "links" / "plc-2.json").write_text("[")
    assert run.backend.observe().links == {"plc-1": Shaping(slow, left=slow)}
    run.backend.shape("plc-1", LinkQuality())
    assert run.backend.observe().links == {}


def test_too_many_nodes_for_one_shard_are_refused_early(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("farm.backends.limits.hard_limit", lambda: 256)
    with pytest.raises(BackendError, match="needs 262 descriptors, this user may have 256"):
        run.backend.create(ShardSpec("shard-001", (a_node(1), a_node(2), a_node(3))))


def test_no_zombie_is_left_of_a_shard(run: Run) -> None:
    (shard,) = run.up(one(1))
    run.backend.stop(shard, 2.0)
    run.up(one(2))  # the nursery was awake since
    assert process_stat(shard.pid) is None


def test_the_run_needs_no_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "somewhere")
    (tmp_path / "node.py").write_text("raise SystemExit('not this one')")
    run.up(one(1))
    assert Path(f"/proc/{nursery_of(run)}/cwd").readlink() == Path("/")
    assert serves(1)


def test_the_backend_is_a_backend(run: Run) -> None:
    assert ProcessBackend.name == "process"
    assert not run.backend.restarts


@pytest.mark.root
def test_a_shard_of_roots_farm_on_loopback_is_a_user_of_its_own(run: Run) -> None:
    need_root()
    first, second = run.up(one(1), one(2))
    users = set()
    for shard in (first, second):
        lines = Path(f"/proc/{shard.pid}/status").read_text().splitlines()
        found = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
        assert (found["NoNewPrivs"], found["CapEff"], found["CapBnd"]) == ("1", f"{0x400:016x}", f"{0x400:016x}")
        users.add(int(found["Uid"].split()[0]))
    assert len(users) == 2
    assert all(FIRST_USER <= user < FIRST_USER + USERS for user in users)
