"""A relay that runs: clients reach nodes through it, shards the farm, and its table changes under them."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from node.cli.shard import TOKEN_VARIABLE
from node.config.load import dump
from node.control.messages import INSTANCE_VARIABLE, NO_PID, ShardFile, instance_number
from tests.backends.contract import a_node
from tests.cli.lone import ROOT
from tests.control.farm_end import farm_end
from tests.relay.relays import PATIENCE, Echo, echo, free_port, relay

pytestmark = pytest.mark.net


def client(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


def asked(sock: socket.socket, data: bytes = b"x") -> bytes:
    sock.settimeout(PATIENCE)
    sock.sendall(data)
    return sock.recv(1 << 16)


def hung_up(sock: socket.socket) -> bool:
    sock.settimeout(PATIENCE)
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def test_tcp_and_udp_lead_to_a_node_and_the_end_of_what_is_said_is_passed_on(tmp_path: Path) -> None:
    with echo("a") as node:
        port = free_port()
        rows = [[protocol, "127.0.0.1", port, node.address, node.port] for protocol in ("tcp", "udp")]
        with relay(tmp_path, forwards=rows), client(port) as sock:
            assert asked(sock, b"hello") == b"ahello"
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(10) == b"bye"  # said after the client had ended
            assert sock.recv(10) == b""
            with contextlib.ExitStack() as stack:
                udp = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(3)]
                for number, one in enumerate(udp):
                    one.connect(("127.0.0.1", port))
                    one.send(b"%d" % number)
                for number, one in enumerate(udp):  # each gets its own answer
                    one.settimeout(PATIENCE)
                    assert one.recv(10) == b"a%d" % number


def test_the_table_changes_under_clients_who_are_not_concerned(tmp_path: Path) -> None:
    with echo("a") as one, echo("b") as two:
        first, second, third = free_port(), free_port(), free_port()

        def row(protocol: str, port: int, node: Echo) -> list[str | int]:
            return [protocol, "127.0.0.1", port, node.address, node.port]

        before = [row("tcp", first, one), row("tcp", second, one), row("udp", first, one)]
        with relay(tmp_path, forwards=before) as running, client(first) as kept, client(second) as lost:
            assert (asked(kept), asked(lost)) == (b"ax", b"ax")
            taken = socket.create_server(("127.0.0.1", third))
            after = [row("tcp", first, two), row("tcp", third, two), row("udp", first, two)]
            with taken:
                said = running.tell(forwards=after)
            assert "forwards: 2 served" in said
            assert f"tcp 127.0.0.1:{third} to {two.address}:{two.port}: 127.0.0.1:{third}: address in use" in said
            assert hung_up(lost)
            assert asked(kept) == b"ax"  # it is where it was; who comes now is elsewhere
            with client(first) as later, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                assert asked(later) == b"bx"
                udp.connect(("127.0.0.1", first))
                assert asked(udp) == b"bx"
            with pytest.raises(ConnectionRefusedError):
                client(second)
            assert "forwards: 3 served" in running.tell(forwards=after)  # the port is free now
            with client(third) as later:
                assert asked(later) == b"bx"


def test_a_damaged_file_changes_nothing(tmp_path: Path) -> None:
    with echo("a") as node:
        port = free_port()
        with relay(tmp_path, forwards=[["tcp", "127.0.0.1", port, node.address, node.port]]) as running:
            for text, said in (("{", "not JSON"), ('{"forwards": [1]}', "a forward is"), (None, "No such file")):
                if text is None:
                    running.file.unlink()
                else:
                    running.file.write_text(text)
                running.process.send_signal(signal.SIGHUP)
                assert "what was served is served on" in running.wait_for(said)
            with client(port) as sock:
                assert asked(sock) == b"ax"


def test_a_node_that_is_gone_is_a_reset_and_a_dead_client_stops_nobody(tmp_path: Path) -> None:
    with echo("a") as node, echo("b") as other:
        first, second = free_port(), free_port()
        rows = [
            ["tcp", "127.0.0.1", first, node.address, node.port],
            ["tcp", "127.0.0.1", second, other.address, other.port],
        ]
        with relay(tmp_path, forwards=rows), client(first) as held, client(second) as dead, client(first) as live:
            assert asked(held) == b"ax"
            dead.settimeout(0.2)
            with pytest.raises(TimeoutError):  # it asks and asks, and reads no answer
                while True:
                    dead.sendall(bytes(1 << 16))
            began = time.monotonic()
            assert [asked(live, b"%d" % number) for number in range(50)] == [b"a%d" % number for number in range(50)]
            assert time.monotonic() - began < 5
            node.close()
            assert hung_up(held)
            with pytest.raises(ConnectionResetError), client(first) as late:  # or before `connect` has
                late.recv(1)


def test_shards_reach_the_farm_by_it_and_say_which_process_they_are(tmp_path: Path) -> None:
    port = free_port()
    orders = {"control": f"127.0.0.1:{port}", "socket": str(tmp_path / "sock")}
    with relay(tmp_path, **orders), contextlib.ExitStack() as stack:
        shards = []
        for number, more in ((1, {INSTANCE_VARIABLE: "7f3a"}), (2, {})):
            node = a_node(number)
            file = tmp_path / f"{node.name}.json"
            file.write_bytes(ShardFile(node.name, "run", 0.0, "", (dict(dump(node)),)).encode())
            command = [sys.executable, "-m", "node", "shard", str(file), f"tcp://127.0.0.1:{port}"]
            environ = {**os.environ, TOKEN_VARIABLE: "open sesame", **more}
            shards.append(subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.DEVNULL))
            stack.callback(shards[-1].wait)
            stack.callback(shards[-1].terminate)
        with farm_end(tmp_path / "sock") as farm:  # later than they: they dial again
            farm.wait_for(lambda: {"plc-1", "plc-2"} <= farm.telemetry.keys())
            pids = [farm.hellos[name]["pid"] for name in ("plc-1", "plc-2")]
            assert pids == [instance_number("7f3a"), NO_PID]
            assert pids[0] >= 1 << 22
            assert farm.hellos["plc-1"]["token"] == "open sesame"
            assert "value" in farm.ask("plc-1", "tags")
        (tmp_path / "sock").unlink()
        with farm_end(tmp_path / "sock") as farm:  # another farm: they come again
            farm.wait_for(lambda: {"plc-1", "plc-2"} <= farm.ready.keys())


@pytest.mark.parametrize(
    ("words", "content", "code", "said"),
    [
        (["--help"], "", 0, "--attach ADDRESS:PORT"),
        ([], "", 2, "wanted FILE [--log FILE], got nothing"),
        (["--nothing"], "", 2, "got --nothing"),
        (["relay.json"], "{", 2, "relay.json: not JSON"),
        (["none.json"], "", 2, "none.json: No such file or directory"),
        (["relay.json"], '{"link": "192.0.2.99:7701"}', 1, "192.0.2.99:7701: this machine has no such address"),
        (["relay.json", "--log", "/nowhere/log"], "{}", 1, "/nowhere/log: No such file or directory"),
        (["--attach", "127.0.0.1"], "", 2, "an address and a port is wanted"),
        (["--attach", "127.0.0.1:1"], "", 1, "no relay at 127.0.0.1:1: Connection refused"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, words: list[str], content: str, code: int, said: str) -> None:
    (tmp_path / "relay.json").write_text(content)
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "node", "relay", *words]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done.stderr
    assert code == 0 or len(done.stderr.splitlines()) == 1
