"""One read or write that happened, as interceptors see it: printing, history, faults by tag."""

from node.memory.attribute import Attribute, Value
from node.record import dataclass


@dataclass(slots=True)
class Access:
    """Elements [`start`, `stop`) of `attribute`, read or written; `data` their memory bytes, empty after a failure;
    `status` the general status of the reply."""

    attribute: Attribute
    start: int
    stop: int
    writing: bool
    data: bytes = b""
    status: int = 0

    @property
    def values(self) -> list[Value]:
        """The values read or written."""
        return self.attribute.decode(self.data)
