"""A farm in namespaces, whole: its supervisor in the switch, killed, damaged, taken down, and nothing left of it."""

import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from farm.backends.netns_leftovers import find_leftovers
from farm.backends.netns_spaces import Spaces, inside
from farm.backends.netns_wiring import bridge_name
from farm.backends.rtnetlink import Rtnetlink, delete_link
from farm.cli.backends import make_backend
from farm.supervisor.clean import clean, take_down
from farm.supervisor.link import Link
from farm.supervisor.run_directory import RunDirectory, run_directory
from farm.supervisor.wire import encode_plant
from farm.topology.plant import Plant
from tests.backends.conftest import need_root
from tests.backends.networks import CELL, LAB, a_network, a_plant, interface, networked
from tests.conftest import marked_processes
from tests.farm.supervisor.test_daemon import end, pids, rows, supervisor_of
from tests.machine_routes import leads_into_a_plant

pytestmark = [pytest.mark.net, pytest.mark.root]

NODES = [networked(number) for number in range(1, 4)]
HIDDEN = networked(4, interface(CELL, 4))
WORKS = a_plant(*NODES, HIDDEN, networks=(LAB, CELL))
LIST_IDENTITY = struct.pack("<HHII8sI", 0x63, 0, 0, 0, b"whatever", 0)


@pytest.fixture
def run(run_root: Path) -> Iterator[RunDirectory]:
    need_root()
    run = run_directory("works", run_root)
    rules = machine_rules()
    yield run
    if marked_processes(run_root) or run.exists():
        take_down(run, make_backend)
    assert (left_of(run), machine_rules()) == ([], rules)


def left_of(run: RunDirectory) -> list[str]:
    """Links of the machine and namespaces that bear the run's mark."""
    names = [name for _, name in socket.if_nameindex()] + [path.name for path in Path("/run/netns").iterdir()]
    return [name for name in names if name.startswith(spaces(run).mark)]


def machine_rules() -> str:
    """Those of the machine's firewall."""
    return subprocess.check_output(["nft", "list", "ruleset"], text=True) if shutil.which("nft") else ""


def up(run: RunDirectory, wanted: Plant = WORKS) -> dict[str, Any]:
    return Link.open(run, "netns").ask("apply", plant=encode_plant(wanted))


def spaces(run: RunDirectory) -> Spaces:
    return Spaces(run.run_id)


def namespace_of(pid: int) -> int:
    return Path(f"/proc/{pid}/ns/net").stat().st_ino


def test_up_again_and_down(run: RunDirectory) -> None:
    done = up(run)
    assert {row["name"]: row["state"] for row in done["rows"]} == dict.fromkeys(
        ["plc-1", "plc-2", "plc-3", "plc-4"], "up"
    )
    for node in NODES:
        socket.create_connection((node.address, 502), 5).close()
        assert leads_into_a_plant(node.address)
    assert not leads_into_a_plant(HIDDEN.address)
    assert up(run)["plan"] == ["nothing to do"]
    assert namespace_of(supervisor_of(run)) == spaces(run).pin("switch").stat().st_ino
    for name, pid in pids(run).items():
        assert namespace_of(pid) == spaces(run).pin(f"node.{name}").stat().st_ino
    assert len(spaces(run).names()) == 5
    assert Link.open(run).ask("down")["nodes"] == 4
    assert spaces(run).names() == []
    assert marked_processes(run.path.parent) == []
    assert list(run.path.parent.iterdir()) == []


def test_nodes_serve_on_and_the_next_supervisor_adopts_them(run: RunDirectory) -> None:
    up(run)
    before = pids(run)
    with socket.create_connection((NODES[0].address, 44818), 5) as client:
        end(supervisor_of(run))
        client.sendall(LIST_IDENTITY)
        assert len(client.recv(4096)) > 50
        assert pids(run) == before
        client.sendall(LIST_IDENTITY)
        assert len(client.recv(4096)) > 50
    assert {row["state"] for row in rows(run).values()} == {"up"}
    assert namespace_of(supervisor_of(run)) == spaces(run).pin("switch").stat().st_ino
    assert up(run)["plan"] == ["nothing to do"]


def test_a_node_that_dies_comes_back_in_its_namespace(run: RunDirectory) -> None:
    up(run)
    before, inode = pids(run), spaces(run).pin("node.plc-2").stat().st_ino
    os.kill(before["plc-2"], signal.SIGKILL)
    wait_until(lambda: rows(run)["plc-2"]["pid"] not in (0, before["plc-2"]) and rows(run)["plc-2"]["state"] == "up")
    assert namespace_of(pids(run)["plc-2"]) == inode == spaces(run).pin("node.plc-2").stat().st_ino


def wait_until(condition: Any, seconds: float = 20.0) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "it did not happen"
        time.sleep(0.05)


def test_a_bridge_that_was_deleted_is_repaired_by_the_next_up(run: RunDirectory) -> None:
    up(run)
    before = pids(run)
    with inside(spaces(run).pin("switch"), Rtnetlink) as kernel:
        kernel.send([delete_link(bridge_name("lab", 0))])
    done = up(run)
    assert [line for line in done["plan"] if "lab" in line and "not there" in line]
    assert {row["state"] for row in done["rows"]} == {"up"}
    for node in NODES:
        socket.create_connection((node.address, 502), 5).close()
    after = pids(run)
    assert after["plc-4"] == before["plc-4"], "its network was not touched"
    assert all(after[node.name] != before[node.name] for node in NODES)


def test_a_switch_that_was_deleted_is_made_anew_with_all_on_it(run: RunDirectory) -> None:
    up(run)
    end(supervisor_of(run))
    subprocess.run(["ip", "netns", "del", spaces(run).pin("switch").name], check=True)
    done = up(run)
    assert {row["state"] for row in done["rows"]} == {"up"}
    socket.create_connection((NODES[0].address, 502), 5).close()


def test_a_changed_network_is_made_anew_and_the_rest_stays(run: RunDirectory) -> None:
    up(run)
    before = pids(run)
    wider = a_network("lab", int(LAB.subnet.split(".")[1]), host=True, mtu=1400)
    nodes = [networked(number, interface(wider, number)) for number in range(1, 4)]
    done = up(run, a_plant(*nodes, HIDDEN, networks=(CELL, wider)))
    assert {row["state"] for row in done["rows"]} == {"up"}
    assert pids(run)["plc-4"] == before["plc-4"]
    assert up(run, a_plant(HIDDEN, networks=(CELL,)))["changes"] > 0
    assert len(spaces(run).names()) == 2
    assert [name for name in left_of(run) if name in [name for _, name in socket.if_nameindex()]] == []


def test_each_node_of_a_segment_answers_a_broadcast_with_its_own_identity(run: RunDirectory) -> None:
    nodes = [networked(number) for number in range(1, 21)]
    up(run, a_plant(*nodes))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        asker.settimeout(1.0)
        asker.sendto(LIST_IDENTITY, (LAB.subnet.replace(".0.0/16", ".255.255"), 44818))
        found: dict[str, list[int]] = {}
        with contextlib.suppress(TimeoutError):
            while True:
                reply, (address, _) = asker.recvfrom(4096)
                found.setdefault(address, []).append(struct.unpack_from("<I", reply, 24 + 2 + 4 + 2 + 16 + 10)[0])
    assert found == {node.address: [node.enip.identity.serial] for node in nodes if node.enip is not None}, (
        "one reply a node"
    )


def test_a_farm_goes_down_without_its_files_and_without_a_supervisor(run: RunDirectory) -> None:
    up(run)
    end(supervisor_of(run))
    for name in ("run.json", "state.json", "networks.json"):
        (run.path / name).unlink()
    shutil.rmtree(run.path / "shards")
    assert Link.open(run).ask("down") is not None
    assert spaces(run).names() == []


def test_a_farm_whose_supervisor_hangs_is_cleaned_up_from_where_one_stands(run: RunDirectory) -> None:
    up(run)
    os.kill(supervisor_of(run), signal.SIGSTOP)
    here = namespace_of(os.getpid())
    clean(run, make_backend)
    assert namespace_of(os.getpid()) == here
    assert spaces(run).names() == []
    assert spaces(run).mark not in [left.mark for left in find_leftovers()]
    assert list(run.path.parent.iterdir()) == []
