"""A controller inside another program: in a thread of its own (`with`), or on the program's event loop (`async with`).

with Controller(["SCADA=INT[1000]"], address="127.0.0.1:0") as plc:
    plc.tags["SCADA"][3] = 4
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Self, TypeVar

from node import controller
from node.cli import enip, modbus
from node.config.model import NodeConfig
from node.errors import ConfigError, NodeError
from node.exchange.exchange import Exchange
from node.memory.attribute import Value
from node.record import dataclass
from node.served import Served
from node.server.loop import new_loop
from node.tag_memory import OwnClasses, class_by_tag

JOIN = 5.0
"""Seconds that a program waits for its controller's thread to end."""

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Accessed:
    """Elements [`start`, `stop`) of `tag` that the client `peer` (`address:port`) read or wrote: their `values`, none
    where it was refused with the CIP status `status`."""

    tag: str
    start: int
    stop: int
    values: list[Value]
    peer: str
    status: int = 0


@dataclass(frozen=True, slots=True)
class Connected:
    """A client came, or with `gone` it went: `protocol` is `enip` or `modbus`, `peer` its `address:port`."""

    protocol: str
    peer: str
    gone: bool = False


class Controller(Served):
    """Serves `tags`, texts as `enip_server` takes them, or Modbus `registers`, as `modbus_sim` takes them, or what a
    node's whole configuration says, at `address` (`[interface][:port]`, port 0 for any).

    `attribute_class` is a class whose hooks every tag has, or a mapping of names to such classes. `on_read` and
    `on_write` get an `Accessed`, `on_connect` a `Connected`, where the controller is served: they must be quick.

    Raises `ConfigError` for what cannot be a controller.
    """

    def __init__(
        self,
        tags: Sequence[str] | NodeConfig = (),
        *,
        registers: Sequence[str] = (),
        address: str = "",
        attribute_class: OwnClasses | None = None,
        on_read: Callable[[Accessed], object] | None = None,
        on_write: Callable[[Accessed], object] | None = None,
        on_connect: Callable[[Connected], object] | None = None,
    ) -> None:
        config = tags if isinstance(tags, NodeConfig) else _config(tags, registers, address)
        observer = [_Observer(on_read, on_write)] if on_read or on_write else []
        own = None if attribute_class is None else class_by_tag(attribute_class, [tag.name for tag in config.tags])
        made = controller.Controller(config, epoch=time.monotonic(), interceptors=observer, own_class=own)
        for protocol, listener in made.server.listeners.items():
            if on_connect is not None:
                listener.peers.told = _telling(on_connect, protocol)
        super().__init__(made)
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.join()

    async def __aenter__(self) -> Self:
        await self._controller.start()
        loop = asyncio.get_running_loop()
        self.serves(loop, lambda: None)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.ended()
        await self._controller.stop()

    def start(self) -> None:
        """Serves in a thread of its own from now on. Raises `NodeError` where a port cannot be had."""
        if self._loop is not None or self._thread is not None:
            raise NodeError("the controller is being served already")
        began: Future[None] = Future()
        self._thread = threading.Thread(target=self._run_loop, args=(began,), name="controller", daemon=True)
        self._thread.start()
        try:
            began.result()
        except BaseException:
            self.join()
            raise

    def join(self, timeout: float = JOIN) -> None:
        """Waits for the end of that thread, at most `timeout` seconds."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
            self._thread = None

    def _run_loop(self, began: "Future[None]") -> None:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(self._serve(began))

    async def _serve(self, began: "Future[None]") -> None:
        told = asyncio.Event()
        try:
            await self._controller.start()
        except BaseException as exc:
            began.set_exception(exc)
            return
        self.serves(asyncio.get_running_loop(), told.set)
        began.set_result(None)
        await told.wait()
        self.ended()
        await self._controller.stop()


class _Observer:
    """An interceptor that tells of accesses."""

    def __init__(
        self, on_read: Callable[[Accessed], object] | None, on_write: Callable[[Accessed], object] | None
    ) -> None:
        self._on_read, self._on_write = on_read, on_write

    def before(self, exchange: Exchange) -> None:
        """Nothing happened yet."""

    def after(self, exchange: Exchange) -> None:
        """Tells of what did."""
        for access in exchange.accesses:
            tell = self._on_write if access.writing else self._on_read
            if tell is not None:
                values = access.values if access.data else []
                told = Accessed(access.attribute.name, access.start, access.stop, values, exchange.peer, access.status)
                _call(tell, told)


def _telling(tell: Callable[[Connected], object], protocol: str) -> Callable[[str, bool], None]:
    return lambda peer, gone: _call(tell, Connected(protocol, peer, gone))


def _call(tell: Callable[[T], object], told: T) -> None:
    """The program's own mistakes are no client's."""
    try:
        tell(told)
    except Exception:
        log.exception("%r failed with %r", tell, told)


def _config(tags: Sequence[str], registers: Sequence[str], address: str) -> NodeConfig:
    if isinstance(tags, str) or isinstance(registers, str):
        raise ConfigError("tags", 0, f"got the text {tags or registers!r}; wanted a list, as ['SCADA=INT[1000]']")
    if tags and registers:
        raise ConfigError("registers", 0, "give tags or registers; what has both is a NodeConfig")
    return modbus.build_config(registers, address) if registers else enip.build_config(tags, address)
