"""Sixty nodes over the three engines of a Swarm, hosts that are cut off and killed, and commands that are: what takes
minutes."""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from farm.topology.placement import ENGINE, STATIC
from tests.backends.swarm_cluster import Cluster, missing
from tests.backends.swarm_farm import LEVEL, SwarmFarm, plant

GROUPS = """
  plc: {kind: logix, count: 30, use: plc}
  rtu: {kind: modbus, count: 30, holding: {"@0-7": 7}}"""
UP_SECONDS = 30.0
CUT_SECONDS = 10.0
BACK_SECONDS = 30.0
ELSEWHERE_SECONDS = 30.0
PATIENCE = 500.0

Say = Callable[..., None]


@dataclass
class Checked:
    """What was looked at, and how often it was not as it should be."""

    say: Say
    broken: int = 0

    def check(self, what: str, good: bool, found: object = "") -> None:
        """A line, and a mark against it."""
        self.say(f"{what}: {'good' if good else 'BAD'} {found}".rstrip())
        self.broken += not good


def run(say: Say) -> int:
    """How much was not as it should be."""
    reason = missing()
    if reason:
        say(f"swarm: not tried: {reason}")
        return 0
    checked = Checked(say)
    cluster = Cluster()
    with tempfile.TemporaryDirectory(prefix="pf-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        farm = SwarmFarm(cluster, Path(folder), PATIENCE)
        try:
            began = time.monotonic()
            cluster.start()
            say(f"three engines in a Swarm after {time.monotonic() - began:.1f} s")
            cluster.make_images()
            before = farm.things()
            spread(farm, checked)
            sixty(farm, checked)
            cut(farm, checked)
            killed(farm, checked)
            moved(farm, checked)
            back(farm, checked)
            began = time.monotonic()
            farm.farm("down", "works")
            say(f"down in {time.monotonic() - began:.1f} s")
            clean(farm, before, checked)
            for placement in (STATIC, ENGINE):
                interrupted(farm, checked, placement)
                clean(farm, before, checked)
            given_up(farm, checked)
        finally:
            if (Path(folder) / "works").exists():
                cluster.hosts[0].run(
                    [sys.executable, "-m", "farm", "down", "works"], env={"PLCFARM_RUN": folder}, check=False
                )
            cluster.remove()
    return checked.broken


def spread(farm: SwarmFarm, checked: Checked) -> None:
    """One node and away with it: then the image is on all hosts, which is not what is timed."""
    path = farm.write(plant(farm.cluster, groups="\n  g: {kind: logix, count: 3}"))
    began = time.monotonic()
    farm.farm("up", str(path))
    checked.say(
        f"first of all three nodes, the image's way to the other hosts included: {time.monotonic() - began:.1f} s"
    )
    farm.farm("down", "works")


def sixty(farm: SwarmFarm, checked: Checked) -> None:
    """All are up soon, and read by real clients on another host than their own."""
    path = farm.write(sixty_nodes(farm))
    load, began = os.getloadavg(), time.monotonic()
    done = farm.farm("up", str(path))
    took = time.monotonic() - began
    checked.say(f"load before {load}, after {os.getloadavg()}")
    checked.check(f"60 nodes up in {took:.1f} s, {done.stderr.strip().splitlines()[-2]}", took < UP_SECONDS)
    rows = farm.rows()
    load = [sum(row["host"] == host.name for row in rows.values()) for host in farm.cluster.hosts]
    checked.check("balanced over the hosts", load == [20, 20, 20], load)
    began = time.monotonic()
    wanted: dict[str, Any] = {}
    found: dict[str, Any] = {}
    hosts = farm.cluster.hosts
    for at, host in enumerate(hosts):
        next_host = hosts[(at + 1) % len(hosts)]
        there = [row for row in rows.values() if row["host"] == host.name]
        wanted |= {row["name"]: [7] * 8 if row["kind"] == "modbus" else LEVEL for row in there}
        asked = [(row["name"], row["kind"], row["address"]) for row in there]
        found |= farm.ask(next_host, "cell", asked)
    wrong = {name: value for name, value in found.items() if wanted.get(name) != value}
    good = len(found) == len(wanted) == 60 and not wrong
    checked.check(f"pylogix and pymodbus from another host, {time.monotonic() - began:.1f} s", good, wrong or "")
    again = farm.farm("up", str(path))
    checked.check("a second up", "nothing to do, 60 nodes up" in again.stderr)


def cut(farm: SwarmFarm, checked: Checked) -> None:
    """A host without its network for ten seconds: its nodes are told, and are back as they were."""
    host = farm.cluster.hosts[2]
    before = farm.rows()
    host.cut()
    time.sleep(CUT_SECONDS)
    rows = farm.rows()
    away = {row["state"] if row["state"] != "up" else row["condition"] for row in rows.values() if row["host"] == "h3"}
    checked.check("nodes of the host that was cut off", away <= {"down", "stale"}, sorted(away))
    others = {row["condition"] for row in rows.values() if row["host"] != "h3"}
    checked.check("nodes of the others", others == {"up"}, sorted(others))
    host.mend()
    began = time.monotonic()
    back = until(lambda: {row["condition"] for row in farm.rows().values()} == {"up"}, BACK_SECONDS)
    checked.check(f"all are back after {time.monotonic() - began:.1f} s", back)
    restarts = sum(row["restarts"] for row in farm.rows().values()) - sum(row["restarts"] for row in before.values())
    checked.check("restarts", restarts == 0, restarts)


def killed(farm: SwarmFarm, checked: Checked) -> None:
    """A host that dies is shown, and its nodes are started again when it is back."""
    host = farm.cluster.hosts[1]
    host.kill()
    began = time.monotonic()
    shown = until(lambda: {row["state"] for row in farm.rows().values() if row["host"] == "h2"} == {"down"}, 20)
    error = next(row["error"] for row in farm.rows().values() if row["host"] == "h2")
    checked.check(f"a dead host is shown after {time.monotonic() - began:.1f} s", shown, error)
    host.start()
    host.wait()
    began = time.monotonic()
    back = until(lambda: {row["state"] for row in farm.rows().values()} == {"up"}, 90)
    checked.check(f"its nodes are up {time.monotonic() - began:.1f} s after its engine", back)
    containers = [name for each in farm.things().values() for name in each if name.startswith("container")]
    checked.check("nothing is there twice", len(containers) == 61, len(containers))


def moved(farm: SwarmFarm, checked: Checked) -> None:
    """The same sixty are placed by the engine from now on: when a worker dies, all answer again elsewhere, and nothing
    is doubled when it is back."""
    path = farm.write(sixty_nodes(farm, ENGINE))
    done = farm.farm("up", str(path))
    checked.say(f"placed by the engine: {done.stderr.strip().splitlines()[-2]}; load {os.getloadavg()}")
    before, host = farm.rows(), farm.cluster.hosts[2]
    lost = [name for name, row in before.items() if row["host"] == host.name]
    host.kill()
    began = time.monotonic()
    elsewhere = until(lambda: all(_is_up(farm.rows()[name], host.name) for name in lost), ELSEWHERE_SECONDS * 3)
    took = time.monotonic() - began
    checked.check(
        f"{len(lost)} nodes of a dead host are up elsewhere after {took:.1f} s", elsewhere and took < ELSEWHERE_SECONDS
    )
    rows = farm.rows()
    found = farm.ask(
        farm.cluster.hosts[0], "cell", [(row["name"], row["kind"], row["address"]) for row in rows.values()]
    )
    wanted = {name: [7] * 8 if row["kind"] == "modbus" else LEVEL for name, row in rows.items()}
    wrong = {name: value for name, value in found.items() if wanted[name] != value}
    checked.check("all answer real clients where they are now", len(found) == 60 and not wrong, wrong or "")
    host.start()
    host.wait()
    there = until(lambda: len(_containers(farm)) == 61, 60)
    checked.check("nothing is there twice when it is back", there, len(_containers(farm)))


def back(farm: SwarmFarm, checked: Checked) -> None:
    """The file places them once more: each is at its own address."""
    path = farm.write(sixty_nodes(farm))
    refused = farm.farm("up", str(path), fails=True)
    checked.check("not without `down`", "`farm down works`, then `farm up`" in refused.stderr, refused.stderr)
    farm.farm("down", "works")
    done = farm.farm("up", str(path))
    checked.say(f"placed by the file again: {done.stderr.strip().splitlines()[-2]}")
    asked = [(row["name"], row["kind"], row["address"]) for row in farm.rows().values()]
    found = farm.ask(farm.cluster.hosts[1], "cell", asked)
    wrong = {name: value for name, value in found.items() if value not in (LEVEL, [7] * 8)}
    checked.check("all answer at their own addresses", len(found) == 60 and not wrong, wrong or "")
    checked.check("nothing is there twice", len(_containers(farm)) == 61, len(_containers(farm)))


def interrupted(farm: SwarmFarm, checked: Checked, placement: str) -> None:
    """Command and supervisor are killed in the middle of `up`: the next one completes it, `down` takes it away."""
    path = farm.write(sixty_nodes(farm, placement))
    for last in ("down", "up"):
        command = farm.begin("up", str(path))
        begun = until(lambda: len(_containers(farm)) > 20, 120)
        command.kill()
        command.wait()
        farm.kill_supervisor()
        checked.check(f"{placement}: killed with {len(_containers(farm))} of 61 containers there", begun)
        if last == "up":
            done = farm.farm("up", str(path))
            checked.check(f"{placement}: the next `up`", "60 nodes up" in done.stderr, done.stderr.splitlines()[-2])
            checked.check("nothing is there twice", len(_containers(farm)) == 61, len(_containers(farm)))
        farm.farm("down", "works")
        checked.check(f"{placement}: `down` leaves no container", not _containers(farm), _containers(farm))


def given_up(farm: SwarmFarm, checked: Checked) -> None:
    """A host that is not waited for is taken out of the Swarm and of the file: its nodes are on the others, at their
    own addresses. When it is there after all, `down` takes away what it had. It is of no Swarm from then on."""
    text = plant(farm.cluster, groups="\n  plc: {kind: logix, count: 6, use: plc}")
    farm.farm("up", str(farm.write(text)))
    host = farm.cluster.hosts[2]
    with farm.cluster.engine(host) as engine:
        member = engine.api.info()["Swarm"]["NodeID"]
    host.kill()
    with farm.cluster.engine(farm.cluster.hosts[0]) as engine:
        engine.api.remove_node(member, force=True)
    began = time.monotonic()
    done = farm.farm("up", str(farm.write(text.replace(f"  {host.name}: {host.url}\n", ""))))
    took = time.monotonic() - began
    there = sorted({row["host"] for row in farm.rows().values()})
    checked.check(f"nodes of a host given up are up after {took:.1f} s", there == ["h1", "h2"], done.stderr)
    host.start()
    host.wait()
    farm.farm("down", "works")
    left = _containers(farm, every=True)
    checked.check("`down` takes away what it had", not left, left)


def clean(farm: SwarmFarm, before: dict[str, set[str]], checked: Checked) -> None:
    """Nothing is left at any engine."""
    good = until(lambda: farm.things() == before, 30)
    checked.check("three clean engines", good, "" if good else farm.things())


def sixty_nodes(farm: SwarmFarm, placement: str = STATIC) -> str:
    """Their plant file."""
    return plant(farm.cluster, groups=GROUPS).replace("hosts:", f"placement: {placement}\nhosts:", 1)


def _is_up(row: dict[str, Any], but: str) -> bool:
    return row["state"] == "up" and row["host"] != but


def _containers(farm: SwarmFarm, every: bool = False) -> list[str]:
    """Those that run, nodes and the relay, or `every` one."""
    found = []
    for host in farm.cluster.hosts:
        if host.answers():
            with farm.cluster.engine(host) as engine:
                listed = engine.api.containers(all=every, filters={"label": ["plcfarm.run"]})
                found += [each["Id"] for each in listed]
    return found


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it holds within so long."""
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= give_up:
            return False
        time.sleep(0.5)
    return True
