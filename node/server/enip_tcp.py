"""EtherNet/IP over TCP: bytes to `TargetSession` and back, all whole frames of a segment answered with one write.

This is the one place where a stray exception ends: it is answered with general status 0x1F, counted, logged once with
the frame in hex, and the node lives.
"""

from collections.abc import Callable

from node.enip.commands import encode_list_identity
from node.enip.framing import FrameBuffer
from node.enip.target import TargetSession
from node.errors import RemoteProtocolError
from node.exchange.exchange import CLOSE, NOTHING, Chain, Exchange
from node.exchange.metrics import KEPT
from node.memory.access import Access
from node.memory.attribute import Instant
from node.objects.device import Device
from node.objects.identity import identity_item
from node.server.peer import Peer, Peers

_NO_ADDRESS = "0.0.0.0"


class EnipService:
    """What the peers of one EtherNet/IP node share. `chain` is what looks at each exchange, None for nothing; it may be
    set at any time."""

    __slots__ = ("chain", "clock", "device", "instant", "port")

    def __init__(self, device: Device, clock: Callable[[], float], port: int) -> None:
        self.device = device
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
        self.session: TargetSession[list[Access]] = TargetSession(
            device.router, device.connections, self._identity, self.metrics
        )

    def connection_lost(self, exc: Exception | None) -> None:
        """Frees the CIP connections too."""
        self.session.leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Answers every whole frame."""
        self._instant.now = self.last_seen = now = self._clock()
        metrics = self.metrics
        metrics.bytes_in += len(data)
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
            metrics.requests += len(frames)
            metrics.took(self._clock() - now, len(frames))

    def _answer_all(self, frames: list[bytes], now: float) -> None:
        session = self.session
        answer = session.answer
        note = self.metrics.ring.append
        replies = []
        for frame in frames:
            try:
                reply = answer(frame)
            except Exception as exc:
                reply = self._failed(frame, exc)
            note((now, frame if len(frame) < KEPT else frame[:KEPT], reply))
            if reply is not None:
                replies.append(reply)
            if session.closing:
                break
        if replies:
            data = replies[0] if len(replies) == 1 else b"".join(replies)
            self.metrics.bytes_out += len(data)
            self.transport.write(data)
        if session.closing:
            self.transport.close()

    def _run_all(self, frames: list[bytes], now: float, chain: Chain) -> None:
        for frame in frames:
            try:
                exchange = chain.run(frame, self._answer, self.name, now)
            except Exception as exc:
                exchange = Exchange(self.name, now, frame, reply=self._failed(frame, exc))
            self.metrics.ring.append((now, frame[:KEPT], exchange.reply))
            if self.session.closing:
                exchange.action = CLOSE
            self.deliver(exchange)
            if self.session.closing:
                return

    def _answer(self, frame: bytes, accesses: list[Access]) -> bytes | None:
        try:
            return self.session.answer(frame, accesses)
        except Exception as exc:
            return self._failed(frame, exc)

    def _failed(self, frame: bytes, exc: Exception) -> bytes | None:
        self.metrics.bug(exc, frame)
        return self.session.failure(frame)

    def _identity(self) -> bytes:
        return self._service.identity(self.local[0])
