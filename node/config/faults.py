"""What can be done to a node on purpose, as plain data. (Held here until the node's own comes.)"""

from collections.abc import Mapping
from typing import Any

from node.errors import ConfigError
from node.record import dataclass

KINDS = (
    "offline",
    "refuse",
    "slow",
    "drop",
    "reset",
    "status",
    "truncate",
    "corrupt",
    "freeze",
    "bias",
    "spike",
    "bad-quality",
)


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """One fault."""

    body: Mapping[str, Any]

    @property
    def text(self) -> str:
        """One line."""
        return str(self.body["kind"])

    def dump(self) -> dict[str, Any]:
        """Plain JSON."""
        return dict(self.body)


def parse_fault(body: Mapping[str, Any]) -> FaultSpec:
    """The fault. Raises `ConfigError`."""
    if body.get("kind") not in KINDS:
        raise ConfigError("fault", 0, f"{body.get('kind')!r} is no fault; there is {', '.join(KINDS)}")
    return FaultSpec(dict(body))
