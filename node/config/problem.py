"""One thing that is wrong with a configuration."""

from node.record import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """`path` is the dotted place, with names for tags: `tags.Level.signal`, `modbus.units.1.blocks.0.count`."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"
