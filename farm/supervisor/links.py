"""How good the link of each node is: what was made of what is wanted, and what a node has to play of it itself.

A platform without the means leaves a delay to the node, which then waits before each reply; the node is told so again
whenever it was started anew, for it remembers nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from farm.errors import FarmError
from farm.supervisor.roster import Member, Roster
from farm.topology.plant import Plant
from farm.topology.wiring import GOOD, MACVLAN, Shaping
from node.config.model import NodeConfig

DELAY = "options/delay"

TellNode = Callable[[str, str, Any], Awaitable[Any]]
"""Sends a command to a node: node, path, value. Raises `FarmError`."""


class Links:
    """The links of a farm's nodes that are not simply good. `leads` says whether anything leads to a node from here."""

    def __init__(
        self, roster: Roster, tell: TellNode, leads: Callable[[NodeConfig], bool] = lambda config: True
    ) -> None:
        self._leads = leads
        self._roster = roster
        self._tell = tell
        self._shapings: dict[str, Shaping] = {}

    def adopt(self, shapings: Mapping[str, Shaping]) -> None:
        """What was made before this supervisor came."""
        for node, shaping in shapings.items():
            self.shaped(node, shaping)

    def want(self, plant: Plant | None) -> None:
        """Nodes whose link is to be down cannot be asked whether they are up; nor can those on a macvlan, from the
        machine whose interface it stands on, or those on overlays that are led to from nowhere."""
        links = plant.links if plant is not None else {}
        beyond = (
            {network.name for network in plant.networks if network.driver == MACVLAN} if plant is not None else set()
        )
        for name, member in self._roster.members.items():
            away = any(interface.network in beyond for interface in member.config.interfaces[:1])
            away = away or not self._leads(member.config)
            member.reachable = links.get(name, GOOD).up and not away

    def shaped(self, node: str, shaping: Shaping) -> None:
        """This was made of the node's link."""
        self._shapings.pop(node, None)
        if shaping.quality != GOOD:
            self._shapings[node] = shaping
        member = self._roster.members.get(node)
        if member is not None:
            member.link = described(shaping)

    def plays(self, node: str) -> bool:
        """Whether the node has something to play itself."""
        shaping = self._shapings.get(node)
        return shaping is not None and shaping.left != GOOD

    async def play(self, member: Member) -> None:
        """Tells the node what is left to it. Raises `FarmError`."""
        name = member.config.name
        shaping = self._shapings.get(name)
        left = shaping.left if shaping is not None else GOOD
        low, high = member.config.delay
        value = [low + max(0.0, left.delay - left.jitter), high + left.delay + left.jitter]
        try:
            await self._tell(name, DELAY, value)
        except FarmError as exc:
            raise FarmError(f"its link cannot be played: {exc}") from exc


def described(shaping: Shaping) -> str:
    """What `farm ps` says of a link, with the means in force: `delay 200 ms (by the node), loss 2 % (by nft)`."""
    quality, left = shaping.quality, shaping.left
    if quality == GOOD:
        return ""
    parts = []
    if quality.delay or quality.jitter:
        spread = f" ± {_ms(quality.jitter)}" if quality.jitter else ""
        means = " (by the node)" if left.delay or left.jitter else ""
        parts.append(f"delay {_ms(quality.delay)}{spread}{means}")
    parts += [f"loss {quality.loss:g} %"] if quality.loss else []
    parts += [f"rate {rate_text(quality.rate)}"] if quality.rate else []
    parts += [] if quality.up else ["down"]
    return ", ".join(parts) + (f" [{shaping.kernel}]" if shaping.kernel else "")


def rate_text(rate: int) -> str:
    """Bits a second as people write them: `9.6 kbit/s`."""
    for unit, size in (("Gbit/s", 10**9), ("Mbit/s", 10**6), ("kbit/s", 10**3)):
        if rate >= size:
            return f"{rate / size:g} {unit}"
    return f"{rate} bit/s"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:g} ms"
