"""The tags that EtherNet/IP clients read and write here, with two different values each, at the ends of their types."""

from __future__ import annotations

from dataclasses import dataclass

Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Sample:
    """A scalar tag and two values that a client writes in turn."""

    name: str
    type: str
    one: Value
    other: Value


SAMPLES = (
    Sample("B", "BOOL", True, False),
    Sample("I8", "SINT", -128, 127),
    Sample("I16", "INT", -32768, 32767),
    Sample("I32", "DINT", -(2**31), 2**31 - 1),
    Sample("I64", "LINT", -(2**63), 2**63 - 1),
    Sample("U8", "USINT", 255, 0),
    Sample("U16", "UINT", 65535, 1),
    Sample("U32", "UDINT", 2**32 - 1, 2),
    Sample("U64", "ULINT", 2**64 - 1, 3),
    Sample("F32", "REAL", 1.5, -3.25),
    Sample("F64", "LREAL", 1e300, -2.5),
    Sample("TEXT", "STRING", "Waterworks North", "x" * 82),
)

PLANT = (
    "farm: 1\nname: peers\nnodes:\n  controller:\n    kind: logix\n    address: 127.64.231.1\n    tags:\n"
    + "".join(
        f"      {line}\n"
        for line in (
            *(f"{sample.name}: {sample.type}" for sample in SAMPLES),
            'BIG: "REAL[1000]"',
            'DINTS: "DINT[100]"',
            'CUBE: "INT[2,3,4]"',
            'SHORT: "SSTRING[4]"',
            'NUMBERED: {type: "INT[10]", address: "@22/1/1"}',
            "SCADA: DINT",
        )
    )
)
