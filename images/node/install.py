"""Installs the wheels beside this file: pure Python, without pip, which a bare Debian python3 has not.

`install.py PREFIX` unpacks them into PREFIX/site, writes their console scripts into PREFIX/bin, and compiles what a
node imports, the standard library's part included: containers are read-only, and images of Python come without it.
All of it together goes into one file (`node.pack`), which a start reads.
"""

import configparser
import contextlib
import importlib
import sys
import zipfile
from pathlib import Path

OLDEST = (3, 11)
SCRIPT = """#!{python}
import sys

from {module} import {function}

sys.exit({function}())
"""
IMPORTED = ("node.cli.enip", "node.cli.modbus", "node.cli.run", "node.cli.shard", "node.cli.relay", "node.nursery")
"""Between them they import all that a node may."""
CLIENTS = ("node.cli.enip_client", "node.cli.list_services", "node.cli.health")
"""Compiled beside them, as a farm is that is there too: what asks nodes in a container, as health checks do."""


def main(prefix: Path) -> None:
    """Installs. Raises SystemExit where this Python is too old or there is no wheel."""
    if sys.version_info < OLDEST:
        raise SystemExit(
            f"the base image has Python {sys.version.split()[0]}: wanted 3.11 or newer (--build-arg BASE=…)"
        )
    wheels = sorted(Path(__file__).parent.glob("*.whl"))
    if not wheels:
        raise SystemExit("no wheel in the build context: `farm image build --context FOLDER` writes one there")
    site = prefix / "site"
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(site)
        wheel.unlink()
    (prefix / "bin").mkdir(exist_ok=True)
    for points in sorted(site.glob("*.dist-info/entry_points.txt")):
        write_scripts(points, prefix / "bin")
    sys.path.insert(0, str(site))
    sys.dont_write_bytecode = False
    for module in IMPORTED:
        importlib.import_module(module)
    importlib.import_module("node.pack").write_pack(str(site / "node.pack"), list(sys.modules.values()))
    for module in CLIENTS:
        importlib.import_module(module)
    for path in sorted((site / "farm").rglob("*.py")):
        with contextlib.suppress(ImportError):  # of extras that are not in this image
            importlib.import_module(".".join(path.relative_to(site).with_suffix("").parts))


def write_scripts(points: Path, folder: Path) -> None:
    """The console scripts that an entry_points.txt names."""
    parser = configparser.ConfigParser()
    parser.read(points)
    for name, target in parser["console_scripts"].items() if parser.has_section("console_scripts") else ():
        module, _, function = target.partition(":")
        script = folder / name
        script.write_text(SCRIPT.format(python=sys.executable, module=module, function=function))
        script.chmod(0o755)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
