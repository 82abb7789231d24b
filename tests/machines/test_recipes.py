"""Recipes of boxes, validated by Debian's packer, which has all their builders; the answers to Debian's installer."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKER = ROOT / "packer"
BUILDERS = ("qemu", "virtualbox-iso", "vmware-iso", "docker")


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    """A copy of them, to be spoilt; in the same place beside what they name."""
    if shutil.which("packer") is None:
        pytest.skip("no packer: apt-get install packer")
    shutil.copytree(ROOT / "vagrant", tmp_path / "vagrant")
    return Path(shutil.copytree(PACKER, tmp_path / "packer", ignore=shutil.ignore_patterns("build")))


def packer(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """What packer does in a folder, asking nobody for a newer one."""
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "CHECKPOINT_DISABLE": "1"}
    return subprocess.run(["packer", *arguments], cwd=folder, env=environ, capture_output=True, text=True, timeout=60)


def validate(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Without the installer's checksum, which is elsewhere."""
    return packer(folder, "validate", "-var", "iso_checksum=none", ".")


def test_they_are_in_shape(recipes: Path) -> None:
    for folder in (".", "plugins"):
        done = packer(recipes, "fmt", "-check", "-diff", folder)
        assert (done.returncode, done.stdout) == (0, "")
    spoil(recipes / "sources.pkr.hcl", "  memory           =", "  memory =")
    assert packer(recipes, "fmt", "-check", ".").returncode != 0


def test_every_builder_is_valid(recipes: Path) -> None:
    done = validate(recipes)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(re.findall(r'^source "([\w-]+)" "debian"', (PACKER / "sources.pkr.hcl").read_text(), re.M)) == set(
        BUILDERS
    )
    build = (PACKER / "build.pkr.hcl").read_text()
    assert set(re.findall(r'"source\.([\w-]+)\.debian"', build)) == set(BUILDERS)


@pytest.mark.parametrize(
    ("file", "was", "becomes"),
    [
        ("sources", "disk_interface ", "disk_interfaces"),
        ("sources", "hard_drive_discard ", "hard_drive_discards"),
        ("sources", "disk_type_id ", "disk_type_ids"),
        ("build", "compression_level", "compressed"),
    ],
)
def test_a_setting_that_no_builder_has_is_found(recipes: Path, file: str, was: str, becomes: str) -> None:
    spoil(recipes / f"{file}.pkr.hcl", was, becomes)
    done = validate(recipes)
    assert done.returncode != 0
    assert becomes.split()[0] in done.stdout + done.stderr


def spoil(recipe: Path, was: str, becomes: str) -> None:
    """Puts something else in it."""
    text = recipe.read_text()
    assert was in text
    recipe.write_text(text.replace(was, becomes))


def test_plugins_stand_apart_and_each_builder_has_one() -> None:
    text = (PACKER / "plugins" / "plugins.pkr.hcl").read_text()
    named = set(re.findall(r'source\s*= "github.com/\w+/(\w+)"', text))
    assert named == {builder.removesuffix("-iso") for builder in BUILDERS} | {"vagrant"}
    assert not any("required_plugins" in path.read_text() for path in PACKER.glob("*.pkr.hcl"))


def check_answers(file: Path) -> "subprocess.CompletedProcess[str]":
    """By debconf's own checker."""
    command = ["debconf-set-selections", "-c", str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_the_installers_answers_are_well_formed(tmp_path: Path) -> None:
    if shutil.which("debconf-set-selections") is None:
        pytest.skip("need root of a Debian: no debconf-set-selections")
    answers = PACKER / "http" / "preseed.cfg"
    done = check_answers(answers)
    assert (done.returncode, done.stderr) == (0, "")
    spoilt = tmp_path / "preseed.cfg"
    spoilt.write_text(answers.read_text().replace("clock-setup/utc boolean true", "clock-setup/utc booleen true"))
    assert "Unknown type booleen" in check_answers(spoilt).stderr


def test_each_question_is_answered_once() -> None:
    lines = (PACKER / "http" / "preseed.cfg").read_text().replace("\\\n", "").splitlines()
    asked = [line.split()[1] for line in lines if line and not line.startswith("#")]
    assert len(asked) == len(set(asked)) > 30


@pytest.mark.parametrize("script", ["vagrant/machine", "vagrant/provision.sh", "vagrant/vmware-networks", "packer/box"])
def test_scripts_are_clean(script: str) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("no shellcheck: apt-get install shellcheck")
    more = [str(path) for path in (PACKER / "scripts").glob("*.sh")] if script == "packer/box" else []
    done = subprocess.run(["shellcheck", str(ROOT / script), *more], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
