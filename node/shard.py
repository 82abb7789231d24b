"""A worker that serves K controllers on one loop, and is the one that talks to the farm for them.

K = 1 is the farm's default and takes the same path as any other K. The shard says who it is on disk before it binds an
address, so that a farm which was killed in between can find it; it serves on when the farm is gone; SIGTERM ends it
within a second. A node that cannot start is `failed` with its reason and the others go on; a shard left without any
node from the start ends with exit code 1. Messages: `node.control.messages`.
"""

import asyncio
import contextlib
import logging
import os
import signal
from typing import Any

from node.config.load import load
from node.control.agent import Agent
from node.control.messages import (
    FAILED,
    READY,
    SHARD_START,
    SHARD_STOP,
    Message,
    PidFile,
    ShardFile,
    boot_id,
    digest_nodes,
    read_file,
    start_time,
)
from node.controller import Controller
from node.errors import NodeError
from node.server.descriptors import raise_descriptor_limit

log = logging.getLogger(__name__)

STOP_SECONDS = 0.8
"""Time for all controllers to close; what is left is closed by the end of the process."""
LAST_WORDS_SECONDS = 2.0
"""How long a shard that failed looks for a farm to tell it to."""


class Shard:
    """The controllers of one shard file and their control stream."""

    def __init__(self, file: ShardFile, control: str, token: str) -> None:
        self._file = file
        self._token = token
        self._wanted: dict[str, Message] = {str(node.get("name", "")): node for node in file.nodes}
        self._controllers: dict[str, Controller] = {}
        self._failed: dict[str, str] = {}
        self._agent = Agent(control, self)
        self._changing = asyncio.Lock()
        self._told = asyncio.Event()
        self._started = start_time(os.getpid())

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
            "pid": os.getpid() if self._file.pid_file else 0,
            "started": self._started,
            "nodes": list(self._wanted),
        }

    def states(self) -> list[Message]:
        """`ready` or `failed` of every node that is not on its way up."""
        ready = [_ready(name, controller) for name, controller in self._controllers.items()]
        return ready + [_failed(name, error) for name, error in self._failed.items()]

    def telemetry(self) -> dict[str, Message]:
        """Counters by node name."""
        return {name: controller.telemetry() for name, controller in self._controllers.items()}

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
        return controller.command(path, value)

    async def _start_all(self) -> None:
        for name, node in self._wanted.items():
            if name not in self._failed and not self._told.is_set():
                await self._start(name, node)

    async def _start(self, name: str, node: Message) -> None:
        try:
            controller = build_controller(name, node, self._file.epoch, self._file.everywhere)
            await controller.start()
        except (NodeError, OSError) as exc:
            self._fail(name, str(exc))
        except Exception as exc:
            log.exception("%s: a bug while starting", name)
            self._fail(name, f"a bug while starting, see its log: {exc!r}")
        else:
            self._controllers[name] = controller
            self._agent.report(_ready(name, controller))

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
            self._write_pid_file()
            await self._start(name, node)
            if name in self._failed:
                raise NodeError(self._failed[name])
            return dict(self._controllers[name].ports)

    async def _forget(self, name: str) -> bool:
        async with self._changing:
            known = await self._end(name)
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
        file = self._file
        if not file.pid_file:
            return
        pid_file = PidFile(
            file.shard, file.run, boot_id(), os.getpid(), self._started, digest_nodes(self._wanted.values())
        )
        unfinished = f"{file.pid_file}.new"
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, pid_file.encode())
        finally:
            os.close(descriptor)
        os.replace(unfinished, file.pid_file)  # noqa: PTH105 - every shard pays for the pages that pathlib touches


def run(config: str, control: str, token: str) -> int:
    """Serve the shard file `config` until told to end; the exit code.

    `control` is the path of the farm's socket and `token` what it knows this shard by.
    """
    set_up_logging()
    raise_descriptor_limit()
    try:
        file = ShardFile.decode(config, read_file(config))
    except (NodeError, OSError) as exc:
        log.error("%s", exc)
        return 1
    loop = asyncio.new_event_loop()  # asyncio.run tidies up at a price, and the process ends anyway
    return loop.run_until_complete(_serve(file, control, token))


def set_up_logging() -> None:
    """To stderr, which is the shard's log by then."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


async def _serve(file: ShardFile, control: str, token: str) -> int:
    return await Shard(file, control, token).run()


def build_controller(name: str, node: Message, epoch: float, everywhere: bool = False) -> Controller:
    """The controller of a node as it stands in a shard file. Raises `NodeError`."""
    config = load(node, name)
    if config.name != name:
        raise NodeError(f"the configuration is for {config.name!r} and not for {name!r}")
    return Controller(config, epoch=epoch, everywhere=everywhere)


def _ready(name: str, controller: Controller) -> Message:
    return {"type": READY, "node": name, "ports": dict(controller.ports)}


def _failed(name: str, error: str) -> Message:
    return {"type": FAILED, "node": name, "error": error}
