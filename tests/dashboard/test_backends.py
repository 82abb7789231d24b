"""The dashboard of a farm in namespaces: its supervisor is in another network than the page, its nodes have users of
their own, and the same is seen and done."""

import os
import sys
from pathlib import Path

import pytest

from tests import ordinary_user
from tests.backends.conftest import need_root
from tests.dashboard.served import Served, a_served_plant
from tests.dashboard.test_process import is_gone
from tests.waiting import until

pytestmark = [pytest.mark.net, pytest.mark.root, pytest.mark.slow]

PLANT = """
farm: 1
name: served
backend: netns
networks:
  cell: {subnet: 10.98.231.0/24, purdue: 1}
nodes:
  plc: {kind: logix, address: 10.98.231.11, network: cell, tags: {Level: REAL}}
  drive: {kind: logix, address: 10.98.231.12, network: cell, tags: {Speed: REAL}}
"""


def network_of(pid: int) -> str:
    """The network namespace that a process is in."""
    return str(Path(f"/proc/{pid}/ns/net").readlink())


def test_a_farm_in_namespaces() -> None:
    need_root()
    with a_served_plant(PLANT) as served:
        seen_and_changed(served, "namespace")
        assert network_of(served.pid) == network_of(os.getpid())
        assert network_of(int(served.get("/api/v1/farm")["supervisor"]["pid"])) != network_of(os.getpid())
        found = served.get("/api/v1/map")
        assert found["levels"] == [{"level": 1.0, "name": "control"}]
        assert [subnet["subnet"] for subnet in found["subnets"]] == ["10.98.231.0/24"]
        pid = served.pid
        served.farm("down")
        assert is_gone(pid)


def seen_and_changed(served: Served, reach: str) -> None:
    """What is the same on every backend."""
    farm = until(lambda: (line := served.get("/api/v1/farm"))["nodes"] == 2 and line)
    assert farm["reach_kind"] == reach
    assert served.change("PUT", "/api/v1/nodes/plc/tags/Level", {"value": 2.5}).status == 200
    assert served.get("/api/v1/nodes/plc/tags/Level")["value"]["value"] == 2.5
    assert served.change("POST", "/api/v1/nodes/drive/restart").status == 200


def test_a_user_without_root_has_it_too(tmp_path: Path) -> None:
    need_root()
    root = Path(f"/tmp/pf-user-{os.getpid()}")
    root.mkdir()
    os.chown(root, ordinary_user.UID, ordinary_user.UID)
    (root / "plant.yaml").write_text(PLANT)
    (root / "plant.yaml").chmod(0o644)
    served = Served(root)
    environment = {"PLCFARM_RUN": str(root), "PYTHONPATH": str(ordinary_user.ROOT)}

    def farm(*arguments: str) -> str:
        code, output = ordinary_user.run([sys.executable, "-m", "farm", *arguments], environment)
        assert code == 0, output
        return output

    try:
        code, output = ordinary_user.run([sys.executable, "-m", "farm", "up", f"{root}/plant.yaml"], environment)
        if code and "namespace" in output:
            pytest.skip(f"as an ordinary user, no namespaces: {output.splitlines()[-1]}")
        assert code == 0, output
        farm("dashboard")
        until(lambda: served.get("/api/v1/farm")["t"])
        seen_and_changed(served, "namespace")
        status = Path(f"/proc/{served.pid}/status").read_text()
        assert f"Uid:\t{ordinary_user.UID}" in status
        assert "NoNewPrivs:\t1" in status
        pid = served.pid
        farm("down")
        assert is_gone(pid)
        assert sorted(path.name for path in root.iterdir()) == ["plant.yaml"]
    finally:
        ordinary_user.run([sys.executable, "-m", "farm", "down", "--all"], environment)
        (root / "plant.yaml").unlink()
        root.rmdir()
