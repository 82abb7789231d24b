"""Requests that nobody thought of, made from the API's description by Schemathesis, against a plant that runs.

`make fuzz ARGS=api` makes more of them. What is checked: that no request is answered with a server error, that what is
answered is what the description says, and that what the description forbids is refused.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from farm.dashboard.api import OPENAPI
from tests.dashboard.served import OTHER_PLANT, Served, a_served_plant

pytestmark = [pytest.mark.net, pytest.mark.slow]

EXAMPLES = 4
"""Requests for each operation beside the systematic ones."""

LEFT_OUT = ("stream", "stop_node", "stop_nodes", "restart_node", "restart_nodes")
"""A stream never ends; nodes that are down answer nothing, and a restart takes its time: they have other tests."""

UNCHECKED = ("positive_data_acceptance",)
"""What fits a schema may still be a tag that is not there."""


def requests(served: Served, examples: int, folder: Path, seed: int = 1) -> "subprocess.CompletedProcess[str]":
    """Has that many made."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", str(OPENAPI),
        "--url", f"http://127.0.0.1:{served.port}", "--header", f"Authorization: Bearer {served.token}",
        "--max-examples", str(examples), "--phases", "examples,coverage,fuzzing", "--seed", str(seed),
        "--exclude-checks", ",".join(UNCHECKED), "--warnings", "off", "--continue-on-failure", "--no-color",
        *(word for name in LEFT_OUT for word in ("--exclude-operation-id", name)),
    ]  # fmt: skip
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=3600)


@pytest.mark.timeout(300)
def test_no_request_is_answered_with_an_error_of_ours(tmp_path: Path) -> None:
    with a_served_plant(OTHER_PLANT) as served:
        done = requests(served, EXAMPLES, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert served.log == ""
        assert served.get("/api/v1/farm")["conditions"]["down"] == 0
