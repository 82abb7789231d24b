"""MAC addresses: those the file gives, and for all others one made of the names of farm, node and network, so that it
is the same on every machine and after every change, and no two are alike.

    02:fa:xx:xx:xx:xx    locally administered: no device that was ever made has one
    00:00:bc:xx:xx:xx    with the `oui` of a closed network
"""

import hashlib
from dataclasses import dataclass, field

from farm.topology.document import Node
from farm.topology.networks import Network
from farm.topology.problem import Report

OURS = "02:fa"
_LOCAL = 0x02
"""The bit of the first byte that says: no maker's."""


@dataclass(slots=True)
class Macs:
    """Gives the MAC addresses of one farm; by hand first."""

    farm: str
    report: Report
    _taken: dict[str, tuple[str, str]] = field(default_factory=dict)

    def by_hand(self, owner: str, network: Network, mac: str, written: Node) -> None:
        """Take the address that the file gives an interface, when nobody else has it and it may be there."""
        if not int(mac[:2], 16) & _LOCAL and not network.traits.closed:
            message = f"{mac} may be that of a device that was made, and network '{network.name}' is not closed"
            hint = "begin it with 02, or say 'internal: true' of the network, and no uplink"
            self.report.error("F047", written, message, hint)
        other = self._taken.setdefault(mac, (owner, network.name))
        if other != (owner, network.name):
            self.report.error("F047", written, f"MAC address {mac} of '{owner}' is already that of '{other[0]}'")

    def derived(self, owner: str, network: Network) -> str:
        """The address of an interface that the file gives none."""
        turn = 0
        while True:
            mac = made(self.farm, owner, network, turn)
            if self._taken.setdefault(mac, (owner, network.name)) == (owner, network.name):
                return mac
            turn += 1


def made(farm: str, owner: str, network: Network, turn: int = 0) -> str:
    """The address that follows from the names; another one for each `turn`."""
    first = network.traits.oui or OURS
    names = "/".join((farm, owner, network.name, str(turn)))
    digest = hashlib.sha256(names.encode()).hexdigest()
    rest = [digest[at : at + 2] for at in range(0, 2 * (6 - len(first.split(":"))), 2)]
    return ":".join((first, *rest))
