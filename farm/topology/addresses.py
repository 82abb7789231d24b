"""An address for every node, always the same one: first those the file gives, then those the lock file kept, then the
next free ones in the order of the file."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from farm.topology.document import Node, origin
from farm.topology.groups import Member
from farm.topology.keys import ADDRESS
from farm.topology.lock import Locked
from farm.topology.networks import Network, network_of
from farm.topology.plant import Origin
from farm.topology.problem import Report
from farm.topology.shapes import take


@dataclass(frozen=True, slots=True)
class Given:
    """A node's address and where it came from."""

    address: str
    origin: Origin


@dataclass(slots=True)
class Addresses:
    """Gives addresses to members. `locked` is what the lock file said, `kept` what it shall say from now on."""

    networks: dict[str, Network]
    locked: Mapping[tuple[str, str], int]
    report: Report
    kept: Locked = field(default_factory=dict)
    given: dict[str, Given] = field(default_factory=dict)
    _taken: dict[int, tuple[str, Node]] = field(default_factory=dict)
    _free: dict[str, Iterator[int]] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)

    def assign(self, members: list[Member]) -> dict[str, Given]:
        """Name to address, for every member that can have one."""
        waiting = [wait for member in members if (wait := self.by_hand(member)) is not None]
        for member, network in waiting:
            self.by_lock(member, network)
        for member, network in waiting:
            if member.name not in self.given:
                self.next_free(member, network)
        self.report.subject = ""
        for network in self.networks.values():
            if network.place is not None and network.name not in self._used:
                hint = f"say 'network: {network.name}', or call it 'default'"
                self.report.warning("F070", network.place, f"no node is on network '{network.name}'", hint)
        return self.given

    def by_hand(self, member: Member) -> tuple[Member, Network] | None:
        """Give the address the file says; the member and its network when it says none."""
        self.report.subject = member.name
        network = network_of(member.body.scalar("network"), self.networks, self.report)
        written = member.body.get("address")
        if network is None:
            return None
        self._used.add(network.name)
        if written is None:
            return member, network
        address = take(member.body, "address", ADDRESS, None, self.report)
        if address is not None:
            self.check(member, network, address, written)
        return None

    def check(self, member: Member, network: Network, address: ipaddress.IPv4Address, written: Node) -> None:
        """Give an address by hand, when its network has it and nobody else does."""
        if not network.allows(int(address)):
            message = f"address {address} of '{member.name}' is outside network '{network.name}', {network.subnet}"
            self.report.error("F041", written, message)
            return
        other = self._taken.get(int(address))
        if other is not None:
            name, place = other
            message = f"address {address} of '{member.name}' is already given to '{name}'"
            self.report.error("F042", written, f"{message} ({place.source.name}, line {place.line})")
            return
        self.give(member, network, int(address), written)

    def by_lock(self, member: Member, network: Network) -> None:
        """Give the address the lock file kept, when it may still be given."""
        address = self.locked.get((network.name, member.name))
        if address is None or not network.allows(address):
            return
        other = self._taken.get(address)
        if other is None:
            self.give(member, network, address, None)
            return
        name, place = other
        shown = ipaddress.IPv4Address(address)
        self.report.subject = ""
        message = f"'{member.name}' leaves its address {shown}, which is now given to '{name}'"
        self.report.warning("F042", place, message)

    def next_free(self, member: Member, network: Network) -> None:
        """Give the lowest address nobody has."""
        free = self._free.setdefault(network.name, network.free())
        for address in free:
            if address not in self._taken:
                self.give(member, network, address, None)
                return
        self.report.subject = ""
        place = network.place or member.place
        self.report.error("F043", place, f"network '{network.name}', {network.subnet}, has no free address left")

    def give(self, member: Member, network: Network, address: int, written: Node | None) -> None:
        self._taken[address] = (member.name, written or member.place)
        place = network.origin if written is None else origin(written)
        self.given[member.name] = Given(str(ipaddress.IPv4Address(address)), place)
        if written is None:
            self.kept[(network.name, member.name)] = address
