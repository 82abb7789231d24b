"""EtherNet/IP over TCP: bytes to `TargetSession` and back, all whole frames of a segment answered with one write.

A request whose answer is elsewhere (`node.server.onward`), or takes its time (`node.memory.hooks`), parks its peer
until it is there; everybody else goes on as without. This is the one place where a stray exception ends: it is answered
with general status 0x1F, counted, logged once with the frame in hex, and the node lives.
"""

from collections.abc import Callable, Sequence
from functools import partial

from node.cip.status import PARTIAL_TRANSFER, RESOURCE_UNAVAILABLE
from node.config.model import Json
from node.enip.commands import encode_list_identity
from node.enip.framing import FrameBuffer
from node.enip.header import HEADER, HEADER_SIZE, SEND_RR_DATA, SEND_UNIT_DATA
from node.enip.target import TargetSession
from node.errors import RemoteProtocolError
from node.exchange.exchange import CLOSE, ENDS, NOTHING, Chain, Exchange
from node.exchange.metrics import KEPT
from node.memory.access import Access
from node.memory.attribute import Instant
from node.memory.hooks import HookTimeout, HookWaits
from node.objects.device import Device
from node.objects.identity import identity_item
from node.objects.onward import Onward
from node.server.onward import Forwarder, Gateway
from node.server.peer import Peer, Peers

_NO_ADDRESS = "0.0.0.0"
CONNECTED_MESSAGE = 46
"""Where the message of a SendUnitData begins, as nearly everybody lays it out."""
UNCONNECTED_MESSAGE = 40
"""The same of a SendRRData."""


def refuses(reply: bytes) -> bool:
    """Whether a reply, whole, says no: by an encapsulation status, or by that of its CIP message."""
    command, _, _, status, _, _ = HEADER.unpack_from(reply)
    at = {SEND_RR_DATA: UNCONNECTED_MESSAGE, SEND_UNIT_DATA: CONNECTED_MESSAGE}.get(command)
    said = reply[at + 2 : at + 3] if at is not None else b""
    return bool(status) or said not in (b"", b"\0", bytes((PARTIAL_TRANSFER,)))


class EnipService:
    """What the peers of one EtherNet/IP node share. `chain` is what looks at each exchange, None for nothing; it may be
    set at any time. `address` is the node's own, from which messages are sent on; "" leaves that to the system."""

    __slots__ = ("chain", "clock", "device", "gateway", "instant", "port")

    def __init__(self, device: Device, clock: Callable[[], float], port: int, address: str = "") -> None:
        self.device = device
        self.gateway = Gateway(address)
        self.clock = clock
        self.port = port
        self.instant: Instant = device.instant
        self.chain: Chain | None = None

    def identity(self, ip: str) -> bytes:
        """The ListIdentity reply of a node that was asked on the address `ip` (its item has room for IPv4 only)."""
        ip = ip.removeprefix("::ffff:")
        if ":" in ip or not ip:
            ip = _NO_ADDRESS
        return encode_list_identity(identity_item(self.device.identity, ip, self.port))


class EnipTcp(Peer):
    """One TCP connection of an EtherNet/IP node."""

    def __init__(self, peers: Peers, service: EnipService) -> None:
        super().__init__(peers)
        device = service.device
        self._service = service
        self._instant = service.instant
        self._clock = service.clock
        self._frames = FrameBuffer()
        self._forwarder: Forwarder | None = None
        self.session: TargetSession[list[Access]] = TargetSession(
            device.router, device.connections, self._identity, self.metrics
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Frees the CIP connections too."""
        self.session.leave()
        if self._forwarder is not None:
            self._forwarder.close()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Answers every whole frame."""
        self._instant.now = self.last_seen = now = self._clock()
        metrics = self.metrics
        metrics.bytes_in += len(data)
        self.bytes_in += len(data)
        data = b"%b" % data  # see RECEIVE
        try:
            frames = self._frames.feed(data)
        except RemoteProtocolError:
            metrics.errors += 1
            self.transport.abort()
            return
        if self._frames.pending:
            if frames or not self.partial_since:
                self.partial_since = now
        else:
            self.partial_since = 0.0
        if self._service.chain is None and not self._outbox:
            self._answer_all(frames, now)
        else:
            self._run_all(frames, now, self._service.chain or NOTHING)
        if frames:
            self.requests += len(frames)
            metrics.requests += len(frames)

    def describe(self) -> dict[str, Json]:
        """Its session, and the CIP connections that were opened on it."""
        session = self.session
        opened = [each for each in self._service.device.connections if each.origin is session]
        connected: list[Json] = [
            {
                "kind": "class 3" if each.here else "onward",
                "rpi_ms": round(each.opening.o_t_rpi / 1000, 3),
                "size": each.opening.o_t.size,
                "id": f"0x{each.o_t_id:08X}",
            }
            for each in opened
        ]
        return {"session": f"0x{session.handle:08X}" if session.handle > 0 else "", "connected": connected}

    def _answer_all(self, frames: Sequence[bytes], now: float) -> None:
        session = self.session
        answer = session.answer
        metrics, name = self.metrics, self.name
        note = metrics.ring.append
        errors = metrics.errors
        replies = []
        later = None
        waiting = iter(frames)
        for frame in waiting:
            try:
                reply = answer(frame)
            except (Onward, HookWaits) as exc:
                later = exc
                break
            except Exception as exc:
                reply = self._failed(frame, exc)
            note((now, frame if len(frame) < KEPT else frame[:KEPT], reply, name))
            if metrics.errors != errors:
                errors = metrics.errors
                self._note_refusal(frame, reply, now)
            if reply is not None:
                replies.append(reply)
            if session.closing:
                break
        if replies:
            data = replies[0] if len(replies) == 1 else b"".join(replies)
            metrics.bytes_out += len(data)
            self.bytes_out += len(data)
            self.transport.write(data)
        left = tuple(waiting)
        if len(frames) > len(left):
            metrics.took(self._clock() - now, len(frames) - len(left) - (later is not None))
        if session.closing:
            self.transport.close()
        elif later is not None:
            self.park(self._answer_later(later, Exchange(self.name, now, frame), NOTHING, left))

    def _run_all(self, frames: Sequence[bytes], now: float, chain: Chain) -> None:
        for index, frame in enumerate(frames):
            errors = self.metrics.errors
            exchange = Exchange(self.name, now, frame)
            try:
                exchange = chain.begin(frame, self.name, now, since=self.since)
                if exchange.wanted:
                    exchange.reply = self._answer(exchange)
                if self.metrics.errors != errors:
                    self._note_refusal(frame, exchange.reply, now, bool(exchange.status))
                chain.end(exchange)
            except (Onward, HookWaits) as later:
                self.park(self._answer_later(later, exchange, chain, frames[index + 1 :]))
                return
            except Exception as exc:
                exchange = Exchange(self.name, now, frame, reply=self._failed(frame, exc))
            self._deliver(exchange)
            if exchange.action in ENDS:
                return

    def _note_refusal(self, frame: bytes, reply: bytes | None, now: float, on_purpose: bool = False) -> None:
        """The context of a frame, and the sequence of a connected one, differ each time. What was refused `on_purpose`
        asked for what may well be there."""
        self.errors += 1
        if on_purpose:
            return
        connected = frame[0] == SEND_UNIT_DATA and len(frame) > CONNECTED_MESSAGE
        message = frame[CONNECTED_MESSAGE:] if connected else frame[:2] + frame[HEADER_SIZE:]
        self.metrics.refuse(message, frame, reply, now)

    def _deliver(self, exchange: Exchange) -> None:
        self.metrics.ring.append((exchange.now, exchange.request[:KEPT], exchange.reply, self.name))
        self.metrics.took(self._clock() - exchange.now + exchange.delay, 1)
        if self.session.closing:
            exchange.action = CLOSE
        self.deliver(exchange)

    async def _answer_later(
        self, later: Onward | HookWaits, exchange: Exchange, chain: Chain, frames: Sequence[bytes]
    ) -> None:
        """Has the peer answered once there is an answer from elsewhere; `frames` are those behind it."""
        frame = exchange.request
        try:
            onward = later if isinstance(later, Onward) else await self._put_aside(later, exchange, chain)
            if onward is not None:
                exchange.reply = await self._send_on(onward, frame)
            if exchange.reply is not None and refuses(exchange.reply):
                self._note_refusal(frame, exchange.reply, self._clock())
            chain.end(exchange)
        except Exception as exc:
            exchange.reply = self._failed(frame, exc)
        self.unpark(partial(self._go_on, exchange, frames))

    async def _send_on(self, onward: Onward, frame: bytes) -> bytes:
        """The reply of another device."""
        if self._forwarder is None:
            self._forwarder = Forwarder(self._service.gateway)
        reply = await self._forwarder.ask(onward)
        return self.session.finish(frame, reply, onward.relay if onward.connected else None)

    async def _put_aside(self, waits: HookWaits, exchange: Exchange, chain: Chain) -> Onward | None:
        """Has the frame answered where hooks may take their time; where that is elsewhere, the way there."""
        frame = exchange.request
        exchange.accesses.clear()
        trace = None if chain is NOTHING else exchange.accesses

        def answer() -> bytes | None:
            self._instant.now = self._clock()
            return self.session.answer(frame, trace)

        try:
            exchange.reply = await waits.aside.run(answer, waits.seconds)
        except HookTimeout:
            exchange.reply = self.session.refusal(frame, (RESOURCE_UNAVAILABLE,))
        except Onward as onward:
            return onward
        return None

    def _go_on(self, exchange: Exchange, frames: Sequence[bytes]) -> None:
        """Answers what was parked, and serves the frames behind it."""
        self._instant.now = now = self._clock()
        if self._frames.pending:
            self.partial_since = now
        self._deliver(exchange)
        if exchange.action in ENDS:
            return
        if self._service.chain is None and not self._outbox:
            self._answer_all(frames, now)
        else:
            self._run_all(frames, now, self._service.chain or NOTHING)

    def _answer(self, exchange: Exchange) -> bytes | None:
        frame = exchange.request
        try:
            refusal = self.session.refusal(frame, exchange.status) if exchange.status else None
            return refusal or self.session.answer(frame, exchange.accesses)
        except (Onward, HookWaits):
            raise
        except Exception as exc:
            return self._failed(frame, exc)

    def _failed(self, frame: bytes, exc: Exception) -> bytes | None:
        self.metrics.bug(exc, frame)
        return self.session.failure(frame)

    def _identity(self) -> bytes:
        return self._service.identity(self.local[0])
