"""An address for every interface, always the same one: first those the file gives, then those the lock file kept, then
the next free ones in the order of the file; from the top of each network those of this machine, the farm and routers.

All in the file's own terms; what two of them come to on the backend is compared, so that no address is there twice.
"""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from farm.topology.document import MapNode, Node, Scalar, origin
from farm.topology.groups import Member
from farm.topology.lock import ROUTER, Locked
from farm.topology.networks import DEFAULT_NETWORK, LOCALHOST, Network, network_of
from farm.topology.plant import Origin
from farm.topology.problem import Report, TooManyError
from farm.topology.shapes import read
from farm.topology.wiring_keys import ADDRESS

MAX_INTERFACES = 200_000
"""Of all nodes together."""


@dataclass(frozen=True, slots=True)
class Given:
    """An address in the file's terms, and where it came from."""

    address: int
    origin: Origin

    @property
    def text(self) -> str:
        """In dots."""
        return str(ipaddress.IPv4Address(self.address))


@dataclass(frozen=True, slots=True)
class Wish:
    """An interface that wants an address: whose, on which network, `written` as the file has it, None for any. `place`
    is what messages point at. Those of a router begin with `ROUTER`, which no name of a node does."""

    owner: str
    network: Network
    place: Node
    written: Scalar | None = None

    @property
    def key(self) -> tuple[str, str]:
        """As in the lock file."""
        return self.network.name, self.owner


@dataclass(slots=True)
class Addresses:
    """Gives addresses. `locked` is what the lock file said, `kept` what it shall say from now on. `own` says that the
    backend has networks of its own, in which this machine (`hosts`) and the farm (`watches`) have an address too."""

    networks: dict[str, Network]
    locked: Mapping[tuple[str, str], int]
    report: Report
    own: bool = False
    kept: Locked = field(default_factory=dict)
    given: dict[tuple[str, str], Given] = field(default_factory=dict)
    hosts: dict[str, int] = field(default_factory=dict)
    watches: dict[str, int] = field(default_factory=dict)
    _taken: dict[int, tuple[str, Node]] = field(default_factory=dict)
    _free: dict[tuple[str, bool], Iterator[int]] = field(default_factory=dict)
    _used: dict[str, Node] = field(default_factory=dict)

    def assign(self, members: list[Member], routers: Iterable[Wish] = ()) -> None:
        """Give one to every interface of the members, and to `routers`, that can have one."""
        wishes: list[Wish] = []
        for member in members:
            wishes += self.wishes(member)
            if len(wishes) > MAX_INTERFACES:
                hint = "make fewer nodes, or give them fewer 'interfaces'"
                self.report.error("F037", member.place, f"more than {MAX_INTERFACES:,} interfaces of nodes", hint)
                raise TooManyError
        waiting = [wish for wish in (*wishes, *routers) if not self.by_hand(wish)]
        waiting = [wish for wish in waiting if not self.by_lock(wish)]
        if self.own:
            self.apart()
            for name in self._used:
                self.reserve(self.networks[name])
        for wish in sorted(waiting, key=lambda wish: not wish.owner.startswith(ROUTER)):
            self.next_free(wish)
        self.report.subject = ""
        for network in self.networks.values():
            if network.place is not None and network.name not in self._used:
                hint = f"say 'network: {network.name}', or call it 'default'"
                self.report.warning("F070", network.place, f"no node is on network '{network.name}'", hint)

    @property
    def used(self) -> list[Network]:
        """The networks that anything is on, in the order of the file."""
        return [network for network in self.networks.values() if network.name in self._used]

    def of(self, owner: str, network: str) -> Given | None:
        """The address of a node, or of `ROUTER` and a router's name, on a network."""
        return self.given.get((network, owner))

    def wishes(self, member: Member) -> Iterator[Wish]:
        """One for each interface of a node, the main one first."""
        self.report.subject = member.name
        network = network_of(member.body.scalar("network"), self.networks, self.report)
        if network is not None:
            yield Wish(member.name, network, member.place, member.body.scalar("address"))
        interfaces = member.body.map("interfaces")
        for _, key, body in interfaces.items() if interfaces is not None else ():
            further = network_of(key, self.networks, self.report)
            if further is None:
                continue
            if further is network:
                message = f"'{member.name}' is on network '{further.name}' already"
                self.report.error("F046", key, message, "'interfaces' are further ones; 'network' is the first")
                continue
            yield Wish(member.name, further, key, body.scalar("address") if isinstance(body, MapNode) else None)

    def by_hand(self, wish: Wish) -> bool:
        """Give the address the file says. False when it says none."""
        self._used.setdefault(wish.network.name, wish.place)
        if wish.written is None:
            return False
        self.report.subject = shown_owner(wish.owner)
        address = None if wish.written.dollar else read(wish.written, ADDRESS, "'address'", self.report)
        if address is not None:
            self.check(wish, int(address), wish.written)
        return True

    def check(self, wish: Wish, address: int, written: Node) -> None:
        """Give an address by hand, when its network has it and nobody else does."""
        network, owner = wish.network, shown_owner(wish.owner)
        text = ipaddress.IPv4Address(address)
        if not network.allows(address):
            message = f"address {text} of '{owner}' is outside network '{network.name}', {network.subnet}"
            self.report.error("F041", written, message)
            return
        if network.here(address) == LOCALHOST != address:
            message = f"address {text} of '{owner}' would be 127.0.0.1 here, which is this machine's own"
            self.report.error("F041", written, message, "a subnet longer than /8 is put elsewhere")
            return
        other = self._taken.get(network.here(address))
        if other is not None:
            name, place = other
            message = f"address {text} of '{owner}' is already given to '{name}'"
            self.report.error("F042", written, f"{message} ({place.source.name}, line {place.line})")
            return
        self.give(wish, address, written)

    def by_lock(self, wish: Wish) -> bool:
        """Give the address the lock file kept, when it may still be given."""
        address = self.locked.get(wish.key)
        if address is None or not wish.network.allows(address):
            return False
        other = self._taken.get(wish.network.here(address))
        if other is None:
            self.give(wish, address, None)
            return True
        name, place = other
        shown = ipaddress.IPv4Address(address)
        self.report.subject = ""
        message = f"'{shown_owner(wish.owner)}' leaves its address {shown}, which is now given to '{name}'"
        self.report.warning("F042", place, message)
        return False

    def apart(self) -> None:
        """Find a network that lies in the default one, where both are real."""
        default = self.networks.get(DEFAULT_NETWORK)
        if default is None or default.place is not None or DEFAULT_NETWORK not in self._used:
            return
        for network in self.used:
            if network is not default and network.place is not None and network.image.overlaps(default.image):
                message = f"subnet {network.subnet} overlaps {default.subnet} of network '{DEFAULT_NETWORK}'"
                hint = "give every node a network, or declare 'default' with another subnet"
                self.report.error("F040", network.place, message, hint)

    def reserve(self, network: Network) -> None:
        """Keep the last free addresses for this machine and for the farm. Both are always kept, so that neither moves
        when the other is not needed."""
        self.report.subject = ""
        place = network.place or self._used[network.name]
        for found, whose in ((self.hosts, "this machine"), (self.watches, "the farm")):
            address = self.free(network, downwards=True)
            if address is None:
                message = f"network '{network.name}', {network.subnet}, has no free address left for {whose}"
                self.report.error("F043", place, message, "two addresses of each network are kept")
                return
            found[network.name] = address
            self._taken[network.here(address)] = (whose, place)

    def next_free(self, wish: Wish) -> None:
        """Give the lowest address nobody has; to a router, the highest."""
        network = wish.network
        address = self.free(network, downwards=wish.owner.startswith(ROUTER) and self.own)
        if address is None:
            self.report.subject = ""
            place = network.place or wish.place
            self.report.error("F043", place, f"network '{network.name}', {network.subnet}, has no free address left")
            return
        self.give(wish, address, None)

    def free(self, network: Network, *, downwards: bool = False) -> int | None:
        """The next address nobody has, from the bottom or from the top."""
        free = self._free.setdefault((network.name, downwards), network.free(downwards=downwards))
        return next((address for address in free if network.here(address) not in self._taken), None)

    def give(self, wish: Wish, address: int, written: Node | None) -> None:
        self._taken[wish.network.here(address)] = (shown_owner(wish.owner), written or wish.place)
        place = wish.network.origin if written is None else origin(written)
        self.given[wish.key] = Given(address, place)
        if written is None:
            self.kept[wish.key] = address


def shown_owner(owner: str) -> str:
    """The name of a node or router, as messages have it."""
    return owner.removeprefix(ROUTER)
