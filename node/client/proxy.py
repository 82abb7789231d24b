"""A device by the names of what it has, over a connection that comes and goes: the manual's `proxy`.

    class SomeSensor(ProxySimple):
        PARAMETERS = dict(ProxySimple.PARAMETERS, a_sensor_parameter=Parameter("@0x93/1/10", "REAL", "Hz"))

    via = SomeSensor("10.0.1.2")
    with via:
        value, = via.read("A Sensor Parameter")      # [1.23], or None when the device answered with a fault

The gateway, as the connection is called, opens when it is needed, closes upon any error, and opens again for the next
call. Threads may share a proxy: they take turns, first come, first served, an exchange each.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import Any, ClassVar, Self
from weakref import WeakSet

from node.cip.status import CipError
from node.client.connector import Connector
from node.client.discovery import responses
from node.client.dotted import dotdict
from node.client.failure import BadAnswer, TagError, TimedOut
from node.client.parameters import PREDEFINED, Asked, Named, Parameter, folded_names, reads, to_read, writes
from node.client.paths import Path, RoutePath
from node.client.turns import Turns
from node.enip.header import PORT
from node.errors import NodeError, RemoteProtocolError

log = logging.getLogger(__name__)

BATCH = 100
"""Names that are drawn from an iterator, and asked for, at once."""

UNASKED = "with an identity_default it is not asked for one"

Answer = tuple[Any, CipError | None]
"""What an operation gave, or its fault."""


class Proxy:
    """The device at `host`:`port`, a controller that routes; for others there is `ProxySimple`.

    `timeout` is the seconds that connecting and each request may take, None for ever. Up to `depth` requests are under
    way; `multiple` bytes of them go together in a packet, with True as many as fit, with 0 none. `route_path`,
    `send_path` and `connected` are a `Connector`'s. With `identity_default`, a product name or an Identity as a dict,
    the device is not asked who it is.

    Methods that send raise `NoAnswer` of its kind, and `LocalProtocolError` for what cannot be sent.
    """

    PARAMETERS: ClassVar[Mapping[str, Named]] = PREDEFINED
    """What can be asked for by name. A class of one's own adds a line for each."""

    parameter = Parameter
    simple: ClassVar[bool] = False
    """Whether it routes nothing, and gets every message plain."""

    def __init__(
        self,
        host: str,
        port: int = PORT,
        timeout: float | None = 5.0,
        *,
        depth: int = 2,
        multiple: int | bool | None = None,
        route_path: RoutePath = None,
        send_path: Path | bool | None = None,
        connected: bool | None = None,
        identity_default: str | Mapping[str, Any] | None = None,
    ) -> None:
        self.host = host
        self.port = port
        self.timeout = timeout
        self.depth = depth
        self.multiple = (0 if self.simple else True) if multiple is None else multiple
        self.instance: dotdict | None = identity_of_default(identity_default)
        """Who the device says it is, as ListIdentity has it (`product_name`, `serial_number`, …); None until it was
        asked."""
        self._ask_identity = self.instance is None
        self._parameters = folded_names(self.PARAMETERS)
        self._options: dict[str, Any] = {"route_path": route_path, "send_path": send_path, "simple": self.simple}
        self._options["connected"] = connected
        self._gateway: Connector | None = None
        self._turns = Turns()
        self._settled: WeakSet[NodeError] = WeakSet()

    def __str__(self) -> str:
        """`1756-L61/C LOGIX5561 at 10.0.0.7:44818[2206679763]`: product name, address, session."""
        gateway, instance = self._gateway, self.instance
        where = None if gateway is None else f"{self.host}:{self.port}[{gateway.session_handle}]"
        name = None if instance is None else instance.get("product_name")
        return f"{name.strip() if isinstance(name, str) else name} at {where}"

    def __enter__(self) -> Self:
        self.open_gateway()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leaves the gateway open unless something went wrong."""
        if exc is not None:
            self.close_gateway(exc)

    def open_gateway(self) -> None:
        """Connects, and asks who it is, unless that is done."""
        with self._turns.taken():
            self._opened()

    def close_gateway(self, exc: BaseException | None = None) -> None:
        """Closes the connection, because of `exc`; the next call opens another. An error that this closed already for
        does not close the one that came after it."""
        with self._turns.taken():
            if exc not in self._settled:
                self._close(exc)

    def close(self) -> None:
        """As `close_gateway`."""
        self.close_gateway()

    def asked(self, names: Named | Iterable[Named]) -> list[Asked]:
        """How each would be read, without a connection. Raises `LocalProtocolError` for what cannot be."""
        return [to_read(name, self._parameters) for name in reads(names)]

    def read(self, names: Named | Iterable[Named], checking: bool = False) -> Iterator[list[Any] | None]:
        """The values of one parameter, tag (`SCADA[0-9]`) or attribute (`@1/1/7`), or of many, in their order: a list
        each, None where the device answered with a fault, which `checking` makes a `TagError`.

        The gateway is open when this returns; what is read is asked for once the first value is. Of an iterator as
        many names are drawn as it takes, a hundred at once. The first error ends it, behind the values before it.
        """
        wanted = reads(names)
        asked: Iterable[Asked] = (to_read(name, self._parameters) for name in wanted)
        if isinstance(wanted, Sequence):
            asked = self.asked(wanted)  # what is wrong with one is said before anything is sent
        self.open_gateway()
        return self._read(iter(asked), checking)

    def write(
        self, what: str | Mapping[str, Any] | Iterable[str], value: Any = None, checking: bool = False
    ) -> list[bool | None]:
        """Writes `value`, or a list of them, to a parameter, tag or attribute; each of a mapping; or texts such as
        `Speed Units=1`. True for what was written, None for a fault, which `checking` makes a `TagError` once all have
        been tried. What has no type is asked for its own if it is a tag; an attribute's are bytes."""
        asked = writes(what, value, self._parameters)
        answers, ended = self._exchange(asked)
        if ended is not None:
            raise ended
        if checking:
            for each, (_, fault) in zip(asked, answers, strict=True):
                self._check(each, fault)
        return [None if fault is not None else True for _, fault in answers]

    # --- within -------------------------------------------------------------------------------------------------

    def _read(self, asked: Iterator[Asked], checking: bool) -> Iterator[list[Any] | None]:
        while batch := list(islice(asked, BATCH)):
            answers, ended = self._exchange(batch)
            for each, (got, fault) in zip(batch, answers, strict=False):
                if checking:
                    self._check(each, fault)
                yield None if fault is not None else self._value(each, got)
            if ended is not None:
                raise ended

    def _value(self, asked: Asked, got: Any) -> list[Any]:
        try:
            return asked.value(got)
        except RemoteProtocolError as exc:
            raise BadAnswer(self.host, self.port, str(exc)) from exc

    def _check(self, asked: Asked, fault: CipError | None) -> None:
        if fault is not None:
            error = TagError(asked.name, self.host, self.port, fault)
            self.close_gateway(error)
            raise error

    def _exchange(self, asked: Sequence[Asked]) -> tuple[list[Answer], NodeError | None]:
        """What was got, as far as it went, and the error that ended it, upon which the gateway is closed."""
        answers: list[Answer] = []
        operations = [each.operation for each in asked]
        with self._turns.taken():
            try:
                gateway = self._opened()
                for *_, sts, val in gateway.pipeline(operations, multiple=self.multiple, depth=self.depth):
                    general, extended = sts if isinstance(sts, tuple) else (sts, ())
                    answers.append((val, CipError(general, extended) if general else None))
            except NodeError as exc:
                self._close(exc)
                return answers, exc
            except BaseException as exc:  # an interrupt: there may be answers under way that are nobody's now
                self._close(exc)
                raise
        return answers, None

    def _opened(self) -> Connector:
        """The gateway, another when it is gone. For whoever has the turn."""
        if self._gateway is not None and self._gateway.readable(0) and self._gateway.closed:
            self._close(None)
        if self._gateway is None:
            gateway = Connector(self.host, self.port, self.timeout, **self._options)
            try:
                if self._ask_identity:
                    self.instance = self._identity(gateway)
            except BaseException:
                gateway.close()
                raise
            self._gateway = gateway
        return self._gateway

    def _identity(self, gateway: Connector) -> dotdict:
        gateway.list_identity()
        for reply in responses(gateway, self.timeout, most=1):
            identity: dotdict | None = reply.get("enip.CIP.list_identity.CPF.item[0].identity_object")
            if identity is None:
                raise BadAnswer(self.host, self.port, f"an answer to ListIdentity without an identity; {UNASKED}")
            return identity
        within = "" if self.timeout is None else f" within {self.timeout:g} s"
        raise TimedOut(self.host, self.port, f"no answer to ListIdentity{within}; {UNASKED}")

    def _close(self, exc: BaseException | None) -> None:
        """For whoever has the turn."""
        gateway, self._gateway = self._gateway, None
        if isinstance(exc, NodeError):
            self._settled.add(exc)
        if gateway is None:
            return
        if exc is not None:
            where = f"{self.host}:{self.port}[{gateway.session_handle}]"
            log.warning("closed EtherNet/IP CIP gateway %s due to: %s", where, str(exc) or type(exc).__name__)
        gateway.close()


class ProxySimple(Proxy):
    """A device that routes nothing, such as a MicroLogix or a PowerFlex: plain messages, one request each."""

    simple = True


def identity_of_default(given: str | Mapping[str, Any] | None) -> dotdict | None:
    """The Identity that somebody wants to be told, instead of the device's own."""
    if given is None:
        return None
    return dotdict({"product_name": given} if isinstance(given, str) else dict(given))
