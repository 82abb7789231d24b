"""`kill -9` at a random moment of `farm up`, `scale` or `down`, or of a quiet farm: `farm down` then leaves nothing.

The sleeps here are the subject: the moment of the kill is drawn from a seeded generator, so that a round which fails
can be run again with its seed.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.soak.leftovers import container_pids, family, traces
from tests.soak.plants import PROCESS

ROOT = Path(__file__).parents[2]
VICTIMS = ("supervisor", "nursery", "node", "command")

VERBS = ("up", "run", "scale", "down")
QUIET = 0.5
"""Seconds of a quiet farm in which somebody is killed."""


@dataclass(frozen=True, slots=True)
class Round:
    """One kill: what was running, who was killed after how many seconds, and what was left after `farm down`."""

    verb: str
    victim: str
    after: float
    hit: bool
    left: tuple[str, ...]
    message: str

    @property
    def clean(self) -> bool:
        """Whether `farm down` worked and left nothing."""
        return not self.left and not self.message

    def __str__(self) -> str:
        outcome = "clean" if self.clean else f"LEFT {list(self.left)} {self.message}"
        hit = "killed" if self.hit else "was not running:"
        return f"{self.verb}: {hit} {self.victim} after {self.after:.3f} s: {outcome}"


class Farm:
    """The `farm` command on a run root of its own, with a plant file."""

    def __init__(self, run_root: Path, plant: str = PROCESS, backend: str = "process") -> None:
        self.run_root = run_root
        self.backend = backend
        self.plant = run_root.parent / f"{run_root.name}.yaml"
        self.plant.write_text(plant)
        self.environment = {**os.environ, "PLCFARM_RUN": str(run_root)}  # with the Docker host of now

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """The command, running."""
        return subprocess.Popen(
            [sys.executable, "-m", "farm", *arguments],
            cwd=ROOT,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )

    def run(self, *arguments: str, limit: float = 90) -> tuple[int, str]:
        """Its exit code and all it printed."""
        process = self.begin(*arguments)
        try:
            output, _ = process.communicate(timeout=limit)
        except BaseException:  # who was told to end goes on with `down`, beside which nothing is to begin
            process.kill()
            process.communicate()
            raise
        return process.returncode, output

    def up(self) -> subprocess.Popen[str]:
        """`farm up` of the plant, running."""
        return self.begin(*self.up_arguments)

    @property
    def up_arguments(self) -> tuple[str, ...]:
        """The arguments of `farm` that bring the plant up."""
        return "up", str(self.plant), "--backend", self.backend


@contextlib.contextmanager
def a_farm(run_root: Path, plant: str = PROCESS, backend: str = "process") -> Iterator[Farm]:
    """One of which nothing runs in the end, whatever was done to it."""
    farm = Farm(run_root, plant, backend)
    try:
        yield farm
    finally:
        farm.run("down")


def choose(run_root: Path, victim: str, chance: random.Random) -> int | None:
    """A live process with the role `victim`, or None."""
    pids = sorted(pid for pid, name in family(run_root).items() if name == victim)
    if victim == "node" and not pids:
        pids = container_pids()
    return chance.choice(pids) if pids else None


def one(farm: Farm, chance: random.Random, spans: dict[str, float]) -> Round:
    """One round: `spans` are the seconds that an undisturbed verb takes."""
    before = traces(farm.run_root)
    verb = chance.choice(VERBS)
    victim = chance.choice([name for name in VICTIMS if name != "command" or verb != "run"])
    after = chance.uniform(0.02, spans[verb])
    if verb != "up":
        code, output = farm.run(*farm.up_arguments)
        if code:
            return Round(verb, victim, after, False, (), f"up failed: {output}")
    process = begin(farm, verb)
    time.sleep(after)
    pid = choose(farm.run_root, victim, chance)
    while pid is None and process is not None and process.poll() is None:  # not there yet: struck as soon as it is
        time.sleep(0.002)
        pid = choose(farm.run_root, victim, chance)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if process is not None:
        try:
            process.communicate(timeout=90)
        except BaseException:
            process.kill()
            process.communicate()
            raise
    code, output = farm.run("down")
    left = traces(farm.run_root).since(before)
    no_farm = "no farm" in output.lower()
    message = "" if code == 0 or no_farm else f"down: exit {code}: {output.strip()}"
    return Round(verb, victim, after, pid is not None, tuple(left), message)


def begin(farm: Farm, verb: str) -> subprocess.Popen[str] | None:
    """The command that is disturbed; none when a quiet farm is."""
    if verb == "up":
        return farm.up()
    return {"run": lambda: None, "scale": lambda: farm.begin("scale", "g=6"), "down": lambda: farm.begin("down")}[
        verb
    ]()


def spans(farm: Farm) -> dict[str, float]:
    """Seconds that an undisturbed verb takes here."""
    times = {"run": QUIET}
    for verb, arguments in (("up", farm.up_arguments), ("scale", ("scale", "g=6")), ("down", ("down",))):
        begun = time.monotonic()
        code, output = farm.run(*arguments)
        if code:
            raise AssertionError(f"farm {verb}: exit {code}: {output}")
        times[verb] = time.monotonic() - begun
    return times
