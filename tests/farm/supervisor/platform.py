"""A farm's world without processes: a backend in memory whose shards dial the control socket as real ones do, clients
that answer or do not, and deaths when a test says so."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

from farm.backends.memory import MemoryBackend
from farm.backends.observed import ObservedShard, ShardSpec
from farm.supervisor.run_directory import RunDirectory
from farm.supervisor.state import Identity
from farm.supervisor.supervisor import Supervisor
from node.client.failure import NoAnswer
from node.config.model import NodeConfig
from node.control.messages import shard_token


class Platform(MemoryBackend):
    """`failing` are nodes that cannot listen, with the reason; `silent` those that listen and never answer; `stillborn`
    are shards whose process ends at once."""

    def __init__(self, run: RunDirectory) -> None:
        super().__init__(run.path)
        self.run = run
        self.token = ""
        self.failing: dict[str, str] = {}
        self.silent: set[str] = set()
        self.stillborn: set[str] = set()
        self.probed: list[str] = []
        self.stopped_in_time = True
        self._streams: dict[str, socket.socket] = {}
        self._watches: dict[int, list[Callable[[], None]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def create(self, shard: ShardSpec) -> None:
        """Refuses a shard that the state on disk does not know of: a supervisor that was killed now would lose it."""
        plant = json.loads(self.run.state_file.read_text())["plant"]
        self.stopped_in_time &= {node.name for node in shard.nodes} <= {node["name"] for node in plant["nodes"]}
        super().create(shard)

    def start(self, shard: str) -> ObservedShard:
        found = super().start(shard)
        self.dial(found)
        if shard in self.stillborn:
            self.die(shard)
        return found

    def stop(self, shard: ObservedShard, grace: float) -> None:
        super().stop(shard, grace)
        self._hang_up(shard.name)
        for gone in self._watches.pop(shard.pid, []):  # who still waits for it
            assert self._loop is not None
            self._loop.call_soon_threadsafe(gone)

    def dial(self, shard: ObservedShard) -> None:
        """The shard says hello, and how its nodes are, unless it was running already."""
        if shard.name in self._streams:
            return
        stream = socket.socket(socket.AF_UNIX)
        try:
            stream.connect(str(self.run.control_socket))
        except OSError:  # the supervisor has just left
            stream.close()
            raise
        self._streams[shard.name] = stream
        token = shard_token(self.token, shard.name)
        self.say(shard.name, {"type": "hello", "token": token, "shard": shard.name, "pid": shard.pid, "started": 1})
        for node in shard.nodes:
            if node.name in self.failing:
                self.say(shard.name, {"type": "failed", "node": node.name, "error": self.failing[node.name]})
            else:
                self.say(shard.name, {"type": "ready", "node": node.name, "ports": node.ports})

    def say(self, shard: str, message: dict[str, Any]) -> None:
        """One message on the shard's control stream."""
        self._streams[shard].sendall(json.dumps(message).encode() + b"\n")

    def told(self, shard: str) -> list[tuple[str, int]]:
        """(type, every) of the messages that came to the shard since this was asked last."""
        data = self._streams[shard].recv(1 << 16)
        return [(message["type"], message["every"]) for message in map(json.loads, data.splitlines())]

    def die(self, shard: str) -> None:
        """Its process ends without being asked."""
        found = next(each for each in self.observe().shards if each.name == shard)
        super().kill(shard)
        self._hang_up(shard)
        assert self._loop is not None
        for gone in self._watches.pop(found.pid, []):
            self._loop.call_soon_threadsafe(gone)

    def close(self) -> None:
        """All streams are closed; a test has ended."""
        for shard in list(self._streams):
            self._hang_up(shard)

    def watch(self, shard: ObservedShard, gone: Callable[[], None]) -> "FakeWatch":
        """A `Watcher`."""
        self._loop = asyncio.get_running_loop()
        if not any(each.pid == shard.pid and each.alive for each in self.observe().shards):
            self._loop.call_soon(gone)
        self._watches.setdefault(shard.pid, []).append(gone)
        return FakeWatch(self._watches, shard.pid)

    async def probe(self, config: NodeConfig) -> None:
        """A `Probe`."""
        self.probed.append(config.name)
        if config.name in self.silent:
            raise NoAnswer(config.address, 44818, "no answer within 5 s")

    def _hang_up(self, shard: str) -> None:
        stream = self._streams.pop(shard, None)
        if stream is not None:
            stream.close()

    def disown(self, shard: str) -> None:
        """Its process runs on, and is of no shard any more."""
        self.remove(shard)
        self._hang_up(shard)

    def running(self) -> dict[str, int]:
        """Living shards and their pids."""
        return {shard.name: shard.pid for shard in self.observe().shards if shard.alive}


class FakeWatch:
    """Nobody is called for this process any more once it is closed."""

    def __init__(self, watches: dict[int, list[Callable[[], None]]], pid: int) -> None:
        self._watches = watches
        self._pid = pid

    def close(self) -> None:
        self._watches.pop(self._pid, None)


@contextlib.asynccontextmanager
async def supervisor(platform: Platform, stay: bool = True) -> AsyncIterator[Supervisor]:
    """A supervisor of the platform's run, started; in the end it leaves, and the nodes stay."""
    run = platform.run
    run.prepare()
    identity = Identity.read(run) or Identity.new(run, "memory")
    identity.write(run)
    platform.token = identity.token
    platform._loop = asyncio.get_running_loop()
    found = Supervisor(run, identity, platform, probe=platform.probe)
    await found.start()
    try:
        yield found
    finally:
        await found.stop()


P = TypeVar("P", bound=Platform)


def new_platform(root: Path, make: Callable[[RunDirectory], P] = Platform) -> P:  # type: ignore[assignment]
    """A platform with a run of its own."""
    run = RunDirectory(root / "works")
    run.prepare()
    return make(run)
