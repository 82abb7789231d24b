"""Register keys: which registers or coils of a table a block takes, by the rule of `node.config.register_number`."""

from dataclasses import dataclass

from farm.topology.document import Scalar
from farm.topology.scalars import BadValueError, JsonSchema, ScalarShape
from node.config.register_number import BIT_TABLES, REGISTERS, RegisterNumberError, number, parse_span, tag_name

__all__ = ["BIT_TABLES", "REGISTERS", "RegisterKey", "number", "tag_name"]


@dataclass(frozen=True)
class RegisterKey(ScalarShape[tuple[int, int | None]]):
    """The key of a block in `table`: (first wire address, count), count None for a single number."""

    table: str
    wanted: str = "a register number, a wire address or a range of them"

    def read(self, scalar: Scalar) -> tuple[int, int | None]:
        try:
            return parse_span(scalar.text, self.table)
        except RegisterNumberError as exc:
            raise BadValueError(exc.message, exc.hint, "F060") from None

    def schema(self) -> JsonSchema:
        return {"type": "string", "pattern": r"^@?\d{1,6}(-@?\d{1,6})?$"}
