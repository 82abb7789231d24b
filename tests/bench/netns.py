"""Namespaces with a link each, made by our own messages and by pyroute2 as its documentation shows; both do the same:
a namespace with a name, a veth pair to a bridge, MAC, address and permanent neighbours, all up, without IPv6.

Each case is a process of its own in a mount and network namespace of its own, so nothing of it can stay.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from farm.plan.execute import WORKERS
from tests.backends.networks import LAB as NETWORK
from tests.backends.networks import interface
from tests.bench.generators import BenchError

SIZES = (100, 500)
METHODS = ("ours", "pyroute2")
LAB = Path("/run/netns")
LIMIT = 300

TakeAway = Callable[[], None]


def run(runs: int) -> list[str]:
    """The table; medians of `runs`. Raises `BenchError`."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise BenchError("namespaces need root, on Linux")
    lines = [
        "",
        "### Network namespaces with a link each, made one by one with pyroute2, and together as `farm up` does",
        "",
        "| namespaces | pyroute2 | our messages | faster | kernel memory each | taken away |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for size in SIZES:
        found = {method: [_measure(method, size) for _ in range(runs)] for method in METHODS}
        seconds = {method: statistics.median(each["seconds"] for each in found[method]) for method in METHODS}
        slab = statistics.median(each["slab"] for each in found["ours"])
        gone = statistics.median(each["gone"] for each in found["ours"])
        lines.append(
            f"| {size} | {seconds['pyroute2']:.2f} s | {seconds['ours']:.2f} s | "
            f"{seconds['pyroute2'] / seconds['ours']:.0f} times | {slab:.0f} KiB | {gone:.2f} s |"
        )
    return lines


def _measure(method: str, size: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.netns", method, str(size)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    if done.returncode:
        raise BenchError(f"{method}, {size}: {done.stderr.strip().splitlines()[-1:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main(method: str, size: int) -> None:
    """One case, in this process, which is not the same afterwards."""
    from farm.backends.netns_spaces import CLONE_NEWNET, CLONE_NEWNS, MS_PRIVATE, MS_REC, mount, unshare

    unshare(CLONE_NEWNS | CLONE_NEWNET)
    mount("", "/", MS_REC | MS_PRIVATE)
    LAB.mkdir(exist_ok=True)
    mount("tmpfs", str(LAB), 0, "tmpfs")
    before = _slab()
    seconds, take_away = (_ours if method == "ours" else _theirs)(size)
    slab = (_slab() - before) / size
    began = time.perf_counter()
    take_away()
    print(json.dumps({"seconds": seconds, "slab": slab, "gone": time.perf_counter() - began}))


def _ours(size: int) -> tuple[float, TakeAway]:
    from farm.backends.netns_networks import Networks
    from farm.backends.netns_spaces import Spaces
    from farm.backends.netns_switch import Switch
    from farm.backends.netns_wiring import wire_all

    spaces = Spaces("bench")
    switch = Switch(spaces)
    networks = Networks(switch, {})
    networks.create(NETWORK)
    interfaces = [interface(NETWORK, number) for number in range(1, size + 1)]
    began = time.perf_counter()
    for first in range(0, size, WORKERS):
        attached = {f"node.{each.address}": [networks.attach(each)] for each in interfaces[first : first + WORKERS]}
        wire_all(switch, attached)
        networks.introduce([attachment for each in attached.values() for attachment in each])
    seconds = time.perf_counter() - began

    def take_away() -> None:
        for name in spaces.names():
            spaces.drop(name)
        switch.close()

    return seconds, take_away


def _theirs(size: int) -> tuple[float, TakeAway]:
    """One call at a time: `netns.create`, `IPRoute.link`, `NetNS(...).addr`."""
    from pyroute2 import IPRoute, NetNS, netns

    without_ipv6 = [f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6" for name in ("all", "default")]
    for setting in without_ipv6:
        Path(setting).write_text("1")
    names = [f"node.{number}" for number in range(size)]
    interfaces = [interface(NETWORK, number) for number in range(1, size + 1)]
    farm = "02:fb:00:00:00:01"
    kernel = IPRoute()
    kernel.link("add", ifname="b0", kind="bridge", address=farm)
    bridge = kernel.link_lookup(ifname="b0")[0]
    kernel.link("set", index=bridge, state="up")
    began = time.perf_counter()
    for number, (name, each) in enumerate(zip(names, interfaces, strict=True)):
        netns.create(name)
        peer = {"ifname": "eth0", "net_ns_fd": name, "address": each.mac}
        kernel.link("add", ifname=f"p{number}", kind="veth", peer=peer)
        port = kernel.link_lookup(ifname=f"p{number}")[0]
        kernel.link("set", index=port, master=bridge, state="up")
        kernel.neigh("replace", ifindex=bridge, dst=each.address, lladdr=each.mac, state="permanent")
        with NetNS(name) as inner:
            eth0 = inner.link_lookup(ifname="eth0")[0]
            inner.addr("add", index=eth0, address=each.address, prefixlen=each.prefix)
            inner.link("set", index=eth0, state="up")
            inner.link("set", index=1, state="up")
            inner.neigh("replace", ifindex=eth0, dst=NETWORK.watch, lladdr=farm, state="permanent")
    seconds = time.perf_counter() - began

    def take_away() -> None:
        for name in names:
            netns.remove(name)
        kernel.close()

    return seconds, take_away


def _slab() -> int:
    """KiB that the kernel has for its own objects."""
    line = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("Slab:"))
    return int(line.split()[1])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
