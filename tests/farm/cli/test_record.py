"""A plant recorded and played back by the command, as released clients see it; and what survives whom."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pylogix import PLC

from farm.supervisor.link import Link
from farm.supervisor.run_directory import run_directory
from node.history.history_files import series
from node.history.reader import Reader
from node.history.record_line import Record
from tests.architecture.sources import ROOT
from tests.waiting import until

FILE = """
farm: 1
name: recs
nodes:
  mill:
    kind: logix
    address: 127.64.207.1
    tags:
      Clock: {type: DINT, signal: {counter: {per_second: 100}}}
      Wave: {type: REAL, signal: {sine: {period: 3s, amplitude: 50}}}
      Setpoint: {type: REAL, init: 4.5}
      Grid: {type: "INT[3]", init: [1, 2, 3]}
  meter:
    kind: modbus
    address: 127.64.207.2
    modbus: {port: 1502}
    holding: {"40001": {name: Ticks, type: UINT, signal: {counter: {per_second: 10}}}}
"""
HOST = "127.64.207.1"

Run = Callable[..., SimpleNamespace]

pytestmark = [pytest.mark.net, pytest.mark.slow]


@contextmanager
def begun(*arguments: str, sign: str) -> "Iterator[subprocess.Popen[str]]":
    """`farm ARGUMENTS...`, which has said `sign`."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "farm", *arguments]
    process = subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        assert sign in line, line + (process.communicate(timeout=30)[1] if process.poll() is not None else "")
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: "subprocess.Popen[str]", how: int | None = signal.SIGINT) -> str:
    """What it says when it is told to end, or ends by itself."""
    if how is not None:
        process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    return said


@contextmanager
def logix() -> Iterator[PLC]:
    with PLC(HOST) as plc:
        plc.Read("Clock")
        yield plc
    plc.conn.msg_socket.close()  # made by pylogix, and never closed by it


def records(path: Path) -> list[Record]:
    """All of a history, from its oldest file to its newest."""
    reader = Reader(path)
    return [record for block in iter(reader.read, []) for record in block]


def last_write(path: Path) -> object:
    """The values that were written last, of a history of accesses."""
    return next((record.data["write"] for record in reversed(records(path)) if "write" in record.data), None)


def states(path: Path, *names: str) -> list[tuple[Any, ...]]:
    """What the tags of these names were, at each record."""
    values: dict[str, Any] = {}
    found = []
    for record in records(path):
        values |= record.data
        found.append(tuple(values[name] for name in names))
    return found


def test_a_recording_played_at_ten_times_its_speed_into_a_fresh_plant(running: Run, tmp_path: Path) -> None:
    folder = tmp_path / "rec"
    with begun(
        "record", "-d", str(folder), "--every", "0.2s", "--for", "5s", sign="recording 5 tags of 2 nodes"
    ) as recorder:
        until(lambda: [row["recording"] for row in json.loads(running("ps", "--json").out)] == [1, 1])
        said = ended(recorder, None)
    assert re.fullmatch(rf"{folder}: \d+ records of 2 nodes\n", said)
    times = [record.time for record in records(folder / "mill.hst")]
    assert times[-1] - times[0] == pytest.approx(5, abs=1.3)
    assert len(times) == pytest.approx((times[-1] - times[0]) / 0.2 + 1, abs=2)
    assert running("restart", "*").rc == 0  # as fresh as can be: its memory is gone

    wanted = states(folder / "mill.hst", "Clock", "Wave", "Setpoint")
    seen: list[tuple[float, tuple[Any, ...]]] = []
    over = threading.Event()

    def look() -> None:
        with logix() as plc:
            while not over.is_set():
                read = plc.Read(["Clock", "Wave", "Setpoint"])
                seen.append((time.monotonic(), tuple(each.Value for each in read)))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        sign = rf"replaying {times[-1] - times[0]:.0f} s of {folder}"
        with begun("replay", str(folder), "--speed", "10", sign=sign) as player:
            said = ended(player, None)
    finally:
        over.set()
        looking.join()
    assert "tags are what they were" in said
    first, last = wanted[0][0], wanted[-1][0]
    replayed = [(at, values) for at, values in seen if first <= values[0] <= last]
    known = {clock: (wave, setpoint) for clock, wave, setpoint in wanted}
    assert {values[0] for _, values in replayed} <= known.keys(), "nothing but what was recorded"
    assert len({values[0] for _, values in replayed}) > len(wanted) / 2
    for _, (clock, wave, setpoint) in replayed:
        assert (wave, setpoint) == (pytest.approx(known[clock][0], rel=1e-6), known[clock][1])
    moving = [(at, values[0]) for at, values in replayed if first < values[0] < last]
    seconds, span = moving[-1][0] - moving[0][0], (moving[-1][1] - moving[0][1]) / 100
    assert span / 10 == pytest.approx(seconds, abs=0.05), "at ten times its speed, within a tick"
    assert seen[-1][1][0] not in known, "its signal goes on"


def test_a_part_of_a_recording_in_rotated_compressed_files(running: Run, tmp_path: Path) -> None:
    folder = tmp_path / "rec"
    with logix() as plc:
        arguments = ["-d", str(folder), "mill", "-t", "Set*", "-t", "clock", "--rotate", "1kB", "--compress", "xz"]
        with begun("record", *arguments, "--every", "50ms", sign="recording 2 tags of 1 node ") as recorder:
            for number in range(5):
                plc.Write("Setpoint", float(number))
                time.sleep(0.7)
            ended(recorder)
        files = [file.path.name for file in series(folder / "mill.hst")]
        assert files[0] == "mill.hst"
        assert len(files) > 2
        assert all(name.endswith(".xz") for name in files[1:])
        whole = states(folder / "mill.hst", "Clock", "Setpoint")
        again = running("record", "-d", str(folder))
        assert (again.rc, "there is a recording in" in again.err) == (2, True)
        plc.Write("Setpoint", 4.5)
        sign = "into 1 node; Ctrl-C ends it"
        with begun("replay", str(folder), "mill", "--from", "+1s", "--for", "1s", "--loop", sign=sign) as player:
            time.sleep(1.3)
            assert "replay" in {row["source"] for row in json.loads(running("tags", "mill", "--json").out)}
            seen = [plc.Read(["Clock", "Setpoint", "Wave"]) for _ in range(20) if not time.sleep(0.1)]  # type: ignore[func-returns-value]
            said = ended(player)
        assert re.search(r": played 1 s \d+ times in \d+ s; tags are what they were", said)
        assert plc.Read("Setpoint").Value == 4.5
    played = {(read[0].Value, read[1].Value) for read in seen}
    assert played <= set(whole)
    begin = whole[0][0]
    assert {80 <= clock - begin <= 220 for clock, _ in played} == {True}
    assert len(played) > 5
    assert len({round(read[2].Value, 3) for read in seen}) > 5, "a tag that was not recorded goes on"


def test_nothing_that_was_acknowledged_is_lost_with_a_supervisor(running: Run, tmp_path: Path) -> None:
    folder = tmp_path / "rec"
    with logix() as plc:
        arguments = ("record", "-d", str(folder), "mill", "-t", "Setpoint", "--accesses")
        with begun(*arguments, sign="recording 1 tags of 1 node") as recorder:
            for number in range(40):
                assert plc.Write("Setpoint", float(number)).Status == "Success"
                time.sleep(0.05)
                if number == 25:
                    os.kill(_supervisor(), signal.SIGKILL)
            until(lambda: last_write(folder / "accesses/mill.hst") == [39.0])
            said = ended(recorder)
    assert "the supervisor of recs ended while it was asked for record" in said
    found = [record for record in records(folder / "accesses/mill.hst") if record.serial is not None]
    assert [record.data["write"] for record in found if "write" in record.data] == [[float(n)] for n in range(40)]
    assert {record.serial[0] for record in found} == {"Setpoint"}
    assert states(folder / "mill.hst", "Setpoint")[-1] == (39.0,)


def test_a_node_that_dies_is_recorded_anew_and_played_into_anew(running: Run, tmp_path: Path) -> None:
    folder = tmp_path / "rec"
    with begun("record", "-d", str(folder), "mill", "--every", "0.1s", sign="recording 4 tags of 1 node ") as recorder:
        history = folder / "mill.hst"
        until(history.exists)
        _kill(running, "mill")
        until(lambda: "began anew" in history.read_text())
        until(lambda: "Grid" in history.read_text().partition("began anew")[2])
        ended(recorder)
    lines = (folder / "mill.hst").read_text().splitlines()
    place = next(at for at, line in enumerate(lines) if line.endswith(": the node began anew"))
    assert '"Grid": [1, 2, 3]' in lines[0]
    assert '"Grid": [1, 2, 3]' in lines[place + 1], "all values again"
    (folder / "mill.hst").write_text(
        '2026-01-01 00:00:00.000\tnull\t{"Setpoint": 77.5}\n2026-01-01 00:10:00.000\tnull\t{}\n'
    )
    with begun("replay", str(folder), sign="replaying 600 s of") as player:
        until(lambda: _setpoint(running) == "77.5\n")
        _kill(running, "mill")
        until(lambda: _setpoint(running) == "77.5\n", "it takes the replay up again")
        ended(player)
    assert _setpoint(running) == "4.5\n"


def test_who_ends_what_goes_on(running: Run, tmp_path: Path) -> None:
    with begun("record", "-d", str(tmp_path / "a"), sign="recording 5 tags of 2 nodes") as recorder:
        stopped = running("record", "--stop")
        assert (stopped.rc, stopped.err) == (0, "ended: 1 recording\n")
        ended(recorder, None)
    (tmp_path / "b").mkdir()
    (tmp_path / "b/mill.hst").write_text('2026-01-01 00:00:00.000\tnull\t{"Setpoint": 77.5, "Odd": 1}\n')
    with begun("replay", str(tmp_path / "b"), "--loop", sign="replaying 0 s of") as player:
        assert "mill: there is no tag 'Odd'" in ended(player, None), "a history without length is played once"
    stopped = running("replay", "--stop")
    assert (stopped.rc, stopped.err) == (0, "ended on 0 nodes\n")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("record",), 2, "error: where to? Name a folder, as in --dir monday"),
        (("record", "-d", "{}", "--every", "1ms"), 2, "error: --every 1ms: wanted 0.05 s to 3600 s"),
        (("record", "-d", "{}", "--compress", "zip"), 2, "error: --compress zip: wanted gz, bz2, xz"),
        (
            ("record", "-d", "{}", "--rotate", "much"),
            2,
            "error: --rotate: 'much'; wanted bytes, as 500kB or 10MB, 1000 at least",
        ),
        (("record", "-d", "{}", "-t", "Nothing*"), 1, "error: none of these nodes has a tag Nothing*"),
        (("record", "-d", "{}", "mil"), 1, "error: there is no node 'mil' in recs"),
        (("record", "-d", "/proc/1/none"), 1, "error: cannot make /proc/1/none: No such file or directory"),
        (("replay",), 2, "error: which recording? Name the folder that farm record has written"),
        (("replay", "{}"), 1, "error: there is no recording in {}: no file NODE.hst"),
        (("replay", "{}/none"), 1, "error: cannot read {}/none: No such file or directory"),
        (("replay", "{}", "--speed", "0"), 2, "error: --speed 0: wanted recorded seconds a second, above 0"),
        (
            ("replay", "{}", "--from", "noon"),
            2,
            "error: --from noon: wanted an instant, as '2026-11-27 03:00:00' (UTC)",
        ),
    ],
)
def test_what_cannot_be(running: Run, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = running(*(argument.format(tmp_path) for argument in arguments))
    assert (done.rc, done.err.startswith(said.format(tmp_path))) == (code, True), done.err
    assert done.err.count("\n") == 1


def test_an_instant_that_is_not_in_it(running: Run, tmp_path: Path) -> None:
    (tmp_path / "mill.hst").write_text('2026-01-01 00:00:00.000\tnull\t{"Setpoint": 1.5}\n')
    done = running("replay", str(tmp_path), "--from", "2026-01-02 00:00:00")
    assert done.rc == 1
    assert done.err == (
        f"error: --from 2026-01-02 00:00:00.000: {tmp_path} is from 2026-01-01 00:00:00.000 "
        "to 2026-01-01 00:00:00.000 (UTC)\n"
    )
    done = running("replay", str(tmp_path), "meter")
    assert (done.rc, done.err) == (1, f"error: meter is not in {tmp_path}, which has mill\n")


def _supervisor() -> int:
    return int(Link.open(run_directory("recs")).ask("status")["pid"])


def _kill(running: Run, node: str) -> None:
    rows = json.loads(running("ps", "--json").out)
    os.kill(next(row["pid"] for row in rows if row["name"] == node), signal.SIGKILL)


def _setpoint(running: Run) -> str:
    return str(running("read", "mill", "Setpoint").out)
