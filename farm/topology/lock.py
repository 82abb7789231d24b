"""The lock file: which address each node got by itself, so that adding one node never moves another.

    # plcfarm lock 1: addresses given by plant.yaml. Keep it beside that file, in version control too.
    default intake 127.64.0.1

One line an interface: network, name (a router's as `router:fw1`), address in the plant file's own terms, in the order
of addresses. `plant.yaml` has `plant.lock` beside it.
"""

import contextlib
import ipaddress
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from farm.topology.document import Source
from farm.topology.load import read_text
from farm.topology.problem import Place, Report

Locked = dict[tuple[str, str], int]
"""(network, node) to address; for a router, `ROUTER` and its name."""

ROUTER = "router:"

HEADER = "# plcfarm lock 1"

_LINE = re.compile(r"([A-Za-z0-9_-]{1,32}) ((?:router:)?[A-Za-z0-9_-]{1,32}) ([0-9.]{7,15})", re.ASCII)


def lock_path(plant: Path) -> Path:
    """Where the lock of a plant file is."""
    return plant.with_suffix(".lock")


def read_lock(path: Path, report: Report) -> Locked:
    """The addresses in a lock file; none when there is no file. A line that cannot be read is an error: ignoring it
    would quietly move a node."""
    if not path.exists():
        return {}
    source = Source(str(path))
    text = read_text(path, source, report)
    if text is None:
        return {}
    source.lines = text.splitlines()
    if not text.startswith(HEADER):
        report.error(
            "F044", Place(source, 1, 1), "is no lock file of this version", f"delete {path.name} to start anew"
        )
        return {}
    locked: Locked = {}
    for line, content in enumerate(source.lines, 1):
        found = _LINE.fullmatch(content)
        if found is not None:
            with contextlib.suppress(ValueError):
                locked[(found.group(1), found.group(2))] = int(ipaddress.IPv4Address(found.group(3)))
                continue
        if content.strip() and not content.startswith("#"):
            report.error("F044", Place(source, line, 1), "wanted: network, node and address", "delete or mend the line")
    return locked


def write_lock(path: Path, plant: str, locked: Mapping[tuple[str, str], int]) -> str:
    """Write the file in one step, unless it says the same already. Returns why it could not be written, or ""."""
    ordered = sorted(locked.items(), key=lambda entry: (entry[0][0], entry[1]))
    lines = [f"{network} {node} {ipaddress.IPv4Address(address)}\n" for (network, node), address in ordered]
    text = f"{HEADER}: addresses given by {plant}. Keep it beside that file, in version control too.\n{''.join(lines)}"
    try:
        if path.exists() and path.read_text() == text:
            return ""
        if not lines and not path.exists():
            return ""
        _replace(path, text)
    except OSError as exc:
        return exc.strerror or str(exc)
    return ""


def _replace(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
