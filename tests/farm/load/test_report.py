"""What is told of a result: the same figures in a table, in JSON, in CSV and on a page."""

import csv
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from farm.errors import FarmError
from farm.load.histogram import decode
from farm.load.page import page
from farm.load.profile import Profile
from farm.load.report import error_table, headline, latency_table, node_table, span, time_text, write_csv
from tests.farm.load.results import result


class Reader(HTMLParser):
    """Keeps tags and attributes, and what is open."""

    VOID = frozenset(("meta", "path"))

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def test_the_line_above_all() -> None:
    assert headline(result()) == "2 nodes, 2 clients, 3s: 600 requests, 570 answered (190.0/s), 30 errors"


def test_tables() -> None:
    headings, rows = latency_table(result())
    assert headings[:3] == ["TIME OF", "COUNT", "P50"]
    assert rows[0][:6] == ["all", "570", "1 ms", "10 ms", "10 ms", "10 ms"]
    assert rows[1][:3] == ["from sending", "570", "1 ms"]
    assert error_table(result())[1] == [["CIP path destination unknown (0x05)", "30", "1", "<b>plc-2</b>: Level"]]
    assert node_table(result().worst())[1][0] == [
        "<b>plc-2</b>", "10.0.0.1:44819", "300", "270", "30", "10 ms", "10 ms", "10 ms"
    ]  # fmt: skip


def test_json_has_every_figure() -> None:
    body = json.loads(json.dumps(result().body()))
    assert body["requests"] == {
        "asked": 600,
        "sent": 600,
        "sent_late": 0,
        "answered": 570,
        "errors": 30,
        "unanswered": 0,
    }
    assert body["latency"]["p50"] == pytest.approx(0.001, rel=0.002)
    assert body["latency"]["max"] == pytest.approx(0.01, rel=0.002)
    assert [each["answered"] for each in body["timeline"]] == [190, 190, 190]
    assert body["errors"] == [
        {
            "kind": "CIP path destination unknown (0x05)",
            "count": 30,
            "nodes": 1,
            "first": "<b>plc-2</b>",
            "detail": "Level",
        }
    ]
    assert decode(body["histogram"]).total == 570


def test_csv(tmp_path: Path) -> None:
    written = write_csv(result(), tmp_path / "new" / "folder")
    tables = {path.name: list(csv.reader(path.read_text().splitlines())) for path in written if path.suffix == ".csv"}
    assert tables["nodes.csv"][2][:5] == ["<b>plc-2</b>", "10.0.0.1:44819", "300", "270", "30"]
    assert tables["seconds.csv"][1][:5] == ["0", "2", "200", "190", "10"]
    assert tables["errors.csv"][1] == ["<b>plc-2</b>", "CIP path destination unknown (0x05)", "30", "Level"]
    percentiles = {float(part): float(seconds) for part, seconds in tables["percentiles.csv"][1:]}
    assert percentiles[50] == pytest.approx(0.001, rel=0.002)
    assert percentiles[100] == pytest.approx(0.01, rel=0.002)
    log = written[-1].read_text().splitlines()
    assert log[0] == "#[Histogram log format version 1.3]"
    assert decode(log[-1].split(",")[-1]).total == 570


def test_a_second_that_is_over_keeps_its_figures_alone() -> None:
    found = result()
    before = found.body()["timeline"]
    for second in found.seconds:
        second.settle()
        assert second.answers.total == 0
    assert found.body()["timeline"] == before


def test_csv_where_none_can_be(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(FarmError, match=r"--csv .*taken: File exists"):
        write_csv(result(), tmp_path / "taken")


def test_a_page_is_whole_and_takes_nothing_from_elsewhere() -> None:
    text = page(result())
    reader = read(text)
    assert [tag for tag, _ in reader.tags if tag in ("script", "link", "img", "iframe", "b>")] == []
    assert not [value for _, attrs in reader.tags for name, value in attrs.items() if name in ("src", "href")]
    assert "http" not in text.replace("http-equiv", "").lower()
    assert "url(" not in text
    assert "<b>plc-2" not in text
    assert "<b>plc-2</b>" in reader.text


def test_a_page_tells_what_is_wrong_by_a_shape_and_a_word() -> None:
    good, bad = page(result(errors=False)), page(result())
    assert "There were none." in good
    assert "class=wrong><b>30, 5.00%</b>errors" in bad
    assert "class=bad" in bad and 'class="mark"' in bad
    assert not [sign for sign in ("class=wrong", "class=bad", 'class="mark"') if sign in good]


def test_curves_have_names_and_are_told_apart_by_their_dashes() -> None:
    reader = read(page(result()))
    curves = [attrs["class"] for tag, attrs in reader.tags if tag == "path" and "curve" in str(attrs.get("class"))]
    assert curves == [
        "curve strong", "curve dashed", "curve dotted", "curve strong", "curve dashed", "curve strong", "curve dashed",
        "curve dotted",
    ]  # fmt: skip
    labels = [attrs["aria-label"] for tag, attrs in reader.tags if tag == "svg"]
    assert labels == ["Time to an answer, second by second", "Time to an answer, by percentile", "Requests a second"]


def test_a_page_of_nothing_but_errors() -> None:
    found = result()
    for tally in found.tallies:
        tally.answered.clear()
    for second in found.seconds:
        second.answers.counts.clear()
        second.settle()
    assert "There was no answer." in read(page(found)).text
    assert not found.good


def test_how_many_errors_are_too_many() -> None:
    assert [result(profile=Profile(allow_errors=share)).good for share in (0, 0.049, 0.05)] == [False, False, True]
    assert result(errors=False).good


def test_what_must_be_known_before_the_figures_are_believed() -> None:
    found = result()
    found.cpu, found.opened, found.tallies[0].asked = [2.9], 1, 310
    for _ in range(100):
        found.lag.record(8000)
    remarks = "\n".join(found.remarks())
    assert "8.0 ms late" in remarks
    assert "busy 97% of the time" in remarks
    assert "1 of 2 clients had no connection" in remarks
    assert "10 requests were under way" in remarks
    assert "as fast as they were answered" in "\n".join(result(profile=Profile(rate=0)).remarks())


def test_times_to_three_digits() -> None:
    micros = (0, 870, 1000, 1254, 99_960, 999_499, 12_500_000, 3_600_000_000)
    assert [time_text(each) for each in micros] == [
        "-", "870 µs", "1 ms", "1.25 ms", "100 ms", "999 ms", "12.5 s", "3600 s"
    ]  # fmt: skip
    assert [span(each) for each in (0.5, 45, 60, 90, 600, 3661)] == ["0.5s", "45s", "1m", "1m30s", "10m", "1h1m1s"]
