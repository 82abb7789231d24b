"""A large plant with its dashboard looked at by many: what that costs, how old what they see is, and what they notice
when there are too many of them or the supervisor dies.

Every node is asked once a second meanwhile, by a process of its own, so that every row of every frame is another one.
What telemetry costs is the nodes' CPU time with a supervisor less that without one (it was killed, nodes live on, and
look for another), and the supervisor's own.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, CDPSession

from farm.dashboard.start import Record
from tests.bench.processes import cpu_seconds, pss_mib
from tests.dashboard.browser.chromium import opened
from tests.dashboard.browser.client import pylogix
from tests.dashboard.browser.served import Served, killed
from tests.soak import plant_load
from tests.soak.endurance import Endurance
from tests.soak.streams import Streams
from tests.waiting import until

VIEWERS, TOO_MANY = 20, 100
RATE = 1.0
"""Requests a second to each node."""
SPAN = 20.0
"""Seconds over which CPU time is taken, where nothing else says how long."""
WEB_PERCENT, TELEMETRY_PERCENT, AGE_MS, API_MS, RECOVERY_S = 5.0, 15.0, 250.0, 100.0, 5.0
PATHS = ("farm", "nodes?limit=50", "events?limit=50", "clients", "nodes/{node}", "nodes/{node}/tags")
GIVEN_UP_S = 60.0
"""Seconds after which nobody waits any more for viewers to recover."""
SETTLED = 900.0
"""Seconds from which on memory must be flat: ten minutes of history fill first."""
GROWTH = 0.02
TOLD = 60.0
"""Seconds between two lines that say how it goes."""


@dataclass(slots=True)
class Found:
    """A line of the table; `most` None is for what is only told."""

    what: str
    value: float
    unit: str
    most: float | None = None

    @property
    def good(self) -> bool:
        """Whether it keeps its bound."""
        return self.most is None or self.value < self.most

    def line(self) -> str:
        """A row of Markdown."""
        bound = "" if self.most is None else f"< {self.most:g} {self.unit}"
        return f"| {self.what} | {self.value:,.1f} {self.unit} | {bound} | {'' if self.good else 'BROKEN'} |"


def quantile(seconds: list[float], part: float) -> float:
    """Milliseconds within which `part` of them are."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] * 1000 if ordered else float("nan")


@contextmanager
def loaded(rows: list[dict[str, Any]], seconds: float) -> Iterator[None]:
    """Every node is asked meanwhile, for so long at most."""
    context = multiprocessing.get_context("spawn")
    asking = context.Process(target=plant_load.load, args=(rows, RATE, seconds), daemon=True)
    asking.start()
    try:
        yield
    finally:
        asking.kill()
        asking.join()


def percent(pids: list[int], seconds: float) -> float:
    """CPU of the processes over so many seconds, of one core."""
    before, begun = cpu_seconds(pids), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(pids) - before) / (time.monotonic() - begun) * 100


def telemetry(plant: Served, nodes: list[int]) -> list[Found]:
    """What reporting costs all nodes together, and the supervisor; there is another one in the end."""
    supervisor = plant.supervisor()
    before = cpu_seconds([supervisor])
    with_one = percent(nodes, SPAN)
    its_own = (cpu_seconds([supervisor]) - before) / SPAN * 100
    killed(supervisor)
    time.sleep(2)
    without = percent(nodes, SPAN)
    plant.farm("ps")
    return [
        Found("CPU of all nodes, asked once a second", with_one, "%"),
        Found("the same without a supervisor", without, "%"),
        Found("CPU of the supervisor, nobody looks", its_own, "%"),
        Found("telemetry: the difference and the supervisor", with_one - without + its_own, "%", TELEMETRY_PERCENT),
    ]


def asking(plant: Served, node: str, seconds: float, every: float = 0.25) -> list[float]:
    """Seconds that answers of the API took, one path after the other."""
    spans: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        path = PATHS[len(spans) % len(PATHS)].format(node=node)
        request = urllib.request.Request(
            f"{plant.url}/api/v1/{path}", headers={"Authorization": f"Bearer {plant.token}"}
        )
        begun = time.perf_counter()
        with urllib.request.urlopen(request, timeout=30) as reply:
            reply.read()
        spans.append(time.perf_counter() - begun)
        time.sleep(every)
    return spans


def main_thread(session: CDPSession) -> float:
    """Seconds that the page's main thread has worked."""
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


def watched(plant: Served, web: int, node: str, browser: Browser, seconds: float) -> list[Found]:
    """Twenty viewers for so long: CPU, ages, the API, memory."""
    supervisor, memory = plant.supervisor(), {"web server": Endurance(), "supervisor": Endurance()}
    pids = {"web server": web, "supervisor": supervisor}
    with opened(browser) as shown, Streams(plant.url, VIEWERS - 1) as streams:
        shown.page.goto(plant.url)
        shown.page.locator(".tile").first.wait_for()
        session = shown.page.context.new_cdp_session(shown.page)
        session.send("Performance.enable")
        time.sleep(3)
        streams.ages.clear()
        begun, worked = time.monotonic(), main_thread(session)
        cpu = {name: cpu_seconds([pid]) for name, pid in pids.items()}
        spans: list[float] = []
        told = TOLD
        while (passed := time.monotonic() - begun) < seconds:
            spans += asking(plant, node, min(10.0, seconds - passed))
            shown.page.title()  # lets its driver take what the browser said
            at = time.monotonic() - begun
            for name, pid in pids.items():
                memory[name].samples.append((at, pss_mib([pid])))
            if at >= told:
                told += TOLD
                sizes = (f"{name} {each.samples[-1][1]:.2f} MiB" for name, each in memory.items())
                print(f"{at:6.0f} s", *sizes, file=sys.stderr, flush=True)
        passed = time.monotonic() - begun
        used = {name: (cpu_seconds([pid]) - cpu[name]) / passed * 100 for name, pid in pids.items()}
        page_ms = (main_thread(session) - worked) / passed * 1000
        errors = len(shown.wrong)
    found = [
        Found("CPU of the web server, 20 viewers", used["web server"], "%", WEB_PERCENT),
        Found("CPU of the supervisor, 20 viewers", used["supervisor"], "%", TELEMETRY_PERCENT),
        Found(f"age of a frame, p50 of {len(streams.ages)}", quantile(streams.ages, 0.5), "ms"),
        Found("age of a frame, p99", quantile(streams.ages, 0.99), "ms", AGE_MS),
        Found(f"an answer of the API, p50 of {len(spans)}", quantile(spans, 0.5), "ms"),
        Found("an answer of the API, p99", quantile(spans, 0.99), "ms", API_MS),
        Found("work of the page's main thread, a second", page_ms, "ms"),
        Found("errors of JavaScript", errors, "", 1),
    ]
    for name, samples in memory.items():
        growth = samples.growth(min(SETTLED, seconds / 2)) * 100
        found.append(Found(f"memory of the {name}, in the end", samples.samples[-1][1], "MiB"))
        bound = GROWTH * 100 if seconds >= 2 * SETTLED else None
        found.append(Found(f"growth of it in the last {'part' if bound else 'half'}", growth, "%", bound))
    return found


def crowd(plant: Served, node: str, seconds: float = 10.0) -> list[Found]:
    """A hundred streams at once: who is refused, and whether the API is still there for so long."""
    time.sleep(3)  # until the server knows that earlier ones are gone, which it learns when it next writes
    with Streams(plant.url, TOO_MANY, patient=False) as streams:
        until(lambda: all(reader.status for reader in streams.readers), "every stream is answered")
        spans = asking(plant, node, seconds, 0.05)
        served = sum(reader.status == 200 for reader in streams.readers)
        refused = [reader for reader in streams.readers if reader.status == 503]
        clean = sum(reader.retry_after for reader in refused)
    return [
        Found(f"streams served of {TOO_MANY}", served, "", 41),
        Found("streams refused otherwise than by 503 and Retry-After", TOO_MANY - served - clean, "", 1),
        Found("an answer of the API meanwhile, p99", quantile(spans, 0.99), "ms", API_MS),
    ]


def bereaved(plant: Served, address: str, tag: str) -> list[Found]:
    """The supervisor dies and another one takes over: how long until all viewers see frames, what a client notices."""
    errors = 0
    with Streams(plant.url, VIEWERS - 1) as streams, pylogix(address) as plc:
        until(lambda: all(reader.newest for reader in streams.readers), "every stream has a frame")
        killed(plant.supervisor())
        for _ in range(20):
            errors += plc.Read(tag).Status != "Success"
            time.sleep(0.1)
        plant.farm("ps")
        back, wall = time.monotonic(), time.time()
        while min(reader.newest for reader in streams.readers) < wall and time.monotonic() - back < GIVEN_UP_S:
            errors += plc.Read(tag).Status != "Success"
            time.sleep(0.05)
        recovered = time.monotonic() - back
    return [
        Found("until all viewers see frames of a new supervisor", recovered, "s", RECOVERY_S),
        Found("errors of a pylogix client meanwhile", errors, "", 1),
    ]


def web_process(plant: Served) -> int:
    """The dashboard's process."""
    record = Record.read(plant.run_root / plant.name / "dashboard" / "web.json")
    assert record is not None
    return record.pid


def soak(plant: Served, browser: Browser, seconds: float, tag: str = "LevelSP") -> Iterator[Found]:
    """All of it, on a plant that is served, as it is found."""
    rows = list(plant.rows().values())
    node = next(row for row in rows if "enip" in row["ports"])
    pids = sorted({row["pid"] for row in rows})
    with loaded(rows, 3600 * 24):
        time.sleep(5)
        yield from telemetry(plant, pids)
        until(lambda: plant.ask("farm")["age_s"] < 2, "frames of the new supervisor", seconds=30)
        yield from watched(plant, web_process(plant), node["name"], browser, seconds)
        yield from crowd(plant, node["name"])
        yield from bereaved(plant, node["address"], tag)
