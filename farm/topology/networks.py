"""The networks of a plant: a name and a subnet each, where that is on the backend, and which addresses of it a node may
have."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from farm.topology import territory
from farm.topology.document import MapNode, Node, Scalar, origin, shown
from farm.topology.network_rules import PLAIN, Ranges, Shared, Traits, read_traits
from farm.topology.plant import Origin
from farm.topology.problem import Report, TooManyError, suggestion
from farm.topology.shapes import take
from farm.topology.wiring_keys import SUBNET

DEFAULT_NETWORK = "default"
DEFAULT_SUBNET = ipaddress.IPv4Network("127.64.0.0/10")
LOCALHOST = int(ipaddress.IPv4Address("127.0.0.1"))
UNICAST = (1, 223)
"""First bytes of addresses that a single machine can have."""
MAX_NETWORKS = 4096
SMALLEST_PREFIX = 8
LARGEST_PREFIX = 30


@dataclass(frozen=True, slots=True)
class Network:
    """A network: `subnet` as the file says it, `image` where that is on the backend, `outer` where it is in 127/8.
    Addresses are the file's unless something else is said. `place` is its subnet in the file, None for the default one
    that no file declares; `traits` is what else is said of it."""

    name: str
    subnet: ipaddress.IPv4Network
    image: ipaddress.IPv4Network
    outer: ipaddress.IPv4Network
    place: Node | None = None
    traits: Traits = PLAIN
    body: MapNode | None = None

    @property
    def origin(self) -> Origin:
        """Where an address that came out of it has its origin."""
        return Origin(f"default network {self.subnet}", 0, 0) if self.place is None else origin(self.place)

    @property
    def machine(self) -> range:
        """Of a subnet that is all of 127/8 on some backend, the addresses that would be the machine's own."""
        return range(int(self.subnet.network_address), int(self.subnet.network_address) + (1 << 16))

    def allows(self, address: int) -> bool:
        """Whether a node may be given this address by hand: inside, and not the network's own two."""
        return int(self.subnet.network_address) < address < int(self.subnet.broadcast_address)

    def free(self, *, downwards: bool = False) -> Iterator[int]:
        """The addresses nodes get by themselves, in order. Those ending in .0 and .255 are left out, for software
        takes them for networks and broadcasts even where they are not, and so are those that could be the machine's
        own: the same on every backend, so that a plant that moves to another keeps its addresses."""
        first, last = int(self.subnet.network_address), int(self.subnet.broadcast_address)
        if self.subnet.prefixlen == territory.LOOPBACK.prefixlen:
            first = self.machine.stop
        addresses = range(last - 1, first, -1) if downwards else range(first + 1, last)
        for address in addresses:
            if address & 0xFF not in (0, 0xFF) and address != LOCALHOST:
                yield address

    def here(self, address: int) -> int:
        """Where an address is on the backend."""
        return address - int(self.subnet.network_address) + int(self.image.network_address)

    def local(self, address: int) -> int:
        """Where an address is in 127/8."""
        return address - int(self.subnet.network_address) + int(self.outer.network_address)


def network(name: str, subnet: ipaddress.IPv4Network, backend: str, place: Node | None = None) -> Network:
    """A network of which nothing but its subnet is said."""
    return Network(name, subnet, territory.image(subnet, backend), territory.inside(subnet), place)


def read_networks(settings: MapNode, backend: str, outside: bool, report: Report) -> dict[str, Network]:
    """The networks a plant declares, and `default`. `outside` says that nodes are served in 127/8 as well."""
    reader = _Reader(backend, outside, report)
    declared = settings.map("networks")
    for name, key, body in declared.items() if declared is not None else ():
        if len(reader.networks) >= MAX_NETWORKS:
            report.error("F037", key, f"the plant has more than {MAX_NETWORKS:,} networks")
            raise TooManyError
        if isinstance(body, MapNode):
            reader.read(name, body)
    declares_default = declared is not None and declared.get(DEFAULT_NETWORK) is not None
    if not declares_default:
        reader.networks.setdefault(DEFAULT_NETWORK, network(DEFAULT_NETWORK, DEFAULT_SUBNET, backend))
    return reader.networks


@dataclass(slots=True)
class _Reader:
    backend: str
    outside: bool
    report: Report
    networks: dict[str, Network] = field(default_factory=dict)
    seen: dict[str, Network] = field(default_factory=dict)
    in_file: Ranges = field(default_factory=Ranges)
    here: Ranges = field(default_factory=Ranges)
    local: Ranges = field(default_factory=Ranges)
    shared: Shared = field(init=False)

    def __post_init__(self) -> None:
        self.shared = Shared(self.report)

    def read(self, name: str, body: MapNode) -> None:
        """Take one network in, unless its subnet is of no use."""
        subnet, place = take(body, "subnet", SUBNET, None, self.report), body.get("subnet")
        if subnet is None or place is None or not self.usable(subnet, place):
            return
        found = network(name, subnet, self.backend, place)
        message = self.overlap(found)
        if message:
            self.report.error("F040", place, message)
            return
        found = replace(found, traits=read_traits(name, body, self.backend, self.report), body=body)
        self.shared.check(name, found.traits, body)
        self.networks[name] = found

    def usable(self, subnet: ipaddress.IPv4Network, place: Node) -> bool:
        message = ""
        if not SMALLEST_PREFIX <= subnet.prefixlen <= LARGEST_PREFIX:
            message = f"subnet {subnet} is not from /{SMALLEST_PREFIX} to /{LARGEST_PREFIX}"
        elif not UNICAST[0] <= int(subnet.network_address) >> 24 <= UNICAST[1]:
            message = f"subnet {subnet} has no addresses that a machine can have"
        if message:
            self.report.error("F040", place, message)
        return not message

    def overlap(self, found: Network) -> str:
        """What is wrong where two networks share addresses, in the file or on the backend; "" for nothing."""
        self.seen[found.name] = found
        other = self.in_file.add(found.name, found.subnet)
        if other:
            return f"subnet {found.subnet} overlaps {self.described(other)}"
        other = self.here.add(found.name, found.image)
        if other:
            return (
                f"subnet {found.subnet} is {found.image} on backend {self.backend}, and so is {self.described(other)}"
            )
        other = self.local.add(found.name, found.outer) if self.outside else ""
        if other:
            return f"subnet {found.subnet} is {found.outer} for this machine, and so is {self.described(other)}"
        return ""

    def described(self, name: str) -> str:
        other = self.seen[name]
        at = f" ({other.place.source.name}, line {other.place.line})" if other.place is not None else ""
        return f"{other.subnet} of network '{name}'{at}"


def network_of(name: Scalar | None, networks: dict[str, Network], report: Report) -> Network | None:
    """The network a node names, or `default`; None, with an error noted, when there is none of that name."""
    if name is None:
        return networks.get(DEFAULT_NETWORK)
    if name.dollar:
        return None
    if name.text not in networks:
        hint = suggestion(name.text, networks) or f"known: {', '.join(networks)}"
        report.error("F033", name, f"network {shown(name.text)} is unknown", hint)
    return networks.get(name.text)
