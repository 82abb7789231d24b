"""What is known of a tag beside its value: where the value comes from, who wrote it last, and its registers.

Nothing is kept for it while nobody asks: what a tag began with is made anew from its configuration and compared.
"""

from collections.abc import Callable, Mapping

from node.cip.status import CipError
from node.cip.template import Template
from node.config.model import Json, NodeConfig
from node.config.tag_check import split_path
from node.memory.attribute import Attribute
from node.memory.effects import FORCED, Effected
from node.memory.tag_gate import TagGate
from node.signals.replayed import Replayed
from node.tag_memory import build_tags

Writers = Callable[[], Mapping[str, tuple[str, float]]]
"""Who wrote a tag last, and when, by the tag's name; of those that were written while somebody watched."""


class TagFacts:
    """The facts of the tags of one node. `now` gives the instant."""

    def __init__(
        self, config: NodeConfig, templates: Mapping[str, Template], writers: Writers, now: Callable[[], float]
    ) -> None:
        self._configs = {tag.name.casefold(): tag for tag in config.tags if not tag.alias}
        self._templates = templates
        self._writers = writers
        self._now = now
        self._registers = _registers(config)

    def of(self, attribute: Attribute, start: int, stop: int) -> dict[str, Json]:
        """Of elements [start, stop): `source`, `forced`, `writer` with `written_s` ago; where there are any, the
        `error` that accesses get, and `registers`."""
        place = Effected(attribute, start, stop)
        root, gate = place.root, place.root.gate
        effects = gate.touched(place.begin, place.end) if isinstance(gate, TagGate) else []
        status = gate.refusal(place.begin, place.end) if isinstance(gate, TagGate) else ()
        forced = any(effect.rank == FORCED for effect in effects)
        writer, when = self._writers().get(root.name, ("", None))
        facts: dict[str, Json] = {
            "source": "forced" if forced else "faulted" if effects else self._origin(root),
            "forced": forced,
            "writer": writer,
            "written_s": None if when is None else round(max(0.0, self._now() - when), 3),
        }
        if status:
            facts["error"] = str(CipError(status[0], status[1:]))
        registers = self._registers.get(root.name.casefold())
        return {**facts, "registers": registers} if registers else facts

    def _origin(self, root: Attribute) -> str:
        if isinstance(root.source, Replayed):
            return "replay"
        if root.source is not None:
            return "signal"
        if root.hooked:
            return "code"
        config = self._configs.get(root.name.casefold())
        if config is None:
            return "initial"
        (_, first), *_ = build_tags([config], 0.0, self._templates)
        return "initial" if root[:] == first[:] else "write"


def _registers(config: NodeConfig) -> dict[str, str]:
    """The register blocks of each tag, in words: `holding 0-1`."""
    tags = {tag.name.casefold(): tag for tag in config.tags}
    units = config.modbus.units if config.modbus is not None else ()
    found: dict[str, list[str]] = {}
    for unit in units:
        for block in unit.blocks:
            split = split_path(block.tag, tags)
            if split is not None:
                last = block.start + block.count - 1
                place = f"{block.start}-{last}" if block.count > 1 else str(block.start)
                which = f"unit {unit.unit_id} " if len(units) > 1 else ""
                found.setdefault(split[0].name.casefold(), []).append(f"{which}{block.table} {place}")
    return {name: ", ".join(places) for name, places in found.items()}
