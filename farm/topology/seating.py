"""Everything about where the nodes of a plant are: its networks and gateways, every address, every interface.

networks, gateways ─▶ addresses ─▶ interfaces ─▶ a seat for each node, networks and routers for the backend
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from farm.topology import territory
from farm.topology.addresses import Addresses, shown_owner
from farm.topology.build import Seat
from farm.topology.document import MapNode
from farm.topology.flows import Flows
from farm.topology.gateways import Gateway, read_gateways, sound_names
from farm.topology.groups import Member
from farm.topology.interfaces import Interfaces, dots, networks_of
from farm.topology.lock import Locked
from farm.topology.networks import Network, read_networks
from farm.topology.plant import Whereabouts
from farm.topology.problem import Report
from farm.topology.segments import network_specs, router_specs
from farm.topology.wiring import NetworkSpec, RouterSpec


@dataclass(slots=True)
class Seating:
    """The networks of one plant and who is where on them. `outside` says that nodes are served in 127/8 as well;
    `declared` are the names of the file's gateways, `gateways` those that can be."""

    farm: str
    backend: str
    outside: bool
    networks: dict[str, Network]
    declared: frozenset[str]
    gateways: list[Gateway]
    report: Report
    addresses: Addresses = field(init=False)
    interfaces: Interfaces = field(init=False)

    @classmethod
    def of(cls, head: MapNode, farm: str, backend: str, outside: bool, report: Report) -> "Seating":
        """From the filled-in `networks` and `gateways` of a file."""
        networks = read_networks(head, backend, outside, report)
        declared = head.map("gateways")
        names = frozenset(declared.entries if declared is not None else ())
        return cls(farm, backend, outside, networks, names, read_gateways(head, networks, backend, report), report)

    @property
    def own(self) -> bool:
        """Whether nodes have network interfaces of their own."""
        return self.backend in territory.OWN_NETWORKS

    def seat(self, members: list[Member], locked: Locked) -> dict[str, Seat]:
        """A seat for each node that has an address."""
        self.addresses = Addresses(self.networks, locked, self.report, self.own)
        self.addresses.assign(members, [wish for gateway in self.gateways for wish in gateway.wishes])
        sound_names(self.gateways, members, self.report)
        refused = self.declared - {gateway.name for gateway in self.gateways}
        self.interfaces = Interfaces(self.farm, self.networks, self.addresses, self.gateways, refused, self.report)
        self.interfaces.take_macs(members)
        seats = {}
        for member in members:
            places = networks_of(member, self.networks)
            given = self.addresses.of(member.name, places[0][0].name) if places else None
            if given is None:
                continue
            self.report.subject = member.name
            main = places[0][0]
            open_ = self.outside and any(not network.traits.internal for network, _ in places)
            seats[member.name] = Seat(
                dots(main.here(given.address)),
                self.interfaces.of_node(member) if self.own else (),
                dots(main.local(given.address)) if open_ else "",
            )
        self.report.subject = ""
        return seats

    def network_specs(self) -> tuple[NetworkSpec, ...]:
        """The networks that the backend makes."""
        return network_specs(self.addresses) if self.own else ()

    def router_specs(self, members: list[Member]) -> tuple[RouterSpec, ...]:
        """The routers that the backend makes."""
        return router_specs(self.interfaces, Flows(self.networks, members, self.addresses, self.report))

    def whereabouts(self, members: list[Member]) -> Mapping[str, Whereabouts]:
        """Where each node belongs, for people. The default network that no file declares has no name there."""
        found = {}
        for member in members:
            networks = [network for network, _ in networks_of(member, self.networks)]
            found[member.name] = Whereabouts(
                member.group,
                tuple(network.name for network in networks if network.place is not None),
                str(networks[0].image) if networks else "",
                networks[0].traits.purdue if networks else None,
            )
        return found

    def written(self) -> Mapping[str, Mapping[str, str]]:
        """Node or router, then network, to the address in the file's terms."""
        found: dict[str, dict[str, str]] = {}
        for (network, owner), given in self.addresses.given.items():
            found.setdefault(shown_owner(owner), {})[network] = given.text
        return found
