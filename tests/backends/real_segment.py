"""A real segment as tests have one: a veth pair, one end the interface of a machine, the other that of a PC."""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path

from farm.backends import arp_probe
from farm.backends.netns_spaces import Spaces, inside
from farm.backends.netns_uplink import Answering, check_uplink, join
from farm.topology.wiring import NetworkSpec

REAL = "lan1"
"""The machine's interface."""
NETWORK = NetworkSpec("cell", "10.64.252.0/24", "10.64.252.254", uplink=REAL)
PC = "10.64.252.200"
NODES = {"a": ("10.64.252.11", "02:fa:00:00:00:11"), "b": ("10.64.252.12", "02:fa:00:00:00:12")}
ANSWERING = [Answering(address, name, ("EtherNet/IP 44818",)) for name, (address, _) in NODES.items()]
ADDRESSES = [address for address, _ in NODES.values()]


def ip(*commands: str) -> str:
    """Runs `ip` with each; what the last one prints."""
    out = ""
    for command in commands:
        out = subprocess.run(["ip", *command.split()], check=True, capture_output=True, text=True).stdout
    return out


class Segment:
    """A machine with an interface, a PC on its wire, and a switch with two nodes."""

    def __init__(self) -> None:
        self._spaces = Spaces(f"uplink-{uuid.uuid4().hex}")
        self._spaces.prepare()
        for name in ("machine", "pc", "node.a", "node.b", "switch"):
            self._spaces.make(name, self._quiet)
        self.machine, self.pc, self.switch = (self._spaces.pin(name) for name in ("machine", "pc", "switch"))
        self.at(self.machine, lambda: self._wire())
        self.at(self.switch, lambda: self._plug())

    def remove(self) -> None:
        """Takes all away."""
        for name in self._spaces.names():
            self._spaces.drop(name)

    def drop_switch(self) -> None:
        """What is left of it when its pin and its processes are gone."""
        self._spaces.drop("switch")

    def node(self, name: str) -> Path:
        """The namespace of a node."""
        return self._spaces.pin(f"node.{name}")

    at = staticmethod(inside)

    def join(self) -> None:
        """As the farm would, from the switch."""
        inside(self.switch, lambda: join(self.switch, "br0", NETWORK, self.machine))

    def check(self, *, shared: bool = False, beside_controllers: bool = False) -> list[str]:
        """As the command line would, from the machine."""
        return inside(
            self.machine,
            lambda: check_uplink(NETWORK, ANSWERING, shared=shared, beside_controllers=beside_controllers),
        )

    def heard(self) -> dict[str, str]:
        """Who answers the PC, as address to MAC."""
        return dict(inside(self.pc, lambda: arp_probe.probe("pc0", ADDRESSES)).owners)

    def interface(self) -> str:
        """Everything about the machine's interface."""
        return inside(self.machine, lambda: ip(f"-d link show {REAL}") + ip("address show") + ip("route show"))

    def _wire(self) -> None:
        ip(f"link add {REAL} type veth peer pc0 netns {self.pc.name}", f"link set {REAL} up")
        ip(f"-n {self.pc.name} address add {PC}/24 dev pc0", f"-n {self.pc.name} link set pc0 up")

    def _plug(self) -> None:
        ip("link add br0 type bridge", "link set br0 up")
        for name, (address, mac) in NODES.items():
            space = self.node(name).name
            ip(f"link add p{name} type veth peer eth0 netns {space}", f"link set p{name} master br0 up")
            ip(f"-n {space} link set eth0 address {mac} up", f"-n {space} address add {address}/24 dev eth0")

    @staticmethod
    def _quiet() -> None:
        for part in ("all", "default"):
            Path(f"/proc/sys/net/ipv6/conf/{part}/disable_ipv6").write_text("1")
