"""All modules of a start in one file."""

import subprocess
import sys
from pathlib import Path

from node import errors, pack, record
from node.enip import framing, header
from tests.conftest import ROOT


def run(code: str, site: Path) -> list[str]:
    """What it prints, in an interpreter that finds `node` in `site` only."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd="/",
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_modules_come_from_the_pack_and_are_what_they_are_without(tmp_path: Path) -> None:
    """The folder has the package's beginning alone, so that the rest cannot come from anywhere else."""
    (tmp_path / "node").mkdir()
    for name in ("__init__.py", "pack.py"):
        (tmp_path / "node" / name).write_bytes((ROOT / "node" / name).read_bytes())
    modules = [sys.modules["node.enip"], errors, record, framing, header, sys]
    assert pack.write_pack(str(tmp_path / "node.pack"), modules) == 5
    code = """
from node.pack import use_pack
print(use_pack())
from node.enip import framing
import node.enip
from node.errors import ConfigError
print(framing.__file__, framing.__package__, node.enip.__path__[0], ConfigError.__module__, framing.FrameBuffer)
try:
    import node.memory
except ImportError as exc:
    print(exc.name)
"""
    shown = run(code, tmp_path)
    assert shown[:5] == ["True", framing.__file__, "node.enip", str(ROOT / "node/enip"), "node.errors"]
    assert shown[-1] == "node.memory"


def test_another_python_s_pack_is_passed_over(tmp_path: Path) -> None:
    before = list(sys.meta_path)
    assert not pack.use_pack(str(tmp_path / "none"))
    other = tmp_path / "other"
    for content in (b"", b"3.9.1", b"2.7 (default)\n" + bytes(100)):
        other.write_bytes(content)
        assert not pack.use_pack(str(other))
    assert sys.meta_path == before
