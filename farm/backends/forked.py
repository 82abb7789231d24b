"""What the backends have in common whose shards are forked from a nursery on this machine: files, processes, their end.

They differ in where and as whom a shard serves (`Place`), and in the networks they make before.
"""

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from farm.backends import limits, pids
from farm.backends.observed import ObservedShard, ShardSpec
from farm.backends.shard_files import ShardFiles
from farm.backends.shards import Shards
from farm.backends.watch import Watch, watch_process
from farm.errors import BackendError
from node.config.model import NodeConfig
from node.control.messages import Place, shard_token

FIRST_USER, USERS = 0x7000_0000, 0x0FFE_0000
"""Uids of nodes: between those that systemd gives to containers and its foreign ones, where nobody else is given any
(https://systemd.io/UIDS-GIDS). Two of a thousand nodes share one in one plant of five hundred."""


class ForkedShards:
    """The shards of the run in `directory`. `run_id` marks their processes, `epoch` is the plant's start on the
    monotonic clock, `control` the socket that they dial, `secret` what their tokens are made from
    (`messages.shard_token`). The nursery prints to nursery.log there."""

    restarts = False

    def __init__(self, directory: Path, run_id: str, epoch: float, control: Path, secret: str) -> None:
        self.files = ShardFiles(directory, run_id, epoch)
        self.run_id = run_id
        self._control = control
        self._secret = secret
        self._shards = Shards(run_id, directory / "nursery.log")

    def strays(self, known: tuple[ObservedShard, ...]) -> tuple[int, ...]:
        """Processes that bear the run's mark and are none of the `known` shards, nor our nursery, nor a dashboard."""
        passing = [*(shard.pid for shard in known if shard.alive), self._shards.nursery]
        return tuple(pid for pid, _ in pids.marked(self.run_id, passing=passing) if not pids.is_dashboard(pid))

    def create(self, shard: ShardSpec) -> None:
        """Write the shard's file. A living shard of that name keeps serving what it serves, and `observe` reports it
        without nodes until it serves what the file says."""
        limits.check_size(shard.nodes, limits.hard_limit())
        self.files.write(shard)

    def place(self, shard: str, nodes: tuple[NodeConfig, ...]) -> Place:
        """Where and as whom a shard is to serve."""
        raise BackendError(shard, "start", "nowhere to serve")

    def start(self, shard: str) -> ObservedShard:
        """Fork it, unless it runs. On return its process is known on disk too."""
        content = self.files.content(shard)
        if content is None:
            path = self.files.path(shard, ".json")
            raise BackendError(shard, "start", f"{path} is missing or damaged: create it first")
        running = self.files.observe_shard(shard)
        if running.alive:
            if running.nodes != content.nodes:
                raise BackendError(shard, "start", f"process {running.pid} serves something else: stop it first")
            return running
        config, log = self.files.path(shard, ".json").absolute(), self.files.log(shard).absolute()
        token, control = shard_token(self._secret, shard), self._control.absolute()
        place = self.place(shard, content.nodes) if sys.platform == "linux" else None
        pid, started = self._shards.fork(shard, config, log, control, token, place)
        try:
            self.files.started(shard, content.digest, pid, started)
        except OSError as exc:
            pids.end(pid, started, grace=0.0)
            raise BackendError(shard, "start", f"cannot write its pid file: {exc}") from exc
        return ObservedShard(shard, pid, started, alive=True, nodes=content.nodes)

    def stop(self, shard: ObservedShard, grace: float) -> None:
        """End that very process. A stray of `Observed` is ended as a shard with `started` 0, if it bears the mark."""
        pid, started = shard.pid, shard.started or pids.marked_start(self.run_id, shard.pid)
        if not started:
            return
        try:
            pids.end(pid, started, grace)
        except BackendError as exc:
            raise BackendError(shard.name, "stop", f"process {pid}: {exc.message}") from exc

    def remove(self, shard: str) -> None:
        """Take away its files but its log."""
        self.files.remove(shard)

    def logs(self, node: str) -> Path:
        """The log of the shard that serves the node; it may not exist yet."""
        return self.files.log_of_node(node)

    def watch(self, shard: ObservedShard, gone: Callable[[], None]) -> Watch:
        """By its pidfd."""
        return watch_process(shard, gone)

    def end_all(self, grace: float = 2.0) -> int:
        """End the nursery and every process of the run but this one, whatever the files say; how many there were.

        Raises `BackendError` with the pids that are left.
        """
        return self._shards.end_all(grace)

    def close(self) -> None:
        """End the nursery. Shards live on."""
        self._shards.close()


LEAST_USERS = 60_000
"""Of a range of subordinate ids that is worth using."""


def own_user(run_id: str, shard: str) -> int:
    """The uid and gid of a shard, the same whenever it is started; 0 where this user cannot give it one: it is not
    root, or root of a user namespace that has no such user."""
    first, count = _users() if os.geteuid() == 0 else (0, 0)
    digest = hashlib.blake2b(f"{run_id}/{shard}".encode(), digest_size=8).digest()
    return first + int.from_bytes(digest, "big") % count if count else 0


def _users() -> tuple[int, int]:
    """The first uid for nodes and how many there are: our own range, or in a user namespace what it has beside its
    root; none where it has no others."""
    try:
        lines = Path("/proc/self/uid_map").read_text().split("\n")
    except OSError:
        return 0, 0
    spans = [(int(first), int(count)) for first, _, count in (line.split() for line in lines if line.strip())]
    for first, count in spans:
        if first <= FIRST_USER and first + count >= FIRST_USER + USERS:
            return FIRST_USER, USERS
    return next(((first, count) for first, count in spans if first > 0 and count >= LEAST_USERS), (0, 0))
