"""Fetches what the pages stand on from npm, as published, with licences and checksums.

    python -m tests.dashboard.vendor

The files are committed, so that nobody who runs or changes the pages needs npm. `npm pack` checks what it fetched
against the registry's own digest; `SHA256SUMS` then says whether a file is still what was fetched.
"""

import hashlib
import io
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tests.architecture.sources import ROOT

VENDOR = ROOT / "farm" / "dashboard" / "static" / "vendor"
SUMS = "SHA256SUMS"

PACKAGES = {
    "htm@3.1.1": {"preact/standalone.module.js": "preact-htm.js", "LICENSE": "LICENSE.htm"},
    "preact@10.29.8": {"LICENSE": "LICENSE.preact"},  # its code is in htm's standalone file
    "uplot@1.6.32": {
        "dist/uPlot.iife.min.js": "uPlot.iife.min.js",
        "dist/uPlot.min.css": "uPlot.min.css",
        "LICENSE": "LICENSE.uplot",
    },
}
"""Package and version to the files taken of it, with the names they have here."""


def sums(folder: Path) -> str:
    """`SHA256SUMS` of all other files in `folder`, as sha256sum writes it."""
    paths = sorted(path for path in folder.iterdir() if path.name != SUMS)
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths)


def fetch(package: str, folder: Path) -> dict[str, bytes]:
    """The files of a package by their path in it. `folder` is where npm puts the archive."""
    command = ["npm", "pack", "--silent", package]
    archive = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.split()[-1]
    with tarfile.open(fileobj=io.BytesIO((folder / archive).read_bytes())) as tar:
        found = {}
        for member in tar:
            if file := tar.extractfile(member):
                found[member.name.removeprefix("package/")] = file.read()
        return found


def main() -> None:
    """Fetches all of them and writes them beside each other."""
    found: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        for package, taken in PACKAGES.items():
            files = fetch(package, Path(folder))
            found |= {name: files[inside] for inside, name in taken.items()}
    VENDOR.mkdir(parents=True, exist_ok=True)
    for name, body in found.items():
        (VENDOR / name).write_bytes(body)
    (VENDOR / SUMS).write_text(sums(VENDOR))


if __name__ == "__main__":
    main()
