"""The wheel of the node alone, and that of the whole farm, put together from the packages that this process uses: from
a checkout, an editable installation and a wheel alike, without a build tool, and byte for byte the same for the same
files.
"""

import base64
import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import farm
import node
from farm import __version__

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in it: the first that a zip file can hold."""
NODE_SCRIPTS = {
    "enip_server": "node.__main__:enip_server",
    "enip_client": "node.__main__:enip_client",
    "modbus_sim": "node.__main__:modbus_sim",
}
FARM_SCRIPTS = {**NODE_SCRIPTS, "farm": "farm.__main__:main"}
WHEEL = "Wheel-Version: 1.0\nGenerator: plcfarm\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def node_wheel() -> tuple[str, bytes]:
    """Its file name and its content (PEP 427)."""
    return _wheel({"node": Path(node.__file__).resolve().parent}, NODE_SCRIPTS)


def farm_wheel() -> tuple[str, bytes]:
    """That of node and farm together, with recipes, plants and pages; named as the node's."""
    homes = {package.__name__: Path(str(package.__file__)).resolve().parent for package in (farm, node)}
    return _wheel(homes, FARM_SCRIPTS)


def _wheel(homes: dict[str, Path], scripts: dict[str, str]) -> tuple[str, bytes]:
    name = f"plcfarm-{__version__}-py3-none-any.whl"
    info = f"plcfarm-{__version__}.dist-info"
    files = {f"{package}/{path}": content for package, home in homes.items() for path, content in _files(home)}
    points = "".join(f"{script} = {target}\n" for script, target in scripts.items())
    metadata = f"Metadata-Version: 2.1\nName: plcfarm\nVersion: {__version__}\nRequires-Python: >=3.11\n"
    files |= {
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": WHEEL.encode(),
        f"{info}/entry_points.txt": f"[console_scripts]\n{points}".encode(),
    }
    record = [f"{path},sha256={_digest(content)},{len(content)}" for path, content in sorted(files.items())]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    return name, _packed(files)


def _files(home: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a package, by its path in it; in a checkout some folders of the farm are links to others."""
    for folder, _, names in os.walk(home, followlinks=True):
        for path in (Path(folder) / name for name in names):
            if "__pycache__" not in path.parts and path.suffix != ".pyc":
                yield path.relative_to(home).as_posix(), path.read_bytes()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _packed(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(files):
            entry = zipfile.ZipInfo(path, EPOCH)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, files[path])
    return target.getvalue()
