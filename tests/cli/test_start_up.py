"""A lone simulator is there at once, and small: 0.2 s and 26 MB are what it may take.

Time is taken as CPU time and the best of several starts, or a busy machine would decide; `python -m
tests.bench.start_up` measures as a person waits.
"""

import sys

import pytest

from tests.bench.start_up import measure
from tests.cli.lone import ENIP_SERVER, HOST, Start, ready, run

pytestmark = pytest.mark.net

SECONDS, MIB = 0.2, 26.0
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


def test_it_is_ready_and_small_in_time() -> None:
    runs = [measure([sys.executable, *ENIP_SERVER], HOST, 44818) for _ in range(RUNS)]
    assert max(run.rss for run in runs) < MIB
    assert min(run.cpu for run in runs) < SECONDS


def test_the_loop_does_without_tls_and_others_may_have_it() -> None:
    code, out, err = run(
        "-c",
        "import sys; import node.__main__ as m; m._import_asyncio(); a = 'ssl' in sys.modules; import asyncio, ssl;"
        "print(a, asyncio.sslproto.ssl, ssl.create_default_context() is not None)",
    )
    assert (code, out, err) == (0, "False None True\n", "")
