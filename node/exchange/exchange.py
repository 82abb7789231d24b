"""The record of one request and its fate, and the ordered chain of what looks at it: the one place where delay,
faults, capture, history and printing attach to a request. Counting is not here: it is always on and costs no call.

A chain with nothing in it is None to the servers, so that a request nobody looks at pays for nothing.
"""

from collections.abc import Callable, Coroutine, Iterable
from dataclasses import field
from typing import Protocol

from node.memory.access import Access
from node.record import dataclass

SEND = "send"
DROP = "drop"
LAST = "last"
CLOSE = "close"
RESET = "reset"

SENT = frozenset((SEND, LAST))
ENDS = frozenset((LAST, CLOSE, RESET))

Answer = Callable[[bytes, list[Access]], bytes | None]
"""Runs a request and notes its accesses; None when there is nothing to reply."""


@dataclass(slots=True)
class Exchange:
    """One frame and what becomes of it.

    `peer` is "address:port", `since` the instant that its connection came, `datagram` says that there is none and it
    came by UDP, `now` is the controller's instant in seconds.
    `reply` is the bytes to send, None for none. `delay` is seconds to wait before sending. `action` is SEND, DROP
    (nothing is sent), LAST (the reply is sent, then the connection ends), CLOSE (what was due before is sent, then it
    ends) or RESET (it ends at once, and what was not sent yet never is). `status` is the general and extended status
    that the request is to be refused with, where it is one that can be (of Modbus also 0 and an exception); none to
    have it run.
    """

    peer: str
    now: float
    request: bytes
    accesses: list[Access] = field(default_factory=list)
    reply: bytes | None = None
    delay: float = 0.0
    action: str = SEND
    datagram: bool = False
    status: tuple[int, ...] = ()
    since: float = 0.0

    @property
    def wanted(self) -> bool:
        """Whether the request is to be run: no interceptor has answered it, dropped it or ended the connection."""
        return self.action == SEND and self.reply is None


class Unfinished(Exception):
    """Raised in place of an exchange whose reply takes time: `rest` is to be awaited for it."""

    def __init__(self, rest: Coroutine[object, object, Exchange]) -> None:
        super().__init__()
        self.rest = rest


class Interceptor(Protocol):
    """Looks at exchanges and may change the record; it never sleeps and never touches a socket."""

    def before(self, exchange: Exchange) -> None:
        """Called before the request runs. With `reply` or another `action` than SEND set here, it does not run."""

    def after(self, exchange: Exchange) -> None:
        """Called with the reply in place, in reverse order."""


class Chain:
    """Interceptors, outermost first. Built anew when one comes or goes, between two requests."""

    def __init__(self, interceptors: Iterable[Interceptor]) -> None:
        self.interceptors = tuple(interceptors)
        self._reversed = self.interceptors[::-1]

    def run(self, frame: bytes, answer: Answer, peer: str, now: float, datagram: bool = False) -> Exchange:
        """The exchange, ready for the peer's outbox."""
        exchange = self.begin(frame, peer, now, datagram)
        if exchange.wanted:
            exchange.reply = answer(frame, exchange.accesses)
        return self.end(exchange)

    def begin(self, frame: bytes, peer: str, now: float, datagram: bool = False, since: float = 0.0) -> Exchange:
        """The first half of `run`, for a request whose answer takes time: it is to be run if it is `wanted`."""
        exchange = Exchange(peer, now, frame, datagram=datagram, since=since)
        for interceptor in self.interceptors:
            interceptor.before(exchange)
        return exchange

    def end(self, exchange: Exchange) -> Exchange:
        """The second half of `run`, with the reply in place."""
        for interceptor in self._reversed:
            interceptor.after(exchange)
        return exchange


NOTHING = Chain(())
"""A chain that changes nothing: what is answered while delayed replies still wait takes its turn through it."""


def build_chain(interceptors: Iterable[Interceptor]) -> Chain | None:
    """The chain of `interceptors`, or None when there are none."""
    chain = Chain(interceptors)
    return chain if chain.interceptors else None
