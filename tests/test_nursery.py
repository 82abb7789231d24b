"""The nursery forks, answers for each request, buries its dead, and its children keep nothing of it."""

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from farm.backends import pids
from node.config.load import dump
from node.config.model import ModbusConfig, NodeConfig, RegisterBlock, UnitConfig
from node.control.messages import FORK, Message, ShardFile, decode, encode, process_stat, start_time
from node.exchange.metrics import RING
from node.rehearsal import PROBES
from tests.backends.contract import a_node
from tests.conftest import ROOT
from tests.control.farm_end import FarmEnd, farm_end
from tests.soak.session import read, register, unconnected

pytestmark = [pytest.mark.net, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]


class Nursery:
    """A nursery of this test's own, asked over its socket."""

    def __init__(self, folder: Path, farm: FarmEnd, *program: str) -> None:
        self.folder = folder
        self.farm = farm
        self.run = f"test-{folder.name}"
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(20)
        environment = {**os.environ, "FARM_RUN": self.run, "PYTHONPATH": str(ROOT)}
        with theirs, (folder / "nursery.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *program, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                env=environment,
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        self._lines = self.socket.makefile("rb")

    def request(self, number: int, node: NodeConfig | None = None) -> Message:
        """A fork request for one node."""
        node = node or a_node(number)
        config = self.folder / f"{node.name}.json"
        pid_file = str(self.folder / f"{node.name}.pid")
        config.write_bytes(ShardFile(node.name, self.run, 0.0, pid_file, (dump(node),)).encode())
        log, control = str(self.folder / f"{node.name}.log"), str(self.folder / "c")
        return {"type": FORK, "shard": node.name, "config": str(config), "log": log, "control": control, "token": "t"}

    def ask(self, request: Message) -> Message:
        self.socket.sendall(encode(request))
        return decode(self._lines.readline())

    def fork(self, number: int, node: NodeConfig | None = None) -> int:
        """The pid of a shard that serves."""
        reply = self.ask(self.request(number, node))
        assert reply["type"] == "forked", reply
        self.farm.wait_for(lambda: f"plc-{number}" in self.farm.ready)
        return int(reply["pid"])

    def hang_up(self) -> None:
        self._lines.close()
        self.socket.close()

    def children(self) -> list[int]:
        """Its children, zombies too."""
        pid = self.process.pid
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@contextlib.contextmanager
def a_nursery(*program: str) -> Iterator[Nursery]:
    with tempfile.TemporaryDirectory(prefix="pf-", dir="/tmp") as folder, farm_end(Path(folder) / "c") as farm:
        nursery = Nursery(Path(folder), farm, *program)
        try:
            yield nursery
        finally:
            nursery.hang_up()
            nursery.process.wait(10)
            pids.end_marked(nursery.run, grace=2.0)


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    with a_nursery("-m", "node", "nursery") as nursery:
        yield nursery


def is_gone(pid: int) -> bool:
    """Wait on the process's own descriptor for its end."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        select.select([descriptor], [], [], 10)
        os.close(descriptor)
    return start_time(pid) == 0


def test_a_shard_is_forked_and_says_hello(nursery: Nursery) -> None:
    reply = nursery.ask(nursery.request(1))
    nursery.farm.wait_for(lambda: nursery.farm.ready)
    assert reply == {
        "type": "forked",
        "shard": "plc-1",
        "pid": reply["pid"],
        "started": start_time(reply["pid"]),
    }
    hello = nursery.farm.hellos["plc-1"]
    assert hello["nodes"] == ["plc-1"]
    assert (hello["token"], hello["pid"], hello["started"]) == ("t", reply["pid"], reply["started"])
    written = json.loads((nursery.folder / "plc-1.pid").read_bytes())
    assert (written["pid"], written["started"], written["run"]) == (reply["pid"], reply["started"], nursery.run)


def test_a_child_keeps_nothing_of_the_nursery(nursery: Nursery) -> None:
    pid = nursery.fork(1)
    folder = Path(f"/proc/{pid}")
    assert (folder / "comm").read_text() == "plc:plc-1\n"
    assert os.getsid(pid) == pid
    assert f"FARM_RUN={nursery.run}".encode() in (folder / "environ").read_bytes().split(b"\0")
    ends = [str((folder / "fd" / str(number)).readlink()) for number in range(3)]
    assert ends == ["/dev/null", str(nursery.folder / "plc-1.log"), str(nursery.folder / "plc-1.log")]
    assert (nursery.folder / "plc-1.log").stat().st_mode & 0o777 == 0o600
    limits = {line.rsplit(maxsplit=3)[0]: line.split() for line in (folder / "limits").read_text().splitlines()}
    assert limits["Max open files"][-3:-1] == [limits["Max open files"][-2]] * 2
    nursery.hang_up()
    assert nursery.process.wait(10) == 0
    assert start_time(pid), "the nursery's end must not end its shards"


def test_nothing_is_imported_after_the_fork(nursery: Nursery) -> None:
    """What a child imports costs every child its memory."""
    pid = nursery.fork(1)
    own = Path(f"/proc/{nursery.process.pid}/maps").read_text()
    mapped = {line.split()[5] for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if line.endswith(".so")}
    assert [path for path in mapped if path not in own] == []


def test_heavy_packages_stay_out() -> None:
    heavy = ("typer", "click", "rich", "flask", "docker", "pyroute2", "pymodbus", "yaml", "argparse", "unittest")
    script = f"import sys, node.nursery; print([name for name in {heavy!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_the_dead_are_buried_at_once(nursery: Nursery) -> None:
    pid = nursery.fork(1)
    assert nursery.children() == [pid]
    os.kill(pid, 9)
    assert is_gone(pid)
    assert nursery.fork(2)  # by now it was awake
    assert len(nursery.children()) == 1
    assert process_stat(pid) is None
    assert f"plc-1 (pid {pid}): killed by signal 9" in (nursery.folder / "nursery.log").read_text()


def test_requests_that_come_together_are_answered_in_order(nursery: Nursery) -> None:
    requests = [nursery.request(number) for number in range(1, 6)]
    nursery.socket.sendall(b"".join(encode(request) for request in requests[:-1]))
    last = nursery.ask(requests[-1])
    replies = [last, *(decode(nursery._lines.readline()) for _ in range(4))]
    assert [reply["shard"] for reply in replies] == [f"plc-{number}" for number in range(1, 6)]


def private(pid: int) -> int:
    """KiB that the process has written, for itself alone."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty"))


def test_shards_that_are_forked_together_share_what_their_nodes_are_made_of(nursery: Nursery) -> None:
    alone = private(nursery.fork(20))
    pids = fork_together(nursery, [nursery.request(number) for number in range(1, 7)])
    nursery.farm.wait_for(lambda: len(nursery.farm.ready) == 7)
    assert max(map(private, pids)) < 0.9 * alone
    assert [nursery.farm.ask(f"plc-{number}", "tags")["value"][0]["name"] for number in range(1, 7)] == ["SCADA"] * 6


LONG = 700
"""Requests in which what is kept of them, had it stayed where it was read, would have walked through a whole buffer."""


def test_a_shard_that_is_asked_for_long_writes_to_no_more_pages(nursery: Nursery) -> None:
    """What it keeps of each request must not wander through memory that it shares with the nursery."""
    words = UnitConfig(1, (RegisterBlock("holding", 0, 16, "SCADA"),))
    with contextlib.ExitStack() as clients:
        asked = []
        for number, protocol in enumerate(("enip", "enip_udp", "modbus"), 1):
            node = replace(a_node(number), modbus=ModbusConfig(port=0, units=(words,)))
            pid = nursery.fork(number, node)
            port = nursery.farm.ready[node.name][protocol.removesuffix("_udp")]
            kind = socket.SOCK_DGRAM if protocol == "enip_udp" else socket.SOCK_STREAM
            client = clients.enter_context(socket.socket(socket.AF_INET, kind))
            client.settimeout(10)
            client.connect((node.address, port))
            question = PROBES[protocol.removesuffix("_udp")]
            if protocol == "enip":
                question = unconnected(register(client), read("Level"))
            ask(client, question, 2 * RING)
            asked.append((protocol, pid, client, question))
        wait_for_ticks(nursery, len(asked))
        for protocol, pid, client, question in asked:
            settled = private(pid)
            ask(client, question, LONG)
            assert private(pid) - settled <= 12, f"KiB, by {protocol}"


def ask(client: socket.socket, question: bytes, times: int) -> None:
    for _ in range(times):
        client.sendall(question)
        assert client.recv(4096)


def wait_for_ticks(nursery: Nursery, count: int) -> None:
    """Until the first `count` nodes, which were asked already, have done what they do each second."""
    told = nursery.farm.telemetry
    names = [f"plc-{number}" for number in range(1, count + 1)]
    nursery.farm.wait_for(lambda: all(told[name]["requests"] >= RING for name in names))
    since = nursery.farm.reports.copy()
    nursery.farm.wait_for(lambda: all(nursery.farm.reports[name] > since[name] + 1 for name in names))


def fork_together(nursery: Nursery, requests: list[Message]) -> list[int]:
    """Their pids."""
    nursery.socket.sendall(b"".join(encode(request) for request in requests))
    return [int(decode(nursery._lines.readline())["pid"]) for _ in requests]


def test_a_damaged_file_among_several_is_told_in_its_own_log(nursery: Nursery) -> None:
    requests = [nursery.request(number) for number in range(1, 5)]
    Path(requests[1]["config"]).write_text("{}")
    wrong = Path(requests[2]["config"])
    wrong.write_bytes(wrong.read_bytes().replace(b'"SCADA"', b'"SC/DA"'))
    pids = fork_together(nursery, requests)
    assert is_gone(pids[1])
    assert is_gone(pids[2])
    nursery.farm.wait_for(lambda: set(nursery.farm.ready) == {"plc-1", "plc-4"} and "plc-3" in nursery.farm.failed)
    assert "not a shard file" in Path(requests[1]["log"]).read_text()
    assert "SC/DA" in Path(requests[2]["log"]).read_text()
    assert "SC/DA" in nursery.farm.failed["plc-3"]
    assert "Traceback" not in (nursery.folder / "nursery.log").read_text()


def test_half_a_request_waits_for_the_other(nursery: Nursery) -> None:
    line = encode(nursery.request(1))
    nursery.socket.sendall(line[:40])
    assert select.select([nursery.socket], [], [], 0.05)[0] == []
    nursery.socket.sendall(line[40:])
    assert decode(nursery._lines.readline())["type"] == "forked"


def test_a_request_that_is_none_is_refused(nursery: Nursery) -> None:
    assert nursery.ask({"type": "spoon", "shard": "x"})["type"] == "refused"
    reply = nursery.ask({**nursery.request(1), "log": None})
    assert reply["error"] == "not a fork request with the texts shard, config, log, control, token"
    assert nursery.fork(2)


def test_nonsense_ends_the_nursery_and_no_shard(nursery: Nursery) -> None:
    pid = nursery.fork(1)
    nursery.socket.sendall(b"nonsense\n")
    assert nursery.process.wait(10) == 0
    assert start_time(pid)


def test_a_shard_that_cannot_read_its_file_says_so_in_its_log(nursery: Nursery) -> None:
    request = nursery.request(1)
    Path(request["config"]).write_text("{}")
    assert is_gone(nursery.ask(request)["pid"])
    assert "not a shard file" in Path(request["log"]).read_text()


def test_a_log_that_cannot_be_opened_is_the_nurserys_to_tell(nursery: Nursery) -> None:
    assert is_gone(nursery.ask({**nursery.request(1), "log": "/nowhere/x.log"})["pid"])
    assert "/nowhere/x.log" in (nursery.folder / "nursery.log").read_text()
    assert nursery.fork(2)


NO_FORKS = """
import os, resource, sys
from node.nursery import main
if os.getuid() == 0:
    os.setuid(54321)  # root is above the limit
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
main(sys.argv[1:])
"""


def test_a_fork_that_the_system_refuses() -> None:
    with a_nursery("-c", NO_FORKS) as nursery:
        reply = nursery.ask(nursery.request(1))
        assert reply["type"] == "refused"
        assert reply["error"] == "cannot fork: Resource temporarily unavailable"
        assert nursery.process.poll() is None


@pytest.mark.parametrize("arguments", [[], ["x"], ["1", "2"], ["0"]])
def test_a_descriptor_is_wanted(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "node", "nursery", *arguments]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert found.returncode == 2
    assert "descriptor" in found.stderr or "usage" in found.stderr
