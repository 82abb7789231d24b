"""On which machines the nodes of a plant are, where a backend has more than one: plain data, complete."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from farm.errors import FarmError

STATIC, ENGINE = "static", "engine"
"""Who says where a node is: the file (and the farm, where it does not), or the engine, which also moves it."""


@dataclass(frozen=True, slots=True)
class HostSpec:
    """A container engine: `url` as DOCKER_HOST has it, with a folder `tls` of ca.pem, cert.pem and key.pem for tcp; or
    the name of a `context` of Docker's own command line. Nothing of it: the engine that DOCKER_HOST names."""

    name: str
    url: str = ""
    tls: str = ""
    context: str = ""


@dataclass(frozen=True, slots=True)
class Placement:
    """`hosts` in the order of the file, none where it names none; `homes` are the hosts that a node may be on, by node,
    those that may be on any left out. `image` is what hosts pull for nodes, "" for one that is built and copied."""

    kind: str = STATIC
    hosts: tuple[HostSpec, ...] = ()
    homes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    image: str = ""

    def allows(self, node: str, host: str) -> bool:
        """Whether a node may be, or stay, on a host."""
        if not self.hosts:
            return True
        return host in (self.homes.get(node) or tuple(each.name for each in self.hosts))


ANYWHERE = Placement()


def encode_placement(placement: Placement) -> dict[str, Any]:
    """A placement as plain JSON."""
    hosts = [asdict(host) for host in placement.hosts]
    homes = {node: list(names) for node, names in placement.homes.items()}
    return {"kind": placement.kind, "hosts": hosts, "homes": homes, "image": placement.image}


def decode_placement(body: Mapping[str, Any]) -> Placement:
    """The placement back. Raises `FarmError` when something is missing or wrong."""
    try:
        hosts = tuple(HostSpec(**host) for host in body["hosts"])
        homes = {str(node): tuple(map(str, names)) for node, names in body["homes"].items()}
        return Placement(str(body["kind"]), hosts, homes, str(body["image"]))
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise FarmError(f"not a placement: {exc}") from exc
