"""A small plant in memory, for tests of what the command line shows of one."""

from farm.topology.plant import Origin, Plant
from node.config.model import (
    EnipConfig,
    IdentityConfig,
    MemberConfig,
    ModbusConfig,
    NodeConfig,
    ObjectSetting,
    PartConfig,
    RegisterBlock,
    TagConfig,
    TypeConfig,
    UnitConfig,
)

IDENTITY = IdentityConfig(1, 14, 54, (20, 11), 0x3160, 0x1234, "1756-L61/B LOGIX5561")
TANK = NodeConfig(
    "tank",
    "logix",
    "1756-L61",
    "127.64.0.1",
    (TagConfig("Level", "REAL"), TagConfig("Grid", "DINT", (2, 3), address=(22, 1, 1))),
    EnipConfig(IDENTITY),
)
METER = NodeConfig(
    "meter",
    "modbus",
    "generic",
    "127.64.0.2",
    (TagConfig("Power", "REAL", (2,)), TagConfig("Run", "BOOL")),
    modbus=ModbusConfig(
        1502,
        (
            UnitConfig(1, (RegisterBlock("holding", 0, 4, "Power", "CDAB"), RegisterBlock("coils", 0, 1, "Run"))),
            UnitConfig(2, (RegisterBlock("input", 8, 2, "Power"),)),
        ),
    ),
)
MOTOR = TypeConfig(
    "Motor", (MemberConfig("Speed", "REAL"), MemberConfig("Run", "BOOL"), MemberConfig("Bits", "BOOL", 40))
)
LINE = NodeConfig(
    "line",
    "logix",
    "1756-L61",
    "127.64.0.3",
    (
        TagConfig("M", "Motor", (3,), parts=(PartConfig("[1].Speed", 5.0),)),
        TagConfig("Flags", "BOOL", (40,), packed=True),
        TagConfig("Word", "LINT"),
        TagConfig("Program:Main.T", "TIMER"),
        TagConfig("Go", "BOOL", alias="M[2].Run"),
    ),
    EnipConfig(IDENTITY, objects=(ObjectSetting("TCPIP", "Host Name", '"line"'),)),
    types=(MOTOR,),
)
PLANT = Plant(
    "works",
    "plant.yaml",
    "process",
    1,
    (TANK, METER),
    {"tank": {"": Origin("plant.yaml", 4, 3), "tags.Level.type": Origin("plant.yaml", 9, 5)}},
)
