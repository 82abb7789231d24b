"""The groups of commands that hardly any node is ever asked for, each made, and its code read, when it first is.

Hundreds of nodes share what their nursery imported; what one of them imports later is its own. So a node that nobody
captures, forces or has go wrong has none of the code for it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from node.cip.template import Template
from node.config.model import NodeConfig
from node.exchange.exchange import Interceptor
from node.memory.tags import TagTable
from node.server.ports import Ports
from node.telemetry import Telemetry

if TYPE_CHECKING:
    from node.commands.api import ApiCommands
    from node.commands.captures import CaptureCommands
    from node.commands.faults import FaultCommands
    from node.commands.forces import ForceCommands
    from node.commands.recordings import RecordCommands
    from node.commands.replays import ReplayCommands
    from node.commands.tag_facts import TagFacts
    from node.commands.tags import TagCommands
    from node.commands.tree import Options, Room


class Rooms:
    """Those of one node. `attach` is called when something else is to see its exchanges; `clock` and `wall` give the
    instant on the node's clock and in seconds since 1970. `tags` is set before anything is asked for."""

    tags: "TagCommands"

    def __init__(
        self,
        config: NodeConfig,
        table: TagTable,
        templates: Mapping[str, Template],
        server: Ports,
        telemetry: Callable[[], Telemetry],
        options: "Options",
        attach: Callable[[], None],
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self._config = config
        self._table = table
        self._templates = templates
        self._server = server
        self._telemetry = telemetry
        self._options = options
        self._attach = attach
        self._clock = clock
        self._wall = wall
        self._captures: CaptureCommands | None = None
        self._faults: FaultCommands | None = None
        self._forces: ForceCommands | None = None
        self._recordings: RecordCommands | None = None
        self._replays: ReplayCommands | None = None
        self._facts: TagFacts | None = None
        self._api: ApiCommands | None = None

    @property
    def by_name(self) -> "Mapping[str, Callable[[], Room]]":
        """What makes each, by the name that the tree of commands knows it by."""
        return {
            "capture": self.capture,
            "faults": self.faults,
            "forces": self.forces,
            "record": self.record,
            "replay": self.replay,
            "api": self.api,
        }

    def interceptors(self, protocol: str, port: int) -> Iterable[Interceptor]:
        """What sees the exchanges of a port: captures first, which see what the wire saw."""
        found: list[Interceptor] = []
        if self._captures is not None:
            found += self._captures.taps(port)
        if self._faults is not None:
            found += self._faults.interceptors(protocol)
        if self._recordings is not None:
            found += self._recordings.interceptors
        return found

    def start(self) -> None:
        """The node serves, again perhaps."""
        if self._faults is not None:
            self._faults.go_on()
        if self._recordings is not None:
            self._recordings.go_on()

    def stop(self) -> None:
        """It does no more: nothing is to happen later."""
        if self._faults is not None:
            self._faults.stop()
        if self._recordings is not None:
            self._recordings.stop()
        if self._replays is not None:
            self._replays.stop()

    def capture(self) -> "CaptureCommands":
        """What passes through the node."""
        if self._captures is None:
            from node.commands.captures import CaptureCommands

            self._captures = CaptureCommands(self._config.address, self._clock, self._wall, self._attach)
        return self._captures

    def faults(self) -> "FaultCommands":
        """What goes wrong with it."""
        if self._faults is None:
            from node.commands.faults import FaultCommands

            self._faults = FaultCommands(self.tags, self._table, self._server, self._changed, self._clock, _later)
        return self._faults

    def forces(self) -> "ForceCommands":
        """Its forces and errors."""
        if self._forces is None:
            from node.commands.forces import ForceCommands

            self._forces = ForceCommands(self.tags, self._changed)
        return self._forces

    def record(self) -> "RecordCommands":
        """What its tags hold over time, and who asks for them."""
        if self._recordings is None:
            from node.commands.recordings import RecordCommands

            self._recordings = RecordCommands(self.tags, self._changed, self._clock, self._wall, _later)
        return self._recordings

    def replay(self) -> "ReplayCommands":
        """A recording that is played into its tags."""
        if self._replays is None:
            from node.commands.replays import ReplayCommands

            self._replays = ReplayCommands(self.tags, self._changed, self._clock, self._wall, _later)
        return self._replays

    def facts(self) -> "TagFacts":
        """What is known of its tags."""
        if self._facts is None:
            from node.commands.tag_facts import TagFacts

            self._facts = TagFacts(self._config, self._templates, self._writers, self._clock)
        return self._facts

    def api(self) -> "ApiCommands":
        """All of its commands, in the words of 2016."""
        if self._api is None:
            from node.commands.api import ApiCommands
            from node.server.closing import Closing

            closing = Closing(self._server)
            self._api = ApiCommands(self.tags, self.forces(), closing, self._options, self._wall)
        return self._api

    def _changed(self) -> None:
        forced = self._forces.count if self._forces is not None else 0
        faults = self._faults.count if self._faults is not None else 0
        marks = {"forced": forced, "faults": faults}
        if self._recordings is not None:
            marks["recording"] = self._recordings.count
        if self._replays is not None:
            marks["replayed"] = self._replays.count
        self._telemetry().marks = marks
        self._attach()

    def _writers(self) -> Mapping[str, tuple[str, float]]:
        writes = self._telemetry().writes
        return {} if writes is None else writes.writers


def _later(seconds: float, act: Callable[[], None]) -> asyncio.TimerHandle:
    return asyncio.get_running_loop().call_later(seconds, act)
