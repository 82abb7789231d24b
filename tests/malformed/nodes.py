"""The nodes that wrong requests are put to: what they hold, and where they listen."""

from __future__ import annotations

from node.config.model import (
    EnipConfig,
    IdentityConfig,
    MemberConfig,
    ModbusConfig,
    NodeConfig,
    RegisterBlock,
    TagConfig,
    TypeConfig,
    UnitConfig,
)

HOST, ENIP, MODBUS = "127.64.228.1", 44818, 15020
PCCC_HOST = "127.64.228.2"

TYPES = (
    TypeConfig("Inner", (MemberConfig("x", "INT"), MemberConfig("y", "INT"))),
    TypeConfig(
        "Motor",
        (
            MemberConfig("Speed", "DINT"),
            MemberConfig("On", "BOOL"),
            MemberConfig("History", "INT", 4),
            MemberConfig("Pumps", "Inner", 2),
            MemberConfig("Name", "STRING"),
        ),
    ),
)

NODE = NodeConfig(
    name="target",
    kind="gateway",
    profile="1756-L61",
    address=HOST,
    tags=(
        TagConfig("SCADA", "DINT", (10,)),
        TagConfig("FLAG", "BOOL"),
        TagConfig("LOCKED", "DINT", access="read only"),
        TagConfig("TEXT", "SSTRING", (2,)),
        TagConfig("NAME", "STRING"),
        TagConfig("CUBE", "INT", (2, 3, 4)),
        TagConfig("NUMBERED", "REAL", (4,), address=(0x93, 1, 10)),
        TagConfig("HOLDING", "UINT", (100,), initial=tuple(range(100))),
        TagConfig("FIXED", "UINT", (2,), access="read only"),
        TagConfig("INPUT", "UINT", (10,)),
        TagConfig("COILS", "BOOL", (16,)),
        TagConfig("DISCRETE", "BOOL", (8,)),
        TagConfig("MOTOR", "Motor"),
        TagConfig("FLAGS", "BOOL", (64,), packed=True),
        TagConfig("SECRET", "DINT", access="none"),
        TagConfig("Program:Main.LEVEL", "DINT"),
    ),
    enip=EnipConfig(IdentityConfig(1, 14, 54, (20, 11), 0x3060, 1, "1756-L61/B LOGIX5561"), port=ENIP),
    modbus=ModbusConfig(
        port=MODBUS,
        units=(
            UnitConfig(
                1,
                (
                    RegisterBlock("holding", 0, 100, "HOLDING"),
                    RegisterBlock("holding", 100, 2, "FIXED"),
                    RegisterBlock("input", 0, 10, "INPUT"),
                    RegisterBlock("coils", 0, 16, "COILS"),
                    RegisterBlock("discrete", 0, 8, "DISCRETE"),
                ),
            ),
        ),
        device_id=((0, "Maker"), (1, "Code"), (2, "1.0")),
    ),
    types=TYPES,
)

MICROLOGIX = NodeConfig(
    name="micrologix",
    kind="logix",
    profile="1766-L32BXB",
    address=PCCC_HOST,
    tags=(
        TagConfig("N7", "INT", (10,)),
        TagConfig("ST9", "SLC_STRING", (2,)),
        TagConfig("L10", "DINT", (4,)),
        TagConfig("N11", "INT", (2,), access="read only"),
    ),
    enip=EnipConfig(IdentityConfig(1, 14, 90, (1, 7), 0x0004, 2, "1766-L32BXBA A/7.00"), port=ENIP, route_path=()),
)

METER_HOST, METER_PORT = "127.64.228.3", 15021
_HIGH = 65530

METER = NodeConfig(
    name="meter",
    kind="modbus",
    profile="generic",
    address=METER_HOST,
    tags=(
        TagConfig("HOLDING", "UINT", (100,), initial=tuple(range(100))),
        TagConfig("FIXED", "UINT", (2,), access="read only"),
        TagConfig("INPUT", "UINT", (10,)),
        TagConfig("COILS", "BOOL", (16,)),
        TagConfig("DISCRETE", "BOOL", (8,)),
        TagConfig("WORDS", "UINT", (6,)),
        TagConfig("BITS", "BOOL", (6,)),
        TagConfig("FILE", "UINT", (20,), initial=tuple(range(20))),
        TagConfig("QUEUE", "UINT", (2,)),
        TagConfig("LONG_QUEUE", "UINT", (32,)),
    ),
    modbus=ModbusConfig(
        port=METER_PORT,
        units=(
            UnitConfig(
                1,
                (
                    RegisterBlock("holding", 0, 100, "HOLDING"),
                    RegisterBlock("holding", 100, 2, "FIXED"),
                    RegisterBlock("holding", _HIGH, 6, "WORDS"),
                    RegisterBlock("input", 0, 10, "INPUT"),
                    RegisterBlock("input", _HIGH, 6, "WORDS"),
                    RegisterBlock("coils", 0, 16, "COILS"),
                    RegisterBlock("coils", _HIGH, 6, "BITS"),
                    RegisterBlock("discrete", 0, 8, "DISCRETE"),
                    RegisterBlock("discrete", _HIGH, 6, "BITS"),
                ),
                files=((4, RegisterBlock("holding", 0, 20, "FILE")),),
                queues=(
                    (0x04DE, RegisterBlock("holding", 0, 2, "QUEUE")),
                    (2000, RegisterBlock("holding", 0, 32, "LONG_QUEUE")),
                ),
            ),
        ),
        device_id=((0, "Maker"), (1, "Code"), (2, "1.0")),
    ),
)
