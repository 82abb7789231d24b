"""Farms of 12, 30 and 60 nodes on the tests' cluster, whose pods are processes of this machine: how long up and down
take, and whether anything is left there."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.backends.kubernetes_api import Api
from tests.backends.kubernetes_kubelet import Kubelet
from tests.backends.test_kubernetes import PODS, SERVICES, environment
from tests.cli.lone import ROOT

SIZES = (12, 30, 60)
PATIENCE = 400.0
PLANT = """\
farm: 1
name: many
networks: {{cell: {{subnet: 10.20.0.0/24}}}}
groups: {{plc: {{count: {count}, kind: logix, network: cell, tags: {{A: DINT}}}}}}
"""

Say = Callable[..., None]


def run(say: Say) -> int:
    """How many of the sizes did not come up, or left something."""
    return sum(not _size(count, say) for count in SIZES)


def _size(count: int, say: Say) -> bool:
    with tempfile.TemporaryDirectory(prefix="pf-") as folder, _cluster(Path(folder)) as (api, farm):
        file = Path(folder) / "many.yaml"
        file.write_text(PLANT.format(count=count))
        before = os.getloadavg()[0]
        up, up_seconds = farm("up", str(file), "--backend", "kubernetes")
        asked = len(api.seen)
        rows = json.loads(farm("ps", "--json")[0].stdout or "[]")
        states = sorted({row["state"] for row in rows})
        down, down_seconds = farm("down")
        left = len(api.store.objects)
    good = (up.returncode, down.returncode, len(rows), states, left) == (0, 0, count, ["up"], 0)
    said = "" if good else f": {up.stderr.strip().splitlines()[-1:]} {states} {down.stderr.strip().splitlines()[-1:]}"
    loads = f"load {before:.1f} before and {os.getloadavg()[0]:.1f} after"
    say(
        f"cluster: {count} nodes up in {up_seconds:.1f} s with {asked} requests, down in {down_seconds:.1f} s, "
        f"{left} objects left, {loads}: {'good' if good else 'BAD'}{said}"
    )
    return good


Verb = Callable[..., "tuple[subprocess.CompletedProcess[str], float]"]


@contextlib.contextmanager
def _cluster(folder: Path) -> Iterator[tuple[Api, Verb]]:
    """A cluster, and what runs a verb of `farm` there and says how many seconds it took."""
    api = Api(SERVICES)
    kubelet = Kubelet(api, PODS)
    api.start()
    kubelet.start()
    variables = {**os.environ, **environment(api, folder)}

    def farm(*words: str) -> "tuple[subprocess.CompletedProcess[str], float]":
        began = time.monotonic()
        command = [sys.executable, "-m", "farm", *words]
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=PATIENCE)
        return done, time.monotonic() - began

    try:
        yield api, farm
    finally:
        farm("down")
        kubelet.close()
        api.close()
