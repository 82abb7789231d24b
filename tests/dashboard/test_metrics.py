"""Metrics: their form, by hand and by promtool; and a real Prometheus that scrapes a plant."""

import json
import re
import shutil
import socket
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from farm.dashboard.exposition import FARM_METRICS, NODE_METRICS, escape_label, farm_lines, head, node_lines, sample
from tests.conftest import ROOT
from tests.dashboard.served import Served
from tests.waiting import until

UNITS = (
    "_seconds",
    "_bytes",
    "_ratio",
    "_total",
    "_connections",
    "_faults",
    "_clients",
    "_tags",
    "_up",
    "_info",
    "_nodes",
)


def row(name: str) -> dict[str, Any]:
    """A row of which little is known."""
    return {
        "name": name, "condition": "up", "requests": 5, "errors": 1, "bugs": 0, "restarts": 2, "connections": 1,
        "p50_ms": None, "p99_ms": 250.0, "faults": [7], "forced": 0, "age_s": 0.4, "uptime_s": None, "rss_mib": 2.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "escaped"), [("plain", "plain"), ('a"b', r"a\"b"), ("a\\b", r"a\\b"), ("a\nb", r"a\nb"), ("ä", "ä")]
)
def test_labels_are_escaped(text: str, escaped: str) -> None:
    assert escape_label(text) == escaped
    assert sample("farm_x", {"node": text}, 1) == f'farm_x{{node="{escaped}"}} 1'


def test_a_family_has_its_two_lines_once_and_base_units() -> None:
    lines = node_lines([row("a"), row("b")])
    assert lines[:4] == [
        *head("farm_node_up", "gauge", "1 while the node serves, else 0."),
        'farm_node_up{node="a"} 1',
        'farm_node_up{node="b"} 1',
    ]
    assert 'farm_node_latency_p99_seconds{node="a"} 0.25' in lines
    assert 'farm_node_resident_memory_bytes{node="a"} 2097152' in lines
    assert not [line for line in lines if "p50" in line or "uptime" in line], "nothing is said of what is not known"
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names))


def test_names_are_as_prometheus_wants_them() -> None:
    for metric in (*NODE_METRICS, *FARM_METRICS):
        assert re.fullmatch(r"farm_[a-z0-9_]+", metric.name)
        assert metric.name.endswith(UNITS), metric.name
        assert (metric.kind == "counter") == metric.name.endswith("_total")
        assert metric.help.endswith(".")


def test_what_is_not_known_of_the_supervisor_is_not_said() -> None:
    farm = {"farm": "x", "backend": "process", "version": "1", "conditions": {"up": 1}, "clients": 0, "faults": 0}
    lines = farm_lines({**farm, "supervisor": {"cpu_percent": None, "uptime_s": 2.5}})
    assert 'farm_nodes{condition="up"} 1' in lines
    assert "farm_supervisor_uptime_seconds 2.5" in lines
    assert not [line for line in lines if "cpu" in line or "memory" in line]


@pytest.mark.net
def test_the_docs_name_every_metric_and_no_other(served: Served) -> None:
    text = served.request("GET", "/metrics").body.decode()
    said = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    page = (ROOT / "docs" / "dashboard.md").read_text()
    named = set(re.findall(r"^\| `(farm_[a-z0-9_]+)`", page, re.MULTILINE))
    maybe = {metric.name for metric in (*NODE_METRICS, *FARM_METRICS)}
    assert said <= named
    assert named <= said | maybe


@pytest.mark.net
def test_promtool_has_nothing_to_say(served: Served) -> None:
    if not shutil.which("promtool"):
        pytest.skip("no promtool: apt-get install prometheus")
    answer = served.request("GET", "/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    done = subprocess.run(["promtool", "check", "metrics"], input=answer.body, capture_output=True, timeout=30)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")


def config_of_the_docs(served: Served, folder: Path) -> str:
    """The scrape configuration of docs/dashboard.md, for this plant and every second."""
    page = (ROOT / "docs" / "dashboard.md").read_text()
    (config,) = re.findall(r"```yaml\n(scrape_configs:.*?)```", page, re.DOTALL)
    assert "127.0.0.1:8080" in config
    (folder / "token").write_text(served.reader)
    config = config.replace("127.0.0.1:8080", f"127.0.0.1:{served.port}")
    config = re.sub(r"credentials_file: .*", f"credentials_file: {folder / 'token'}", config)
    return f"global: {{scrape_interval: 1s}}\n{config}"


@pytest.mark.net
@pytest.mark.slow
def test_prometheus_scrapes_a_plant(served: Served, tmp_path: Path) -> None:
    if not shutil.which("prometheus"):
        pytest.skip("no prometheus: apt-get install prometheus")
    (tmp_path / "prometheus.yml").write_text(config_of_the_docs(served, tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        "prometheus",
        f"--config.file={tmp_path}/prometheus.yml",
        f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]

    def asked(query: str) -> list[dict[str, Any]]:
        try:
            url = f"http://127.0.0.1:{port}/api/v1/query?query={query}"
            with urllib.request.urlopen(url, timeout=30) as answer:
                found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
                return found
        except OSError:
            return []

    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=tmp_path)
        try:
            assert [result["value"][1] for result in until(lambda: asked("sum(farm_node_up)"), seconds=60)] == ["15"]
            requests = {
                result["metric"]["node"]: float(result["value"][1]) for result in asked("farm_node_requests_total")
            }
            assert len(requests) == 15
            assert min(requests.values()) >= 1
            assert {result["metric"]["farm"] for result in asked("farm_info")} == {"served"}
        finally:
            process.terminate()
            assert process.wait(60) == 0, (tmp_path / "log").read_text()
