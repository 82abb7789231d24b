"""A fleet on a screen: it fits, the abnormal first, and says what there is no room for; and `farm ps --watch`."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from farm.cli.events import wanted
from farm.cli.fleet_screen import screen
from farm.cli.follow import event_line
from farm.cli.watch import Fleet
from farm.supervisor.link import Link, run_named
from tests.conftest import ROOT

FARM = {
    "farm": "works",
    "backend": "process",
    "reach": "loopback only",
    "nodes": 100,
    "conditions": {"up": 97, "degraded": 0, "fault": 2, "down": 1},
    "requests_per_s": 123.4,
    "p50_ms": 0.25,
    "p99_ms": None,
    "errors_per_s": 0.0,
    "clients": 3,
    "faults": 1,
}


def row(name: str, condition: str = "up") -> dict[str, Any]:
    return {
        "name": name,
        "condition": condition,
        "requests_per_s": 12.5,
        "p50_ms": 0.25,
        "p99_ms": 1.5,
        "connections": 2,
        "errors_per_min": 0,
        "restarts": 0,
        "address": "127.64.0.1",
        "profile": "1756-L61",
    }


ROWS = [row(f"pump-{number}", {7: "down", 50: "fault", 60: "fault"}.get(number, "up")) for number in range(100)]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (40, 10), (20, 6), (200, 500), (10, 3)])
def test_it_fits(width: int, height: int) -> None:
    lines = screen(FARM, ROWS, width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


def test_the_abnormal_are_first_and_the_hidden_are_counted() -> None:
    lines = screen(FARM, ROWS, 80, 12)
    assert lines[0] == "works: 100 nodes on process, loopback only"
    assert lines[1] == "1 down  2 fault  97 up"
    assert lines[2] == "123.4 req/s  p50 0.25 ms  p99 -  0 errors/s  3 clients  1 faults"
    assert [line.split()[0] for line in lines[5:11]] == ["pump-7", "pump-50", "pump-60", "pump-0", "pump-1", "pump-2"]
    assert lines[11] == "... 94 more: 94 up"
    assert "more" not in screen(FARM, ROWS, 80, 200)[-1]


def test_a_narrow_screen_has_fewer_columns() -> None:
    assert screen(FARM, ROWS, 200, 20)[4].split() == [
        *("NAME", "CONDITION", "REQ/S", "P99", "CONN", "ERR/MIN", "RESTARTS", "P50", "ADDRESS", "PROFILE")
    ]
    assert screen(FARM, ROWS, 40, 20)[4].split() == ["NAME", "CONDITION", "REQ/S", "P99", "CONN"]
    assert screen(FARM, [], 80, 20)[-1].startswith("NAME")


def test_colour_is_beside_the_word() -> None:
    plain, painted = screen(FARM, ROWS, 80, 12), screen(FARM, ROWS, 80, 12, painted=True)
    assert "\x1b[31mdown\x1b[0m" in painted[5]
    assert painted[8] == plain[8], "normal is quiet"
    assert [line.replace("\x1b[31m", "").replace("\x1b[35m", "").replace("\x1b[0m", "") for line in painted] == plain


def test_frames_bring_rows_up_to_date() -> None:
    asked = []

    def ask() -> dict[str, Any]:
        asked.append(1)
        return {"generation": 5, "nodes": [row("pump-0"), row("pump-1")]}

    fleet = Fleet(ask)
    frame = {"generation": 5, "farm": FARM, "nodes": [[1, "down", 0.0, None, None, 0, 3, 1, 4.0, 0], [9, "up"]]}
    fleet.take(frame)
    fleet.take({**frame, "nodes": []})
    assert len(asked) == 1
    assert [each["condition"] for each in fleet.rows] == ["up", "down"]
    assert fleet.rows[1]["errors_per_min"] == 3
    fleet.take({**frame, "generation": 6})
    assert len(asked) == 2


def test_events_read_well_and_are_chosen() -> None:
    state = {"time": "2026-01-01T17:03:12.123+00:00", "event": "node", "kind": "state", "node": "pump-1"}
    died = {**state, "state": "restarting", "text": "it died", "actor": ""}
    wrote = {**state, "kind": "write", "state": "up", "text": "Level = 3", "actor": "10.0.0.5:4711"}
    came = {**state, "event": "farm", "kind": "client", "node": "", "text": "10.0.0.5 connects", "actor": "10.0.0.5"}
    assert event_line(died) == "17:03:12  pump-1  restarting  it died"
    assert event_line(wrote) == "17:03:12  pump-1  write  Level = 3  (10.0.0.5:4711)"
    assert event_line(came) == "17:03:12  10.0.0.5 connects"
    assert event_line({"time": state["time"], "event": "farm", "text": "of an older version"}).endswith("version")
    events = [died, wrote, came]
    assert list(wanted(events, [], [])) == events
    assert list(wanted(events, ["write", "client"], [])) == [wrote, came]
    assert list(wanted(events, [], ["pump-*"])) == [died, wrote]
    assert list(wanted(events, ["client"], ["pump-*"])) == []


PLANT = """
farm: 1
name: watched
groups: {pump: {count: 30, name: "pump-${i}", kind: logix, address: "127.64.204.${i}", tags: {Level: REAL}}}
shard: 30
"""


@pytest.fixture
def running(farm: Any, tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "plant.yaml").write_text(PLANT)
    outcome = farm("up", cwd=tmp_path)
    assert outcome.rc == 0, outcome.err
    yield farm
    farm("down")


def start(run_root: Path, **streams: Any) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PLCFARM_RUN": str(run_root), "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    for size in ("LINES", "COLUMNS"):  # which would count more than the terminal's own
        environment.pop(size, None)
    return subprocess.Popen([sys.executable, "-m", "farm", "ps", "--watch"], env=environment, **streams)


@pytest.mark.net
@pytest.mark.slow
def test_in_a_pipe_frames_are_plain_and_ctrl_c_ends_it(running: Any, run_root: Path) -> None:
    process = start(run_root, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    heads = []
    while len(heads) < 3:
        line = process.stdout.readline().decode()
        assert line, "it ended"
        assert "\x1b" not in line
        heads += [line] if line.startswith("watched: 30 nodes on process") else []
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, b"interrupted\n")


@pytest.mark.quiet
@pytest.mark.net
@pytest.mark.slow
def test_on_a_terminal_it_stays_in_its_place_and_over_the_death_of_a_supervisor(running: Any, run_root: Path) -> None:
    terminal, end = pty.openpty()
    os.set_blocking(terminal, False)
    subprocess.run(["stty", "rows", "12", "cols", "60"], stdin=end, check=True)
    process = start(run_root, stdin=end, stdout=end, stderr=end)
    os.close(end)
    seen = ""

    def until(word: str, seconds: float = 30.0) -> None:
        nonlocal seen
        give_up = time.monotonic() + seconds
        while word not in seen:
            left = max(0.0, give_up - time.monotonic())
            assert left and select.select([terminal], [], [], left)[0], f"no {word!r} in {seen[-2000:]!r}"
            seen += os.read(terminal, 65536).decode(errors="replace")

    try:
        until("more: ")
        assert "\x1b[?1049h" in seen
        frame = seen.partition("\x1b[H")[2].partition("\x1b[J")[0].replace("\x1b[K", "")
        assert len(frame.splitlines()) <= 12
        assert max(map(len, frame.splitlines())) <= 60
        assert running("stop", "pump-30").rc == 0
        until("\x1b[2mstopped\x1b[0m")
        os.kill(_supervisor(run_root), signal.SIGKILL)
        seen = ""
        until("1 stopped  29 up")
        assert running("down").rc == 0
        until("watched went down")
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


def _supervisor(run_root: Path) -> int:
    return int(Link.open(run_named("watched", run_root)).ask("status")["pid"])
