"""Tests side by side: which stay together, and a machine of its own for every worker.

Tests take fixed loopback addresses and fixed names of namespaces and links, as people do. Two at once would meet, so
where it may, a worker of pytest-xdist begins by leaving the machine: it gets a network namespace with loopback and one
interface that its default route leads out of, its own /run/netns, and the /sys that goes with it. What leaves by that
interface makes the session fail as on the machine's own (`tests.wire_watch`). Where namespaces cannot be made, tests
run one after the other.

Files are dealt out whole, for what a module shares, and those of `TOGETHER` as one. Tests marked `quiet` are bounded by
a clock and are not for this: `make test` runs them afterwards, alone.
"""

from __future__ import annotations

import gc
import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
from xdist.scheduler import LoadScopeScheduling

from farm.backends.netns_spaces import (
    CLONE_NEWNET,
    CLONE_NEWNS,
    MS_BIND,
    MS_PRIVATE,
    MS_REC,
    PINS,
    inside,
    mount,
    unshare,
)
from farm.topology.collector import paused_collection

T = TypeVar("T")

TOGETHER = {
    "peers": ("tests/peers/",),
    "containers": ("tests/backends/test_docker", "tests/backends/test_contract", "tests/backends/test_swarm"),
    "browser": ("tests/dashboard/browser/",),
}
"""Tests whose paths begin so have a capture and plants, or a daemon, or a browser, for the whole session."""
CHECKED = ("architecture", "docs")
"""Folders whose tests `make check` runs, but for slow ones."""
FIRST = (
    *("tests/peers/", "tests/backends/test_docker", "tests/backends/test_contract", "tests/fuzz/"),
    *("tests/dashboard/browser/", "tests/docs/", "tests/soak/", "tests/farm/", "tests/backends/"),
)
"""What takes longest is begun first, so that no worker has much left when the others are done."""
CGROUPS = Path("/sys/fs/cgroup")
RESOLVER = Path("/etc/resolv.conf")
OWN, FAR, ADDRESS = "own0", "far0", "192.0.2.2/24"
"""A worker's interface, and the end of its cable, where nobody is."""

_kept: list[int] = []
"""Descriptors of network namespaces, in a worker: the one that it left, and that of the far end."""


class Together(LoadScopeScheduling):
    """Deals out files, and folders that stay together; what takes longest first."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((name for name, starts in TOGETHER.items() if file.startswith(starts)), file)


def rank(nodeid: str) -> int:
    """Where a test stands among others."""
    return next((at for at, start in enumerate(FIRST) if nodeid.startswith(start)), len(FIRST))


def workers() -> int:
    """How many may work at once: one a core, none (which is: no workers) where they would be in each other's way."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return 0
    probe = subprocess.run(["unshare", "--net", "--mount", "true"], capture_output=True, check=False)
    return 0 if probe.returncode else max(2, os.cpu_count() or 1)


def leave_machine() -> None:
    """Puts the calling thread, which must be the main one, on a machine of its own."""
    _kept.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
    unshare(CLONE_NEWNET | CLONE_NEWNS)
    mount("", "/", MS_REC | MS_PRIVATE)
    cgroups = os.open(CGROUPS, os.O_PATH | os.O_CLOEXEC)
    PINS.mkdir(parents=True, exist_ok=True)
    mount("tmpfs", str(PINS), 0, "tmpfs")
    mount("sysfs", "/sys", 0, "sysfs")
    mount(f"/proc/self/fd/{cgroups}", str(CGROUPS), MS_BIND | MS_REC)
    os.close(cgroups)
    far = inside(_kept[0], _new_network)
    _kept.append(far)
    Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
    for command in (
        "link set lo up",
        f"link add {OWN} type veth peer {FAR} netns /proc/{os.getpid()}/fd/{far}",
        f"link set {OWN} up",
        f"address add {ADDRESS} dev {OWN}",
        f"route add default dev {OWN}",
        *(f"route add unreachable {server}" for server in name_servers()),
    ):
        _ip(command)
    inside(far, lambda: _ip(f"link set {FAR} up"))


def name_servers(resolver: Path = RESOLVER) -> list[str]:
    """Those that a resolv.conf names by IPv4 and elsewhere than here. Nobody answers for them on a worker's machine: a
    name that is looked up is not to be waited for."""
    lines = (line.split() for line in (resolver.read_text().splitlines() if resolver.exists() else ()))
    found = (words[1] for words in lines if words[:1] == ["nameserver"] and len(words) > 1)
    return [each for each in dict.fromkeys(found) if each.count(".") == 3 and not each.startswith("127.")]


def _new_network() -> int:
    unshare(CLONE_NEWNET)
    Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True)


def on_the_machine(work: Callable[[], T]) -> T:
    """What `work` returns or raises, done in the machine's own network: there alone is a way to what is downloaded."""
    return inside(_kept[0], work) if _kept else work()


def worker_number() -> int:
    """Of this worker, from 0; 0 without workers."""
    return int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """For `-n auto`."""
    return workers()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """Whatever `--dist` says: tests of one file never run at the same time."""
    config.option.loadscopereorder = False
    return Together(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The order in which they are dealt out; a session without workers keeps that of files."""
    if is_worker(config):
        items.sort(key=lambda item: rank(item.nodeid))


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Out of the way of the collector of cycles, which would walk thousands of tests again and again: a quarter of the
    time. They stay to the end, so nor does it walk them later."""
    with paused_collection():
        if is_worker(session.config) and worker_number() % 2 and whole_tree(session.config):
            import_backwards(session.config.rootpath)
        collected = yield
    gc.freeze()
    return collected


def import_backwards(root: Path) -> None:
    """Import all tests from the last to the first. Rewriting their assertions takes three times as long as all else of
    collecting, and what one process has rewritten the others read: so two that come towards each other do half of it
    each. What cannot be imported is told when it is collected."""
    for path in sorted(root.glob("tests/**/test_*.py"), reverse=True):
        with suppress(Exception, pytest.skip.Exception):
            importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))


def whole_tree(config: pytest.Config) -> bool:
    """Whether no file or folder was asked for."""
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Of the whole tree, files are not imported in which nothing is to be run, for importing all takes many seconds:
    where those marked `quiet` are asked for, the many without one, and where `make check` has gone well before
    (PLCFARM_CHECKED=1), those of its folders without a slow one."""
    if not whole_tree(config) or not collection_path.match("test_*.py"):
        return None
    wanted = "quiet" if config.option.markexpr == "quiet" else ""
    if not wanted and os.environ.get("PLCFARM_CHECKED") == "1":
        wanted = "slow" if collection_path.parent.name in CHECKED else ""
    return (wanted and f"mark.{wanted}" not in collection_path.read_text(encoding="utf-8")) or None


def is_worker(config: pytest.Config) -> bool:
    """Whether this process runs tests for another one."""
    return hasattr(config, "workerinput")
