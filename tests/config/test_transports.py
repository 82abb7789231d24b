"""Serial lines and TLS as people type them, and what of them contradicts itself."""

from dataclasses import replace

import pytest

from node.config.check import problems
from node.config.load import dump, load
from node.config.model import ModbusConfig, SerialConfig, TlsConfig, UnitConfig
from node.config.transports import carriers, parse_serial, parse_tls, spoken, transport_problems
from node.errors import ConfigError
from tests.config.configs import GATEWAY

PATH = "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0"
TLS = TlsConfig("node.pem", "node.key")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("/dev/ttyUSB0", SerialConfig("/dev/ttyUSB0")),
        ("/dev/ttyUSB0:9600", SerialConfig("/dev/ttyUSB0", 9600)),
        ("ttyS1:115200:8n2", SerialConfig("ttyS1", 115200, "8N2")),
        ("pty", SerialConfig(pty=True)),
        ("pty:1200:8O1", SerialConfig("", 1200, "8O1", pty=True)),
        ("pty=/tmp/line:9600", SerialConfig("/tmp/line", 9600, pty=True)),
        (PATH, SerialConfig(PATH)),
        (PATH + ":9600", SerialConfig(PATH, 9600)),
        (PATH + ":9600:8N2", SerialConfig(PATH, 9600, "8N2")),
    ],
)
def test_lines(text: str, wanted: SerialConfig) -> None:
    assert parse_serial(text) == wanted


def test_an_ascii_line_has_seven_bits() -> None:
    assert parse_serial("/dev/ttyS0", "ascii") == SerialConfig("/dev/ttyS0", format="7E1", framing="ascii")
    assert parse_serial("/dev/ttyS0:9600:8N1", "ascii").format == "8N1"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "wanted DEVICE"),
        (":9600", "wanted DEVICE"),
        ("/dev/ttyS0:", "wanted DEVICE"),
        ("/dev/ttyS0:fast", "wanted DEVICE"),
        ("/dev/ttyS0:9600:8E1:1", "wanted DEVICE"),
        ("/dev/ttyS0:9601", "baud 9601; wanted 1200, 2400"),
        ("/dev/ttyS0:9600:8X1", "format '8X1'; wanted data bits, parity and stop bits"),
        ("/dev/ttyS0:9600:8E", "format '8E'"),
        ("/dev/ttyS0:9600:7E1", "RTU has bytes, which take 8 data bits"),
        ("pty=", "a link without a name"),
    ],
)
def test_what_is_no_line(text: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_serial(text)
    assert str(caught.value).startswith(f"serial line {text!r}: ")
    assert fault in str(caught.value)


def test_tls() -> None:
    assert parse_tls("a,b") == TlsConfig("a", "b")
    assert parse_tls("a,b,c") == TlsConfig("a", "b", "c")
    for text in ("", "a", "a,", "a,b,", "a,b,c,d"):
        with pytest.raises(ConfigError, match="CERTIFICATE,KEY"):
            parse_tls(text)


@pytest.mark.parametrize(
    ("modbus", "places"),
    [
        (ModbusConfig(), []),
        (ModbusConfig(tcp=False), ["modbus"]),
        (ModbusConfig(tcp=False, udp=True), []),
        (ModbusConfig(tcp=False, serial=SerialConfig("x")), []),
        (ModbusConfig(framing="rtu"), []),
        (ModbusConfig(framing="udp"), ["modbus.framing"]),
        (ModbusConfig(framing="rtu", udp=True), ["modbus.udp"]),
        (ModbusConfig(framing="rtu", units=(UnitConfig(0), UnitConfig(247))), ["modbus.units.0"]),
        (ModbusConfig(serial=SerialConfig("x"), units=(UnitConfig(1), UnitConfig(248))), ["modbus.units.248"]),
        (ModbusConfig(units=(UnitConfig(0),)), []),
        (ModbusConfig(tls=TLS), []),
        (ModbusConfig(tls=TLS, udp=True), ["modbus.tls"]),
        (ModbusConfig(tls=TLS, tcp=False, serial=SerialConfig("x")), ["modbus.tls"]),
        (ModbusConfig(tls=TlsConfig("", "")), ["modbus.tls"]),
        (ModbusConfig(serial=SerialConfig()), ["modbus.serial.device"]),
        (ModbusConfig(serial=SerialConfig(pty=True)), []),
        (ModbusConfig(serial=SerialConfig("x", 9601, "8X1", "tcp")), ["baud", "framing", "format"]),
    ],
)
def test_what_contradicts_itself(modbus: ModbusConfig, places: list[str]) -> None:
    found = [problem.path for problem in transport_problems(modbus)]
    assert found == [place if "modbus" in place else f"modbus.serial.{place}" for place in places]


def test_they_survive_the_way_to_a_node() -> None:
    assert GATEWAY.modbus is not None
    tls = TlsConfig("node.pem", "node.key", "ca.pem")
    modbus = replace(GATEWAY.modbus, framing="ascii", serial=SerialConfig("/dev/ttyS0", 9600, "8N2"), tls=tls)
    config = replace(GATEWAY, modbus=modbus)
    assert problems(config) == []
    assert load(dump(config), "gw") == config


@pytest.mark.parametrize(
    ("modbus", "names"),
    [
        (ModbusConfig(), ("Modbus/TCP",)),
        (ModbusConfig(udp=True), ("Modbus/TCP", "Modbus/UDP")),
        (ModbusConfig(tcp=False, udp=True), ("Modbus/UDP",)),
        (ModbusConfig(tls=TLS), ("Modbus/TLS",)),
        (ModbusConfig(framing="rtu", tls=TLS), ("Modbus/RTU over TLS",)),
        (ModbusConfig(framing="ascii"), ("Modbus/ASCII over TCP",)),
        (ModbusConfig(framing="rtu", serial=SerialConfig(pty=True)), ("Modbus/RTU over TCP", "Modbus/RTU")),
        (ModbusConfig(tcp=False, serial=SerialConfig("/dev/x", framing="ascii")), ("Modbus/ASCII",)),
    ],
)
def test_what_carries_modbus_has_its_name(modbus: ModbusConfig, names: tuple[str, ...]) -> None:
    assert carriers(modbus) == names
    assert spoken(replace(GATEWAY, modbus=modbus)) == {"enip": ("EtherNet/IP",), "modbus": names}
