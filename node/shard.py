"""A worker that serves K controllers on one loop, and is the one that talks to the farm for them.

K = 1 is the farm's default and takes the same path as any other K. The shard says who it is on disk before it binds an
address, so that a farm which was killed in between can find it; it serves on when the farm is gone; SIGTERM ends it at
once, or within two seconds where a reply waits for its time. A node that cannot start is `failed` with its reason and
the others go on; a shard left without any node from the start ends with exit code 1. Messages: `node.control.messages`.
"""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from node.config.load import load
from node.control.agent import TCP, Agent, relay_address
from node.control.messages import (
    BEGAN_VARIABLE,
    FAILED,
    NO_PID,
    READY,
    SHARD_START,
    SHARD_STOP,
    Message,
    PidFile,
    ShardFile,
    boot_id,
    checked_mark,
    digest_nodes,
    instance_number,
    read_file,
    start_time,
)
from node.controller import Controller
from node.errors import NodeError
from node.record import dataclass
from node.server.descriptors import raise_descriptor_limit
from node.server.loop import new_loop

if TYPE_CHECKING:
    from node.server.doorway import Doorway

log = logging.getLogger(__name__)

STOP_SECONDS = 1.6
"""Time for all controllers to close, replies that wait for their time included (`ports.LAST_ANSWERS`); what is left is
closed by the end of the process."""
LAST_WORDS_SECONDS = 2.0
"""How long a shard that failed looks for a farm to tell it to."""


class Shard:
    """The controllers of one shard file and their control stream. `pid_file` is a descriptor, -1 for none, `doorway`
    where sockets of the machine are had that the nodes are to serve as well, `instance` what it is known by where pids
    say nothing."""

    def __init__(
        self,
        prepared: "Prepared",
        control: str,
        token: str,
        pid_file: int = -1,
        doorway: "Doorway | None" = None,
        instance: str = "",
    ) -> None:
        self._file = file = prepared.file
        self._pid_file = pid_file
        self._doorway = doorway
        self._token = token
        self._wanted: dict[str, Message] = {_name_of(node): node for node in file.nodes}
        self._made = prepared.controllers
        self._digest = prepared.digest
        self._checked = prepared.checked
        self._controllers: dict[str, Controller] = {}
        self._failed: dict[str, str] = {}
        self._agent = Agent(control, self)
        self._changing = asyncio.Lock()
        self._told = asyncio.Event()
        self._started = start_time(os.getpid())
        if instance:
            self._pid = instance_number(instance)
        elif file.pid_file:
            self._pid = os.getpid()
        else:
            self._pid = NO_PID if control.startswith(TCP) else 0

    async def run(self) -> int:
        """Serve until SIGTERM or SIGINT; the exit code."""
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda signum, frame: loop.call_soon_threadsafe(self._told.set))
        try:
            self._write_pid_file()
        except OSError as exc:
            log.error("cannot write the pid file: %s", exc)
            self._failed = dict.fromkeys(self._wanted, f"cannot write the pid file: {exc}")
        talking = loop.create_task(self._agent.run())
        await self._start_all()
        if not self._controllers and not self._told.is_set():
            return await self._give_up()
        await self._told.wait()
        talking.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop_all(), STOP_SECONDS)
        return 0

    def hello(self) -> Message:
        """The fields of `hello`."""
        return {
            "token": self._token,
            "shard": self._file.shard,
            "pid": self._pid,
            "started": self._started,
            "nodes": list(self._wanted),
        }

    def states(self) -> list[Message]:
        """`ready` or `failed` of every node that is not on its way up."""
        ready = [_ready(name, controller) for name, controller in self._controllers.items()]
        return ready + [_failed(name, error) for name, error in self._failed.items()]

    def telemetry(self, whole: bool) -> dict[str, Message | None]:
        """Counters by node name; None for a node of which there is nothing new, unless they are to be `whole`."""
        return {name: controller.telemetry(whole) for name, controller in self._controllers.items()}

    async def command(self, node: str, path: str, value: Any) -> Any:
        """Run a command of the farm. Raises `NodeError` with the reason when it cannot be done."""
        if path == SHARD_START:
            if not isinstance(value, dict):
                raise NodeError(f"{SHARD_START}: a node configuration is wanted as the value, got {value!r:.80}")
            return await self._replace(node, value)
        if path == SHARD_STOP:
            return await self._forget(node)
        controller = self._controllers.get(node)
        if controller is None:
            reason = self._failed.get(node, f"this shard serves {', '.join(self._controllers) or 'no node'}")
            raise NodeError(f"no node {node!r} is running here: {reason}")
        return await controller.ask(path, value)

    async def _start_all(self) -> None:
        for name, node in self._wanted.items():
            if name not in self._failed and not self._told.is_set():
                await self._start(name, node)

    async def _start(self, name: str, node: Message) -> None:
        try:
            controller = self._made.pop(name, None) or self._build(name, node)
            if self._doorway is not None:
                controller.stand_in(self._doorway)
            await controller.start()
        except (NodeError, OSError) as exc:
            self._fail(name, str(exc))
        except Exception as exc:
            log.exception("%s: a bug while starting", name)
            self._fail(name, f"a bug while starting, see its log: {exc!r}")
        else:
            self._controllers[name] = controller
            self._agent.report(_ready(name, controller))

    def _build(self, name: str, node: Message) -> Controller:
        return build_controller(name, node, self._file, self._checked)

    def _fail(self, name: str, error: str) -> None:
        line = " ".join(error.split())
        log.error("%s: %s", name, line)
        self._failed[name] = line
        self._agent.report(_failed(name, line))

    async def _give_up(self) -> int:
        told, heard = asyncio.create_task(self._told.wait()), asyncio.create_task(self._agent.last_words())
        await asyncio.wait([told, heard], timeout=LAST_WORDS_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        return 1

    async def _stop_all(self) -> None:
        await asyncio.gather(*(c.stop() for c in self._controllers.values()), return_exceptions=True)

    async def _replace(self, name: str, node: Message) -> Message:
        async with self._changing:
            await self._end(name)
            self._wanted[name] = node
            self._checked = False
            self._digest = digest_nodes(self._wanted.values())
            self._write_pid_file()
            await self._start(name, node)
            if name in self._failed:
                raise NodeError(self._failed[name])
            return dict(self._controllers[name].ports)

    async def _forget(self, name: str) -> bool:
        async with self._changing:
            known = await self._end(name)
            self._digest = digest_nodes(self._wanted.values())
            self._write_pid_file()
            return known

    async def _end(self, name: str) -> bool:
        known = self._wanted.pop(name, None) is not None
        self._failed.pop(name, None)
        controller = self._controllers.pop(name, None)
        if controller is not None:
            await controller.stop()
        return known

    def _write_pid_file(self) -> None:
        """Says who it is, unless it cannot know: in a container its pid is another than outside."""
        if self._pid_file < 0:
            return
        file = self._file
        pid_file = PidFile(file.shard, file.run, boot_id(), os.getpid(), self._started, self._digest)
        pid_file.write(self._pid_file)


@dataclass(slots=True)
class Prepared:
    """A shard file as far as it can be had ready before the shard's process is there: `digest` is that of its nodes,
    `checked` whether the file's mark says that they need no check, and `controllers` are those that could be made, to
    be taken from here. A node that is not among them cannot be served, and the shard will find out why."""

    file: ShardFile
    digest: str
    checked: bool
    controllers: dict[str, Controller]


def read(source: str, content: bytes) -> Prepared:
    """What the content of the shard file `source` says; no controllers yet. Raises `ConfigError` when it is damaged."""
    file = _by_this_clock(ShardFile.decode(source, content))
    digest = digest_nodes(file.nodes)
    return Prepared(file, digest, file.checked == checked_mark(digest), {})


def _by_this_clock(file: ShardFile) -> ShardFile:
    """The file with the plant's start on this machine's monotonic clock, where it was told as a time of day, so that
    what moves on several machines moves in step as well as their clocks agree."""
    began = os.environ.get(BEGAN_VARIABLE, "")
    try:
        return replace(file, epoch=time.monotonic() - (time.time() - float(began))) if began else file
    except ValueError:
        return file


def prepare(source: str, content: bytes) -> Prepared:
    """The same, with controllers, but for those that hold something of the machine's: that is their own process's."""
    prepared = read(source, content)
    _make(prepared, [node for node in prepared.file.nodes if not _holds_the_machines(node)])
    return prepared


def _make(prepared: Prepared, nodes: Iterable[Message]) -> None:
    file = prepared.file
    for node in nodes:
        with contextlib.suppress(Exception):
            name = _name_of(node)
            prepared.controllers[name] = build_controller(name, node, file, prepared.checked)


def _holds_the_machines(node: Message) -> bool:
    """Whether a node has a serial device, files of certificates or code of somebody's own, which another user may not
    open; and such code is to run in no process but the node's."""
    modbus = node.get("modbus")
    if isinstance(modbus, Mapping) and bool(modbus.get("serial") or modbus.get("tls")):
        return True
    return bool(node.get("code_folder"))


def _claim(prepared: Prepared) -> None:
    """Makes those nodes, and has them open what they hold."""
    nodes = [node for node in prepared.file.nodes if _holds_the_machines(node)]
    _make(prepared, nodes)
    for node in nodes:
        controller = prepared.controllers.get(_name_of(node))
        if controller is not None:
            with contextlib.suppress(NodeError):  # it will be said when it is to be served
                controller.claim()


def run(
    config: str,
    control: str,
    token: str,
    prepared: Prepared | None = None,
    settle: "Callable[[], Doorway | None] | None" = None,
    instance: str = "",
    doorway_path: str = "",
) -> int:
    """Serve the shard file `config` until told to end; the exit code.

    `control` is the path of the farm's socket, or `tcp://HOST:PORT` of a relay that leads there, and `token` what the
    farm knows this shard by, `instance` what it knows this process of it by on another machine. `prepared` is what the
    file holds, if somebody has read it already. `settle` is called once all files are open that must be, and before
    anything is served: it may take all rights away, and returns where sockets of the machine are had, if anywhere;
    without it, they are had at `doorway_path`, "" for nowhere. The process is one that `set_up` was called in, or in
    its parent.
    """
    try:
        relay_address(control)
        prepared = prepared or read(config, read_file(config))
        place = prepared.file.pid_file
        pid_file = os.open(place, os.O_WRONLY | os.O_CREAT, 0o600) if place else -1
        if settle is not None:
            _claim(prepared)
        doorway = settle() if settle is not None else _doorway(doorway_path, prepared.file.shard, token)
    except (NodeError, OSError) as exc:
        log.error("%s", exc)
        return 1
    loop = new_loop()  # asyncio.run tidies up at a price, and the process ends anyway
    return loop.run_until_complete(_serve(prepared, control, token, pid_file, doorway, instance))


def _doorway(path: str, shard: str, token: str) -> "Doorway | None":
    if not path:
        return None
    from node.server.doorway import Doorway

    return Doorway(path, shard, token)


def set_up() -> None:
    """What every shard's process wants, and inherits: logs on stderr, and all the descriptors that it can have."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    raise_descriptor_limit()


async def _serve(
    prepared: Prepared, control: str, token: str, pid_file: int, doorway: "Doorway | None", instance: str
) -> int:
    return await Shard(prepared, control, token, pid_file, doorway, instance).run()


def _name_of(node: Message) -> str:
    return str(node.get("name", ""))


def build_controller(name: str, node: Message, file: ShardFile, checked: bool = False) -> Controller:
    """The controller of a node as it stands in the shard file; `checked` as for `load`. Raises `NodeError`."""
    config = load(node, name, checked)
    if config.name != name:
        raise NodeError(f"the configuration is for {config.name!r} and not for {name!r}")
    if file.handed:
        here = tuple((protocol, config.address, port) for protocol, port in config.ports.items())
        config = replace(config, outside=here)
    if file.placed and config.interfaces:
        from node.server.own_address import own_address

        first = config.interfaces[0]
        address = own_address(f"{first.address}/{first.prefix}") or first.address
        interfaces = (replace(first, address=address), *config.interfaces[1:])
        config = replace(config, address=address, interfaces=interfaces)
    return Controller(config, epoch=file.epoch, everywhere=file.everywhere)


def _ready(name: str, controller: Controller) -> Message:
    return {"type": READY, "node": name, "ports": dict(controller.ports)}


def _failed(name: str, error: str) -> Message:
    return {"type": FAILED, "node": name, "error": error}
