"""A capture of loopback, and what Wireshark's dissectors say of it."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

MODBUS_PORT, RTU_PORT = 1502, 1602
"""Where clients and servers of Modbus are that are to be looked at; tshark takes it for something else elsewhere."""
PREFERENCES = (
    f"mbtcp.tcp.port:502,{MODBUS_PORT}",
    f"mbudp.udp.port:502,{MODBUS_PORT}",
    f"mbrtu.tcp.port:{RTU_PORT}",
    "mbrtu.crc_verification:TRUE",
)
LAYERS = {"enip", "cip", "cipcm", "cipcls", "cippccc", "mbtcp", "mbrtu", "modbus"}
MARKER, MARKER_HOST = b"end of what the test says", "127.64.231.254"
CPPPO_SERVER = "127.64.33.11"
"""Where cpppo's server is asked. Its answer to ListServices is a byte short (CIP Vol 2, 2-4.6: a name has 16), which is
its own affair; whatever else is said there is judged."""
FOREIGN = f"(ip.src == {CPPPO_SERVER} and enip.command == 0x0004)"
WARNING = 0x00600000
"""Wireshark's expert severities: chat 0x200000, note 0x400000, warning 0x600000, error 0x800000."""


class CaptureError(Exception):
    """Nothing can be captured here."""


@dataclass(slots=True)
class Dissection:
    """Frames that carried each protocol, and complaints: malformed packets, and warnings of our layers."""

    frames: dict[str, int] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)


class Capture:
    """What matches `expression`, from now until `stop`. Raises `CaptureError` where that cannot be had."""

    def __init__(self, file: Path, expression: str) -> None:
        self.file = file
        if shutil.which("tshark") is None:
            raise CaptureError("tshark is not installed (Debian: apt-get install tshark)")
        self._process = subprocess.Popen(
            ["tshark", "-i", "lo", "-f", f"({expression}) or host {MARKER_HOST}", "-w", str(file)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line.strip())
            if "Capture started" in line:
                return
        self._end()
        raise CaptureError(f"tshark may not capture here: {' '.join(said[-2:])}")

    def stop(self) -> Path:
        """The file, with every packet that was sent so far."""
        if self._process.returncode is None:
            _wait_for_marker(self.file)
            self._process.send_signal(signal.SIGINT)
            self._end()
        return self.file

    def _end(self) -> None:
        assert self._process.stderr is not None
        self._process.stderr.read()
        self._process.stderr.close()
        self._process.wait(60)


def _wait_for_marker(file: Path) -> None:
    """The last packets are still on their way from the kernel: a datagram sent after them says when all are there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(300):
            sender.sendto(MARKER, (MARKER_HOST, 9))
            time.sleep(0.1)
            if MARKER in file.read_bytes():
                return
    raise AssertionError("tshark wrote nothing of what was sent last")


def dissect(file: Path) -> Dissection:
    """Every frame through tshark's dissectors, reassembled; the whole tree of those alone that it has a warning for."""
    result = Dissection()
    for line in _tshark(file, "-T", "fields", "-e", "frame.protocols"):
        for kind in LAYERS.intersection(line.decode().strip().split(":")):
            result.frames[kind] = result.frames.get(kind, 0) + 1
    suspect = f"(_ws.expert.severity >= {WARNING:#x} or _ws.malformed) and not {FOREIGN}"
    for packet in ElementTree.fromstringlist([*_tshark(file, "-Y", suspect, "-T", "pdml")]).iter("packet"):
        _read_packet(packet, result)
    return result


def _tshark(file: Path, *how: str) -> Iterator[bytes]:
    """What it prints of a file, line by line."""
    command = ["tshark", "-r", str(file), *(word for preference in PREFERENCES for word in ("-o", preference)), *how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        yield from process.stdout
    assert process.returncode == 0


def _read_packet(packet: ElementTree.Element, result: Dissection) -> None:
    number, sender = packet.find("./proto/field[@name='num']"), packet.find("./proto/field[@name='ip.src']")
    name = " from ".join(str(field.get("show")) for field in (number, sender) if field is not None)
    for layer in packet.findall("./proto"):
        kind = layer.get("name", "")
        if kind == "_ws.malformed":
            result.complaints.append(f"frame {name}: malformed")
        if kind in LAYERS:
            result.complaints += [f"frame {name}: {kind}: {text}" for text in _warnings(layer)]


def _warnings(layer: ElementTree.Element) -> Iterator[str]:
    for expert in layer.iter("field"):
        if expert.get("name") == "_ws.expert":
            severity = expert.find("./field[@name='_ws.expert.severity']")
            if severity is not None and int(severity.get("show", "0"), 0) >= WARNING:
                yield expert.get("showname", "?")
    if layer.find(".//field[@name='_ws.malformed']") is not None:
        yield "malformed"
