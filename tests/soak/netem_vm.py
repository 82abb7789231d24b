"""Links as bad as was asked on a kernel with netem, whatever this machine's has: a Debian under software emulation.

The machine's root is made by debootstrap, once, and kept outside the tree; this project goes in as a tar file that is
the second disk. Nothing is written to the first, and there is no network card. Needs root on Debian: what is missing is
installed.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "debootstrap": "debootstrap", "mke2fs": "e2fsprogs"}
PACKAGES = (
    "initramfs-tools",
    "iproute2",
    "kmod",
    "linux-image-cloud-amd64",
    "nftables",
    "python3",
)
RUNNER = ("pytest", "pluggy", "iniconfig", "packaging", "pygments", "pytest-timeout")
"""Distributions that go in as they are installed here: Debian's own are too old for our tests."""
SUITE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
DISK = "1400M"
LIMIT = 600.0
"""Seconds for all of it."""
PASSED = "NETEM-PASSED"
SITE, SCRIPT = ".site", ".run"

BEGIN = f"""#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root PYTHONDONTWRITEBYTECODE=1
mount -t proc proc /proc
mount -t sysfs sysfs /sys 2>/dev/null
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /mnt
tar -xf /dev/vdb -C /mnt
cd /mnt
sh ./{SCRIPT}
echo o > /proc/sysrq-trigger
sleep 60
"""
"""The first process of the machine; a part of its image."""
RUN = f"""export PYTHONPATH=/mnt/{SITE}
ip link set lo up
python3 -m tests.soak.netem_guest &&
    python3 -m pytest -q --noconftest -p no:cacheprovider tests/backends/test_netns_shape.py && echo {PASSED}
"""


def run(limit: float = LIMIT) -> bool:
    """Whether every figure and every test was right in the machine; prints what it prints. Raises `RuntimeError` with a
    line when the machine cannot be made."""
    until = time.monotonic() + limit
    _tools(until)
    image = _image(until)
    with tempfile.TemporaryDirectory(prefix="plcs") as folder:
        project = Path(folder) / "project.tar"
        _pack(project)
        return _boot(image, project, until)


def _boot(image: Path, project: Path, until: float) -> bool:
    command = [
        *("qemu-system-x86_64", "-accel", "tcg", "-m", "1024", "-nographic", "-no-reboot", "-nic", "none"),
        # Its clock counts its instructions, two nanoseconds each: how busy this machine is changes no figure.
        *("-icount", "shift=1,sleep=off", "-rtc", "clock=vm"),
        *("-kernel", str(image / "vmlinuz"), "-initrd", str(image / "initrd")),
        *("-drive", f"file={image / 'disk'},format=raw,if=virtio,snapshot=on"),
        *("-drive", f"file={project},format=raw,if=virtio,readonly=on"),
        *("-append", "root=/dev/vda rw console=ttyS0 init=/begin quiet panic=1"),
    ]
    begun = time.monotonic()
    machine = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    passed = False
    too_long = threading.Timer(max(1.0, until - begun), machine.kill)
    too_long.start()
    try:
        assert machine.stdout is not None
        for line in machine.stdout:
            text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1bc|\r", "", line).rstrip()
            passed |= text == PASSED
            if text:
                print(f"vm: {text}", flush=True)
    finally:
        too_long.cancel()
        machine.kill()
        machine.wait()
    print(f"the machine ran {time.monotonic() - begun:.0f} s: {'passed' if passed else 'FAILED'}", flush=True)
    return passed


def why_not() -> str:
    """Why there can be no such machine here, "" where there can."""
    if os.geteuid() or shutil.which("apt-get") is None:
        return "netem: needs root on Debian"
    return ""


def _tools(until: float) -> None:
    """Installs what is missing."""
    missing = [package for program, package in TOOLS.items() if shutil.which(program) is None]
    if missing:
        print(f"installing {' '.join(missing)}", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing]):
            _do(["apt-get", *arguments], until, environment)


def _image(until: float) -> Path:
    """The folder with kernel, initial RAM disk and first disk, made when it is not there."""
    source = mirror()
    digest = hashlib.blake2b(repr((SUITE, PACKAGES, DISK, BEGIN)).encode(), digest_size=6).hexdigest()
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "plcfarm" / f"netem-vm-{digest}"
    if (folder / "disk").is_file():
        return folder
    for older in folder.parent.glob("netem-vm-*"):
        shutil.rmtree(older)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="root-", dir=folder) as made:
        root = Path(made)
        begun = time.monotonic()
        print(f"making {folder} from {source}", flush=True)
        include = f"--include={','.join(PACKAGES)}"
        _do(["debootstrap", "--variant=minbase", include, SUITE, str(root), source], until)
        (root / "begin").write_text(BEGIN)
        (root / "begin").chmod(0o755)
        for name, target in (("vmlinuz-*", "vmlinuz"), ("initrd.img-*", "initrd")):
            (found,) = (root / "boot").glob(name)
            shutil.copy(found, folder / target)
        shutil.rmtree(root / "var" / "cache" / "apt", ignore_errors=True)
        fresh = folder / "disk.new"
        _do(["mke2fs", "-q", "-F", "-t", "ext4", "-d", str(root), str(fresh), DISK], until)
        fresh.rename(folder / "disk")
        print(f"made in {time.monotonic() - begun:.0f} s", flush=True)
    return folder


def mirror() -> str:
    """The one that this machine uses."""
    for path in (*Path("/etc/apt").glob("sources.list.d/*.sources"), Path("/etc/apt/sources.list")):
        text = path.read_text() if path.is_file() else ""
        found = re.search(r"^(?:URIs:|deb(?: \[[^]]*\])?) +(http\S+)", text, re.MULTILINE)
        if found:
            return found[1]
    return MIRROR


def _pack(target: Path) -> None:
    """What is committed or could be, and what runs tests, as a tar file of whole sectors."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(command, cwd=ROOT, text=True).split("\0")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in names:
            if name and (ROOT / name).exists():
                tar.add(ROOT / name, name, recursive=False)
        script = tarfile.TarInfo(SCRIPT)
        script.size = len(RUN)
        tar.addfile(script, io.BytesIO(RUN.encode()))
        for distribution in RUNNER:
            for file in metadata.files(distribution) or []:
                if ".." not in file.parts and "__pycache__" not in file.parts:
                    tar.add(file.locate(), f"{SITE}/{file}", recursive=False)
    data = buffer.getvalue()
    target.write_bytes(data + bytes(-len(data) % 4096))


def _do(command: Sequence[str], until: float, environment: dict[str, str] | None = None) -> None:
    """Runs a command to its end. Raises `RuntimeError` with its last line when it fails or takes too long."""
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=max(1.0, until - time.monotonic())
        )
    except subprocess.TimeoutExpired as exc:
        raise RuntimeError(f"netem: {command[0]} took longer than {exc.timeout:.0f} s") from exc
    if done.returncode:
        last = (done.stdout + done.stderr).strip().splitlines()[-1:]
        raise RuntimeError(f"netem: {command[0]} failed: {' '.join(last)}")
