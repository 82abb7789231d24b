"""Modbus/TCP: a farm node beside pymodbus's server and one in C on libmodbus, by one generator, and what polls cost."""

from __future__ import annotations

import contextlib
from functools import partial

from tests.bench import generators, polling, processes, servers
from tests.bench.requests import compare, measure, median
from tests.bench.servers import Server

CASES = [
    ("one register, one client", ["-n", "1"]),
    ("100 registers, one client", ["-n", "100", "-a", "500"]),
    ("one register, 50 clients", ["-n", "1", "-c", "50"]),
    ("100 registers, 50 clients", ["-n", "100", "-a", "500", "-c", "50"]),
    ("one register, 16 in flight", ["-n", "1", "-p", "16", "-t", "500"]),
    ("100 registers, 16 in flight", ["-n", "100", "-a", "500", "-p", "16", "-t", "500"]),
]
LONGEST = 5.0
"""Seconds for which a node under signals is looked at, twice."""


def run(runs: int, seconds: float, core: int) -> list[str]:
    """All tables, as Markdown; the generator and the pollers run on `core`, the servers on core 0."""
    generator = partial(generators.modbus, core=core)
    title = ["", "### Modbus/TCP, one farm node beside pymodbus's server and one in C on libmodbus", ""]
    title += [f"Servers on core 0, generator on core {core}; ratios by rate and, in brackets, by the server's CPU.", ""]
    print("\n".join(title), flush=True)
    with contextlib.ExitStack() as stack:
        node = stack.enter_context(servers.farm_node())["modbus"]
        peers = [stack.enter_context(servers.pymodbus()), stack.enter_context(servers.libmodbus())]
        lines = title + compare([node], peers, generator, CASES, runs, seconds)
        lines += ["", ceiling(stack.enter_context(servers.floor()), generator, runs, seconds)]
        lines += polling.pollers(node, runs, seconds, core)
    lines += polling.signals(min(LONGEST, runs * seconds))
    print("\n".join(lines[len(title) + len(CASES) + 2 :]), flush=True)
    return lines


def ceiling(server: Server, generator: partial[generators.ReplyRow], runs: int, seconds: float) -> str:
    """What is left of one request in flight when the server does nothing."""
    processes.pin(processes.tree(server.pids[0]))
    figure = median([measure(server, generator, seconds, ["-n", "1", "-1"])[0] for _ in range(runs)])
    return (
        f"An asyncio server that sends fixed bytes and looks at nothing reaches {figure.rate:,.0f} req/s with one "
        f"request in flight ({figure.cpu_us:.1f} µs CPU): the rest of that case is the kernel's and the generator's."
    )
