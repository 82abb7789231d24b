"""`python -m tests.soak [WHAT …]`: of kills, crashes, load, broadcast, memory, netem, dashboard, line, machine,
unattended, swarm, ways, cluster, sessions, opens, idle and slow, all of them when none is named; exit 1 when a bound
was broken or anything was left behind. It says what it does line by line.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests import ending
from tests.bench.scale import plant_of
from tests.dashboard.browser import chromium, served
from tests.soak import cluster as several_pods
from tests.soak import corrupted, crashes, endurance, kills, netem_vm, plant_load, plants, provisioned, robustness
from tests.soak import dashboard as looked_at
from tests.soak import swarm as several_hosts
from tests.soak import unattended as installer
from tests.soak import ways as far_ways

BURDENS = ("sessions", "opens", "idle", "slow")
P99_MS = 20.0
"""That a loaded plant of 500 keeps."""


def say(*words: object) -> None:
    """A line, at once."""
    print(*words, flush=True)


def backends(arguments: argparse.Namespace) -> Iterator[str]:
    """Those that are asked for and can be had here."""
    for backend in arguments.backend or plants.PLANTS:
        reason = plants.runs_here(backend)
        if reason:
            say(f"{backend}: not tried: {reason}")
        else:
            yield backend


def kill(arguments: argparse.Namespace) -> int:
    """How many rounds were not clean."""
    dirty = 0
    for backend in backends(arguments):
        chance = random.Random(arguments.seed)
        with (
            tempfile.TemporaryDirectory(prefix="plcs") as folder,
            plants.platform(backend),
            kills.a_farm(Path(folder) / "run", plants.PLANTS[backend], backend) as farm,
        ):
            spans = kills.spans(farm)
            say(f"{backend}, seed {arguments.seed}; {', '.join(f'{verb} {s:.2f} s' for verb, s in spans.items())}")
            outcomes = []
            for number in range(1, arguments.kills + 1):
                outcomes.append(kills.one(farm, chance, spans))
                say(f"{number:3} {outcomes[-1]}")
        bad = sum(not outcome.clean for outcome in outcomes)
        say(f"{backend}: {arguments.kills} kills, {bad} not clean")
        dirty += bad
    return dirty


def crash(arguments: argparse.Namespace) -> int:
    """How many rows of the crash table did not end as they should."""
    broken = 0
    for backend in backends(arguments):
        for row in crashes.TABLE:
            if backend not in row.backends:
                continue
            with (
                tempfile.TemporaryDirectory(prefix="plcs") as folder,
                plants.platform(backend),
                kills.a_farm(Path(folder) / "run", plants.PLANTS[backend], backend) as farm,
            ):
                said, left = crashes.suffer(row, farm)
            good = row.says in said and not left and "Traceback" not in said
            say(f"{backend}, {row.name}: {'good' if good else f'BAD, left {left}'}: {said.strip().splitlines()[-1]}")
            broken += not good
    return broken


def minutes(arguments: argparse.Namespace) -> float:
    """Of load and of memory."""
    return float(arguments.minutes or 5)


def load(arguments: argparse.Namespace) -> int:
    """Whether 500 clients of 500 nodes saw an error, waited too long, or the kernel dropped something."""
    broken = 0
    for backend in backends(arguments):
        if backend == "docker":
            continue
        with (
            tempfile.TemporaryDirectory(prefix="plcs") as folder,
            plant_load.plant(Path(folder), plant_of(arguments.nodes), backend) as rows,
        ):
            found = plant_load.load(rows, 2.0, minutes(arguments) * 60)
        say(f"{backend}, {len(rows)} nodes, a client each, 2 requests a second: {found}")
        broken += bool(found.errors) or found.quantile(0.99) > P99_MS or any(found.drops.values())
    return broken


def broadcast(arguments: argparse.Namespace) -> int:
    """Whether a List Identity to a segment of 500 was answered by fewer."""
    if plants.runs_here("netns"):
        say("broadcast: not tried: need root")
        return 0
    text = plant_load.logix_plant(arguments.nodes, "10.66.0.0/16")
    with (
        tempfile.TemporaryDirectory(prefix="plcs") as folder,
        plant_load.plant(Path(folder), text, "netns") as rows,
    ):
        found = plant_load.broadcast("10.66.255.255", enough=len(rows))
    serials = len(set(found.values()))
    say(f"broadcast: {len(rows)} nodes, {len(found)} answers, {serials} serial numbers")
    return int(not len(rows) == len(found) == serials)


def memory(arguments: argparse.Namespace) -> int:
    """Whether a plant of 1,000 grew."""
    broken = 0
    seconds = minutes(arguments) * 60
    settled = min(endurance.SETTLED_AFTER, seconds / 6)
    for backend in backends(arguments):
        if backend == "docker":
            continue
        with (
            tempfile.TemporaryDirectory(prefix="plcs") as folder,
            plant_load.plant(Path(folder), plant_of(2 * arguments.nodes), backend) as rows,
        ):
            found = endurance.endure(rows, 200.0, seconds, max(5.0, seconds / 60))
        growth = found.growth(settled)
        say(f"{backend}, {len(rows)} nodes, {seconds / 60:g} min: memory {growth * 100:+.2f} %; {found.load}")
        broken += growth > endurance.BOUND or bool(found.load.errors)
    return broken


def burden(what: list[str], arguments: argparse.Namespace) -> int:
    """How many burdens broke a bound."""
    broken = 0
    with robustness.plant() as bench:
        quiet = bench.quiet
        say(f"seed {arguments.seed}; quiet: {quiet.reads} reads, p50 {quiet.p50:.0f} µs, p99 {quiet.p99:.0f} µs")
        for name in what:
            if name == "sessions":
                outcome = robustness.sessions(bench, arguments.sessions, arguments.seed)
            elif name == "opens":
                outcome = robustness.opens(bench, arguments.opens, arguments.seed)
            elif name == "idle":
                outcome = robustness.idle(bench, arguments.idle, arguments.seconds)
            else:
                outcome = robustness.slow(bench, arguments.clients, arguments.seconds)
            say(outcome)
            broken += bool(outcome.broken)
    return broken


def netem(arguments: argparse.Namespace) -> int:
    """Whether a link in a virtual machine, whose kernel has netem, was not as bad as was asked."""
    if reason := netem_vm.why_not():
        say(f"not tried: {reason}")
        return 0
    try:
        return int(not netem_vm.run())
    except RuntimeError as exc:
        say(exc)
        return 1


def dashboard(arguments: argparse.Namespace) -> int:
    """How many bounds a dashboard broke that twenty look at; its table is Markdown."""
    if reason := chromium.why_not():
        say(f"dashboard: not tried: {reason}")
        return 0
    lasting = arguments.minutes or 60
    with tempfile.TemporaryDirectory(prefix="plcs") as folder:
        file = Path(folder) / "plant.yaml"
        file.write_text(plant_of(arguments.nodes))
        broken = 0
        with chromium.chromium() as browser, served.served(file) as plant:
            say(f"{arguments.nodes} nodes, {lasting:g} minutes\n\n| what | found | wanted | |\n|---|--:|---|---|")
            for found in looked_at.soak(plant, browser, lasting * 60):
                say(found.line())
                broken += not found.good
    return broken


def line(arguments: argparse.Namespace) -> int:
    """Whether a wrong value was accepted from a serial line that spoils bytes, or hardly one was at all."""
    found = corrupted.corrupt(60 * (arguments.minutes or 1), arguments.seed)
    say(f"line, seed {arguments.seed}: {found}")
    return int(bool(found.wrong) or found.answered < found.unanswered)


def machine(arguments: argparse.Namespace) -> int:
    """Whether a bare Debian did not become a machine that plants run on."""
    if reason := provisioned.why_not():
        say(f"not tried: {reason}")
        return 0
    try:
        wrong = provisioned.run()
    except RuntimeError as exc:
        wrong = [str(exc)]
    for line in wrong:
        say(f"machine: WRONG: {line}")
    return len(wrong)


def unattended(arguments: argparse.Namespace) -> int:
    """Whether Debian's installer stopped before it had to."""
    if reason := installer.why_not():
        say(f"not tried: {reason}")
        return 0
    try:
        return int(not installer.run(60 * (arguments.minutes or 60)))
    except RuntimeError as exc:
        say(exc)
        return 1


def swarm(arguments: argparse.Namespace) -> int:
    """How much of sixty nodes over three engines was not as it should be."""
    return several_hosts.run(say)


def cluster(arguments: argparse.Namespace) -> int:
    """How many farms on the tests' cluster did not come up, or left something."""
    return several_pods.run(say)


def ways(arguments: argparse.Namespace) -> int:
    """How much of the ways to an engine far away was not as it should be."""
    return far_ways.run(say)


PLANTS: dict[str, Callable[[argparse.Namespace], int]] = {
    "kills": kill,
    "crashes": crash,
    "load": load,
    "broadcast": broadcast,
    "memory": memory,
    "netem": netem,
    "dashboard": dashboard,
    "line": line,
    "machine": machine,
    "unattended": unattended,
    "swarm": swarm,
    "cluster": cluster,
    "ways": ways,
}
"""What is done to whole plants, to links, to lines and to virtual machines; the rest is done to one node."""


def main() -> int:
    """0 when every round was clean and every bound was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*PLANTS, *BURDENS, []], default=[], metavar="WHAT")
    parser.add_argument("--kills", type=int, default=50, help="rounds, a kill each, on each backend (50)")
    parser.add_argument("--backend", action="append", choices=list(plants.PLANTS), help="for whole plants (all)")
    parser.add_argument("--nodes", type=int, default=500, help="of the loaded plant; memory takes twice as many (500)")
    parser.add_argument(
        "--minutes", type=float, help="of load (5), memory (5; it wants 60), dashboard and unattended (60), line (1)"
    )
    parser.add_argument("--sessions", type=int, default=100_000, help="mutated sessions (100000)")
    parser.add_argument("--opens", type=int, default=10_000, help="Forward Opens that are abandoned (10000)")
    parser.add_argument("--idle", type=int, default=1000, help="idle connections (1000)")
    parser.add_argument("--clients", type=int, default=30, help="clients of a byte a second (30)")
    parser.add_argument("--seconds", type=float, default=30, help="that idle and slow clients stay (30)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of moments, victims and sessions")
    arguments = parser.parse_args()
    what = arguments.what or [*PLANTS, *BURDENS]
    failed = sum(PLANTS[name](arguments) for name in what if name in PLANTS)
    burdens = [name for name in what if name in BURDENS]
    if burdens:
        failed += burden(burdens, arguments)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(ending.run(main))
