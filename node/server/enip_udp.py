"""EtherNet/IP over UDP: ListIdentity, ListServices and ListInterfaces, answered from the address that was asked.

What has a status, or a List command with data behind it, is a reply and not a request: it is left alone, or two nodes
would answer each other for ever once somebody had sent one of them a request in the other's name.
"""

from node.enip.header import HEADER, HEADER_SIZE, LIST_IDENTITY, LIST_INTERFACES, LIST_SERVICES
from node.enip.target import answer_datagram
from node.exchange.exchange import NOTHING, Exchange
from node.exchange.metrics import Metrics
from node.memory.access import Access
from node.server.enip_tcp import EnipService

_LISTS = (LIST_IDENTITY, LIST_INTERFACES, LIST_SERVICES)


class EnipUdp:
    """Answers the datagrams of a node."""

    def __init__(self, service: EnipService, metrics: Metrics) -> None:
        self._service = service
        self._metrics = metrics

    def answer(self, data: bytes, asker: tuple[str, int], local: str, broadcast: bool) -> Exchange:
        """The fate of a datagram that came to the address `local`; a refusal is not sent to who asked everyone."""
        service, metrics = self._service, self._metrics
        now = service.clock()
        metrics.requests += 1
        metrics.bytes_in += len(data)

        def answered(frame: bytes, accesses: list[Access]) -> bytes | None:
            return None if _is_reply(frame) else answer_datagram(frame, lambda: service.identity(local))

        peer = f"{asker[0]}:{asker[1]}"
        try:
            exchange = (service.chain or NOTHING).run(data, answered, peer, now, datagram=True)
        except Exception as exc:
            metrics.bug(exc, data)
            exchange = Exchange(peer, now, data)
        if broadcast and exchange.reply is not None and HEADER.unpack_from(exchange.reply)[3]:
            exchange.reply = None
        metrics.ring.append((now, data, exchange.reply, peer))
        metrics.bytes_out += len(exchange.reply or b"")
        metrics.took(service.clock() - now + exchange.delay, 1)
        return exchange


def _is_reply(data: bytes) -> bool:
    if len(data) < HEADER_SIZE:
        return False
    command, length, _, status, _, _ = HEADER.unpack_from(data)
    return bool(status) or (command in _LISTS and bool(length))
