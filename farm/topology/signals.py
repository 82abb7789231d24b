"""The signal of a tag or member: from its map in the tree to `SignalConfig`."""

from collections.abc import Iterator
from dataclasses import dataclass

from farm.topology.document import MapNode
from farm.topology.problem import Report
from farm.topology.shapes import read, take
from farm.topology.tag_keys import NUMBER, SEED, TIME, WRITES
from farm.topology.vocabulary import SIGNAL_NAME
from node.config.model import SignalConfig
from node.config.schema import SECONDS, SIGNALS, stable_serial
from node.record import replace


@dataclass(frozen=True, slots=True)
class SignalBuilder:
    """Builds signals. `seed` is the plant's."""

    seed: int
    report: Report

    def signal(self, entry: MapNode) -> SignalConfig | None:
        """The signal of a tag's or member's map, without a seed of the node's own."""
        signal = entry.map("signal")
        entries = list(signal.items()) if signal is not None else []
        if signal is None or not entries:
            return None
        if len(entries) > 1:
            names = ", ".join(name for name, _, _ in entries)
            self.report.error("F051", signal, f"a tag has one signal, not {len(entries)}: {names}")
            return None
        written, key, parameters = entries[0]
        name = written.lower()
        if name not in SIGNALS:
            if key.filled:
                read(key, SIGNAL_NAME, "the signal", self.report)
            return None
        body = parameters if isinstance(parameters, MapNode) else None
        return SignalConfig(
            name,
            tuple(self.parameters(name, body)),
            take(body, "seed", SEED, 0, self.report),
            take(entry, "on_write", WRITES, "overwrite", self.report),
        )

    def parameters(self, name: str, body: MapNode | None) -> Iterator[tuple[str, float]]:
        """The parameters that are given, in the signal's own order."""
        for parameter in SIGNALS[name].parameters:
            if body is not None and body.get(parameter.name) is not None:
                shape = TIME if parameter.unit == SECONDS else NUMBER
                given = take(body, parameter.name, shape, None, self.report)
                if given is not None:
                    yield parameter.name, given

    def seeded(self, signal: SignalConfig | None, entry: MapNode | None, *names: str) -> SignalConfig | None:
        """The signal with chance of its own: made of the plant's seed and `names`, which say where it is, unless the
        file gives one."""
        if signal is None or not SIGNALS[signal.kind].seeded:
            return signal
        waves = entry.map("signal") if entry is not None else None
        parameters = waves.map(signal.kind) if waves is not None else None
        if parameters is not None and parameters.get("seed") is not None:
            return signal
        return replace(signal, seed=stable_serial(str(self.seed), *names))
