"""A backend that keeps everything in a dict: tests of plans, roll-back and supervision, without a process.

`fail_at` makes the n-th operation that changes something fail, which a real platform does when one does not look.
"""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from farm.backends.observed import Observed, ObservedShard, ShardSpec
from farm.backends.watch import Watch
from farm.errors import BackendError
from farm.topology.wiring import GOOD, LinkQuality, Segment, Shaping


class MemoryBackend:
    """`operations` lists what was asked, in order, as (operation, name). `logs` lie in `directory`, and are empty."""

    name = "memory"
    restarts = False
    inside = True

    def __init__(self, directory: Path = Path("/nowhere")) -> None:
        self.operations: list[tuple[str, str]] = []
        self.fail_at = 0
        """Which operation from now on fails, counted from 1; 0 lets all succeed. It fails once."""
        self._directory = directory
        self._lock = threading.Lock()
        self._specs: dict[str, ShardSpec] = {}
        self._running: dict[str, ObservedShard] = {}
        self._networks: dict[str, Segment] = {}
        self._links: dict[str, Shaping] = {}
        self._waiting: set[_Watch] = set()
        self._strays: set[int] = set()
        self._last_pid = 1_000_000

    def observe(self) -> Observed:
        """The shards that were created or run, the strays and the networks."""
        with self._lock:
            names = sorted({*self._specs, *self._running})
            shards = tuple(self._observed(name) for name in names)
            networks = tuple(self._networks[name] for name in sorted(self._networks))
            return Observed(shards, tuple(sorted(self._strays)), networks, dict(self._links))

    def create_network(self, segment: Segment) -> None:
        """Remember it."""
        self._do("create_network", segment.name, lambda: self._networks.update({segment.name: segment}))

    def remove_network(self, network: str) -> None:
        """Forget it."""
        self._do("remove_network", network, lambda: self._networks.pop(network, None))

    def create(self, shard: ShardSpec) -> None:
        """Remember what the shard is to serve; one that runs goes on with what it serves."""

        def keep() -> None:
            self._specs[shard.name] = shard

        self._do("create", shard.name, keep)

    def start(self, shard: str) -> ObservedShard:
        """Pretend that it runs, under a pid that no process has; one that runs is left as it is."""

        def run() -> None:
            if shard not in self._specs:
                raise BackendError(shard, "start", "create it first")
            found = self._running.get(shard)
            if found is not None and found.alive:
                if found.nodes != self._specs[shard].nodes:
                    raise BackendError(shard, "start", "it serves something else: stop it first")
                return
            self._last_pid += 1
            nodes = self._specs[shard].nodes
            self._running[shard] = ObservedShard(shard, self._last_pid, self._last_pid, alive=True, nodes=nodes)

        self._do("start", shard, run)
        return self._running[shard]

    def stop(self, shard: ObservedShard, grace: float) -> None:
        """Pretend that it ended; a stray too."""

        def end() -> None:
            self._strays.discard(shard.pid)
            found = self._running.get(shard.name)
            if found is not None and found.pid == shard.pid:
                self._die(shard.name)

        self._do("stop", shard.name, end)

    def remove(self, shard: str) -> None:
        """Forget it. One that runs becomes a stray, as a process without its files does."""

        def forget() -> None:
            self._specs.pop(shard, None)
            found = self._running.pop(shard, None)
            if found is not None and found.alive:
                self._strays.add(found.pid)

        self._do("remove", shard, forget)

    def logs(self, node: str) -> Path:
        """Where a log would be."""
        return self._directory / f"{node}.log"

    def shape(self, node: str, quality: LinkQuality) -> Shaping:
        """Remember it; nodes would have to play all of a delay."""
        shaping = Shaping(quality, "in a dict", LinkQuality(delay=quality.delay, jitter=quality.jitter))

        def keep() -> None:
            self._links.pop(node, None)
            if quality != GOOD:
                self._links[node] = shaping

        self._do("shape", node, keep)
        return shaping

    def watch(self, shard: ObservedShard, gone: Callable[[], None]) -> Watch:
        """Tells of what `kill` and `stop` do."""
        watch = _Watch(self._waiting, shard.pid, asyncio.get_running_loop(), gone)
        self._waiting.add(watch)
        return watch

    def kill(self, shard: str) -> None:
        """The shard's process dies without being asked."""
        with self._lock:
            self._die(shard)

    def _observed(self, name: str) -> ObservedShard:
        found, spec = self._running.get(name), self._specs.get(name)
        wanted = spec.nodes if spec is not None else ()
        if found is None:
            return ObservedShard(name, pid=0, started=0, alive=False, nodes=wanted)
        if not found.alive:
            return ObservedShard(name, found.pid, found.started, alive=False, nodes=wanted)
        nodes = found.nodes if found.nodes == wanted else ()
        return ObservedShard(name, found.pid, found.started, alive=True, nodes=nodes)

    def _die(self, name: str) -> None:
        found = self._running[name]
        self._running[name] = ObservedShard(name, found.pid, found.started, alive=False, nodes=found.nodes)
        for watch in [watch for watch in self._waiting if watch.pid == found.pid]:
            watch.ring()

    def _do(self, operation: str, name: str, change: Callable[[], object]) -> None:
        with self._lock:
            self.operations.append((operation, name))
            if self.fail_at:
                self.fail_at -= 1
                if not self.fail_at:
                    raise BackendError(name, operation, "told to fail")
            change()


class _Watch:
    """Waits for `kill` or `stop` of one pretended process."""

    def __init__(
        self, watches: "set[_Watch]", pid: int, loop: asyncio.AbstractEventLoop, gone: Callable[[], None]
    ) -> None:
        self.pid = pid
        self._watches = watches
        self._loop = loop
        self._gone = gone

    def ring(self) -> None:
        """The process is gone."""
        if self in self._watches:
            self._watches.discard(self)
            self._loop.call_soon_threadsafe(self._gone)

    def close(self) -> None:
        """Waits no longer."""
        self._watches.discard(self)
