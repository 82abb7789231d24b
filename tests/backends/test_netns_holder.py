"""A user without root has a machine within the machine, and a way out of it for the sockets of nodes."""

import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from farm.backends import netns_holder
from farm.backends.netns_doorway import close_doorway, is_open, open_doorway
from node.server.doorway import Doorway
from tests import ordinary_user

pytestmark = [pytest.mark.net, pytest.mark.skipif(sys.platform != "linux", reason="Linux has namespaces")]

WITHIN = """
import os, socket, sys
from pathlib import Path
from farm.backends import netns_holder
from farm.backends.netns_doorway import close_doorway, open_doorway
from farm.backends.netns_spaces import Spaces, inside
from node.server.doorway import Doorway

folder = Path(sys.argv[1])
outside = os.stat("/proc/self/ns/net").st_ino
doorway = open_doorway(folder / "doorway")
holder = netns_holder.make_holder(folder, "a-run")
assert netns_holder.find_holder(folder, "a-run") == holder
way = Doorway(str(folder / "doorway"))
holder.enter()
print("uid", os.getuid(), "mapped", sum(int(line.split()[2]) for line in open("/proc/self/uid_map")))
print("another network", os.stat("/proc/self/ns/net").st_ino != outside)
spaces = Spaces("a-run", folder / "netns")
spaces.prepare()
spaces.make("node.a", lambda: Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").write_text("0"))
print("pinned", spaces.names(), spaces.sound("node.a"))
with way.open("127.64.229.1", 44818, socket.SOCK_STREAM) as listener:
    listener.listen()
    inside(spaces.pin("node.a"), lambda: print("served from inside", socket.if_nameindex(), listener.getsockname()))
    print("go", flush=True)
    listener.accept()[0].sendall(b"hello from within")
os.kill(holder.pid, 9)
way.close()
close_doorway(folder / "doorway")
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("need root, to become a user without rights")
    made = Path(tempfile.mkdtemp(prefix="pf-", dir="/tmp"))
    os.chown(made, ordinary_user.UID, ordinary_user.UID)
    yield made
    shutil.rmtree(made)


def test_a_user_has_namespaces_and_serves_the_machine_from_inside(folder: Path) -> None:
    said = []
    with ordinary_user.begin([sys.executable, "-c", WITHIN, str(folder)], {"FARM_RUN": "a-run"}) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line.strip())
            if said[-1] == "go":
                with socket.create_connection(("127.64.229.1", 44818), 5) as client:
                    assert client.recv(100) == b"hello from within"
    assert process.returncode == 0, said
    assert said == [
        "uid 0 mapped 1",
        "another network True",
        "pinned ['node.a'] True",
        "served from inside [(1, 'lo')] ('127.64.229.1', 44818)",
        "go",
    ]


def test_the_doorway_opens_loopback_addresses_alone() -> None:
    path = Path(tempfile.mkdtemp(prefix="pf-", dir="/tmp")) / "doorway"
    pid = open_doorway(path)
    way = Doorway(str(path))
    try:
        assert is_open(path)
        with pytest.raises(OSError, match=r"0\.0\.0\.0 is not of 127\.0\.0\.0/8"):
            way.open("0.0.0.0", 44818, socket.SOCK_STREAM)
        with way.open("127.64.229.2", 0, socket.SOCK_DGRAM) as made:
            taken = made.getsockname()[1]
            with pytest.raises(OSError, match="in use"):
                way.open("127.64.229.2", taken, socket.SOCK_DGRAM)
        with way.open("127.64.229.2", taken, socket.SOCK_DGRAM) as again:
            assert again.getsockname() == ("127.64.229.2", taken)
        close_doorway(path)
        assert os.waitpid(pid, 0) == (pid, 0)
        assert not path.exists()
        with pytest.raises(ConnectionError):
            way.open("127.64.229.2", 0, socket.SOCK_STREAM)
    finally:
        way.close()
        shutil.rmtree(path.parent)


@pytest.mark.parametrize("said", [b"", b"hello", b"[]", b'{"address": 1}', b'{"address": "127.0.0.1", "port": 1e9}'])
def test_the_doorway_bears_whatever_is_said(said: bytes) -> None:
    path = Path(tempfile.mkdtemp(prefix="pf-", dir="/tmp")) / "doorway"
    pid = open_doorway(path)
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(said)
            if said:
                assert client.recv(512) not in (b"", b"+")
        way = Doorway(str(path))
        way.open("127.64.229.2", 0, socket.SOCK_STREAM).close()
        way.close()
    finally:
        close_doorway(path)
        os.waitpid(pid, 0)
        shutil.rmtree(path.parent)


def test_a_range_of_ids_is_found_only_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "subuid"
    monkeypatch.setattr(netns_holder.getpass, "getuser", lambda: "operator")
    for text, first in (
        ("operator:100000:65536\n", 100000),
        (f"someone:5:65536\n{os.getuid()}:200000:131072\n", 200000),
        ("operator:100000:1000\n", None),
        ("operator:many\n\n", None),
    ):
        file.write_text(text)
        assert netns_holder._range(file) == first
    assert netns_holder._range(tmp_path / "missing") is None
