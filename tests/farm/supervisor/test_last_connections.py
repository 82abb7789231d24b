"""Whoever has only just connected when a socket of the farm's closes is hung up on too."""

import asyncio
import contextlib
import gc
import socket
import warnings
from pathlib import Path
from typing import Any

import pytest

from farm.supervisor.control import ControlStreams
from farm.supervisor.door import Door

pytestmark = pytest.mark.net


async def serve(kind: str, path: Path) -> Any:
    """Something that listens at `path` and has a `stop`."""
    if kind == "door":
        door = Door({}, "the log", 1000)
        await door.listen(str(path))
        return door
    streams = ControlStreams(path, "secret", None)  # type: ignore[arg-type]
    await streams.start()
    return streams


@pytest.mark.parametrize("turns", range(6))
@pytest.mark.parametrize("kind", ["door", "streams"])
def test_who_has_only_just_come_is_hung_up_on(kind: str, turns: int, tmp_path: Path) -> None:
    async def whole(client: socket.socket) -> None:
        server = await serve(kind, tmp_path / "sock")
        client.connect(str(tmp_path / "sock"))
        for _ in range(turns):  # of the loop: how far the connection has come
            await asyncio.sleep(0)
        await server.stop()

    with warnings.catch_warnings(record=True) as caught, socket.socket(socket.AF_UNIX) as client:
        warnings.simplefilter("always")
        asyncio.run(whole(client))
        gc.collect()
        assert [str(each.message) for each in caught if "unclosed" in str(each.message)] == []
        client.settimeout(5)
        with contextlib.suppress(ConnectionResetError):  # nobody had taken it yet
            assert client.recv(1) == b""
