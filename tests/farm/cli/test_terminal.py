"""Tables that are good to read and to cut, and colours only for those who want them."""

import io
import sys

import pytest

from farm.cli.progress import Progress
from farm.cli.rows import age, endpoint, node_table, protocols, summary
from farm.cli.terminal import paint, table


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


def row(name: str, state: str = "up", **ports: int) -> dict[str, object]:
    return {
        "name": name,
        "kind": "logix",
        "profile": "1756-L61",
        "address": "127.64.0.1",
        "ports": ports or {"enip": 44818},
        "speaks": ["EtherNet/IP", "Modbus/TLS"] if "modbus" in ports else ["EtherNet/IP"],
        "state": state,
        "pid": 4711,
        "restarts": 0,
        "uptime_s": 12.3,
    }


def test_columns_are_aligned() -> None:
    assert table(["A", "LONG"], [["alpha", "1"], ["b", "2"]]) == "A      LONG\nalpha  1\nb      2"


def test_colours_only_on_a_terminal_that_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert paint("up", "green", Screen()) == "\x1b[32mup\x1b[0m"
    assert paint("up", "green", io.StringIO()) == "up"
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint("up", "green", Screen()) == "up"


def test_a_node_on_one_line() -> None:
    assert endpoint(row("a", enip=44818, modbus=502)) == "127.64.0.1:44818,502"
    assert protocols(row("a", enip=44818, modbus=502)) == "EtherNet/IP, Modbus/TLS"
    assert node_table([row("tank")]).splitlines()[1].split() == [
        "tank", "127.64.0.1:44818", "EtherNet/IP", "1756-L61", "up",
    ]  # fmt: skip
    assert node_table([row("tank")], wide=True).splitlines()[1].split()[-3:] == ["4711", "0", "12s"]


def test_many_nodes_are_summed_up() -> None:
    text = summary([row(f"plc-{number:03}") for number in range(100)])
    assert text.splitlines()[1].split()[:2] == ["100", "1756-L61"]
    assert "plc-000" in text
    assert "plc-099" not in text
    assert text.endswith("... 92 more: farm ps, or farm up --all")


@pytest.mark.parametrize(("seconds", "text"), [(None, "-"), (0.4, "0s"), (61, "1m"), (7200, "2h"), (200000, "2d")])
def test_ages(seconds: float | None, text: str) -> None:
    assert age(seconds) == text


def test_progress_moves_on_a_terminal_and_is_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with Progress() as progress:
        progress({"event": "progress", "phase": "start", "done": 3, "total": 3})
        assert screen.getvalue() == "\rstarting: 3 of 3"
    assert screen.getvalue().endswith("\r")
    assert "\n" not in screen.getvalue()


def test_progress_is_a_few_lines_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress() as progress:
        for done in range(501):
            progress({"event": "progress", "phase": "probe", "done": done, "total": 500})
        progress({"event": "waiting", "text": "another command works"})
    assert capsys.readouterr().err == "asking each node: 500 of 500\nanother command works\n"
