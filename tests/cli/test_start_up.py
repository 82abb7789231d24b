"""A lone simulator is there at once, and small: 0.2 s and 26 MB are the goals.

What a test can hold on any machine, busy or slow, is how much more it does than an interpreter that imports asyncio:
of CPU time, and of the best start of several. `python -m tests.bench.start_up` measures as a person waits.
"""

import resource
import subprocess
import sys

import pytest

from tests.bench.start_up import measure
from tests.cli.lone import ENIP_SERVER, HOST, ROOT, Start, ready, run

pytestmark = pytest.mark.net

MIB = 26.0
YARDSTICKS = 3.5
"""It is 2.0 to 2.7 of them, from an editable installation; with typer, TLS and Modbus it was 4.5."""
RUNS = 7

NOT_NEEDED = (
    "_hashlib",
    "bz2",
    "click",
    "difflib",
    "email",
    "hashlib",
    "importlib.metadata",
    "logging.handlers",
    "lzma",
    "node.client",
    "node.config.load",
    "node.config.schema",
    "node.control",
    "node.modbus",
    "node.modbus_face",
    "node.objects.assembly",
    "node.objects.drive_parameter",
    "node.objects.pccc",
    "pathlib",
    "pickle",
    "shutil",
    "ssl",
    "typer",
    "yaml",
)


TELLING = """
import atexit, sys
before = {*sys.modules}
atexit.register(lambda: print(*sorted({*sys.modules} - before)))
from node.__main__ import enip_server
enip_server()
"""
"""Tells in the end what was imported beside what this Python's own start brings."""


def test_it_imports_nothing_that_it_does_not_need(start: Start) -> None:
    process = start("-c", TELLING, "-a", f"{HOST}:0", "SCADA=INT[1000]", "N=STRING", HOME="/")
    ready(process)
    process.terminate()
    modules = process.communicate(timeout=30)[0].split()
    assert "node.server.enip_tcp" in modules
    found = {name for name in modules if name in NOT_NEEDED or name.startswith(tuple(f"{n}." for n in NOT_NEEDED))}
    assert found == set()


def yardstick() -> float:
    """CPU seconds of an interpreter that imports asyncio, with all it takes by default, and ends."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import asyncio"], cwd=ROOT, check=True, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.quiet
def test_it_is_ready_and_small_in_time() -> None:
    pairs = [(measure([sys.executable, *ENIP_SERVER], HOST, 44818), yardstick()) for _ in range(RUNS)]
    assert max(run.rss for run, _ in pairs) < MIB
    assert min(run.cpu for run, _ in pairs) < YARDSTICKS * min(cpu for _, cpu in pairs)


def test_the_loop_does_without_tls_and_others_may_have_it() -> None:
    code, out, err = run(
        "-c",
        "import sys; import node.__main__ as m; m._import_asyncio(); a = 'ssl' in sys.modules; import asyncio, ssl;"
        "print(a, asyncio.sslproto.ssl, ssl.create_default_context() is not None)",
    )
    assert (code, out, err) == (0, "False None True\n", "")
