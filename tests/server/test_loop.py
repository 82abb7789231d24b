"""The loop of a node, and its selector as asyncio uses it: not the same in every release of Python."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from selectors import EVENT_READ
from typing import Any

import pytest

from node.server.loop import NodeLoop, Readiness
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the loop stands on epoll")

NEWER = "python3.12", "python3.13", "python3.14", "python3.15"


def pythons() -> list[str]:
    """This interpreter, and those beside it that are newer than the oldest one wanted, and run."""
    here = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = [path for name in NEWER if name != here and (path := shutil.which(name))]
    return [sys.executable] + [
        path for path in found if subprocess.run([path, "-c", ""], capture_output=True).returncode == 0
    ]


@pytest.fixture
def pair() -> Any:
    """Two sockets that are connected."""
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_a_key_is_found_by_descriptor_and_by_socket(pair: tuple[socket.socket, socket.socket]) -> None:
    readiness = Readiness()
    try:
        key = readiness.register(pair[0], EVENT_READ, "data")
        keys = readiness.get_map()
        assert keys[pair[0]] is key is keys[pair[0].fileno()]
        assert (keys.get(pair[1]), keys.get(-1), len(keys), list(keys)) == (None, None, 1, [key.fd])
        readiness.unregister(pair[0])
        assert keys.get(pair[0]) is None
    finally:
        readiness.close()


def test_a_reader_is_removed_and_added_again(pair: tuple[socket.socket, socket.socket]) -> None:
    async def work() -> list[str]:
        loop, heard = asyncio.get_running_loop(), []
        done = loop.create_future()

        def hear(word: str) -> None:
            heard.append(word)
            pair[0].recv(1)
            if word == "third":
                done.set_result(None)

        loop.add_reader(pair[0], hear, "first")
        loop.add_reader(pair[0], hear, "second")  # in its place
        assert loop.remove_reader(pair[0]) and not loop.remove_reader(pair[0])
        pair[1].send(b"x")
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(done), 0.05)
        assert heard == []
        loop.add_reader(pair[0], hear, "third")
        await asyncio.wait_for(done, 10)
        loop.remove_reader(pair[0])
        return heard

    loop = NodeLoop()
    try:
        assert loop.run_until_complete(work()) == ["third"]
    finally:
        loop.close()


@pytest.mark.parametrize("python", pythons())
def test_every_python_that_is_here_has_it_watch_and_let_go(python: str) -> None:
    code = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
import asyncio, socket
from node.server.loop import NodeLoop
async def work():
    loop = asyncio.get_running_loop(); one, other = socket.socketpair(); came = loop.create_future()
    for _ in range(2):
        loop.add_reader(one, print, "heard what was taken back"); assert loop.remove_reader(one)
    loop.add_reader(one, lambda: came.done() or came.set_result(None)); other.send(b"x")
    await asyncio.wait_for(came, 10); assert loop.remove_reader(one)
    one.close(); other.close(); print("well")
loop = NodeLoop(); loop.run_until_complete(work()); loop.close()
"""
    done = subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": ""}
    )
    assert (done.stdout, done.returncode) == ("well\n", 0), done.stderr
