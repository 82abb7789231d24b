"""What things are called in a cluster, and the labels by which they are found.

Names there are parts of DNS names (RFC 1035): small letters, digits and `-`, a letter first. Those of a plant may have
capitals and `_`, and put together they may be too long, so two of them may come to one; the second then bears four hex
digits made from its own name.
"""

import hashlib
import re
from dataclasses import dataclass, field

FARM = "plcfarm.farm"
RUN = "plcfarm.run"
"""On everything that a farm made and looks after; not on what was rendered."""
ZONE = "plcfarm.zone"
SET = "plcfarm.set"
NODE = "plcfarm.node"
NETWORK = "plcfarm.network."
"""Before a network's name: on pods that are on it, with the farm's name. Who else bears it is on it too, for the
policies."""

NAME = "plcfarm/name"
ADDRESS = "plcfarm/address"
DIGEST = "plcfarm/digest"
"""Annotations: a node's name and address in the plant file, and what its pods serve."""

LONGEST = 52
"""Characters: a controller appends ten to a set's name, and the sum is a label."""


@dataclass(slots=True)
class Names:
    """Gives names that are there once."""

    _given: dict[str, tuple[str, str]] = field(default_factory=dict)

    def of(self, text: str, kind: str = "") -> str:
        """The name of what the plant file calls `text`, the same one each time; things of several kinds may be called
        alike there, and are not here."""
        plain = dns_name(text)
        for name in (plain, _marked(plain, mark(kind + text)), _marked(plain, mark(kind + text, 12))):
            if self._given.setdefault(name, (kind, text)) == (kind, text):
                return name
        raise AssertionError(text)  # forty-eight bits of a digest twice in one plant


def dns_name(text: str) -> str:
    """`text` as far as a name in a cluster can be it: PLC_1 is plc-1, and 7up is n-7up."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return (name if name[:1].isalpha() else f"n-{name}")[:LONGEST].rstrip("-")


def _marked(name: str, digits: str) -> str:
    return f"{name[: LONGEST - 1 - len(digits)].rstrip('-')}-{digits}"


def mark(text: str, digits: int = 4) -> str:
    """Some hex digits that differ for different texts."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()[:digits]


def network_label(network: str) -> str:
    """The label of who is on a network; those of `Cell` and `cell` are not the same."""
    own = dns_name(network)
    return f"{NETWORK}{own}" if own == network else f"{NETWORK}{own}-{mark(network)}"
