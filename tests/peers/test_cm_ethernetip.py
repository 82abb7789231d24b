"""Our client against cm-ethernetip's servers, a separate program: a controller's tags, and an adapter that routes
nothing, with the defaults."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.cli.enip_client import main
from node.client import AsyncConnector, Connector, Proxy, ProxySimple, TagError, browse
from tests.cli.lone import ready
from tests.peers import optional

optional.client("ethernetip.logix", "cm-ethernetip")

pytestmark = pytest.mark.net

HOST = "127.64.33.17"
SCRIPT = Path(__file__).parent / "cm_servers.py"


@pytest.fixture(scope="module")
def ports() -> Iterator[tuple[int, int]]:
    """Of the controller and of the adapter."""
    command = [sys.executable, str(SCRIPT), HOST]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        controller, adapter = ready(process).split()
        yield int(controller), int(adapter)
        process.terminate()


@pytest.mark.parametrize("keywords", [{}, {"connected": True}, {"connected": False}, {"simple": True}], ids=str)
def test_tags(ports: tuple[int, int], keywords: dict[str, bool]) -> None:
    with Connector(HOST, ports[0], 5.0, **keywords) as plc:  # type: ignore[arg-type]
        plc.write_tag("counts[2]", [5, 6])
        assert plc.read_tags(["rate", "temperature", "counts[2-3]"]) == [1500, 72.5, [5, 6]]
        plc.write_tag("big", list(range(3000)))
        assert plc.read_tag("big[0-2999]") == list(range(3000))
        assert list(plc.results(["rate", "temperature"] * 5, depth=5)) == [[1500], [72.5]] * 5
        found = [(tag.name, tag.type, tag.dimensions) for tag in browse(plc)]
        assert found[2:] == [("rate", "DINT", ()), ("temperature", "REAL", ())]
        with pytest.raises(TagError, match=r"nope: path destination unknown \(0x05\)"):
            plc.read_tag("nope")


@pytest.mark.parametrize("options", [(), ("-S",), ("-m",), ("-n",), ("--depth", "5")], ids=str)
def test_enip_client(ports: tuple[int, int], options: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-a", f"{HOST}:{ports[0]}", *options, "rate", "temperature=70.5", "temperature=72.5"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["rate == [1500]: 'OK'", "temperature <= [70.5]: 'OK'", "temperature <= [72.5]: 'OK'"]


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("connected", [None, True])
def test_an_adapter(ports: tuple[int, int], depth: int, connected: bool | None) -> None:
    paths = ("@1/1/1", "@1/1/7", "@4/100/3", "@1/1/99")
    asked = [{"method": "get_attribute_single", "path": path} for path in paths]
    with Connector(HOST, ports[1], 5.0, connected=connected) as device:
        for multiple in (0, True):
            values = [val for *_, val in device.pipeline(asked, depth=depth, multiple=multiple)]
            assert values == [[1, 0], list(b"\x0aCM Adapter"), [0, 0, 0, 0], None]


@pytest.mark.parametrize("kind", [Proxy, ProxySimple])
def test_a_proxy_of_an_adapter(ports: tuple[int, int], kind: type[Proxy]) -> None:
    with kind(HOST, ports[1]) as via:
        assert list(via.read(["Product Name", ("@1/1/2", "UINT")])) == [["CM Adapter"], [12]]
    via.close()


async def on_asyncio(port: int, connected: bool | None) -> object:
    """Two values."""
    async with AsyncConnector(HOST, port, 5.0, connected=connected) as plc:
        return await plc.read_tags(["rate", "temperature"])


@pytest.mark.parametrize("connected", [None, True, False])
def test_on_asyncio(ports: tuple[int, int], connected: bool | None) -> None:
    assert asyncio.run(on_asyncio(ports[0], connected)) == [1500, 72.5]
