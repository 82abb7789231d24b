"""`python -m node history` as a person runs it."""

import csv
import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from node.history.writer import HistoryWriter
from tests.cli.lone import NODE, ROOT, run

T = 1_700_000_000.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two histories: `plc-1` with values, accesses, a note and a rotated file, `plc-2` with values alone."""
    with HistoryWriter(tmp_path / "plc-1.hst", compress="gz") as writer:
        writer.comment("a comment", now=T)
        writer.write({"Level": 5.0, "Pump": False, "Set": [1, 2], "Name": "tänk"}, now=T)
        writer.write({"Level": 5.25}, now=T + 1)
        writer.rotate()
        writer.write({"Pump": True}, now=T + 2)
        writer.write({"write": [True]}, now=T + 2, serial=["Pump", [0, 0]])
        writer.write({"read": [1, 2], "peer": "10.0.0.9:4711"}, now=T + 2.5, serial=["Set", [0, 1]])
        writer.write({"read": None, "error": 255}, now=T + 3, serial=["Set", [90, 99]])
        writer.write("serviced", now=T + 3)
        writer.write({"Level": 4}, now=T + 4)
    with HistoryWriter(tmp_path / "plc-2.hst") as writer:
        writer.write({"Level": 1.5}, now=T + 0.5)
        writer.write({"Level": 1.75}, now=T + 3.5)
    return tmp_path


def history(folder: Path, *arguments: str) -> str:
    """What it prints."""
    code, out, err = run(*NODE, "history", *arguments, cwd=folder)
    assert (code, err) == (0, "")
    return out


def test_values_and_accesses_are_lines(folder: Path) -> None:
    assert history(folder, "plc-1.hst") == (
        "2023-11-14 22:13:20.000  Level =  5.0\n"
        "                         Pump  =  false\n"
        "                         Set   =  [1, 2]\n"
        "                         Name  =  tänk\n"
        "2023-11-14 22:13:21.000  Level =  5.25\n"
        "2023-11-14 22:13:22.000  Level =  5.25\n"
        "                         Pump  =  true\n"
        "                         Set   =  [1, 2]\n"
        "                         Name  =  tänk\n"
        "2023-11-14 22:13:22.000  Pump[0] <= [true]\n"
        "2023-11-14 22:13:22.500  Set[0-1] == [1, 2]  10.0.0.9:4711\n"
        "2023-11-14 22:13:23.000  Set[90-99] == error 0xFF\n"
        "2023-11-14 22:13:23.000  # serviced\n"
        "2023-11-14 22:13:24.000  Level      =  4\n"
    )


def test_a_part_of_it_in_a_zone(folder: Path) -> None:
    shown = history(
        folder, "plc-1.hst", "--from", "+1s", "--to", "2023-11-14 15:13:22 MST", "--region", "America/Edmonton",
        "-t", "L*", "--zone", "America/Edmonton",
    )  # fmt: skip
    assert shown == (
        "2023-11-14 15:13:21.000 MST  Level =  5.25\n"
        "2023-11-14 15:13:22.000 MST  Level =  5.25\n"
    )  # fmt: skip


def test_several_are_in_one_order_of_time(folder: Path) -> None:
    shown = history(folder, "plc-1.hst", "plc-2.hst", "--tag", "*:Level")
    assert [line.split("  ")[1:] for line in shown.splitlines()] == [
        ["plc-1:Level =", "5.0"],
        ["plc-2:Level =", "1.5"],
        ["plc-1:Level =", "5.25"],
        ["plc-1:Level =", "5.25"],
        ["plc-2:Level =", "1.75"],
        ["plc-1:Level =", "4"],
    ]


def test_json_is_an_object_a_line(folder: Path) -> None:
    rows = [json.loads(line) for line in history(folder, "plc-1.hst", "--json", "--from", "+1s").splitlines()]
    access = {"tag": "Pump", "first": 0, "last": 0, "what": "write", "values": [True], "error": None, "peer": None}
    assert rows[0] == {"time": "2023-11-14T22:13:21.000+00:00", "name": "Level", "value": 5.25}
    assert {"time": "2023-11-14T22:13:22.000+00:00", **access} in rows
    assert {"time": "2023-11-14T22:13:23.000+00:00", "note": "serviced"} in rows


def test_a_table_has_the_last_value_of_everything(folder: Path) -> None:
    rows = [*csv.reader(io.StringIO(history(folder, "plc-1.hst", "plc-2.hst", "--csv", "-", "--from", "+1s")))]
    assert rows == [
        ["time", "plc-1:Level", "plc-1:Pump", "plc-1:Set", "plc-1:Name", "plc-2:Level"],
        ["2023-11-14 22:13:21.000", "5.25", "false", "[1, 2]", "tänk", "1.5"],
        ["2023-11-14 22:13:22.000", "5.25", "true", "[1, 2]", "tänk", "1.5"],
        ["2023-11-14 22:13:23.500", "5.25", "true", "[1, 2]", "tänk", "1.75"],
        ["2023-11-14 22:13:24.000", "4", "true", "[1, 2]", "tänk", "1.75"],
    ]


def test_a_table_of_accesses_goes_into_a_file(folder: Path) -> None:
    code, out, err = run(*NODE, "history", "plc-1.hst", "--accesses", "--csv", "out.csv", cwd=folder)
    assert (code, out, err) == (0, "", "python -m node history: out.csv: 3 accesses\n")
    assert (folder / "out.csv").read_text() == (
        "time,tag,first,last,what,values,error,peer\n"
        "2023-11-14 22:13:22.000,Pump,0,0,write,[true],,\n"
        '2023-11-14 22:13:22.500,Set,0,1,read,"[1, 2]",,10.0.0.9:4711\n'
        "2023-11-14 22:13:23.000,Set,90,99,read,,255,\n"
    )


def test_a_parquet_file_has_typed_columns(folder: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    code, _, err = run(*NODE, "history", "plc-1.hst", "--parquet", "out.parquet", cwd=folder)
    assert (code, err) == (0, "python -m node history: out.parquet: 4 rows of 4 columns\n")
    table = parquet.read_table(folder / "out.parquet")
    assert [str(kind) for kind in table.schema.types] == [
        "timestamp[ms, tz=UTC]", "double", "bool", "string", "string"
    ]  # fmt: skip
    last = table.to_pylist()[-1]
    assert last.pop("time").timestamp() == T + 4
    assert last == {"Level": 4.0, "Pump": True, "Set": "[1, 2]", "Name": "tänk"}


def test_without_pyarrow_one_line_says_what_to_do(folder: Path) -> None:
    (folder / "pyarrow.py").write_text("raise ImportError")
    code, out, err = run(*NODE, "history", "plc-1.hst", "--parquet", "x", cwd=folder, PYTHONPATH=f"{folder}:{ROOT}")
    assert (code, out) == (1, "")
    assert err == (
        'python -m node history: --parquet: pyarrow is missing, which writes it: pip install "plcfarm[parquet]"\n'
    )


def test_a_value_is_drawn_over_time(folder: Path) -> None:
    with HistoryWriter(folder / "x.hst") as writer:
        for i in range(100):
            writer.write({"Ramp": i}, now=T + i)
    lines = history(folder, "x.hst", "--plot", "Ramp").splitlines()
    assert lines[0] == "Ramp"
    assert (lines[1].split()[0], lines[12].split()[0]) == ("99.0", "0.0")
    drawn = [line.partition("│")[2] or line.partition("┤")[2] for line in lines[1:13]]
    begins = [len(line) - len(line.lstrip("\u2800")) for line in drawn]
    assert begins == sorted(begins, reverse=True)
    assert begins[0] > 80
    assert begins[-1] == 0
    assert lines[14].split() == ["2023-11-14", "22:13:20", "22:14:09", "22:14:59"]
    assert max(map(len, lines)) <= 100


def test_elements_and_bools_are_drawn_and_texts_are_not(folder: Path) -> None:
    out = history(folder, "plc-1.hst", "--plot", "Set[1]", "--plot", "Pump")
    assert [line for line in out.splitlines() if "─" not in line and line[:1].isalpha()] == ["Set[1]", "Pump"]
    for name, says in [
        ("Name", "Name: it is no number but tänk; wanted a number"),
        ("Set", "Set: it is no number but [1, 2]; wanted Set[0]"),
        ("Set[2]", "Set[2]: there is no element 2"),
        ("Nix", "nothing is called 'Nix'; there is Level, Pump, Set, Name"),
    ]:
        code, out, err = run(*NODE, "history", "plc-1.hst", "--plot", name, cwd=folder)
        assert (code, out) == (1, "")
        assert says in err


def test_what_is_being_written_is_followed(folder: Path) -> None:
    command = [sys.executable, *NODE, "history", str(folder / "new.hst"), "--follow"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with HistoryWriter(folder / "new.hst") as writer:
        writer.write({"a": 1}, now=T)
        assert process.stdout.readline() == "2023-11-14 22:13:20.000  a =  1\n"
        writer.rotate()
        writer.write({"a": 2}, now=T + 1)
        assert process.stdout.readline() == "2023-11-14 22:13:21.000  a =  2\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=10) == ("", "")
    assert process.returncode == 0


def test_who_stops_reading_ends_it_quietly(folder: Path) -> None:
    with HistoryWriter(folder / "x.hst", flush=1) as writer:
        for i in range(20_000):
            writer.write({"a": i}, now=T + i)
    shell = f"{sys.executable} -m node history {folder}/x.hst | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("2023-11-14 22:13:20.000  a =  0\n0\n", "")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "the following arguments are required: FILE"),
        (("nix.hst",), 1, "nix.hst: no history is there, nor a file that it has become"),
        (("plc-1.hst", "--from", "2014"), 2, "'2014' is no timestamp; wanted YYYY-MM-DD HH:MM:SS[.ffffff] [ZONE]"),
        (("plc-1.hst", "--from", "+5x"), 2, "'5x' is no duration; wanted as 90s"),
        (("plc-1.hst", "--from", "+5s", "--to", "+1s"), 2, "from +5s to +1s: it would end before it begins"),
        (("plc-1.hst", "--zone", "Mars"), 2, "there is no time zone 'Mars'"),
        (("plc-1.hst", "--region", "QQ"), 2, "region 'QQ'; wanted a country as CA"),
        (("plc-1.hst", "--json", "--csv", "x"), 2, "give one of --json, --csv, --parquet and --plot"),
        (("plc-1.hst", "--follow", "--csv", "x"), 2, "a table and a drawing need an end"),
        (("plc-1.hst", "--csv", "plc-1.hst.0.gz"), 2, "it is a file of the history; name another one"),
        (("plc-1.hst", "--csv", "nix/x.csv"), 1, "No such file or directory: 'nix/x.csv'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(folder: Path, arguments: tuple[str, ...], code: int, says: str) -> None:
    before = (folder / "plc-1.hst.0.gz").read_bytes()
    got, out, err = run(*NODE, "history", *arguments, cwd=folder)
    assert (got, out, err.count("\n")) == (code, "", 1)
    assert says in err
    assert (folder / "plc-1.hst.0.gz").read_bytes() == before


def test_what_is_broken_is_told_and_the_rest_is_shown(folder: Path) -> None:
    with (folder / "plc-2.hst").open("a") as file:
        file.write("2023-11-14 22:13:2")
    code, out, err = run(*NODE, "history", "plc-2.hst", "--csv", "-", cwd=folder)
    assert (code, out.count("\n")) == (0, 3)
    assert err.count("\n") == 1
    assert "plc-2.hst:3: left out: '2023-11-14 22:13:2'" in err
    assert err.endswith("; the file breaks off there\n")
