"""A rehearsal leaves what was learnt, and nothing that a fork could not take along."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.net, pytest.mark.skipif(sys.platform != "linux", reason="rehearses whole on Linux alone")]

SCRIPT = """
import gc, json, os, signal, threading, types
from node import rehearsal

def left():
    descriptors = len(os.listdir("/proc/self/fd"))
    ends = [str(signal.getsignal(signum)).split(" at ")[0] for signum in (signal.SIGTERM, signal.SIGINT)]
    return {"threads": threading.active_count(), "descriptors": descriptors, "ends": ends}

def pages():
    return len({id(code) // 4096 for code in map(lambda function: function.__code__, functions)})

signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
before = left()
lives = []
once = rehearsal._rehearse_once
rehearsal._rehearse_once = lambda: lives.append(once())
running = rehearsal._seen_running(once)
functions = [each for each in gc.get_objects() if isinstance(each, types.FunctionType) and each.__code__ in running]
signal.signal(signal.SIGTERM, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
spread = pages()
rehearsal.rehearse()
print(json.dumps({"before": before, "after": left(), "spread": spread, "pages": pages(), "lives": len(lives)}))
"""


def rehearsed() -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "nothing was left open, and nothing pending"
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_nothing_is_left_of_a_rehearsal() -> None:
    found = rehearsed()
    assert found["before"] == found["after"]
    assert found["lives"] == 11, "one to see what runs, and ten"


def test_code_that_runs_lies_in_fewer_pages_than_imports_put_it() -> None:
    found = rehearsed()
    spread, pages = found["spread"], found["pages"]
    assert isinstance(spread, int) and isinstance(pages, int)
    assert pages < 0.75 * spread
