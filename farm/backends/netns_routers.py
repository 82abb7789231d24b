"""Routers between networks: a namespace with an interface on each, that forwards what its rules let through.

Answers pass by connection tracking, what a rule names passes, all else is dropped (nft(8)). The rules are made from
addresses and numbers that were parsed, never from text of a file.
"""

import ipaddress
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from farm.backends import rtnetlink
from farm.backends.netns_networks import Networks
from farm.backends.netns_spaces import inside
from farm.backends.netns_switch import Switch
from farm.backends.netns_wiring import FIRST_INTERFACE, is_wired, unwire, wire
from farm.backends.rtnetlink import Link, Message, Rtnetlink
from farm.errors import BackendError
from farm.topology.wiring import FlowRule, RouterSpec
from node.config.model import InterfaceConfig

NFT = "nft"
NFT_SECONDS = 20.0
PROTOCOLS = ("tcp", "udp", "icmp", "any")

_Build = Callable[[int, InterfaceConfig], Message]


class Routers:
    """The routers of a run. `specs` are those that were made, by name; what is kept of them is its owner's affair."""

    def __init__(self, switch: Switch, networks: Networks, specs: dict[str, RouterSpec]) -> None:
        self.specs = specs
        self._switch = switch
        self._networks = networks
        self._lock = threading.Lock()
        self._sockets: dict[str, tuple[int, Rtnetlink]] = {}

    def create(self, spec: RouterSpec, nodes: Iterable[InterfaceConfig]) -> None:
        """Makes it, in place of what is there under its name; it knows the interfaces of `nodes` on its networks.
        Raises `BackendError`, also where there is no nft."""
        if shutil.which(NFT) is None:
            raise BackendError(spec.name, "create", "routers need the program nft: apt-get install nftables")
        rules = encode_rules(spec.allow)
        self.remove(spec.name)
        attachments = [self._networks.attach(interface) for interface in spec.interfaces]
        wire(self._switch, space_of(spec.name), attachments, spec.routes)
        self._networks.introduce(attachments)
        self._load(spec.name, rules)
        with self._lock:
            self.specs[spec.name] = spec
        self.introduce(tuple(nodes), only=spec.name)

    def remove(self, name: str) -> None:
        """Takes it away; not an error when it is gone. Raises `BackendError`."""
        with self._lock:
            spec = self.specs.pop(name, None)
            _, kernel = self._sockets.pop(name, (0, None))
        if kernel is not None:
            kernel.close()
        unwire(self._switch, {space_of(name): len(spec.interfaces) if spec is not None else 0})
        if spec is not None:
            self._networks.forget(spec.interfaces)

    def look(self, links: Mapping[str, Link], networks: set[str]) -> set[str]:
        """The names of those that are as they were made, on networks that are so too; `links` are the switch's."""
        spaces, bridges = self._switch.spaces, self._networks.bridges
        return {
            name
            for name, spec in self.specs.items()
            if networks >= {interface.network for interface in spec.interfaces}
            and is_wired(spaces, space_of(name), spec.interfaces, links, bridges)
        }

    def mac_of(self, network: str, address: str) -> str:
        """The MAC of a router's interface, "" when no router has that address."""
        with self._lock:
            for spec in self.specs.values():
                for interface in spec.interfaces:
                    if (interface.network, interface.address) == (network, address):
                        return interface.mac
        return ""

    def introduce(self, interfaces: Sequence[InterfaceConfig], only: str = "") -> None:
        """Has routers on their networks, or one of them, know these interfaces. Raises `BackendError`."""
        self._tell(
            interfaces, only, lambda index, each: rtnetlink.add_neighbour(index, each.address, each.mac), "introduce"
        )

    def forget(self, interfaces: Sequence[InterfaceConfig]) -> None:
        """They are gone. Raises `BackendError`."""
        self._tell(interfaces, "", lambda index, each: rtnetlink.delete_neighbour(index, each.address), "forget")

    def close(self) -> None:
        """Closes what is open; the routers stay."""
        with self._lock:
            for _, kernel in self._sockets.values():
                kernel.close()
            self._sockets.clear()

    def _tell(self, interfaces: Sequence[InterfaceConfig], only: str, message: _Build, operation: str) -> None:
        with self._lock:
            specs = [spec for spec in self.specs.values() if only in ("", spec.name)]
        for spec in specs:
            places = {own.network: index for index, own in enumerate(spec.interfaces, FIRST_INTERFACE)}
            messages = [message(places[each.network], each) for each in interfaces if each.network in places]
            if messages:
                try:
                    self._socket(spec.name).send(messages)
                except OSError as exc:
                    raise BackendError(spec.name, operation, str(exc)) from exc

    def _socket(self, name: str) -> Rtnetlink:
        """A socket in the router's namespace."""
        pin = self._switch.spaces.pin(space_of(name))
        with self._lock:
            inode, kernel = self._sockets.get(name, (0, None))
            found = pin.stat().st_ino
            if kernel is None or inode != found:
                if kernel is not None:
                    kernel.close()
                kernel = inside(pin, Rtnetlink)
                self._sockets[name] = (found, kernel)
            return kernel

    def _load(self, name: str, rules: str) -> None:
        def run() -> "subprocess.CompletedProcess[str]":
            return subprocess.run(
                [NFT, "-f", "-"], input=rules, capture_output=True, text=True, timeout=NFT_SECONDS, check=False
            )

        try:
            done = inside(self._switch.spaces.pin(space_of(name)), run)
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise BackendError(name, "create", f"nft: {exc}") from exc
        if done.returncode:
            self._switch.spaces.drop(space_of(name))
            raise BackendError(name, "create", f"nft: {' '.join(done.stderr.split())}")


def space_of(router: str) -> str:
    """The namespace of a router."""
    return f"router.{router}"


def encode_rules(allow: Sequence[FlowRule]) -> str:
    """What nft reads: only answers and what `allow` names pass. Raises `BackendError` for a rule that is none."""
    lines = ["table inet farm {", "chain forward {", "type filter hook forward priority filter; policy drop;"]
    lines += ["ct state established,related accept", *map(encode_rule, allow)]
    return "\n".join([*lines, "}", "}", ""])


def encode_rule(rule: FlowRule) -> str:
    """One rule: `ip saddr 10.1.0.0/24 ip daddr 10.2.0.7 tcp dport { 502 } accept`. Raises `BackendError`."""
    try:
        source, target = ipaddress.ip_network(rule.source), ipaddress.ip_network(rule.target)
        ports = [int(port) for port in rule.ports]
    except ValueError as exc:
        raise BackendError("router", "create", f"a rule that cannot be: {exc}") from exc
    if source.version != target.version or rule.protocol not in PROTOCOLS or not all(0 < p < 65536 for p in ports):
        raise BackendError("router", "create", f"a rule that cannot be: {rule}")
    family, icmp = ("ip", "icmp") if source.version == 4 else ("ip6", "ipv6-icmp")
    text = f"{family} saddr {source} {family} daddr {target}"
    if rule.protocol == "icmp":
        text += f" meta l4proto {icmp}"
    elif rule.protocol != "any" and ports:
        text += f" {rule.protocol} dport {{ {', '.join(map(str, ports))} }}"
    elif rule.protocol != "any":
        text += f" meta l4proto {rule.protocol}"
    elif ports:
        text += f" meta l4proto {{ tcp, udp }} th dport {{ {', '.join(map(str, ports))} }}"
    return f"{text} accept"
