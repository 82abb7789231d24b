"""Node configurations, any and for examples."""

from hypothesis import strategies as st

from node.config.model import (
    ACCESS,
    ON_WRITE,
    ORDERS,
    EnipConfig,
    IdentityConfig,
    MemberConfig,
    ModbusConfig,
    NodeConfig,
    ObjectSetting,
    PartConfig,
    RegisterBlock,
    SignalConfig,
    TagConfig,
    TypeConfig,
    UnitConfig,
)
from node.config.schema import SIGNALS, identity

GATEWAY = NodeConfig(
    name="gw-1",
    kind="gateway",
    profile="1756-L61",
    address="127.64.0.9",
    tags=(
        TagConfig("Level", "REAL", signal=SignalConfig("sine", (("min", 1.0), ("max", 9.0)), seed=3), unit="%"),
        TagConfig("Count", "DINT", (10,), initial=tuple(range(10)), address=(22, 1, 1)),
        TagConfig("Name", "SSTRING", initial="pump", access="read only"),
        TagConfig("Run", "BOOL", (16,), initial=True),
        TagConfig("Flags", "BOOL", (40,), initial=True, packed=True),
        TagConfig(
            "Pumps",
            "Pump",
            (3,),
            parts=(PartConfig("Speed", signal=SignalConfig("ramp", on_write="hold")), PartConfig("[1].Name", "P-2")),
        ),
        TagConfig("Second", "REAL", alias="Pumps[1].Speed", unit="rpm"),
        TagConfig("Program:Main.Delay", "TIMER", parts=(PartConfig("PRE", 5000),), constant=True),
    ),
    types=(
        TypeConfig("S8", string=8),
        TypeConfig(
            "Pump", (MemberConfig("Speed", "REAL"), MemberConfig("Name", "S8"), MemberConfig("Hours", "INT", 4))
        ),
    ),
    programs=("Main", "Idle"),
    enip=EnipConfig(
        identity("1756-L61", 77),
        port=0,
        route_path=((1, 0), (2, "10.0.0.1")),
        onward="127.64.0.0/10",
        objects=(ObjectSetting("TCPIP", "Host Name", '"gw"'),),
    ),
    modbus=ModbusConfig(
        port=0,
        units=(
            UnitConfig(1, (RegisterBlock("holding", 0, 20, "Count", "CDAB"), RegisterBlock("coils", 0, 16, "Run"))),
            UnitConfig(2, (RegisterBlock("input", 100, 2, "Level"),)),
        ),
        device_id=((0, "Maker"), (1, "gw"), (2, "v1")),
    ),
)
"""Every kind of field, used once; ports from the system."""

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
words = st.integers(0, 0xFFFF)
texts = st.text(st.characters(max_codepoint=255), max_size=32)
numbers = st.floats(allow_nan=False, allow_infinity=False)

signals = st.builds(
    SignalConfig,
    st.sampled_from(sorted(SIGNALS)),
    seed=st.integers(0, 2**64 - 1),
    on_write=st.sampled_from(ON_WRITE),
)


PUMP = TypeConfig("Pump", (MemberConfig("Run", "BOOL"), MemberConfig("Speed", "REAL"), MemberConfig("Hours", "INT", 4)))

part_configs = st.one_of(
    st.builds(PartConfig, st.just("Speed"), st.none() | st.floats(width=32, allow_nan=False, allow_infinity=False)),
    st.builds(PartConfig, st.sampled_from(["Hours[0]", "Hours[3]"]), st.integers(-5, 5), st.none() | signals),
    st.builds(PartConfig, st.just("Run"), st.none() | st.booleans(), st.none() | signals),
)


def tags_of(name: str) -> st.SearchStrategy[TagConfig]:
    """Any tag of that name."""
    dimensions = st.lists(st.integers(1, 4), max_size=3).map(tuple)
    number = st.builds(
        TagConfig,
        st.just(name),
        st.sampled_from(["INT", "DINT", "REAL", "LINT"]),
        dimensions,
        initial=st.none() | st.integers(-(2**15), 2**15 - 1),
        signal=st.none() | signals,
        access=st.sampled_from(ACCESS),
        unit=st.text(max_size=5),
    )
    text = st.builds(TagConfig, st.just(name), st.just("SSTRING"), dimensions, initial=st.none() | texts)
    bits = st.lists(st.booleans(), min_size=1, max_size=5).map(tuple)
    several = bits.map(lambda values: TagConfig(name, "BOOL", (len(values),), initial=values))
    packed = st.integers(1, 70).map(lambda length: TagConfig(name, "BOOL", (length,), packed=True))
    parts = st.lists(part_configs, max_size=3, unique_by=lambda part: part.path).map(tuple)
    structured = st.builds(TagConfig, st.just(name), st.just("Pump"), parts=parts, constant=st.booleans())
    return st.one_of(number, text, several, packed, structured)


@st.composite
def nodes(draw: st.DrawFn) -> NodeConfig:
    """Any configuration that a controller can be made of."""
    chosen = draw(st.lists(names, min_size=1, max_size=4, unique_by=str.casefold))
    tags = tuple(draw(tags_of(name)) for name in chosen)
    blocks = tuple(
        RegisterBlock(
            "holding",
            10_000 * index,
            1,
            f"{tag.name}.Speed" if tag.type == "Pump" else tag.name,
            draw(st.sampled_from(ORDERS)),
        )
        for index, tag in enumerate(tags)
    )
    hops = st.lists(st.tuples(st.integers(1, 15), st.integers(0, 255) | st.just("10.1.2.3")), max_size=2)
    enip = st.builds(
        EnipConfig,
        st.builds(
            IdentityConfig,
            words,
            words,
            words,
            st.tuples(st.integers(0, 255), st.integers(0, 255)),
            words,
            words,
            texts,
        ),
        port=st.integers(0, 1000),
        route_path=st.none() | hops.map(tuple),
        onward=st.sampled_from(["", "127.64.0.0/10"]),
        max_connections=st.none() | st.integers(1, 5000),
        idle_timeout=st.floats(0, 1000),
    )
    modbus = st.builds(
        ModbusConfig,
        port=st.integers(1001, 65535),
        units=st.just((UnitConfig(1, blocks),)),
        device_id=st.lists(st.tuples(st.integers(0, 255), texts), max_size=3).map(tuple),
    )
    kind = draw(st.sampled_from(["logix", "modbus", "gateway"]))
    return NodeConfig(
        draw(names),
        kind,
        draw(texts),
        "127.64.0.1",
        tags,
        None if kind == "modbus" else draw(enip),
        None if kind == "logix" else draw(modbus),
        types=(PUMP,),
        programs=draw(st.sampled_from([(), ("Main",)])),
        delay=draw(st.sampled_from([(0.0, 0.0), (0.1, 0.2)])),
    )
