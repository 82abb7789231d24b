"""`python -m node shard` serves a farm's nodes as a container does: no pid of its own, every interface if told."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from node.cli.shard import TOKEN_VARIABLE
from node.config.load import dump
from node.control.messages import ShardFile
from tests.backends.contract import a_node, address
from tests.cli.lone import ROOT
from tests.control.farm_end import farm_end

pytestmark = pytest.mark.net


def test_it_serves_says_hello_without_a_pid_and_logs(tmp_path: Path) -> None:
    node = a_node(1)
    body = ShardFile("plc-1", "run", 0.0, "", (dict(dump(node)),), everywhere=True)
    (tmp_path / "plc-1.json").write_bytes(body.encode())
    log = tmp_path / "plc-1.log"
    command = [sys.executable, "-m", "node", "shard", str(tmp_path / "plc-1.json"), str(tmp_path / "sock")]
    environ = {**os.environ, TOKEN_VARIABLE: "open sesame"}
    with farm_end(tmp_path / "sock") as farm:
        process = subprocess.Popen([*command, "--log", str(log)], cwd=ROOT, env=environ, stderr=subprocess.PIPE)
        try:
            farm.wait_for(lambda: "plc-1" in farm.ready)
            hello = farm.hellos["plc-1"]
            assert (hello["token"], hello["pid"], hello["nodes"]) == ("open sesame", 0, ["plc-1"])
            socket.create_connection((address(2), 44818), 5).close()  # not its address, but everywhere
        finally:
            process.send_signal(signal.SIGTERM)
            error = process.communicate(timeout=20)[1].decode()
        assert (process.returncode, error) == (0, log.read_text())
    assert not list(tmp_path.glob("*.pid*"))


def test_a_node_that_cannot_be_served_is_told_in_the_log_and_by_the_exit_code(tmp_path: Path) -> None:
    wrong = {**dict(dump(a_node(1))), "address": "192.0.2.99"}
    (tmp_path / "plc-1.json").write_bytes(ShardFile("plc-1", "run", 0.0, "", (wrong,)).encode())
    command = [sys.executable, "-m", "node", "shard", "plc-1.json", "sock", "--log", "log"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "192.0.2.99:44818: this machine has no such address" in (tmp_path / "log").read_text()
    assert done.stderr == (tmp_path / "log").read_text()


@pytest.mark.parametrize("content", ["", "{}", json.dumps({"shard": 5})])
def test_a_damaged_file_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    command = [sys.executable, "-m", "node", "shard", str(tmp_path / "x.json"), str(tmp_path / "sock")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "not a shard file" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--help"], 0, "FILE [CONTROL] [--log FILE]"),
        ([], 2, "got nothing"),
        (["file"], 1, "No such file or directory: 'file'"),
        (["file", "sock", "--log"], 2, "got file sock --log"),
        (["file", "sock", "--log", "/nowhere/log"], 1, "/nowhere/log: No such file or directory"),
    ],
)
def test_what_is_typed_wrongly_is_one_line(words: list[str], code: int, said: str) -> None:
    command = [sys.executable, "-m", "node", "shard", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True)
    assert code == 0 or len(done.stderr.splitlines()) == 1
