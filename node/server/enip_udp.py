"""EtherNet/IP over UDP: ListIdentity, ListServices and ListInterfaces, answered from the address that was asked."""

import asyncio
import socket
from typing import cast

from node.enip.target import answer_datagram
from node.exchange.metrics import Metrics
from node.server.enip_tcp import EnipService

_ANY = "0.0.0.0"


class EnipUdp(asyncio.DatagramProtocol):
    """The datagram endpoint of a node."""

    transport: asyncio.DatagramTransport

    def __init__(self, service: EnipService, metrics: Metrics) -> None:
        self._service = service
        self._metrics = metrics
        self._host = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Learns the address it is bound to."""
        self.transport = cast(asyncio.DatagramTransport, transport)
        self._host = transport.get_extra_info("sockname")[0]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answers the sender, or stays silent."""
        metrics = self._metrics
        metrics.requests += 1
        metrics.bytes_in += len(data)
        try:
            reply = answer_datagram(data, lambda: self._service.identity(self._address(addr)))
        except Exception as exc:
            metrics.bug(exc, data)
            return
        metrics.ring.append((self._service.clock(), data, reply))
        if reply is not None:
            metrics.bytes_out += len(reply)
            self.transport.sendto(reply, addr)

    def error_received(self, exc: Exception) -> None:
        """A reply that found nobody: nothing to do."""

    def _address(self, asker: tuple[str, int]) -> str:
        """The node's own address as `asker` sees it: where it is bound, or else the one this host would send from."""
        if self._host != _ANY:
            return self._host
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(asker)
            return str(probe.getsockname()[0])
