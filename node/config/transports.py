"""What contradicts itself in how Modbus reaches a node: its framing, its serial line, UDP and TLS."""

from collections.abc import Iterator

from node.config.model import (
    BAUDS,
    DATA_BITS,
    FRAMINGS,
    PARITIES,
    STATIONS,
    STOP_BITS,
    ModbusConfig,
    NodeConfig,
    SerialConfig,
    TlsConfig,
)
from node.config.problem import Problem
from node.errors import ConfigError

PTY = "pty"
"""In place of a device: a pseudo terminal."""

BY_PATH = "/by-path/"
"""In the path of a device whose name has colons, as udev makes them."""

_LINE_FRAMINGS = FRAMINGS[1:]
_WANTED = "wanted DEVICE[:BAUD[:FORMAT]], as /dev/ttyUSB0, /dev/ttyUSB0:9600:8N2, or pty"


def transport_problems(modbus: ModbusConfig) -> Iterator[Problem]:
    """What no node could serve."""
    if not (modbus.tcp or modbus.udp or modbus.serial):
        yield Problem("modbus", "reached by nothing; wanted tcp, udp or a serial line")
    if modbus.framing not in FRAMINGS:
        yield Problem("modbus.framing", f"{modbus.framing!r}; wanted {' or '.join(FRAMINGS)}")
    if modbus.udp and modbus.framing != FRAMINGS[0]:
        yield Problem(
            "modbus.udp", f"a datagram holds a frame of Modbus/TCP; framing {modbus.framing} is for TCP alone"
        )
    if modbus.tls is not None:
        if modbus.udp or not modbus.tcp:
            yield Problem("modbus.tls", "TLS is for TCP, and nothing is to be open beside it")
        if not (modbus.tls.certificate and modbus.tls.key):
            yield Problem("modbus.tls", "wanted a certificate and its key")
    if modbus.serial is not None or modbus.framing in _LINE_FRAMINGS:
        for unit in modbus.units:
            if unit.unit_id not in STATIONS:
                yield Problem(f"modbus.units.{unit.unit_id}", "a unit on a line is 1 to 247; 0 is everybody")
    if modbus.serial is not None:
        yield from _serial_problems(modbus.serial)


def carriers(modbus: ModbusConfig) -> tuple[str, ...]:
    """What Modbus is called as it reaches a node, that of its connections first: `Modbus/TCP`, `Modbus/RTU over TCP`,
    `Modbus/TLS`, `Modbus/UDP`, and of a serial line `Modbus/RTU`."""
    found = []
    if modbus.tcp:
        below = "TCP" if modbus.tls is None else "TLS"
        own = modbus.framing == FRAMINGS[0]
        found.append(f"Modbus/{below}" if own else f"Modbus/{modbus.framing.upper()} over {below}")
    if modbus.udp:
        found.append("Modbus/UDP")
    if modbus.serial is not None:
        found.append(f"Modbus/{modbus.serial.framing.upper()}")
    return tuple(found)


def spoken(config: NodeConfig) -> dict[str, tuple[str, ...]]:
    """What a node speaks at each of its ports, by the port's name."""
    found = {"enip": ("EtherNet/IP",)} if config.enip is not None else {}
    return found | ({"modbus": carriers(config.modbus)} if config.modbus is not None else {})


def _serial_problems(serial: SerialConfig) -> Iterator[Problem]:
    if not (serial.device or serial.pty):
        yield Problem("modbus.serial.device", "must not be empty")
    if serial.baud not in BAUDS:
        yield Problem("modbus.serial.baud", f"{serial.baud}; wanted {', '.join(map(str, BAUDS))}")
    if serial.framing not in _LINE_FRAMINGS:
        yield Problem("modbus.serial.framing", f"{serial.framing!r}; wanted {' or '.join(_LINE_FRAMINGS)}")
    if not _is_format(serial.format):
        yield Problem("modbus.serial.format", f"{serial.format!r}; wanted data bits, parity and stop bits, as 8E1")
    elif serial.format[0] != "8" and serial.framing == "rtu":
        yield Problem("modbus.serial.format", f"{serial.format}: RTU has bytes, which take 8 data bits")


def _is_format(text: str) -> bool:
    choices = (DATA_BITS, PARITIES, STOP_BITS)
    return len(text) == len(choices) and all(part in choice for part, choice in zip(text, choices, strict=True))


def parse_serial(text: str, framing: str = "rtu") -> SerialConfig:
    """A line as a person types it: `DEVICE[:BAUD[:FORMAT]]`, `pty`, or `pty=PATH` for a pseudo terminal with a link to
    it. Raises `ConfigError` that quotes `text`."""
    device, *rest = _fields(text)
    source = f"serial line {text!r}"
    form = rest[1].upper() if len(rest) == 2 else ("7E1" if framing == "ascii" else "8E1")
    if not device or len(rest) > 2 or (rest and not (rest[0].isascii() and rest[0].isdigit())):
        raise ConfigError(source, 0, _WANTED)
    name, equals, link = device.partition("=")
    pty = name == PTY
    if pty and equals and not link:
        raise ConfigError(source, 0, "a link without a name; wanted pty=PATH")
    found = SerialConfig(link if pty else device, int(rest[0]) if rest else 19200, form, framing, pty)
    for problem in _serial_problems(found):
        raise ConfigError(source, 0, f"{problem.path.rpartition('.')[2]} {problem.message}")
    return found


def _fields(text: str) -> list[str]:
    fields = text.split(":")
    if BY_PATH not in text:
        return fields
    settings = next((count for count in (1, 2) if fields[-count].isdigit() and int(fields[-count]) in BAUDS), 0)
    device = ":".join(fields[: len(fields) - settings])
    return [device, *fields[len(fields) - settings :]]


def parse_tls(text: str) -> TlsConfig:
    """`CERTIFICATE,KEY[,CA]`. Raises `ConfigError`."""
    files = text.split(",")
    if not 2 <= len(files) <= 3 or not all(files):
        raise ConfigError(f"TLS {text!r}", 0, "wanted files as CERTIFICATE,KEY or CERTIFICATE,KEY,CA")
    return TlsConfig(*files)
