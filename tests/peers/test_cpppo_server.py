"""Our client against cpppo's server, a separate program: what it does otherwise than controllers must not trip us."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.cli.enip_client import main
from node.client import Client, Connector, Refused, await_response, parse_operations
from node.client.discovery import identity_of, services_of
from node.client.failure import ConnectionLost
from tests.farm_command import ROOT
from tests.peers.capture import CPPPO_SERVER as HOST

pytestmark = pytest.mark.net

PORT = 44818
TAGS = ("SCADA=INT[1000]", "TEXT=SSTRING[10]", "Tag=DINT[16]", "Volume=REAL", "FLAG=BOOL")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """cpppo's server, until it listens."""
    python = Path(os.environ.get("CPPPO_PYTHON", ROOT / ".venv-cpppo/bin/python"))
    if not python.exists():
        pytest.skip("cpppo is not installed: make test puts it into .venv-cpppo")
    command = [str(python), "-m", "cpppo.server.enip", "--print", "-a", f"{HOST}:{PORT}", *TAGS]
    folder = tmp_path_factory.mktemp("cpppo")
    log = (folder / "log").open("w")
    process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    try:
        for _ in range(60):
            try:
                Client(HOST, PORT, 1.0).close()
                break
            except Refused:
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.5)
        yield HOST
    finally:
        process.terminate()
        process.wait(30)
        log.close()


@pytest.mark.parametrize("connected", [None, True, False])
@pytest.mark.parametrize("multiple", [0, 250])
def test_operations(server: str, connected: bool | None, multiple: int) -> None:
    texts = [
        "SCADA[1]=99",
        "SCADA[0-10]",
        'TEXT[1]=(SSTRING)"Hello, world!"',
        "TEXT[0-3]",
        "Tag[0-9]+16=(DINT)4,5,6,7,8,9",
        "Tag[3-5]",
        "Volume=1.5",
        "Volume",
    ]
    with Connector(server, PORT, connected=connected) as plc:
        failures, values = plc.process(parse_operations(texts), depth=2, multiple=multiple)
        assert failures == 0
        assert values[1][1] == 99
        assert values[3] == ["", "Hello, world!", "", ""]
        assert values[5][1:] == [4, 5]
        assert values[7] == [1.5]


@pytest.mark.parametrize("option", ["-p", "-m", "-n"])
def test_the_command_line(server: str, capsys: pytest.CaptureFixture[str], option: str) -> None:
    """2.1.4, the manual's client against its server, in our name."""
    texts = ["SCADA[1]=99", "SCADA[1]", 'TEXT[1]=(SSTRING)"Hello, world!"', "TEXT[0-3]"]
    assert main([option, "-a", f"{server}:{PORT}", "-i", *texts]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"List Identity 0 from ('{HOST}', {PORT}): {{\n")
    assert [line.strip() for line in out.splitlines()[-4:]] == [
        "SCADA[1] <= [99]: 'OK'",
        "SCADA[1] == [99]: 'OK'",
        "TEXT[1] <= ['Hello, world!']: 'OK'",
        "TEXT[0-3] == ['', 'Hello, world!', '', '']: 'OK'",
    ]


def test_values_by_name(server: str) -> None:
    with Connector(server, PORT) as plc:
        plc.write_tag("SCADA", list(range(1000)))
        assert plc.read_tag("SCADA[0-999]") == list(range(1000))
        plc.write_tags({"Volume": 2.5, "FLAG": True})
        assert plc.read_tags(["Volume", "FLAG", "SCADA[7]"]) == [2.5, True, 7]


def test_attributes_and_lists(server: str) -> None:
    with Connector(server, PORT) as plc:
        operations = [{"method": "get_attribute_single", "path": "@1/1/7"}]
        ((name,),) = ([val for *_, val in plc.pipeline(operations)],)
        assert bytes(name[1:]) == b"1756-L61/B LOGIX5561"
    assert identity_of(server, PORT).product_name == "1756-L61/B LOGIX5561"
    assert [service.name for service in services_of(server, PORT, udp=True)] == ["Communications"]


def test_a_reply_by_hand(server: str) -> None:
    with Connector(server, PORT) as plc:
        plc.read("SCADA[0-1]")
        reply, _ = await_response(plc, timeout=5.0)
        assert reply
        request = reply["enip.CIP.send_data.CPF.item[1].unconnected_send.request"]
        assert (request.service, request.read_frag.type, len(request.read_frag.data)) == (0xD2, 0xC3, 2)


def test_a_tag_that_is_not_there_ends_its_session(server: str) -> None:
    """It answers an encapsulation status of its own, and hangs up: both are said, and no value is made of it."""
    with Connector(server, PORT, connected=False) as plc, pytest.raises((Refused, ConnectionLost), match=f"{PORT}: "):
        plc.read_tag("Nope")
