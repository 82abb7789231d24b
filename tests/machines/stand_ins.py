"""Tools that only note how they were called, in a folder that is all of PATH: what is not in it is not installed."""

import shutil
import subprocess
from pathlib import Path

from tests.conftest import ROOT

NEEDED = ("sh", "make", "sed", "grep", "awk", "dirname", "cat", "mkdir", "env", "pwd", "id")
"""Of the system's own, which the scripts stand on."""
STAND_IN = """#!/bin/sh
echo "$(basename "$PWD") ${{VAGRANT_DOTFILE_PATH:--}} {name} $*" >>{log}
{says}
"""


class Tree:
    """A copy of what make reads, in `folder`, and the tools that it finds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tree"
        self.folder.mkdir()
        self._tools, self._log = folder / "tools", folder / "log"
        self._tools.mkdir()
        for name in (*NEEDED, "basename"):
            found = shutil.which(name)
            assert found, name
            (self._tools / name).symlink_to(found)
        shutil.copy(ROOT / "GNUmakefile", self.folder)
        for name in ("vagrant", "packer"):
            shutil.copytree(ROOT / name, self.folder / name, ignore=shutil.ignore_patterns("build", ".vagrant*"))

    def add(self, name: str, says: str = "") -> None:
        """A tool that is installed; `says` is what it does beside noting, in the shell's words."""
        tool = self._tools / name
        tool.write_text(STAND_IN.format(name=name, log=self._log, says=says))
        tool.chmod(0o755)

    def run(self, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """A command, in the tree."""
        environ = {"PATH": str(self._tools), "HOME": str(self.folder), **environment}
        return subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=60)

    def called(self) -> list[str]:
        """`FOLDER DOTFILE TOOL ARGUMENTS` of each call since it was last asked."""
        lines = [line.rstrip() for line in self._log.read_text().splitlines()] if self._log.exists() else []
        self._log.unlink(missing_ok=True)
        return lines
