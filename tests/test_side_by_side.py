"""What a worker's machine of its own is like."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.side_by_side import name_servers, workers

LOOKED_UP = """
import socket, time
from tests.side_by_side import leave_machine
leave_machine()
began = time.monotonic()
try:
    print(socket.gethostbyname("no.such.host.invalid"))
except socket.gaierror:
    print("nobody", time.monotonic() - began < 3)
"""


def test_servers_of_names(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    assert name_servers(file) == []
    text = "# by hand\nnameserver 10.0.0.53\nsearch nameserver\nnameserver 127.0.0.53\nnameserver fd00::53\n"
    file.write_text(text + "nameserver 10.0.0.53\nnameserver\n")
    assert name_servers(file) == ["10.0.0.53"]


@pytest.mark.root
@pytest.mark.net
def test_a_name_that_nobody_knows_is_not_waited_for() -> None:
    if not workers():
        pytest.skip("need root, on Linux")
    done = subprocess.run([sys.executable, "-c", LOOKED_UP], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "nobody True\n"), done.stderr
