"""A device of ours that is stopped and started again at the same port, as drives are when somebody pulls the plug."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Self

from tests.cli.lone import ready
from tests.client.nodes import ROOT

HOST = "127.64.33.13"


class Restarted:
    """`python -m COMMAND -a HOST:PORT`, at a port that is free at first and the same ever after."""

    def __init__(self, *command: str) -> None:
        self.host = HOST
        self.port = 0
        self._command = [sys.executable, "-m", *command]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns when it serves."""
        command = [*self._command, "-a", f"{HOST}:{self.port}"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        match = re.search(rf"{HOST}:(\d+)", ready(self._process))
        assert match is not None
        self.port = int(match[1])

    def stop(self) -> None:
        """Returns when it is gone."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.communicate(timeout=10)
