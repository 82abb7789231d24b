"""Ways to reach a node by Modbus, from the plant file to its configuration, and what of them cannot be."""

from pathlib import Path

import pytest

from node.config.check import problems
from node.config.load import dump
from node.config.load import load as read
from node.config.model import ModbusConfig, SerialConfig, TlsConfig
from tests.farm.topology.plants import headlines, load, node


def plant(face: str) -> str:
    return f"nodes: {{rtu: {{kind: modbus, holding: {{'40001': 7}}, modbus: {{{face}}}}}}}\n"


def modbus(folder: Path, face: str) -> ModbusConfig:
    config = node(folder, plant(face))
    assert config.modbus is not None
    assert problems(config) == []
    assert read(dump(config), "rtu") == config
    return config.modbus


def test_plain_tcp_when_nothing_is_said(tmp_path: Path) -> None:
    found = modbus(tmp_path, "")
    assert (found.port, found.tcp, found.udp, found.framing) == (502, True, False, "tcp")
    assert (found.serial, found.tls) == (None, None)


def test_framing_and_datagrams(tmp_path: Path) -> None:
    assert modbus(tmp_path, "framing: ascii").framing == "ascii"
    assert modbus(tmp_path, "udp: true").udp


def test_a_serial_line(tmp_path: Path) -> None:
    found = modbus(tmp_path, "serial: {device: /dev/ttyUSB0, baud: 9600, format: 8N2}")
    assert found.serial == SerialConfig("/dev/ttyUSB0", 9600, "8N2", "rtu")
    found = modbus(tmp_path, "serial: {device: /tmp/line, pty: true, framing: ascii}")
    assert found.serial == SerialConfig("/tmp/line", 19200, "7E1", "ascii", True)


def test_tls_with_files_beside_the_plant_and_a_port_of_its_own(tmp_path: Path) -> None:
    found = modbus(tmp_path, "tls: {certificate: certs/node.pem, key: /etc/node.key}")
    assert found.tls == TlsConfig(str(tmp_path / "certs/node.pem"), "/etc/node.key")
    assert found.port == 802
    found = modbus(tmp_path, "port: 5020, tls: {certificate: a, key: b, ca: ca.pem}")
    assert found.tls == TlsConfig(str(tmp_path / "a"), str(tmp_path / "b"), str(tmp_path / "ca.pem"))
    assert found.port == 5020


def test_each_member_of_a_group_has_a_line_of_its_own(tmp_path: Path) -> None:
    text = "groups: {g: {count: 2, kind: modbus, modbus: {serial: {device: '/dev/ttyS${i}'}}}}\n"
    lines = [each.modbus.serial for each in load(tmp_path, text).nodes if each.modbus is not None]
    assert lines == [SerialConfig("/dev/ttyS1"), SerialConfig("/dev/ttyS2")]


@pytest.mark.parametrize(
    ("face", "fault"),
    [
        ("framing: tls", "'framing' in 'modbus' in node 'rtu' is 'tls'; wanted one of tcp, rtu, ascii"),
        ("udp: yes", "write true [F012]"),
        ("udp: true, framing: rtu", "'modbus': a datagram holds a frame of Modbus/TCP; framing rtu is for TCP alone"),
        ("serial: {baud: 9600}", "has no 'device' - path of the device; with 'pty', of a link that is made [F011]"),
        ("serial: {device: COM1}", "wanted an absolute path such as /dev/ttyUSB0 [F012]"),
        ("serial: {device: /dev/ttyS0, baud: 9601}", "is 9601; wanted one of 1200, 2400, 4800, 9600, 19200, 38400"),
        ("serial: {device: /dev/ttyS0, baud: fast}", "wanted one of 1200, 2400"),
        ("serial: {device: /dev/ttyS0, format: 9E1}", "wanted data bits, parity and stop bits as 8E1 or 8N2 [F013]"),
        ("serial: {device: /dev/ttyS0, format: 7E1}", "7E1: RTU has bytes, which take 8 data bits"),
        ("serial: {device: /dev/ttyS0, framing: tcp}", "wanted one of rtu, ascii"),
        ("tls: {certificate: a}", "has no 'key'"),
        ("tls: {certificate: a, key: b}, udp: true", "'modbus': TLS is for TCP, and nothing is to be open beside it"),
    ],
)
def test_what_cannot_be(tmp_path: Path, face: str, fault: str) -> None:
    (found,) = headlines(tmp_path, plant(face))
    assert fault in found


@pytest.mark.parametrize("face", ["serial: {device: /dev/ttyS0}", "framing: rtu"])
def test_everybody_is_no_station(tmp_path: Path, face: str) -> None:
    text = f"nodes: {{rtu: {{kind: modbus, unit: 0, holding: {{'40001': 7}}, modbus: {{{face}}}}}}}\n"
    (found,) = headlines(tmp_path, text)
    assert "'modbus': a unit on a line is 1 to 247; 0 is everybody" in found


@pytest.mark.parametrize("backend", ["netns", "docker"])
@pytest.mark.parametrize("face", ["serial: {device: /dev/ttyS0}", "tls: {certificate: a, key: b}"])
def test_what_is_the_machines_is_for_backend_process(tmp_path: Path, backend: str, face: str) -> None:
    (found,) = headlines(tmp_path, f"backend: {backend}\n{plant(face)}")
    assert f"a node on backend {backend} cannot reach what is the machine's" in found
    assert found.endswith("use --backend process [F071]")


def test_two_nodes_cannot_have_one_line(tmp_path: Path) -> None:
    text = "groups: {g: {count: 3, kind: modbus, modbus: {serial: {device: /dev/ttyS0}}}}\n"
    (found,) = headlines(tmp_path, text)
    assert "device /dev/ttyS0 is the line of node 'g-1' already" in found
