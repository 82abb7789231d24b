"""Which message goes next, and what its reply means: many operations at once, without a socket.

    operations ── prepare ──▶ tasks ── bundle ──▶ packets ── (a socket) ──▶ replies ── unbundle ──▶ outcomes

Up to `depth` packets are under way. With a `limit` above 0, requests travel together in Multiple Service Packets of so
many bytes, and as many as will answer in as many. What one message cannot carry goes on in further ones by itself.
Outcomes come in the order of the operations, whatever the order of the replies.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from node.cip.message import Request, encode_request
from node.cip.multiple import decode_multiple_reply, encode_multiple
from node.cip.services import MULTIPLE_SERVICE_PACKET
from node.cip.status import (
    EMBEDDED_SERVICE_ERROR,
    PARTIAL_TRANSFER,
    REPLY_DATA_TOO_LARGE,
    RESPONSE_TOO_LARGE,
    SERVICE_NOT_SUPPORTED,
    SUCCESS,
    CipError,
)
from node.client.exchanges import Steps, checked_reply
from node.client.tasks import SLOW, Routing, Task
from node.errors import RemoteProtocolError

MULTIPLE_HEAD = b"\x0a\x02\x20\x02\x24\x01"
"""Service and path of a Multiple Service Packet, to the Message Router."""

_REQUEST_HEAD = len(MULTIPLE_HEAD) + 2
_REPLY_HEAD = 6
_LARGE = 1 << 16
"""An estimate that goes with nothing else."""

_DID_NOT_FIT = (bytes((REPLY_DATA_TOO_LARGE,)), bytes((RESPONSE_TOO_LARGE,)))
_BUNDLED = (SUCCESS, EMBEDDED_SERVICE_ERROR, PARTIAL_TRANSFER)


class Outcome:
    """How an operation ended: `idx` of the packet it first went in, whether in a `multiple` one, its last `reply`'s
    bytes, `status` with `extended`, and `value`, None when the status is not success."""

    __slots__ = ("extended", "idx", "multiple", "reply", "status", "task", "value")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.idx = -1
        self.multiple = False
        self.reply = b""
        self.status = -1
        self.extended: tuple[int, ...] = ()
        self.value: Any = None


class _Part:
    """An operation under way: `message` goes next, `steps` are there once it took the long way."""

    __slots__ = ("alone", "message", "outcome", "service", "steps")

    def __init__(self, task: Task) -> None:
        self.outcome = Outcome(task)
        self.message = task.first
        self.service = task.first[0]
        self.steps: Steps[Any] | None = None
        self.alone = False


class Packet:
    """A message to send: `idx` counts them, `routing` says where to."""

    __slots__ = ("idx", "message", "parts", "routing")

    def __init__(self, idx: int, message: bytes, parts: list[_Part], routing: Routing) -> None:
        self.idx = idx
        self.message = message
        self.parts = parts
        self.routing = routing


class Pipeline:
    """Send what `next` gives until it gives None, then hand each reply to `take`; over when `done`.

    `index` is that of the first packet. `limit` is of the requests of a Multiple Service Packet, `reply_limit` of its
    replies, in bytes, the same by default.
    """

    def __init__(
        self, tasks: Iterator[Task], *, depth: int = 1, limit: int = 0, reply_limit: int = 0, index: int = 0
    ) -> None:
        self.idx = index
        self._tasks = tasks
        self._depth = max(depth, 1)
        self._limit = limit
        self._reply_limit = reply_limit or limit
        self._again: deque[_Part] = deque()
        self._held: _Part | None = None
        self._order: deque[Outcome] = deque()
        self._in_flight = 0
        self._exhausted = False

    @property
    def done(self) -> bool:
        """Whether every operation has ended."""
        return self._exhausted and not self._in_flight and not self._again and self._held is None

    def next(self) -> Packet | None:
        """The packet to send now, None when there is none, or `depth` are under way."""
        if self._in_flight >= self._depth:
            return None
        parts = self._gather()
        if not parts:
            return None
        if len(parts) == 1:
            message = parts[0].message
        else:
            message = MULTIPLE_HEAD + encode_multiple([part.message for part in parts])
        idx = self.idx
        self.idx = idx + 1
        self._in_flight += 1
        for part in parts:
            outcome = part.outcome
            if outcome.idx < 0:
                outcome.idx = idx
                outcome.multiple = len(parts) > 1
        return Packet(idx, message, parts, parts[0].outcome.task.routing)

    def take(self, packet: Packet, reply: bytes) -> list[Outcome]:
        """The outcomes that are due once `reply` to `packet` is there. Raises `RemoteProtocolError` when it is none."""
        self._in_flight -= 1
        parts = packet.parts
        if len(parts) == 1:
            self._settle(parts[0], reply)
        else:
            self._unbundle(parts, reply)
        due: list[Outcome] = []
        order = self._order
        while order and order[0].status >= 0:
            due.append(order.popleft())
        return due

    def _gather(self) -> list[_Part]:
        parts: list[_Part] = []
        request, answer = _REQUEST_HEAD, _REPLY_HEAD
        while True:
            part = self._draw()
            if part is None:
                return parts
            request += 2 + len(part.message)
            answer += 2 + part.outcome.task.estimate
            if parts:
                other = parts[0].outcome.task.routing != part.outcome.task.routing
                if request > self._limit or answer > self._reply_limit or part.alone or other:
                    self._held = part
                    return parts
            parts.append(part)
            if not self._limit or part.alone:
                return parts

    def _draw(self) -> _Part | None:
        if self._held is not None:
            part, self._held = self._held, None
            return part
        if self._again:
            return self._again.popleft()
        task = None if self._exhausted else next(self._tasks, None)
        if task is None:
            self._exhausted = True
            return None
        part = _Part(task)
        self._order.append(part.outcome)
        return part

    def _unbundle(self, parts: Sequence[_Part], message: bytes) -> None:
        reply = checked_reply(message, MULTIPLE_SERVICE_PACKET)
        if reply.status in _BUNDLED and reply.data:
            replies = decode_multiple_reply(reply.data)
            if len(replies) != len(parts):
                raise RemoteProtocolError(f"{len(replies)} replies in a packet to {len(parts)} requests")
            for part, single in zip(parts, replies, strict=True):
                if (
                    single[2:3] in _DID_NOT_FIT and not part.alone
                ):  # beside the others: reads and writes can be repeated
                    part.alone = True
                    self._again.append(part)
                else:
                    self._settle(part, single)
            return
        if reply.service != MULTIPLE_SERVICE_PACKET:  # a router could not deliver it, nor will it any of them
            for part in parts:
                self._fail(part.outcome, message, reply.status, reply.extended)
            return
        if reply.status == SUCCESS:
            raise RemoteProtocolError(f"a reply of nothing to a packet of {len(parts)} requests")
        if reply.status == SERVICE_NOT_SUPPORTED:
            self._limit = 0
        for part in parts:  # refused as a whole, so none of them was done: each by itself, then
            part.alone = True
            self._again.append(part)

    def _settle(self, part: _Part, reply: bytes) -> None:
        outcome = part.outcome
        outcome.reply = reply
        if part.steps is None:
            value = outcome.task.quick(reply)
            if value is not SLOW:
                outcome.value = value
                outcome.status = SUCCESS
                return
            part.steps = outcome.task.steps()
            next(part.steps)
        try:
            request: Request = part.steps.send(checked_reply(reply, part.service))
        except StopIteration as done:
            outcome.value = done.value
            outcome.status = SUCCESS
            outcome.task.estimate = len(reply) if part.message is outcome.task.first else _LARGE
        except CipError as exc:
            self._fail(outcome, reply, exc.general, exc.extended)
        except RemoteProtocolError as exc:
            raise RemoteProtocolError(f"{outcome.task.tag}: {exc}") from exc
        else:
            part.message = encode_request(request)
            part.service = request.service
            part.alone = True  # it may be answered by as much as there is room for
            self._again.append(part)

    def _fail(self, outcome: Outcome, reply: bytes, status: int, extended: tuple[int, ...]) -> None:
        outcome.reply = reply
        outcome.status = status
        outcome.extended = extended
