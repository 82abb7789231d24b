"""`python -m node dissect` as a person runs it, and the columns that other commands tell."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT
from tests.vectors import read_vectors

READ = "00 01 00 00 00 06 01 03 00 00 00 0a"
PAGE = (ROOT / "docs" / "cli.md").read_text()


def node(*arguments: str, data: bytes = b"") -> tuple[int, str, str]:
    """Exit code, standard output and error of `python -m node`."""
    command = [sys.executable, "-m", "node", *arguments]
    done = subprocess.run(command, cwd=ROOT, input=data, capture_output=True, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_the_example_of_the_page() -> None:
    typed, shown = re.search(r"^\$ python -m node (dissect [^\n]*)\n(.*?)^```", PAGE, re.M | re.S).groups()  # type: ignore[union-attr]
    said = "python -m node dissect: modbus, byte 10: 255 where a quantity from 1 to 125 was wanted\n"
    assert node(*typed.split()) == (1, shown, said)


@pytest.mark.parametrize("way", ["words", "text", "file of digits", "file of bytes", "stdin", "0x", "colons"])
def test_a_frame_may_be_given_in_any_way(way: str, tmp_path: Path) -> None:
    file = tmp_path / "frame"
    raw = bytes.fromhex(READ)
    given: dict[str, tuple[list[str], bytes]] = {
        "words": (READ.split(), b""),
        "text": ([READ.replace(" ", "")], b""),
        "0x": ([f"0x{READ.replace(' ', '')}"], b""),
        "colons": ([READ.replace(" ", ":")], b""),
        "file of digits": ([str(file)], b""),
        "file of bytes": ([str(file)], b""),
        "stdin": (["-"], raw),
    }
    file.write_bytes(raw if way == "file of bytes" else f"# a read\n{READ}\n".encode())
    words, data = given[way]
    code, out, err = node("dissect", *words, data=data)
    assert (code, err) == (0, "")
    assert "function      read holding registers (0x03)" in out


def test_json() -> None:
    frame = read_vectors("encapsulation")["read_tag"].data
    code, out, _ = node("dissect", "--json", frame.hex())
    found = json.loads(out)
    assert (code, found["protocol"], found["size"], found["wrong"]) == (0, "enip", len(frame), None)
    assert "".join(part["bytes"] for part in found["parts"]) == frame.hex()
    code, out, err = node("dissect", "--json", frame[:50].hex())
    assert (code, json.loads(out)["wrong"]["offset"], err.count("\n")) == (1, 50, 1)


def test_a_line_s_frames() -> None:
    code, out, _ = node("dissect", "--as", "rtu", "--reply", "01 03 02 00 11 78 48")
    assert (code, "registers   17" in out) == (0, True)
    code, out, _ = node("dissect", ":010300000001FB")
    assert (code, "0xFB" in out) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["xyz"], "'xyz': no file, and no hexadecimal digits, two a byte; wanted HEX, FILE or - for stdin"),
        ([], "the following arguments are required: HEX|FILE|-"),
        (["--as", "bacnet", "00"], "choose from"),
    ],
)
def test_what_is_no_frame(arguments: list[str], said: str) -> None:
    code, out, err = node("dissect", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err


def test_a_capture_file_is_too_much(tmp_path: Path) -> None:
    file = tmp_path / "frames.pcap"
    file.write_bytes(bytes.fromhex("4d3cb2a1") + bytes(20))
    code, _, err = node("dissect", str(file))
    assert (code, "a capture file of many frames" in err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["enip", "SCADA=INT[10"],
            "'[10' does not end with ']' (column 13: ',', 0 to 9, ']' or a blank could come there)",
        ),
        (["enip", "X@1/2=INT"], "(column 6: '/', 0 to 9, '_' or a blank could come there)"),
        (["enip", "X=FLOAT"], "(a 32-bit float is REAL)\n"),
        (["enip", "--route-path", '[{"port":1}]', "X=INT"], "or false for none (column 11: "),
        (["modbus", "40001=1,2,"], "'' is no whole number (column 11: '+', '-', 0 to 9 or a blank could come there)"),
        (["modbus-poll", "40001-4000x"], "(column 11: 0 to 9, '=', a blank or the end could come there)"),
        (["enip-client", "--route-path", "1/0/2", "Tag"], "(column 6: '/', 0 to 9 or a blank could come there)"),
    ],
)
def test_where_a_text_goes_wrong(arguments: list[str], said: str) -> None:
    code, _, err = node(*arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert said in err
