"""Keeps shards alive: watches their processes, starts again what died, asks nodes whether they are up.

It acts on a shard that nobody else is changing: while a plan is carried out its shards are `taken`, and what happens to
them is the plan's affair. All state of nodes is in the roster; here are only timers, watches and policies.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

from farm.backends.backend import Backend
from farm.backends.observed import ObservedShard, ShardSpec
from farm.backends.watch import Watch, Watcher
from farm.errors import FarmError
from farm.supervisor.control import Session
from farm.supervisor.probe import AT_ONCE
from farm.supervisor.restart import RestartPolicy
from farm.supervisor.roster import CRASH_LOOP, DOWN, RESTARTING, STARTING, STOPPED, UP, Member, Roster
from node.config.load import dump
from node.config.model import NodeConfig
from node.control.messages import PIDS, SHARD_START
from node.errors import NodeError

log = logging.getLogger(__name__)

T = TypeVar("T")

Probe = Callable[[NodeConfig], Awaitable[None]]

ASK_AGAIN = 0.2
"""Seconds between two probes of a node that has not answered yet."""
PATIENCE = 30.0
"""Seconds of no answer after which a node counts as down. It is asked on."""
LAST_WORDS = 0.05
"""Seconds after the end of a process in which what it had said is still read: why it ended, as a rule."""
SERVER_STOP, SERVER_START = "server/stop", "server/start"


class Keeper:
    """Watches and revives. `find_session` gives the control session of a process if it has one; `stopped` are nodes
    that are not to serve; `restarted` is called after a restart was counted, `listens` with the name of a node that
    listens and can be told things. A node that has not answered for `patience` seconds counts as down."""

    def __init__(
        self,
        backend: Backend,
        roster: Roster,
        stopped: set[str],
        *,
        watcher: Watcher,
        probe: Probe,
        find_session: Callable[[str, int], Session | None],
        restarted: Callable[[], None],
        listens: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
    ) -> None:
        self._patience = patience
        self.running: dict[str, ObservedShard] = {}
        self.taken: set[str] = set()
        self._backend = backend
        self._roster = roster
        self._stopped = stopped
        self._watcher = watcher
        self._probe = probe
        self._find_session = find_session
        self._restarted = restarted
        self._listens = listens
        self._clock = clock
        self._watches: dict[str, Watch] = {}
        self._policies: dict[str, RestartPolicy] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: dict[str, tuple[Member, int]] = {}
        self._reviving: set[asyncio.Task[None]] = set()
        self._blocking: set[asyncio.Task[Any]] = set()
        self._paused = False
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._closed = False

    def adopt(self, shard: ObservedShard) -> None:
        """The shard's process runs: watch it, and find out how its nodes are."""
        known = self.running.get(shard.name)
        if known is None or (known.pid, known.started) != (shard.pid, shard.started):
            self.release(shard.name)
            self._watches[shard.name] = self._watcher(shard, lambda: self._ends(shard.pid, shard.name))
            self._policy(shard.name).started(self._clock())
        self.running[shard.name] = shard
        served = self._roster.serve(shard)
        session = self._find_session(shard.name, shard.pid)
        for member in served:
            if session is not None:
                self.heard(session, member)

    def ask_all(self) -> None:
        """Ask every node whether it is up, whether or not it has said that it listens: it may have been serving for
        hours before this supervisor came."""
        for member in self._roster.members.values():
            if member.pid and member.state == STARTING:
                self._ask(member)

    def release(self, shard: str) -> None:
        """What becomes of the shard's process is somebody else's affair."""
        watch = self._watches.pop(shard, None)
        if watch is not None:
            watch.close()
        timer = self._timers.pop(shard, None)
        if timer is not None:
            timer.cancel()
        if self.running.pop(shard, None) is not None:
            for member in self._roster.of_shard(shard):
                member.pid, member.listening = 0, False

    def release_process(self, pid: int) -> None:
        """The same for a process that is of none of its shards any more: its end says nothing about them."""
        for shard in [name for name, known in self.running.items() if known.pid == pid]:
            self.release(shard)

    def heard(self, session: Session, member: Member) -> None:
        """The session may have said something about the member. It may have done so before its process was known
        here, and be listened to when it is: a platform can take longer to say that it has started a node than the node
        takes to start."""
        name = member.config.name
        if not session.is_of(member.pid) or member.shard != session.shard:
            return
        if name in session.ready:
            self._roster.listens(member, session.ready[name])
            self._listens(name)
            if name in self._stopped:
                self.spawn(self._silence(session, member))
            elif member.state != UP:
                self._ask(member)
        elif name in session.failed:
            member.listening = False
            self._roster.set_state(member, DOWN, session.failed[name])
            if member.shard not in self.taken and len(self._roster.of_shard(member.shard)) > 1:
                self._retry(member)

    def lost(self, shard: str, error: str) -> None:
        """The shard's process ended, or could not be started: start it again when its policy says so."""
        if self._closed or not self._roster.of_shard(shard):
            return
        policy = self._policy(shard)
        delay = policy.died(self._clock())
        state = CRASH_LOOP if policy.crash_loop else RESTARTING
        for member in self._roster.of_shard(shard):
            self._roster.set_state(member, state, error, f"{error}; started again in {delay:g} s")
        self._timers[shard] = asyncio.get_running_loop().call_later(delay, self._due, shard)

    def count_restart(self, shard: str) -> None:
        """The shard died and was started again."""
        for member in self._roster.of_shard(shard):
            member.restarts += 1
        self._restarted()

    async def pause(self) -> None:
        """Starts nothing until `resume`, and returns when nothing is being started: what is observed then stays so."""
        self._paused = True
        if self._reviving:
            await asyncio.wait(self._reviving)

    def resume(self) -> None:
        """Goes on."""
        self._paused = False

    def give_back(self) -> None:
        """What was taken is kept alive again; what died or did not start meanwhile is started by its policy."""
        taken, self.taken = self.taken, set()
        self.resume()
        for shard in taken:
            members = self._roster.of_shard(shard)
            if members and shard not in self.running and shard not in self._timers:
                self.lost(shard, members[0].error or "not running")

    async def close(self) -> None:
        """Watches nothing and starts nothing any more; returns when what had begun has ended."""
        self._closed = True
        for shard in [*self._watches, *self._timers]:
            self.release(shard)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._blocking:  # a thread is not cancelled: it would make files in a folder that is being removed
            await asyncio.wait(self._blocking)

    async def _in_thread(self, work: Callable[..., T], *args: object) -> T:
        """What the backend answers, which may take it as long as a network does; `close` waits for its end."""
        task = asyncio.create_task(asyncio.to_thread(work, *args))
        self._blocking.add(task)
        task.add_done_callback(self._blocking.discard)
        return await asyncio.shield(task)

    def _policy(self, key: str) -> RestartPolicy:
        return self._policies.setdefault(key, RestartPolicy())

    def _ends(self, pid: int, shard: str) -> None:
        """The process is gone, but what it said last may not have been read yet."""
        asyncio.get_running_loop().call_later(LAST_WORDS, lambda: self.spawn(self._ended(pid, shard)))

    async def _ended(self, pid: int, shard: str) -> None:
        """While its words are fetched the shard counts as running: whoever replaces or releases it meanwhile has seen
        to it, and what that process said is nobody's state any more."""
        if not self._runs(pid, shard):
            return
        words: dict[str, str] = {}
        if shard in self.taken:
            members = self._roster.of_shard(shard)
            for member in members:
                member.pid, member.listening = 0, False  # nobody is to be asked at its ports
            silent = [member.config.name for member in members if member.state != DOWN]
            words = await self._in_thread(self._last_words, silent)
            if not self._runs(pid, shard):
                return
        members = self._roster.of_shard(shard)
        failed = [member.error for member in members if member.state == DOWN]
        self.release(shard)
        reason = f"its process ({pid}) ended" if pid < PIDS else "its process ended"
        if shard not in self.taken:
            self.lost(shard, failed[0] if failed else reason)
            return
        for member in members:
            if member.state != DOWN:  # what the node itself said is better
                said = words.get(member.config.name, "")
                self._roster.set_state(member, DOWN, f"{reason} while it was starting{said}")

    def _runs(self, pid: int, shard: str) -> bool:
        """Whether it is still that process which the shard's nodes are served by."""
        known = self.running.get(shard)
        return known is not None and known.pid == pid

    def _last_words(self, nodes: Sequence[str]) -> dict[str, str]:
        """The last line of each node's log, as the end of a sentence. Blocks: a platform may have to fetch it."""
        words = {}
        for node in nodes:
            lines: list[str] = []
            with contextlib.suppress(FarmError, OSError):
                path = self._backend.logs(node)
                with path.open("rb") as file:
                    file.seek(max(0, path.stat().st_size - 4096))
                    lines = file.read().decode(errors="replace").strip().splitlines()
            words[node] = f": {lines[-1]}" if lines else ""
        return words

    def _due(self, shard: str) -> None:
        self._timers.pop(shard, None)
        if self._paused:
            self._timers[shard] = asyncio.get_running_loop().call_later(ASK_AGAIN, self._due, shard)
        elif shard not in self.taken:
            task = self.spawn(self._revive(shard))
            if task is not None:
                self._reviving.add(task)
                task.add_done_callback(self._reviving.discard)

    async def _revive(self, shard: str) -> None:
        members = self._roster.of_shard(shard)
        spec = ShardSpec(shard, tuple(member.config for member in members))
        try:
            await self._in_thread(self._backend.create, spec)
            found = await self._in_thread(self._backend.start, shard)
        except FarmError as exc:
            self.lost(shard, str(exc))
            return
        if self._closed:
            return
        self.count_restart(shard)
        self.adopt(found)

    def _retry(self, member: Member) -> None:
        """A node that failed beside others that serve: its shard is told to start it again, by the same policy."""
        name = member.config.name
        policy = self._policy(f"{member.shard}/{name}")
        delay = policy.died(self._clock())
        loop = asyncio.get_running_loop()
        loop.call_later(delay, lambda: self.spawn(self._start_again(member, member.pid)))

    async def _start_again(self, member: Member, pid: int) -> None:
        session = self._find_session(member.shard, pid)
        if session is None or member.pid != pid or member.state != DOWN or member.shard in self.taken:
            return
        with contextlib.suppress(FarmError):  # if it fails again, the shard says so
            await session.command(member.config.name, SHARD_START, dump(member.config))

    async def _silence(self, session: Session, member: Member) -> None:
        try:
            await session.command(member.config.name, SERVER_STOP)
        except FarmError as exc:
            self._roster.set_state(member, DOWN, f"cannot be stopped: {exc}")
        else:
            self._roster.set_state(member, STOPPED)

    def _ask(self, member: Member) -> None:
        name = member.config.name
        asked, pid = self._asking.get(name, (None, 0))
        if asked is not member or pid != member.pid:
            self._asking[name] = (member, member.pid)
            self.spawn(self._ask_until_up(member, member.pid))

    async def _ask_until_up(self, member: Member, pid: int) -> None:
        name = member.config.name
        late = self._clock() + self._patience
        while self._roster.members.get(name) is member and member.pid == pid and member.state != STOPPED:
            error = await self._one_probe(member)
            if member.pid != pid:
                break
            if not error:
                self._roster.set_state(member, UP)
                break
            if self._clock() >= late:
                self._roster.set_state(member, DOWN, error)
            else:
                member.error = error
            await asyncio.sleep(ASK_AGAIN)
        if self._asking.get(name) == (member, pid):
            del self._asking[name]

    async def _one_probe(self, member: Member) -> str:
        """What is wrong with the answer; "" when nothing is."""
        if not member.reachable or member.hiding:
            return "" if member.listening else "it does not listen yet"
        async with self._turn:
            try:
                await self._probe(member.config)
            except NodeError as exc:
                return str(exc)
        return ""

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None] | None":
        """Does `work` beside the rest, until `close`; what it raises is a bug and logged."""
        if self._closed:
            work.close()
            return None
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a bug in the supervisor", exc_info=task.exception())
