"""Where a route leads: to this device, or on to another address.

A route is hops of a port and a link: `01 00` is slot 0 of the backplane, `12 0A "127.64.1.5"` an address on the network
behind port 2. This device stands for its whole chassis, so hops of the backplane end here. A hop with an IPv4 address
leads on where the device was told to send messages on to that subnet; each such hop uses up a piece of the route, so
that a route that comes back here ends (CIP Vol 1, 3-5.5.4 and appendix C; CIP Vol 2, chapter 3, for links in text).
"""

from collections.abc import Sequence

from node.cip.epath import Port, Segment
from node.cip.status import CONNECTION_FAILURE, INVALID_NODE_ADDRESS, INVALID_PORT, INVALID_SEGMENT, CipError
from node.errors import ConfigError
from node.record import dataclass

Route = tuple[tuple[int, int | str], ...]
"""Hops as (port, link)."""

Address = tuple[str, int]
"""Host and TCP port."""

PORT = 44818

MAX_HOPS = 8
"""Addresses that one route may name."""


@dataclass(frozen=True, slots=True)
class Subnet:
    """IPv4 addresses that agree with `network` in the bits of `mask`."""

    network: int
    mask: int

    def __contains__(self, ip: str) -> bool:
        number = _number(ip)
        return number is not None and number & self.mask == self.network


def parse_subnet(text: str) -> Subnet | None:
    """`127.64.0.0/10`, or a single address; None for "". Raises `ConfigError`."""
    if not text:
        return None
    ip, slash, bits = text.partition("/")
    number = _number(ip)
    width = int(bits) if bits.isascii() and bits.isdigit() else -1 if slash else 32
    if number is None or not 0 <= width <= 32:
        raise ConfigError("onward", 0, f"{text!r} is no subnet; wanted one like 127.64.0.0/10")
    mask = 0xFFFFFFFF << (32 - width) & 0xFFFFFFFF
    if number & ~mask:
        raise ConfigError("onward", 0, f"{text!r} has bits behind its first {width}; wanted one like 127.64.0.0/10")
    return Subnet(number, mask)


@dataclass(frozen=True, slots=True)
class Hop:
    """The next device: where it listens, and how many segments of the route were used up to get there."""

    address: Address
    used: int


@dataclass(frozen=True, slots=True)
class Routes:
    """`route` None takes any route, () none, a tuple exactly that one. `onward` holds the addresses that a message is
    sent on to, None for none; `address` is this device's own."""

    route: Route | None = None
    onward: Subnet | None = None
    address: str = ""

    def follow(self, hops: Sequence[Segment]) -> Hop | None:
        """The next device of a route, None when it ends here.

        Raises `CipError` 0x01: 0x0311 for a port that is not there, 0x0312 for a link, 0x0315 for what is no hop.
        """
        ports = [hop for hop in hops if isinstance(hop, Port)]
        if len(ports) != len(hops):
            raise _failure(INVALID_SEGMENT)
        addresses = [index for index, hop in enumerate(ports) if isinstance(hop.link, bytes)]
        if self.onward is None or not addresses:
            self._end(ports)
            return None
        if len(addresses) > MAX_HOPS:
            raise _failure(INVALID_SEGMENT)
        return self._follow(ports, addresses)

    def _follow(self, hops: list[Port], addresses: list[int]) -> Hop | None:
        """The same for a route with addresses at these indexes; those of this device itself lead nowhere else."""
        start = 0
        for index in addresses:
            if self.route is not None and not self._fault(hops[start:]):
                return None
            if index > start:
                self._end(hops[start:index])
            address = _address(hops[index].link)
            if address != (self.address, PORT):
                if self.onward is None or address[0] not in self.onward:
                    raise _failure(INVALID_NODE_ADDRESS)
                return Hop(address, index + 1)
            start = index + 1
        self._end(hops[start:])
        return None

    def _end(self, hops: list[Port]) -> None:
        fault = self._fault(hops)
        if fault:
            raise _failure(fault)

    def _fault(self, hops: list[Port]) -> int:
        """The extended status of a route that does not end here, 0 for one that does."""
        if self.route is None:
            return 0
        for hop, (port, link) in zip(hops, self.route, strict=False):
            if hop.port != port:
                return INVALID_PORT
            if hop.link != (link.encode("iso-8859-1") if isinstance(link, str) else link):
                return INVALID_NODE_ADDRESS
        if len(hops) > len(self.route):
            return INVALID_PORT
        return 0 if len(hops) == len(self.route) else INVALID_SEGMENT


def _failure(status: int) -> CipError:
    return CipError(CONNECTION_FAILURE, (status,))


def _address(link: int | bytes) -> Address:
    """The address a link names, `127.64.1.5` or `127.64.1.5:44818`. Raises `CipError` 0x01/0x0312 for another text."""
    text = link.rstrip(b"\0").decode("iso-8859-1") if isinstance(link, bytes) else ""
    ip, colon, port = text.partition(":")
    number = PORT
    if colon:
        number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 0
    if _number(ip) is None or not 0 < number <= 0xFFFF:
        raise _failure(INVALID_NODE_ADDRESS)
    return ip, number


def _number(ip: str) -> int | None:
    """An IPv4 address as a number, None when it is no address in dots."""
    parts = ip.split(".")
    number = 0
    for part in parts:
        if not (part.isascii() and part.isdigit() and len(part) <= 3 and int(part) <= 0xFF):
            return None
        number = number << 8 | int(part)
    return number if len(parts) == 4 else None
