"""Debian's installer, unattended, with the answers that Packer gives it: under software emulation, within an hour.

The installer comes from Debian's netboot package, whose kernel and first disk are unpacked outside the tree; it fetches
its packages from the mirror, by a network of qemu's own. What it did is told stage by stage. When it is through, the
disk that it made is started, and what counts is that it comes up and asks who logs in. Needs root on Debian: what is
missing is installed.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "qemu-img": "qemu-utils"}
INSTALLER = "debian-installer-12-netboot-amd64"
LIMIT = 3600.0
"""Seconds for all of it."""
THROUGH, GIVES_UP = "is through", "cannot fetch its parts"
DISK = "8G"
MEMORY = "1024"
HOST = "10.0.2.2"
"""This machine, as qemu's own network shows it."""
BOOT = "auto=true priority=critical DEBIAN_FRONTEND=text TERM=dumb preseed/url=http://{url}/preseed.cfg"
STAGES = {
    "asks for an address": r"Configuring the network with DHCP",
    "looks at the mirror": r"Checking the Debian archive mirror",
    "partitions the disk": r"Partitions formatting|Starting up the partitioner",
    "installs the base": r"Installing the base system",
    "installs packages": r"Select and install software",
    "installs the boot loader": r"Installing GRUB|GRUB boot loader",
    THROUGH: r"reboot: Restarting system|Requesting system reboot",
    GIVES_UP: r"failed to download a file from the mirror",
}
LOGIN = r"plcfarm login:"


def why_not() -> str:
    """Why nothing can be installed here, "" where it can."""
    if os.geteuid() != 0:
        return "unattended: need root, to install qemu and Debian's installer"
    if shutil.which("apt-get") is None:
        return "unattended: need Debian, whose installer it is"
    return ""


def run(limit: float = LIMIT) -> bool:
    """Whether it went as far as it can: to a machine that came up, or, where the mirror has not all that the installer
    is made of, to where it looks for that, with the answers that it was given. Prints each stage when it is reached.
    Raises `RuntimeError` with a line where the installer or qemu cannot be had."""
    until = time.monotonic() + limit
    _tools()
    asked: list[str] = []
    with tempfile.TemporaryDirectory(prefix="plcs") as folder, served(ROOT / "packer" / "http", asked) as port:
        place = Path(folder)
        kernel, first = _installer(place)
        disk = place / "disk.qcow2"
        _do(["qemu-img", "create", "-q", "-f", "qcow2", str(disk), DISK])
        words = f"{BOOT.format(url=f'{HOST}:{port}')} console=ttyS0 --- console=ttyS0"
        begun = time.monotonic()
        installer = ["-kernel", str(kernel), "-initrd", str(first), "-append", words]
        reached = boot(installer, disk, STAGES, until, last=GIVES_UP)
        took = time.monotonic() - begun
        print(f"installer: {took:.0f} s, asked for {asked}, as far as: {reached[-1:]}", flush=True)
        if "/preseed.cfg" not in asked:
            return False
        if GIVES_UP in reached:
            print(
                "the mirror of this machine has not all that the installer is made of, so that is the end", flush=True
            )
            return True
        if THROUGH not in reached:
            return False
        return bool(boot([], disk, {"asks who logs in": LOGIN}, until, last="asks who logs in"))


def boot(options: list[str], disk: Path, stages: dict[str, str], until: float, last: str = "") -> list[str]:
    """Runs a machine until it reboots or time is up, or stage `last` is reached; the stages that its console showed, in
    the order in which they came."""
    command = ["qemu-system-x86_64", "-accel", "tcg", "-m", MEMORY, "-nographic", "-no-reboot"]
    command += ["-drive", f"file={disk},format=qcow2,if=virtio,cache=unsafe", "-nic", "user,model=virtio-net-pci"]
    begun = time.monotonic()
    machine = subprocess.Popen(
        [*command, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    too_long = threading.Timer(max(1.0, until - begun), machine.kill)
    too_long.start()
    reached: list[str] = []
    shown = b""
    try:
        assert machine.stdout is not None
        while chunk := os.read(machine.stdout.fileno(), 1 << 16):
            shown = shown[-2000:] + chunk
            text = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", shown).decode(errors="replace")
            for stage, sign in stages.items():
                if stage not in reached and re.search(sign, text):
                    reached.append(stage)
                    print(f"vm: {stage}, after {time.monotonic() - begun:.0f} s", flush=True)
            if last in reached:
                break
    finally:
        too_long.cancel()
        machine.kill()
        machine.wait()
    if THROUGH not in reached and last not in reached:
        print(f"vm: its last words: {' '.join(text.split())[-400:]}", flush=True)
    return reached


@contextlib.contextmanager
def served(folder: Path, asked: list[str]) -> Iterator[int]:
    """A port of this machine at which the files of `folder` are; `asked` gets what was asked for."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Notes it, and says nothing."""
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


def _tools() -> None:
    missing = [package for tool, package in TOOLS.items() if shutil.which(tool) is None]
    if missing:
        print(f"installing {' '.join(missing)}", flush=True)
        _do(["apt-get", "update", "-qq"])
        _do(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing])


def _installer(place: Path) -> tuple[Path, Path]:
    """Kernel and first disk of the installer, fetched and unpacked in `place`."""
    _do(["apt-get", "download", "-qq", INSTALLER], place)
    (package,) = place.glob(f"{INSTALLER}_*.deb")
    _do(["dpkg-deb", "-x", str(package), str(place / "installer")])
    package.unlink()
    (kernel,) = place.glob("installer/usr/lib/debian-installer/images/*/amd64/text/debian-installer/amd64/linux")
    return kernel, kernel.with_name("initrd.gz")


def _do(command: list[str], folder: Path | None = None) -> None:
    """Runs a command to its end. Raises `RuntimeError` with its last line when it fails."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        last = (done.stdout + done.stderr).strip().splitlines()[-1:]
        raise RuntimeError(f"unattended: {command[0]} failed: {' '.join(last)}")
