"""A machine without a farm: the first page, which moves on to a farm as soon as one runs, and back."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.dashboard.served import OTHER_PLANT, Served, a_root
from tests.http_answers import Answer
from tests.waiting import until

pytestmark = [pytest.mark.net, pytest.mark.slow]


class Waiting(Served):
    """Where `farm dashboard` without a farm listens."""

    port_number = 0

    @property
    def port(self) -> int:
        return self.port_number

    def farm_line(self) -> dict[str, object] | None:
        """What the API says of the farm; None while one server takes over from another."""
        try:
            answer: Answer = self.request("GET", "/api/v1/farm")
        except OSError:
            return None
        found: dict[str, object] = answer.json
        return found


def test_it_waits_for_a_farm_and_outlives_it() -> None:
    with a_root() as root, tempfile.TemporaryFile("w+") as output:
        environ = {**os.environ, "PLCFARM_RUN": str(root), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "farm", "dashboard"]
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output)
        waiting = Waiting(root)

        def said() -> str:
            return os.pread(output.fileno(), 1 << 16, 0).decode()

        try:
            until(lambda: "no farm is running" in said())
            waiting.port_number = int(re.findall(r"127\.0\.0\.1:(\d+)", said())[0])
            goes_on_to_a_farm(waiting, root, said)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
        finally:
            process.kill()
            process.wait()


def goes_on_to_a_farm(waiting: Waiting, root: Path, said: object) -> None:
    """First no farm and three demos; then the farm; then none again: always at the same address."""
    first = until(waiting.farm_line)
    assert first["farm"] is None
    assert first["can_write"] is False
    assert len(first["demos"]) == 3
    assert all(demo["command"] for demo in first["demos"])
    refused = waiting.request("GET", "/api/v1/nodes")
    assert (refused.status, refused.json["error"]) == (503, "no farm is running")
    assert waiting.request("GET", "/healthz").json["status"] == "no farm"
    assert waiting.request("GET", "/metrics").status == 200
    assert waiting.request("POST", "/api/v1/faults", b"{}", {"Content-Type": "application/json"}).status == 401
    (root / "plant.yaml").write_text(OTHER_PLANT)
    waiting.farm("up", str(root / "plant.yaml"))
    until(lambda: (line := waiting.farm_line()) and line["farm"] == "served" and line.get("nodes") == 3)
    assert waiting.record["addresses"][0] == ["127.0.0.1", waiting.port]
    link = waiting.farm("dashboard").stdout
    assert f"http://127.0.0.1:{waiting.port}/?code=" in link
    assert "3 nodes down" in waiting.farm("down").stderr
    until(lambda: (line := waiting.farm_line()) and line["farm"] is None)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--print-token"], 1, "no farm is running"),
        (["nobody", "--stop"], 1, "no farm named 'nobody'"),
        (["--stop", "--open"], 2, "goes with no other option"),
        (["--listen", "everywhere"], 2, "no IP address"),
        (["--listen", "127.0.0.1:http"], 2, "no port"),
        (["--listen", "127.0.0.1:70000"], 2, "no port"),
        (["--listen", "203.0.113.7"], 1, "cannot listen on 203.0.113.7:8080"),
    ],
)
def test_what_makes_no_sense(arguments: list[str], code: int, words: str) -> None:
    with a_root() as root:
        done = Served(root).farm("dashboard", *arguments, check=False)
        assert (done.returncode, words in done.stderr) == (code, True), done.stderr


def test_without_the_extra_it_says_which_package_is_missing(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'flask' else find(name, *rest)\n"
    )
    environ = {**os.environ, "PLCFARM_RUN": str(tmp_path / "run"), "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    command = [sys.executable, "-m", "farm", "dashboard"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stderr == "error: flask is missing, the dashboard stands on it: pip install 'plcfarm[web]'\n"
