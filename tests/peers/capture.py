"""A capture of loopback, and what Wireshark's dissectors say of it."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

LAYERS = {"enip", "cip", "cipcm", "cipcls", "cippccc", "mbtcp", "modbus"}
WARNING = 0x00600000
"""Wireshark's expert severities: chat 0x200000, note 0x400000, warning 0x600000, error 0x800000."""


@dataclass(slots=True)
class Dissection:
    """Frames that carried each protocol, and complaints: malformed packets, and warnings of our layers."""

    frames: dict[str, int] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)


@contextlib.contextmanager
def capturing(file: Path, expression: str) -> Iterator[None]:
    """Capture what matches `expression` while the block runs; skips where that needs rights or tshark is missing."""
    if shutil.which("tshark") is None:
        pytest.skip("tshark is not installed (Debian: apt-get install tshark)")
    process = subprocess.Popen(
        ["tshark", "-i", "lo", "-f", expression, "-w", str(file)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line.strip())
        if "Capture started" in line:
            break
    else:
        pytest.skip(f"tshark may not capture as an ordinary user here: {said[-1:]}")
    try:
        yield
    finally:
        # The last packets are still on their way from the kernel: tshark is asked, not killed, so that it drains them.
        process.terminate()
        process.stderr.read()
        process.wait(20)


def dissect(file: Path, modbus_port: int) -> Dissection:
    """Every frame through tshark's dissectors, reassembled."""
    command = ["tshark", "-r", str(file), "-d", f"tcp.port=={modbus_port},mbtcp", "-T", "pdml"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    result = Dissection()
    for _, packet in ElementTree.iterparse(process.stdout):
        if packet.tag != "packet":
            continue
        number = packet.find("./proto[@name='geninfo']/field[@name='num']")
        name = number.get("show") if number is not None else "?"
        for layer in packet.findall("./proto"):
            kind = layer.get("name", "")
            if kind == "_ws.malformed":
                result.complaints.append(f"frame {name}: malformed")
            if kind in LAYERS:
                result.frames[kind] = result.frames.get(kind, 0) + 1
                result.complaints += [f"frame {name}: {kind}: {text}" for text in _warnings(layer)]
        packet.clear()
    process.wait(60)
    return result


def _warnings(layer: ElementTree.Element) -> Iterator[str]:
    for expert in layer.iter("field"):
        if expert.get("name") == "_ws.expert":
            severity = expert.find("./field[@name='_ws.expert.severity']")
            if severity is not None and int(severity.get("show", "0"), 0) >= WARNING:
                yield expert.get("showname", "?")
    if layer.find(".//field[@name='_ws.malformed']") is not None:
        yield "malformed"
