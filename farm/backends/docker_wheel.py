"""The wheel of the node alone, put together from the package that this process uses: from a checkout, an editable
installation and a wheel alike, without a build tool, and byte for byte the same for the same files."""

import base64
import hashlib
import io
import zipfile
from pathlib import Path

import node
from farm import __version__

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in it: the first that a zip file can hold."""
SCRIPTS = "[console_scripts]\nenip_server = node.__main__:enip_server\nmodbus_sim = node.__main__:modbus_sim\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: plcfarm\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def node_wheel() -> tuple[str, bytes]:
    """Its file name and its content (PEP 427)."""
    name = f"plcfarm-{__version__}-py3-none-any.whl"
    info = f"plcfarm-{__version__}.dist-info"
    home = Path(node.__file__).resolve().parent
    files = {
        f"node/{path.relative_to(home).as_posix()}": path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    metadata = f"Metadata-Version: 2.1\nName: plcfarm\nVersion: {__version__}\nRequires-Python: >=3.11\n"
    files |= {
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": WHEEL.encode(),
        f"{info}/entry_points.txt": SCRIPTS.encode(),
    }
    record = [f"{path},sha256={_digest(content)},{len(content)}" for path, content in sorted(files.items())]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    return name, _packed(files)


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
