"""A node killed in a steady plant answers again within two seconds, and a client on its neighbour sees no error."""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.malformed.enip_cases import GOOD_READ, SESSION, message, path, rr
from tests.soak import kills

REGISTER = bytes.fromhex("65000400" + "00" * 20 + "01000000")
READ_X = rr(message(0x4C, path("X"), GOOD_READ))
ANSWER_X = rr(b"\xcc\0\0\0\xc4\0\0\0\0\0")

pytestmark = pytest.mark.net


@contextmanager
def session(host: str, limit: float) -> Iterator[tuple[socket.socket, bytes]]:
    """A registered session and its handle."""
    with socket.create_connection((host, 44818), limit) as link:
        link.sendall(REGISTER)
        yield link, exactly(link, 28)[4:8]


def exactly(link: socket.socket, count: int) -> bytes:
    """That many bytes. Raises `ConnectionError` when the peer ends before."""
    data = b""
    while len(data) < count:
        more = link.recv(count - len(data))
        if not more:
            raise ConnectionError("closed")
        data += more
    return data


def read(link: socket.socket, handle: bytes) -> bool:
    """Whether a read of X is answered, byte for byte."""
    link.sendall(READ_X.replace(SESSION, handle))
    return exactly(link, len(ANSWER_X)) == ANSWER_X.replace(SESSION, handle)


def back_after(host: str) -> float:
    """Seconds until `host` answers a read; ten at most."""
    begun = time.monotonic()
    while time.monotonic() - begun < 10:
        try:
            with session(host, 1) as (link, handle):
                if read(link, handle):
                    return time.monotonic() - begun
        except OSError:
            time.sleep(0.01)
    raise AssertionError(f"{host} did not come back within ten seconds")


def rows(farm: kills.Farm) -> dict[str, dict[str, object]]:
    """`farm ps --json`, by name."""
    code, output = farm.run("ps", "--json")
    assert code == 0, output
    return {row["name"]: row for row in json.loads(output)}


@pytest.mark.quiet
def test_a_killed_node_is_back_and_its_neighbour_never_noticed(tmp_path_factory: pytest.TempPathFactory) -> None:
    farm = kills.Farm(Path(tmp_path_factory.mktemp("n")) / "run")
    done, wrong, reads = threading.Event(), list[str](), [0]

    def watch(host: str) -> None:
        with session(host, 5) as (link, handle):
            while not done.wait(0.002):
                reads[0] += 1
                try:
                    if not read(link, handle):
                        wrong.append("another answer")
                except OSError as exc:
                    wrong.append(repr(exc))
                    return

    try:
        code, output = farm.run("up", str(farm.plant))
        assert code == 0, output
        before = rows(farm)
        neighbour = threading.Thread(target=watch, args=(before["b"]["address"],))
        neighbour.start()
        try:
            os.kill(int(str(before["a"]["pid"])), signal.SIGKILL)
            seconds = back_after(str(before["a"]["address"]))
        finally:
            done.set()
            neighbour.join(10)
        after = rows(farm)
    finally:
        farm.run("down")
    assert seconds < 2
    assert wrong == []
    assert reads[0] > 20
    assert after["a"]["pid"] != before["a"]["pid"]
    assert after["a"]["restarts"] == 1
    stays = ("pid", "restarts", "state", "address", "ports", "error", "bugs")
    assert [after["b"][field] for field in stays] == [before["b"][field] for field in stays]
