"""A verb brings its own modules and nobody else's, and is found, helped and misspelt as if all were there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from farm.cli.app import run
from farm.cli.verbs import VERBS
from tests.architecture.sources import ROOT

OTHERS = {"docker", "requests", "flask", "waitress", "pyroute2"}


def loaded(tmp_path: Path, *arguments: str) -> set[str]:
    """The modules that are there after `farm ARGUMENTS`."""
    program = "import sys; from farm.cli.app import run; run(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT, env={**os.environ, "PLCFARM_RUN": str(tmp_path)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return set(done.stderr.rpartition("\n")[0].rpartition("\n")[2].split())


@pytest.mark.parametrize("arguments", [["ps"], ["validate", "topologies/plant.yaml"], ["down"]], ids=" ".join)
def test_a_verb_brings_no_library_of_another(tmp_path: Path, arguments: list[str]) -> None:
    found = loaded(tmp_path, *arguments)
    assert f"farm.cli.{arguments[0]}" in found
    assert found & OTHERS == set()
    assert [f"farm.cli.{verb.module}" for verb in VERBS.values() if f"farm.cli.{verb.module}" in found] == [
        f"farm.cli.{arguments[0]}"
    ]


def test_the_version_brings_no_verb(tmp_path: Path) -> None:
    found = loaded(tmp_path, "--version")
    assert "farm.cli.verbs" in found
    assert [name for name in found if name.startswith(("farm.supervisor", "farm.plan"))] == []


def test_help_tells_every_verb_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    listed = re.findall(r"^  (\w+)", capsys.readouterr().out.partition("Commands:\n")[2], re.MULTILINE)
    assert listed == [*(name for name, verb in VERBS.items() if not verb.settings.get("hidden")), "version"]


@pytest.mark.parametrize("arguments", [["--help"], ["image", "--help"], ["render", "--help"]], ids=" ".join)
def test_help_says_of_each_verb_a_whole_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 0
    listed = capsys.readouterr().out.partition("Commands:\n")[2].rstrip()
    entries = re.split(r"\n(?=  \w)", listed)
    assert len(entries) == {"--help": len(VERBS), "image": 3, "render": 2}[arguments[0]]
    assert [entry for entry in entries if "..." in entry or not entry.endswith(".")] == []
