"""Configurations that contradict themselves: each problem by its place."""

from dataclasses import replace

import pytest
from hypothesis import given

from node.cip.types import INT
from node.config.check import problems
from node.config.modbus_check import room_in
from node.config.model import (
    EnipConfig,
    InterfaceConfig,
    ModbusConfig,
    NodeConfig,
    ObjectSetting,
    PartConfig,
    RegisterBlock,
    SignalConfig,
    TagConfig,
    UnitConfig,
)
from node.config.places import root
from node.config.schema import identity, signal_problems
from node.config.tag_check import misfit
from tests.config.configs import GATEWAY, nodes


def with_tag(**fields: object) -> NodeConfig:
    return replace(GATEWAY, tags=(*GATEWAY.tags, replace(TagConfig("Extra", "INT"), **fields)))  # type: ignore[arg-type]


def with_identity(**fields: object) -> NodeConfig:
    return replace(GATEWAY, enip=EnipConfig(replace(identity("1756-L61", 1), **fields)))  # type: ignore[arg-type]


def with_block(**fields: object) -> NodeConfig:
    block = replace(RegisterBlock("holding", 0, 20, "Count"), **fields)  # type: ignore[arg-type]
    return replace(GATEWAY, modbus=ModbusConfig(units=(UnitConfig(1, (block,)),)))


def with_interface(**fields: object) -> NodeConfig:
    own = replace(InterfaceConfig("cell", "10.20.0.1", 16, "02:fa:00:00:00:01"), **fields)  # type: ignore[arg-type]
    return replace(GATEWAY, interfaces=(own,))


def said(config: NodeConfig) -> str:
    return "\n".join(map(str, problems(config)))


@given(nodes())
def test_a_good_one_has_none(config: NodeConfig) -> None:
    assert problems(config) == []


@pytest.mark.parametrize(
    ("config", "wanted"),
    [
        (replace(GATEWAY, name=""), "name: must not be empty"),
        (replace(GATEWAY, enip=None, modbus=None), "kind: the node speaks no protocol"),
        (replace(GATEWAY, address="plc.local"), "address: 'plc.local'; wanted an IPv4 address"),
        (replace(GATEWAY, address="1.2.3.256"), "address: '1.2.3.256'; wanted an IPv4 address"),
        (
            replace(GATEWAY, enip=EnipConfig(identity("1756-L61", 1), objects=(ObjectSetting("TCPIP", "Host", "1"),))),
            "enip.objects.TCPIP.Host: got attribute 'Host', wanted one of TCPIP: status",
        ),
        (with_tag(name="level"), "tags.level: there is a tag 'Level' already"),
        (with_tag(name="1st"), "tags.1st.name: '1st' is no tag name"),
        (with_tag(type="WORDS"), "tags.Extra.type: type 'WORDS' is unknown"),
        (with_tag(dimensions=(0,)), "tags.Extra.dimensions: an array of [0] elements"),
        (with_tag(address=(22, 1, 1)), "tags.Extra.address: @22/1/1 is the tag 'Count' already"),
        (with_tag(address=(70000, 1, 1)), "tags.Extra.address: class, instance"),
        (with_tag(name="Program:9.X"), "tags.Program:9.X.name: '9' is no name for a program"),
        (with_tag(name="Program:Main"), "tags.Program:Main.name: wanted Program:NAME.TAG"),
        (with_tag(access="write only"), "tags.Extra.access: 'write only'; wanted read/write, read only, none"),
        (with_tag(packed=True), "tags.Extra.packed: only BOOL arrays of one dimension are packed"),
        (with_tag(type="BOOL", dimensions=(2, 3), packed=True), "tags.Extra.packed: only BOOL arrays"),
        (with_tag(type="Pump", initial=5), "tags.Extra.initial: 5 does not fit Pump"),
        (with_tag(type="Pump", signal=SignalConfig("sine")), "tags.Extra.signal: a signal is a number"),
        (with_tag(type="pumps"), "type 'pumps' is unknown; known: BOOL"),
        (with_tag(type="LREAL", dimensions=(4194304, 2)), "an array of [4194304,2]"),
        (with_tag(type="Pump", dimensions=(4194304,)), "tags.Extra.dimensions: 100663296 bytes; wanted at most"),
        (with_tag(type="Pump", parts=(PartConfig("Sped"),)), "tags.Extra.parts.Sped: Pump has no member 'Sped'"),
        (with_tag(type="Pump", parts=(PartConfig(""),)), "tags.Extra.parts.: names no part of the tag"),
        (with_tag(type="Pump", parts=(PartConfig("Name", "x" * 9),)), "tags.Extra.parts.Name.initial: 'xxxxxxxxx'"),
        (with_tag(type="Pump", parts=(PartConfig("Hours", (1, 2)),)), "parts.Hours.initial: 2 values for 4 elements"),
        (
            with_tag(type="Pump", parts=(PartConfig("Name", signal=SignalConfig("sine")),)),
            "tags.Extra.parts.Name.signal: a signal is a number and the type is S8",
        ),
        (
            with_tag(type="Pump", parts=(PartConfig("Speed", signal=SignalConfig("sine")),) * 2),
            "tags.Extra.parts: the signals of Speed and Speed move the same",
        ),
        (
            with_tag(dimensions=(4,), signal=SignalConfig("sine"), parts=(PartConfig("[1]", 5, SignalConfig("sine")),)),
            "tags.Extra.signal: moves the whole tag",
        ),
        (with_tag(alias="Nope"), "tags.Extra.alias: 'Nope': there is no tag 'Nope'"),
        (with_tag(alias="Extra"), "tags.Extra.alias: 'Extra': aliases name each other in a circle: Extra -> Extra"),
        (with_tag(alias="Pumps[1].Sped"), "'Pumps[1].Sped': Pump has no member 'Sped'; did you mean Speed?"),
        (with_tag(alias="Pumps[1].Speed"), "'Pumps[1].Speed' is REAL, not what the tag says that it is"),
        (with_tag(type="DINT", alias="Count"), "'Count' is DINT[10], not what the tag says that it is"),
        (
            with_tag(type="DINT", dimensions=(10,), alias="Count", initial=5),
            "tags.Extra.initial: is the business of Count",
        ),
        (with_tag(type="DINT", dimensions=(10,), alias="Count", access="none"), "tags.Extra.access: is the business"),
        (replace(GATEWAY, delay=(0.2, 0.1)), "delay: 0.2 to 0.1 s; wanted 0 or more, the larger last"),
        (replace(GATEWAY, delay=(0.0, float("inf"))), "delay: 0.0 to inf s"),
        (with_block(tag="Pumps[1].Hours", count=5), "blocks.0.count: 5 registers of tag 'Pumps[1].Hours', which has 4"),
        (with_block(tag="Pumps[1].Hour"), "blocks.0.tag: Pump has no member 'Hour'; did you mean Hours?"),
        (with_block(tag="Pumps", count=1), "blocks.0.count: 1 registers of tag 'Pumps', which has 0"),
        (
            replace(GATEWAY, enip=EnipConfig(identity("1756-L61", 1), onward="127.64.0.1/10")),
            "enip.onward: '127.64.0.1/10'; wanted an IPv4 subnet",
        ),
        (replace(GATEWAY, enip=EnipConfig(identity("1756-L61", 1), onward="any")), "enip.onward: 'any'"),
        (with_interface(address=""), "interfaces.0.address: ''; wanted an IPv4 address"),
        (with_interface(gateway="fw1"), "interfaces.0.gateway: 'fw1'; wanted an IPv4 address"),
        (with_interface(prefix=33), "interfaces.0.prefix: 33; wanted 0 to 32"),
        (with_interface(mac="02:fa:0"), "interfaces.0.mac: '02:fa:0'; wanted a MAC address"),
        (with_interface(mac="02:fa:00:00:00:0g"), "interfaces.0.mac: '02:fa:00:00:00:0g'"),
        (with_tag(initial=40000), "tags.Extra.initial: 40000 does not fit INT; wanted -32768 to 32767"),
        (with_tag(initial=1.5), "1.5 does not fit INT"),
        (with_tag(initial=True), "True does not fit INT"),
        (with_tag(initial="5"), "'5' does not fit INT"),
        (with_tag(type="BOOL", initial=2), "2 does not fit BOOL; wanted true or false"),
        (with_tag(type="REAL", initial="x"), "'x' does not fit REAL; wanted a number"),
        (with_tag(type="STRING", initial="x" * 83), "wanted a text of at most 82"),
        (with_tag(type="SSTRING", initial="\u20ac"), "ISO-8859-1"),
        (with_tag(dimensions=(3,), initial=(1, 2)), "tags.Extra.initial: 2 values for 3 elements"),
        (with_tag(signal=SignalConfig("sine", on_write="maybe")), "tags.Extra.signal: on_write 'maybe'"),
        (with_tag(signal=SignalConfig("sine", (("top", 1.0),))), "tags.Extra.signal: parameter 'top' is unknown"),
        (with_tag(type="STRING", signal=SignalConfig("sine")), "tags.Extra.signal: a signal is a number"),
        (with_identity(vendor=70000), "enip.identity.vendor: 70000; wanted 0 to 65535"),
        (with_identity(serial=-1), "enip.identity.serial: -1"),
        (with_identity(revision=(256, 0)), "enip.identity.revision"),
        (with_identity(product_name="x" * 33), "enip.identity.product_name"),
        (replace(GATEWAY, enip=EnipConfig(identity("1756-L61", 1), port=70000)), "enip.port: 70000"),
        (replace(GATEWAY, enip=EnipConfig(identity("1756-L61", 1), max_connections=0)), "enip.max_connections: 0"),
        (replace(GATEWAY, enip=EnipConfig(identity("1756-L61", 1), max_cip_connections=0)), "max_cip_connections: 0"),
        (replace(GATEWAY, enip=EnipConfig(identity("1756-L61", 1), idle_timeout=-1.0)), "enip.idle_timeout: -1 s"),
        (replace(GATEWAY, enip=EnipConfig(identity("1756-L61", 1), port=502), modbus=ModbusConfig(502)), "modbus.port"),
        (replace(GATEWAY, modbus=ModbusConfig(units=(UnitConfig(1), UnitConfig(1)))), "modbus.units.1: the unit is"),
        (replace(GATEWAY, modbus=ModbusConfig(device_id=((256, "x"),))), "modbus.device_id"),
        (with_block(table="holdings"), "modbus.units.1.blocks.0.table: 'holdings'; wanted coils or"),
        (with_block(order="BDAC"), "blocks.0.order: 'BDAC'"),
        (with_block(tag="Nope"), "blocks.0.tag: there is no tag 'Nope'"),
        (with_block(start=65530), "20 from address 65530"),
        (with_block(count=0), "0 from address 0"),
        (with_block(count=21), "blocks.0.count: 21 registers of tag 'Count', which has 20"),
        (with_block(table="coils", tag="Level", count=1), "1 coils of tag 'Level', which has 0"),
    ],
)
def test_problems(config: NodeConfig, wanted: str) -> None:
    assert wanted in said(config)


def test_overlapping_blocks_are_named_with_their_tags() -> None:
    blocks = (RegisterBlock("holding", 0, 20, "Count"), RegisterBlock("holding", 19, 1, "Level"))
    config = replace(GATEWAY, modbus=ModbusConfig(units=(UnitConfig(1, blocks),)))
    assert said(config) == "modbus.units.1: holding 19 is in two blocks: 'Count' and 'Level'"


def test_all_problems_are_found_at_once() -> None:
    bad = (TagConfig("A", "NOPE"), TagConfig("B", "INT", initial="x"))
    config = NodeConfig("n", "logix", "1756-L61", "", bad, EnipConfig(identity("1756-L61", 1), port=-1))
    assert [problem.path for problem in problems(config)] == ["tags.A.type", "tags.B.initial", "enip.port"]


@pytest.mark.parametrize(
    ("type", "length", "table", "room"),
    [
        ("INT", 10, "holding", 10),
        ("DINT", 10, "input", 20),
        ("LREAL", 2, "holding", 8),
        ("SINT", 10, "holding", 10),
        ("BOOL", 10, "holding", 10),
        ("BOOL", 10, "coils", 10),
        ("INT", 2, "discrete", 32),
        ("REAL", 2, "coils", 0),
        ("STRING", 1, "holding", None),
        ("SSTRING", 1, "holding", None),
        ("TIMER", 1, "holding", 0),
    ],
)
def test_room_in_a_tag(type: str, length: int, table: str, room: int | None) -> None:
    spot = root(TagConfig("X", type, (length,)), {})
    assert spot is not None and room_in(spot, table) == room


def test_the_farm_can_ask_for_a_signal_and_a_value_alone() -> None:
    from_signal = signal_problems("ramp", {"max": -1.0})
    assert from_signal == ["ramp: min 0 is above max -1"]
    assert misfit(INT, 5) == ""
