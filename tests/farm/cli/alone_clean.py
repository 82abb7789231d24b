"""`farm clean` on a machine of its own: it looks at all processes and namespaces that there are, so this runs in new
PID, mount and network namespaces (`test_clean`), and by itself not at all."""

import json
import os
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from farm.supervisor.link import Link
from farm.supervisor.run_directory import run_directory
from tests.farm.cli.conftest import verb

PLANT = """
farm: 1
name: {name}
groups:
  plc: {{count: 3, name: "plc-${{i}}", kind: logix, address: "127.64.{byte}.${{i}}"}}
"""

Run = Callable[..., SimpleNamespace]
DECOYS = ("pf-decoy", "pf-0123abcg.node.x", "xpf-0123abcd.node.x", "pf-0123abcd")


@pytest.fixture(scope="module", autouse=True)
def machine() -> None:
    """Nothing of the real machine's namespaces is seen here."""
    assert os.environ.get("PLCFARM_ALONE") == "1", "run by test_clean alone"
    Path("/run/netns").mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run/netns"], check=True)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def up(farm: Run, folder: Path, name: str, byte: int) -> int:
    """Starts a farm of three; its supervisor's pid."""
    file = folder / f"{name}.farm.yaml"
    file.write_text(PLANT.format(name=name, byte=byte))
    outcome = farm("up", str(file))
    assert outcome.rc == 0, outcome.err
    return int(Link.open(run_directory(name)).ask("status")["pid"])


def kill(pid: int) -> None:
    descriptor = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    assert select.select([descriptor], [], [], 60)[0]
    os.close(descriptor)


@pytest.fixture
def decoys() -> Iterator[Callable[[], bool]]:
    """Namespaces, a link and processes with names like ours; called, whether all of them are there."""
    for name in DECOYS:
        subprocess.run(["ip", "netns", "add", name], check=True)
    subprocess.run(["ip", "link", "add", "pf-decoy0", "type", "bridge"], check=True)
    environs = [
        {"FARM_RUN": "decoy"},
        {"FARM_RUN": "north-0123456789abcdeg"},
        {"MY_FARM_RUN": "north-0123456789abcdef"},
    ]
    commands = [subprocess.Popen(["sleep", "600"], env={**os.environ, **environ}) for environ in environs]
    try:
        yield (
            lambda: (
                all(Path("/run/netns", name).exists() for name in DECOYS)
                and b"pf-decoy0:" in subprocess.check_output(["ip", "link"])
                and all(command.poll() is None for command in commands)
            )
        )
    finally:
        for command in commands:
            command.kill()
            command.wait()


def test_what_dead_farms_left_goes_and_all_else_stays(
    farm: Run, tmp_path: Path, decoys: Callable[[], bool], run_root: Path
) -> None:
    living = up(farm, tmp_path, "living", 206)
    kill(up(farm, tmp_path, "dead", 207))
    kill(up(farm, tmp_path, "lost", 208))
    lost = run_directory("lost")
    for path in sorted(lost.path.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    lost.path.rmdir()
    subprocess.run(["ip", "netns", "add", "pf-0123abcd.node.plc-1"], check=True)
    subprocess.run(["ip", "netns", "add", "pf-0123abcd.switch"], check=True)
    subprocess.run(["ip", "link", "add", "pf-0123abcd.1", "type", "bridge"], check=True)
    looked = json.loads(verb("clean", "--dry-run", "--json").out)
    found = {(each["run"].rpartition("-")[0] or each["run"], each["what"]): each["names"] for each in looked}
    assert set(found) == {
        ("dead", "run folder"), ("dead", "process"), ("lost", "process"), ("pf", "namespace"), ("pf", "link"),
    }  # fmt: skip
    assert len(found["lost", "process"]) >= 3
    assert found["pf", "namespace"] == ["pf-0123abcd.node.plc-1", "pf-0123abcd.switch"]
    assert json.loads(verb("clean", "--dry-run", "--json").out) == looked, "a dry run changes nothing"
    cleaned = verb("clean")
    assert cleaned.rc == 0, cleaned.err
    assert cleaned.err == "all of it was taken away\n"
    assert "pf-0123abcd.switch" in cleaned.out
    again = verb("clean")
    assert (again.rc, again.out, again.err) == (0, "", "nothing is left of any farm\n")
    assert decoys()
    assert Path(f"/proc/{living}").exists()
    rows = json.loads(verb("ps", "--json").out)
    assert [row["state"] for row in rows] == ["up"] * 3
    everything = verb("clean", "--all")
    assert everything.rc == 0, everything.err
    assert "farm that runs" in everything.out
    assert not any(run_root.iterdir())
    assert decoys()
