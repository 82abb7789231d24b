"""The dashboard's process: who it is, one of it at a time, and what becomes of it when others are killed or ended."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from farm.supervisor.dashboard_user import DASHBOARD_USER
from tests.conftest import marked_processes
from tests.dashboard.served import OTHER_PLANT, Served, a_served_plant
from tests.waiting import until

pytestmark = [pytest.mark.net, pytest.mark.slow]


def status_of(pid: int) -> dict[str, str]:
    """`/proc/PID/status`."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def is_gone(pid: int) -> bool:
    """Whether the process has ended."""
    try:
        return status_of(pid)["State"].startswith("Z")
    except OSError:
        return True


def supervisor_of(served: Served) -> int:
    """The pid of the farm's supervisor."""
    return int(served.get("/api/v1/farm")["supervisor"]["pid"])


@pytest.mark.skipif(sys.platform != "linux", reason="is for 64-bit Intel Linux here: /proc")
def test_it_has_no_privilege(served: Served) -> None:
    status = status_of(served.pid)
    user = DASHBOARD_USER if os.geteuid() == 0 else os.geteuid()
    assert {status["Uid"], status["Gid"]} == {"\t".join([str(user)] * 4)} or os.geteuid() != 0
    assert status["NoNewPrivs"] == "1"
    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    if os.geteuid() == 0:
        assert status["CapBnd"] == "0" * 16
        assert status["Groups"] == ""
    environ = Path(f"/proc/{served.pid}/environ").read_bytes()
    assert b"FARM_RUN=served-" in environ
    command = Path(f"/proc/{served.pid}/cmdline").read_bytes()
    assert served.token.encode() not in environ + command
    assert served.reader.encode() not in environ + command


def test_it_listens_on_loopback_alone(served: Served) -> None:
    assert {host for host, _ in served.record["addresses"]} <= {"127.0.0.1", "::1"}
    kept = {path.name: oct(path.stat().st_mode & 0o777) for path in served.folder.iterdir() if path.is_file()}
    assert set(kept.values()) == {"0o600"}, kept
    assert served.log == ""


def test_a_second_call_gives_a_link_to_the_same_one(served: Served) -> None:
    pid, port = served.pid, served.port
    lines = {served.farm("dashboard").stdout for _ in range(2)}
    assert all(line.startswith(f"dashboard of served: http://127.0.0.1:{port}/?code=write.") for line in lines)
    assert len(lines) == 2, "every link is another one"
    assert (served.pid, served.port) == (pid, port)
    elsewhere = served.farm("dashboard", "--listen", "127.0.0.1:9", check=False)
    assert elsewhere.returncode == 1
    assert "already" in elsewhere.stderr
    tokens = served.farm("dashboard", "--print-token").stdout.splitlines()
    assert tokens == [f"token {served.token}", f"read-only {served.reader}"]


def test_its_life() -> None:
    with a_served_plant(OTHER_PLANT) as served:
        first = served.pid
        outlives_a_changed_plant(served)
        assert served.pid == first
        hears_the_next_supervisor(served)
        assert served.pid == first
        os.kill(first, signal.SIGKILL)
        until(lambda: is_gone(first))
        served.farm("dashboard")
        assert served.pid != first
        assert [row["state"] for row in until(lambda: served.get("/api/v1/nodes")["nodes"])] == ["up"] * 4
        stopped = served.pid
        assert "its dashboard is ended" in served.farm("dashboard", "--stop").stderr
        assert is_gone(stopped)
        assert "it has no dashboard" in served.farm("dashboard", "--stop").stderr
        served.farm("dashboard")
        last = served.pid
        served.farm("down")
        assert is_gone(last)
        assert marked_processes(served.root) == []
        assert not (served.root / "served").exists()


def outlives_a_changed_plant(served: Served) -> None:
    """`farm up` takes it for no stray."""
    file = served.root / "plant.yaml"
    generation = served.get("/api/v1/nodes")["generation"]
    file.write_text(OTHER_PLANT + "  more: {kind: logix, address: 127.64.232.9, tags: {Level: REAL}}\n")
    served.farm("up", str(file))
    until(lambda: served.get("/api/v1/farm")["nodes"] == 4)
    assert served.get("/api/v1/nodes")["generation"] != generation


def hears_the_next_supervisor(served: Served) -> None:
    """When it is there (how soon, a page's test of recovery holds); until then it says what it knows, and how old that
    is."""
    with served.stream("topics=fleet,events") as stream:
        first = stream.next("fleet")
        os.kill(supervisor_of(served), signal.SIGKILL)
        until(lambda: served.get("/api/v1/farm")["age_s"] > 2)
        assert served.get("/api/v1/nodes")["total"] == 4
        refused = served.request("GET", "/api/v1/nodes/plc/tags")
        assert (refused.status, refused.json["error"]) == (503, "the supervisor is not there")
        assert "`farm ps`" in refused.json["hint"]
        served.farm("ps")
        again = stream.next("fleet", lambda frame: frame["t"] > first["t"] + 2)
        assert again["farm"]["nodes"] == 4
    assert served.get("/api/v1/nodes/plc/tags")["tags"]


def test_it_ends_by_itself_when_the_farm_is_taken_from_under_it() -> None:
    with a_served_plant(OTHER_PLANT) as served:
        pid, supervisor = served.pid, supervisor_of(served)
        os.kill(supervisor, signal.SIGKILL)
        until(lambda: is_gone(supervisor))
        shutil.rmtree(served.folder)
        until(lambda: is_gone(pid))


def test_up_can_serve_it_at_once_and_elsewhere_needs_a_token() -> None:
    with a_served_plant(OTHER_PLANT, "--dashboard") as served:
        assert served.request("GET", "/api/v1/farm").status == 200
        served.farm("dashboard", "--stop")
        done = served.farm("dashboard", "--listen", "127.64.232.200")
        assert "warning" not in done.stderr, "that is loopback as well"
        served.farm("dashboard", "--stop")
        done = served.farm("dashboard", "--listen", "0.0.0.0")
        assert "can be reached from other machines" in done.stderr
        for path in ("/api/v1/farm", "/api/v1/nodes", "/metrics", "/node/plc/api", "/api/v1/stream"):
            answer = served.request("GET", path)
            assert answer.status == 401, path
            assert answer.headers["www-authenticate"].startswith("Bearer")
        assert served.request("GET", "/").status == 200, "the page, which asks for a token"
        assert served.request("GET", "/healthz").status == 200
        reader = {"Authorization": f"Bearer {served.reader}"}
        assert served.request("GET", "/api/v1/farm", headers=reader).status == 200
        assert served.request("GET", "/metrics", headers={**reader, "Host": "10.1.2.3:80"}).status == 200
        assert served.request("GET", "/metrics", headers={**reader, "Host": "evil.example"}).status == 421
