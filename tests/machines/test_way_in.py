"""The way from a virtual machine's host to the plants within, as provision.sh lays it: with packets, in namespaces.

host 192.168.56.1 ─── .10 machine 10.64.255.254 ─── node 10.64.1.1, which knows no way but to its own network
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

HOST, MACHINE, NODE = (f"way-in-{name}" for name in ("host", "machine", "node"))
READ = "from pylogix import PLC\nwith PLC('10.64.1.1') as plc: print(plc.Read('SCADA[3]').Value)"


def ip(words: str) -> None:
    """`ip WORDS`."""
    subprocess.run(["ip", *words.split()], check=True, timeout=30)


def within(namespace: str, *command: str) -> list[str]:
    """That command, in a namespace."""
    return ["ip", "netns", "exec", namespace, *command]


@pytest.fixture
def wired() -> Iterator[None]:
    """The three of them; the machine drops what it is not told to pass on, as Docker has it."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("need root, on Linux")
    try:
        for name in (HOST, MACHINE, NODE):
            ip(f"netns add {name}")
            ip(f"-n {name} link set lo up")
        cable(HOST, "192.168.56.1/24", MACHINE, "192.168.56.10/24")
        cable(NODE, "10.64.1.1/10", MACHINE, "10.64.255.254/10")
        ip(f"-n {HOST} route add 10.64.0.0/10 via 192.168.56.10")
        subprocess.run(within(MACHINE, "iptables", "-P", "FORWARD", "DROP"), check=True, timeout=30)
        yield
    finally:
        for name in (HOST, MACHINE, NODE):
            subprocess.run(["ip", "netns", "delete", name], check=False, timeout=30)


def cable(one: str, its: str, other: str, others: str) -> None:
    """Between two of them, with an address at each end."""
    end = f"to-{one[-4:]}"
    ip(f"-n {one} link add eth1 type veth peer name {end} netns {other}")
    for name, link, address in ((one, "eth1", its), (other, end, others)):
        ip(f"-n {name} address add {address} dev {link}")
        ip(f"-n {name} link set {link} up")


@pytest.fixture
def way_in(tmp_path: Path) -> Path:
    """The script that provision.sh writes."""
    text = (ROOT / "vagrant" / "provision.sh").read_text()
    (body,) = re.findall(r"^    cat >/usr/local/lib/plcfarm/way-in <<END\n(.*?)^END$", text, re.MULTILINE | re.DOTALL)
    file = tmp_path / "way-in"
    script = f"NETWORK=192.168.56.0/24\ncat <<END\n{body}END\n"
    file.write_text(subprocess.check_output(["sh", "-c", script], text=True, timeout=30))
    return file


def reading() -> str:
    """What pylogix on the host reads of the node: a value, or None."""
    command = within(HOST, sys.executable, "-W", "ignore", "-c", READ)
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT).stdout.strip()


@pytest.mark.root
@pytest.mark.net
@pytest.mark.parametrize("docker", [False, True])
def test_a_plant_is_read_from_the_host(wired: None, way_in: Path, docker: bool) -> None:
    if docker:  # its chains: what is not allowed in DOCKER-USER goes on to what drops it
        for words in ("-N DOCKER-USER", "-A DOCKER-USER -j RETURN", "-I FORWARD -j DOCKER-USER"):
            subprocess.run(within(MACHINE, "iptables", *words.split()), check=True, timeout=30)
    command = within(NODE, sys.executable, "-m", "node", "enip", "SCADA=DINT[10]")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert "Ctrl-C ends it" in server.stdout.readline()
            ask = within(HOST, sys.executable, "-m", "node", "list-services", "-a", "10.64.1.1", "--timeout", "1")
            assert subprocess.run(ask, cwd=ROOT, capture_output=True, timeout=60).returncode == 1  # not yet
            for _ in range(2):  # a second time changes nothing
                subprocess.run(within(MACHINE, "sh", str(way_in)), check=True, timeout=30)
            rules = subprocess.check_output(within(MACHINE, "iptables-save"), text=True, timeout=30)
            assert rules.count("-j MASQUERADE") == 1
            assert len(re.findall(r"^-A (?:DOCKER-USER|FORWARD) -[sd] 192", rules, re.MULTILINE)) == 2
            assert reading() == "0"
        finally:
            server.terminate()
