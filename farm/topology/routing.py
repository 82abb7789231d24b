"""Which way a packet goes: the next hop towards every network of a plant, by the fewest routers.

Of ways that are as short, the one over the router that stands first in the file.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Hop:
    """The next router on a way: its name, and the network on which it is reached."""

    router: str
    network: str


@dataclass(slots=True)
class Routing:
    """The networks that each router of a plant is on, by router."""

    routers: Mapping[str, tuple[str, ...]]
    _on: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        self._on = {}
        for router, networks in self.routers.items():
            for network in networks:
                self._on.setdefault(network, []).append(router)

    @property
    def size(self) -> int:
        """How much a search may have to look at."""
        return sum(map(len, self.routers.values()))

    def beside(self, network: str) -> list[str]:
        """The routers on a network."""
        return self._on.get(network, [])

    def ways(self, networks: Iterable[str]) -> dict[str, Hop]:
        """From somebody on these networks to every network beyond them."""
        own = tuple(networks)
        found: dict[str, Hop] = {}
        passed: set[str] = set()
        waiting: deque[tuple[str, Hop | None]] = deque((network, None) for network in own)
        while waiting:
            network, first = waiting.popleft()
            for router in self.beside(network):
                hop = first or Hop(router, network)
                if router in passed:
                    continue
                passed.add(router)
                for beyond in self.routers[router]:
                    if beyond not in own and beyond not in found:
                        found[beyond] = hop
                        waiting.append((beyond, hop))
        return found
