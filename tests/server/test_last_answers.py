"""A node that ends answers what it was asked before, and leaves nothing of its connections."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from node.client.modbus import Limits, ModbusClient
from node.config.model import TlsConfig
from node.exchange.delay import even_delay
from node.exchange.exchange import build_chain
from node.server.listener import Listener
from node.server.modbus_tcp import ModbusTcp
from node.server.ports import LAST_ANSWERS, Ports
from node.server.tls import server_context
from tests.certificates import make_certificates
from tests.peers.line_node import HOST
from tests.peers.ways import Reached, reached
from tests.server.lines import make_service
from tests.tcp_sockets import sockets_of

pytestmark = pytest.mark.net

LATE = (1.0, 1.0)
CLIENTS: dict[str, Callable[[Reached], ModbusClient]] = {
    "tcp": lambda node: ModbusClient.tcp(HOST, node.port),
    "tls": lambda node: ModbusClient.tls(HOST, node.port, context=node.context),
    "rtu over tcp": lambda node: ModbusClient.rtu_over_tcp(HOST, node.port),
    "udp": lambda node: ModbusClient.udp(HOST, node.port, limits=Limits()),
    "rtu": lambda node: ModbusClient.rtu(node.path, parity="N", stop_bits=2, limits=Limits()),
}
CROWD = 50


@pytest.mark.parametrize("way", CLIENTS)
def test_a_request_that_is_under_way_when_a_node_is_told_to_end(way: str, tmp_path: Path) -> None:
    with ExitStack() as clients, ThreadPoolExecutor(1) as thread:
        with reached(way, tmp_path, LATE) as node:
            client = clients.enter_context(CLIENTS[way](node))
            answer = thread.submit(client.read, 40004)
            time.sleep(0.3)
            assert not answer.done()
        assert answer.result(10) == [3]


@pytest.mark.parametrize("way", ["tcp", "tls", "rtu over tcp"])
def test_those_of_a_crowd_and_no_connection_is_left(way: str, tmp_path: Path) -> None:
    with ExitStack() as clients, ThreadPoolExecutor(CROWD) as threads:
        with reached(way, tmp_path, LATE) as node:
            crowd = [clients.enter_context(CLIENTS[way](node)) for _ in range(CROWD)]
            assert [*threads.map(lambda client: client.read(40126), crowd)] == [[7]] * CROWD  # all are connected
            answers = [threads.submit(client.read, 40001 + number) for number, client in enumerate(crowd)]
            time.sleep(0.4)
        assert sockets_of(HOST, node.port) == []
        assert [answer.result(10) for answer in answers] == [[number] for number in range(CROWD)]
    time.sleep(0.1)
    assert sockets_of(HOST, node.port) == []


def test_an_answer_that_is_too_far_off_is_not_waited_for_and_nothing_new_is_taken() -> None:
    async def scenario() -> None:
        service = make_service()
        listener = Listener(HOST, 0, lambda peers: ModbusTcp(peers, service))
        ports = Ports({"modbus": listener})
        await ports.open()
        service.chain = build_chain([even_delay(60.0)])
        reader, writer = await asyncio.open_connection(HOST, listener.port)
        writer.write(bytes.fromhex("0001 0000 0006 01 03 0001 0001"))
        await asyncio.sleep(0.05)
        loop = asyncio.get_running_loop()
        began, closing = loop.time(), asyncio.ensure_future(ports.close())
        await asyncio.sleep(0.05)
        writer.write(bytes.fromhex("0002 0000 0006 01 03 0001 0001"))
        with pytest.raises(ConnectionError):
            await asyncio.open_connection(HOST, listener.port)
        await closing
        assert LAST_ANSWERS <= loop.time() - began < LAST_ANSWERS + 1.0
        assert listener.metrics.requests == 1
        writer.close()
        listener.ticker.stop()
        service.chain = None
        await ports.open()  # and it can be had again
        reader, writer = await asyncio.open_connection(HOST, listener.port)
        writer.write(bytes.fromhex("0003 0000 0006 01 03 0001 0001"))
        assert await reader.readexactly(11) == bytes.fromhex("0003 0000 0005 01 03 02 0001")
        began = loop.time()
        await ports.close()
        assert loop.time() - began < 0.5
        writer.close()
        listener.ticker.stop()

    asyncio.run(scenario())


@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
def test_a_client_that_hangs_up_as_soon_as_it_reads_the_end_leaves_nothing_behind(tls: bool, tmp_path: Path) -> None:
    async def scenario() -> None:
        service, theirs, ours = make_service(), None, None
        if tls:
            files = make_certificates(tmp_path, HOST)
            ours = server_context(TlsConfig(files.certificate("server"), files.key("server")))
            theirs = ssl.create_default_context(cafile=files.certificate("authority"))
        listener = Listener(HOST, 0, lambda peers: ModbusTcp(peers, service), tls=ours)
        ports = Ports({"modbus": listener})
        await ports.open()
        reader, writer = await asyncio.open_connection(HOST, listener.port, ssl=theirs)
        writer.write(bytes.fromhex("0001 0000 0006 01 03 0001 0001"))
        assert await reader.read(100)
        client = writer.get_extra_info("socket")
        asyncio.get_running_loop().call_soon(client.shutdown, socket.SHUT_RDWR)  # runs before the node's socket closes
        [peer] = listener.peers
        peer.leave()
        await asyncio.sleep(0.1)
        assert sockets_of(HOST, listener.port) == []
        writer.close()
        await ports.close()

    asyncio.run(scenario())
