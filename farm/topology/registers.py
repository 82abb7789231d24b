"""Register keys: which registers or coils of a table a block takes.

Two ways to count are in use, one apart, and mixing them up is the commonest mistake with Modbus. So a key says which
one it means, and there is one rule: **digits alone are the register number of the manuals, always five or six digits
(`40001` is the first holding register); with an @ in front they are the address on the wire, from 0 (`@0` is the same
register).** Anything shorter without @ could be either, and is an error that shows both ways to write it.

    table      register numbers                       first   on the wire
    coils      00001 to 09999, 000001 to 065536       00001   0
    discrete   10001 to 19999, 100001 to 165536       10001   0
    input      30001 to 39999, 300001 to 365536       30001   0
    holding    40001 to 99999, 400001 to 465536       40001   0

A key is one register (`"40001"`, then the type says how many follow) or a whole range (`"40001-40010"`, `"@0-9"`).
"""

import re
from dataclasses import dataclass

from farm.topology.document import Scalar
from farm.topology.scalars import BadValueError, JsonSchema, ScalarShape

BIT_TABLES = ("coils", "discrete")
REGISTERS = 65536

_KEY = re.compile(r"(@?)(\d{1,6})(?:-(@?)(\d{1,6}))?", re.ASCII)
_FIVE_DIGITS = {"coils": (1, 9999), "discrete": (10001, 19999), "input": (30001, 39999), "holding": (40001, 99999)}
_SIX_DIGITS = {"coils": 1, "discrete": 100001, "input": 300001, "holding": 400001}
_SHORT_NAMES = {"coils": "CO", "discrete": "DI", "input": "IR", "holding": "HR"}


@dataclass(frozen=True)
class RegisterKey(ScalarShape[tuple[int, int | None]]):
    """The key of a block in `table`: (first wire address, count), count None for a single number."""

    table: str
    wanted: str = "a register number, a wire address or a range of them"

    def read(self, scalar: Scalar) -> tuple[int, int | None]:
        found = _KEY.fullmatch(scalar.text)
        if found is None:
            raise BadValueError("is no register", self._example(), "F060")
        first_at, first, last_at, last = found.groups()
        start = self._wire(first, bool(first_at))
        if last is None:
            return start, None
        if first_at != last_at and not (first_at and not last_at):
            raise BadValueError("mixes both ways of counting", self._example(), "F060")
        end = self._wire(last, bool(first_at))
        if end < start:
            raise BadValueError("runs backwards", "write the lower one first", "F060")
        return start, end - start + 1

    def schema(self) -> JsonSchema:
        return {"type": "string", "pattern": r"^@?\d{1,6}(-@?\d{1,6})?$"}

    def _wire(self, digits: str, direct: bool) -> int:
        """The wire address of a register number, or of an address that is one already."""
        value = int(digits)
        if direct:
            if value < REGISTERS:
                return value
            raise BadValueError(f"is beyond wire address {REGISTERS - 1}", "", "F060")
        if len(digits) < 5:
            raise BadValueError("could be a register number or a wire address", self._both(value), "F060")
        low, high = _FIVE_DIGITS[self.table]
        if len(digits) == 5 and low <= value <= high:
            return value - low
        base = _SIX_DIGITS[self.table]
        if len(digits) == 6 and base <= value < base + REGISTERS:
            return value - base
        raise BadValueError(f"is no register number of '{self.table}'", self._elsewhere(digits), "F060")

    def _both(self, value: int) -> str:
        return f'write "{number(self.table, value)}" or "@{value}" for wire address {value}'

    def _example(self) -> str:
        return f'write "{number(self.table, 0)}-{number(self.table, 9)}" or "@0-9"'

    def _elsewhere(self, digits: str) -> str:
        value = int(digits)
        for table, (low, high) in _FIVE_DIGITS.items():
            base = _SIX_DIGITS[table]
            if (low <= value <= high and len(digits) == 5) or (base <= value < base + REGISTERS and len(digits) == 6):
                return f"that is one of '{table}'; for the wire address write \"@…\""
        return self._example()


def number(table: str, wire: int) -> str:
    """The register number of a wire address: five digits while they reach, then six."""
    low, high = _FIVE_DIGITS[table]
    if table == "holding":
        high = 49999
    return f"{low + wire:05d}" if low + wire <= high else f"{_SIX_DIGITS[table] + wire:06d}"


def tag_name(table: str, wire: int) -> str:
    """The name of the tag behind a block that has none of its own: HR40001, IR30001, DI10001, CO00001."""
    return _SHORT_NAMES[table] + number(table, wire)
