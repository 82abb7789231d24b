"""What makes a plant worth looking at: clients that read and write, and one of everything that can be wrong."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.dashboard.browser.client import pylogix
from tests.dashboard.browser.served import Served
from tests.waiting import until

READS = {
    "intake": ["LIT101_Level", "FIT101_Flow", "P_Speed"],
    "dosing": ["AIT201_pH", "FIT201_Alum"],
    "clarifier": ["LIT301_Sludge"],
    "filter-1": ["FIT_Flow"],
    "chlorine": ["AIT501_Chlorine"],
    "clearwell": ["LIT601_Level", "PIT601_Pressure"],
    "outstation": ["FIT701_Flow"],
}
"""What a client of the water works reads, five times a second."""


@contextmanager
def asked(plant: Served, reads: dict[str, list[str]], every: float = 0.2) -> Iterator[None]:
    """A client a node meanwhile, which does not mind what it is answered."""
    rows = plant.rows()
    done = threading.Event()

    def ask(address: str, tags: list[str]) -> None:
        with pylogix(address, 3) as plc:
            while not done.wait(every):
                for tag in tags:
                    plc.Read(tag)

    threads = [threading.Thread(target=ask, args=(rows[node]["address"], tags)) for node, tags in reads.items()]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join()


@contextmanager
def silent(pid: int) -> Iterator[None]:
    """A process that is there and does nothing meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def abnormal(plant: Served) -> Iterator[None]:
    """The water works with faults, a forced tag, a stopped node, one that is asked for what it has not, one that is
    killed again and again, and one that says nothing. The last lasts seven seconds: look at once."""
    rows = plant.rows()
    with ExitStack() as stack:
        stack.enter_context(asked(plant, {**READS, "filter-2": ["FIT_Flow", "FIT_Flwo"]}))
        plant.farm("fault", "slow", "--seconds", "0.2", "chlorine", "clearwell")
        plant.farm("fault", "bias", "--tag", "FIT701_Flow", "--by", "25", "--for", "600", "outstation")
        plant.ask("nodes/intake/tags/P_SpeedSP", "PUT", {"value": 65, "mode": "write"})
        plant.ask("nodes/intake/tags/LIT101_Level", "PUT", {"value": 3.39, "mode": "force"})
        plant.farm("stop", "power-pumps")
        with pylogix(rows["intake"]["address"]) as plc:
            plc.Write("P_SpeedSP", 71.5)
            for tag in ("LIT102_Level", "LIT102_Level", "PumpSpeed"):
                plc.Read(tag)
            time.sleep(12)  # of traffic, for rates and curves
            stack.enter_context(crashing(plant, "tower-level"))
            stack.enter_context(silent(rows["lab"]["pid"]))
            until(lambda: plant.condition("lab") == "stale", "a silent node is stale")
            yield


@contextmanager
def crashing(plant: Served, node: str) -> Iterator[None]:
    """A node that is killed whenever it is there, until it is given up."""
    done = threading.Event()

    def kill() -> None:
        while not done.wait(0.1):
            pid = plant.ask(f"nodes/{node}")["row"]["pid"]
            if pid:
                os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        until(lambda: plant.condition(node) == "down", f"{node} is down")
        yield
    finally:
        done.set()
        thread.join()
