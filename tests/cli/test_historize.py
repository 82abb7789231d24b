"""`python -m node historize` as section 2.1.3 of the 2016 manual runs it."""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pylogix import PLC

from node.history.reader import Reader
from tests.cli.lone import HOST, NODE, Start, port_of, ready, run

pytestmark = pytest.mark.net


@contextmanager
def client(port: int) -> Iterator[PLC]:
    """A released client of the simulator at `port`."""
    with PLC(HOST, port=port) as plc:
        yield plc
    if plc.conn.msg_socket is not None:
        plc.conn.msg_socket.close()  # made by pylogix, and never closed by it


def test_the_manual_s_record_of_a_tag(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "some_file.hst"
    process = start(*NODE, "historize", str(path), "-a", f"{HOST}:0", "Tag_Name=INT[1000]")
    port = port_of(ready(process))
    code, out, _ = run(*NODE, "enip-client", "-a", f"{HOST}:{port}", "Tag_Name[0-3]=[0,1,2,3]")
    assert code == 0
    assert "Tag_Name[0-3] <= [0, 1, 2, 3]: 'OK'" in out
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"
    comment, record = path.read_text().splitlines()
    assert re.fullmatch(rf"# {stamp}: Started recording Tag: Tag_Name", comment)
    assert re.fullmatch(rf'{stamp}\t\["Tag_Name", \[0, 3\]\]\t\{{"write": \[0, 1, 2, 3\]\}}', record)


def test_reads_writes_and_refusals_by_a_client(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    process = start(*NODE, "historize", str(path), "-a", f"{HOST}:0", "SCADA=INT[10]", "Level=REAL", "Text=SSTRING")
    port = port_of(ready(process))
    with client(port) as plc:
        assert plc.Write("Level", 1.1).Status == "Success"
        assert plc.Write("SCADA[2]", [5, 6]).Status == "Success"
        assert plc.Read("SCADA[1]", 3).Value == [0, 5, 6]
        assert plc.Read("SCADA[8]", 5).Status != "Success"
    process.send_signal(signal.SIGKILL)  # what was answered is there
    process.wait()
    told: list[str] = []
    reader = Reader(path, tell=told.append)
    found = [(record.serial, record.data) for record in iter(reader.read, []) for record in record]
    assert told == []
    assert [record for record in found[:-1] if "write" in record[1] or record[0][1][1] > record[0][1][0]] == [
        (["Level", [0, 0]], {"write": [1.1]}),
        (["SCADA", [2, 3]], {"write": [5, 6]}),
        (["SCADA", [1, 3]], {"read": [0, 5, 6]}),
    ]
    assert found[-1] == (["SCADA", [8, 12]], {"read": None, "error": 0xFF})


def test_it_goes_on_behind_what_is_there_and_rotates(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "x.hst"
    options = ("--rotate", "1kB", "--keep", "2", "--compress", "gz")
    for _ in range(2):
        process = start(*NODE, "historize", str(path), "-a", f"{HOST}:0", "SCADA=INT[10]", *options)
        port = port_of(ready(process))
        with client(port) as plc:
            for value in range(40):
                assert plc.Write("SCADA[0]", value).Status == "Success"
        process.terminate()
        process.communicate(timeout=10)
        assert process.returncode == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["x.hst", "x.hst.0.gz", "x.hst.1.gz"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "the first argument is the file to record into"),
        (("x.hst", "--rotate", "5x"), 2, "--rotate: '5x'; wanted bytes, as 500kB or 10MB"),
        (("x.hst", "--rotate", "0"), 2, "rotate_bytes 0; wanted more than 0"),
        (("x.hst", "--compress", "zip"), 2, "compression 'zip'; wanted gz, bz2, xz"),
        (("x.hst", "SCADA=NIX"), 2, "SCADA=NIX"),
    ],
)
def test_what_was_typed_wrong_is_said_in_one_line(
    arguments: tuple[str, ...], code: int, says: str, tmp_path: Path
) -> None:
    got, out, err = run(*NODE, "historize", *arguments, cwd=tmp_path)
    assert (got, out, err.count("\n")) == (code, "", 1)
    assert says in err
    assert [*tmp_path.iterdir()] == []


def test_a_file_that_cannot_be_written_ends_it(tmp_path: Path) -> None:
    (tmp_path / "x.hst").mkdir()
    code, _, err = run(*NODE, "historize", "x.hst", "-a", f"{HOST}:0", "SCADA=INT", cwd=tmp_path)
    assert code == 1
    assert "python -m node historize: x.hst: the history cannot be written: Is a directory\n" in err
