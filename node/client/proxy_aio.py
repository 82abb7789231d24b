"""`node.client.proxy` on asyncio.

    async with AsyncProxy("10.0.1.2", of=PowerFlex750) as via:
        speed, current = await via.read(["Motor Velocity", "Output Current"])

Tasks may share one: they take turns, an exchange each. A device that hung up meanwhile is noticed by the call that
finds it so, which raises; the next one connects again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

from node.cip.path_text import Route
from node.cip.status import CipError
from node.client.aio import AsyncConnector
from node.client.dotted import dotdict
from node.client.failure import BadAnswer, TagError
from node.client.parameters import Asked, Named, folded_names, reads, to_read, writes
from node.client.proxy import Answer, Proxy, identity_of_default
from node.enip.commands import IdentityItem
from node.enip.header import PORT
from node.errors import NodeError, RemoteProtocolError

log = logging.getLogger(__name__)

BACKPLANE: Route = ((1, 0),)
"""To slot 0, where a controller is."""


class AsyncProxy:
    """The device at `host`:`port`; its parameters, and whether it routes nothing, are those of the class `of`.

    `timeout`, `depth`, `multiple` and `identity_default` are those of `Proxy`; `route` that of an `AsyncConnector`.
    Methods that send raise `NoAnswer` of its kind, and `LocalProtocolError` for what cannot be sent.
    """

    def __init__(
        self,
        host: str,
        port: int = PORT,
        timeout: float = 5.0,
        *,
        of: type[Proxy] = Proxy,
        depth: int = 2,
        multiple: int | bool | None = None,
        route: Route | None = BACKPLANE,
        connected: bool | None = False,
        identity_default: str | Mapping[str, Any] | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.timeout = timeout
        self.depth = depth
        self.multiple = (0 if of.simple else True) if multiple is None else multiple
        self.instance: dotdict | None = identity_of_default(identity_default)
        """Who the device says it is; None until it was asked."""
        self._ask_identity = self.instance is None
        self._parameters = folded_names(of.PARAMETERS)
        self._route = None if of.simple else route
        self._connected = connected
        self._gateway: AsyncConnector | None = None
        self._turn = asyncio.Lock()
        self._settled: WeakSet[NodeError] = WeakSet()

    def __str__(self) -> str:
        """`PowerFlex 755 at 10.0.1.2:44818`: product name, address, None while it is not connected."""
        name = None if self.instance is None else self.instance.get("product_name")
        where = None if self._gateway is None else f"{self.host}:{self.port}"
        return f"{name.strip() if isinstance(name, str) else name} at {where}"

    async def __aenter__(self) -> Self:
        await self.open_gateway()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the gateway: unlike threads, tasks that share a proxy have one that waits for them all."""
        await self.close_gateway(exc)

    async def open_gateway(self) -> None:
        """Connects, and asks who it is, unless that is done."""
        async with self._turn:
            await self._opened()

    async def close_gateway(self, exc: BaseException | None = None) -> None:
        """Closes the connection, because of `exc`, unless that closed one already; the next call opens another."""
        async with self._turn:
            if exc not in self._settled:
                await self._close(exc)

    def asked(self, names: Named | Iterable[Named]) -> list[Asked]:
        """How each would be read, without a connection. Raises `LocalProtocolError` for what cannot be."""
        return [to_read(name, self._parameters) for name in reads(names)]

    async def read(self, names: Named | Iterable[Named], checking: bool = False) -> list[list[Any] | None]:
        """The values of one parameter, tag or attribute, or of many, in their order: a list each, None where the device
        answered with a fault, which `checking` makes a `TagError`."""
        asked = self.asked(names)
        answers = await self._exchange(asked)
        if checking:
            self._check(asked, answers)
        try:
            pairs = zip(asked, answers, strict=True)
            return [None if fault is not None else each.value(got) for each, (got, fault) in pairs]
        except RemoteProtocolError as exc:
            raise BadAnswer(self.host, self.port, str(exc)) from exc

    async def write(
        self, what: str | Mapping[str, Any] | Iterable[str], value: Any = None, checking: bool = False
    ) -> list[bool | None]:
        """As `Proxy.write`."""
        asked = writes(what, value, self._parameters)
        answers = await self._exchange(asked)
        if checking:
            self._check(asked, answers)
        return [None if fault is not None else True for _, fault in answers]

    # --- within -------------------------------------------------------------------------------------------------

    def _check(self, asked: Sequence[Asked], answers: Sequence[Answer]) -> None:
        for each, (_, fault) in zip(asked, answers, strict=True):
            if fault is not None:
                raise TagError(each.name, self.host, self.port, fault)

    async def _exchange(self, asked: Sequence[Asked]) -> list[Answer]:
        answers: list[Answer] = []
        operations = [each.operation for each in asked]
        async with self._turn:
            try:
                gateway = await self._opened()
                async for outcome in gateway.outcomes(operations, depth=self.depth, multiple=self.multiple):
                    fault = CipError(outcome.status, outcome.extended) if outcome.status else None
                    answers.append((outcome.value, fault))
            except NodeError as exc:
                await self._close(exc)
                raise
        return answers

    async def _opened(self) -> AsyncConnector:
        """The gateway. For whoever has the turn."""
        if self._gateway is None:
            gateway = AsyncConnector(self.host, self.port, self.timeout, route=self._route, connected=self._connected)
            await gateway.open()
            try:
                if self._ask_identity:
                    self.instance = _tree(await gateway.list_identity())
            except BaseException:
                await gateway.close()
                raise
            self._gateway = gateway
        return self._gateway

    async def _close(self, exc: BaseException | None) -> None:
        """For whoever has the turn."""
        gateway, self._gateway = self._gateway, None
        if isinstance(exc, NodeError):
            self._settled.add(exc)
        if gateway is None:
            return
        if exc is not None:
            log.warning(
                "closed EtherNet/IP CIP gateway %s:%d due to: %s", self.host, self.port, str(exc) or type(exc).__name__
            )
        await gateway.close()


def _tree(identity: IdentityItem) -> dotdict:
    """The Identity under the names that `Proxy.instance` has."""
    major, minor = identity.revision
    return dotdict(
        {
            "vendor_id": identity.vendor,
            "device_type": identity.device_type,
            "product_code": identity.product_code,
            "product_revision": major | minor << 8,
            "status_word": identity.status,
            "serial_number": identity.serial,
            "product_name": identity.product_name,
            "state": identity.state,
        }
    )
