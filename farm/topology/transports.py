"""How Modbus reaches a node, beside plain TCP: out of the keys of its `modbus`.

Devices and certificates are the machine's own, so backend process alone has them: elsewhere a node has other rights, or
files of its own. A serial line has one node.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

from farm.topology import territory
from farm.topology.document import MapNode
from farm.topology.problem import Report
from farm.topology.shapes import take
from farm.topology.transport_keys import BAUD, DEVICE, FILE, FORMAT, FRAMING, LINE_FRAMING, TRUTH
from node.config.model import ModbusConfig, SerialConfig, TlsConfig
from node.config.schema import transport_problems

TLS_BEYOND = 300
"""How far the port of Modbus over TLS is behind that of Modbus/TCP: 802 and 502, 1802 and 1502."""


@dataclass(slots=True)
class TransportBuilder:
    """Reads them for the nodes of one plant on `backend`."""

    backend: str
    report: Report
    _devices: dict[str, str] = field(default_factory=dict)
    """Which node has it."""

    def carried(self, modbus: ModbusConfig, face: MapNode | None) -> ModbusConfig:
        """`modbus`, reached as its section `face` says."""
        if face is None:
            return modbus
        for key in ("serial", "tls"):
            if face.map(key) is not None and self.backend != territory.PROCESS:
                message = f"'{key}': a node on backend {self.backend} cannot reach what is the machine's"
                self.report.error("F071", face.key(key), message, "use --backend process")
        found = replace(
            modbus,
            framing=take(face, "framing", FRAMING, modbus.framing, self.report),
            udp=take(face, "udp", TRUTH, modbus.udp, self.report),
            serial=self.serial(face.map("serial")),
            tls=self.tls(face.map("tls")),
        )
        for problem in transport_problems(found):
            key = problem.path.split(".")[1]
            self.report.error("F069", face.get(key) or face, f"'modbus': {problem.message}")
        return found

    def serial(self, body: MapNode | None) -> SerialConfig | None:
        """The line of a node; None for none, and with an error noted where another node has it."""
        written = body.scalar("device") if body is not None else None
        if body is None or written is None or written.dollar:
            return None
        device = take(body, "device", DEVICE, "", self.report)
        framing = take(body, "framing", LINE_FRAMING, "rtu", self.report)
        if not device:
            return None
        other = self._devices.setdefault(device, self.report.subject)
        if other != self.report.subject:
            self.report.error("F068", written, f"device {device} is the line of node '{other}' already")
        usual = "7E1" if framing == "ascii" else "8E1"
        return SerialConfig(
            device,
            take(body, "baud", BAUD, 19200, self.report),
            take(body, "format", FORMAT, usual, self.report),
            framing,
            take(body, "pty", TRUTH, False, self.report),
        )

    def tls(self, body: MapNode | None) -> TlsConfig | None:
        """The files of a node, by absolute paths."""
        if body is None:
            return None
        certificate, key, ca = (self.file(body, name) for name in ("certificate", "key", "ca"))
        return TlsConfig(certificate, key, ca) if certificate and key else None

    def file(self, body: MapNode, name: str) -> str:
        """A file that is named relative to the one that names it; "" for none."""
        written = body.scalar(name)
        text = take(body, name, FILE, "", self.report)
        if written is None or not text:
            return ""
        return str((Path(written.source.name).parent / text).absolute())
