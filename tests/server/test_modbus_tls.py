"""Modbus inside TLS: with and without clients' certificates, who does not come to terms, files that are of no use."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from node.config.model import TlsConfig
from node.errors import NodeError
from node.modbus.adu import encode_adu
from node.server.listener import Listener
from node.server.modbus_tcp import ModbusTcp
from node.server.tls import server_context
from tests.certificates import Certificates, make_certificates
from tests.server.lines import make_service

pytestmark = pytest.mark.net

HOST = "127.64.33.29"
READ, TOLD = encode_adu(1, 1, bytes.fromhex("03 0007 0001")), encode_adu(1, 1, bytes.fromhex("03 02 0007"))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"), HOST)


def config(files: Certificates, ca: bool = True) -> TlsConfig:
    authority = files.certificate("authority") if ca else ""
    return TlsConfig(files.certificate("server"), files.key("server"), authority)


def client_context(files: Certificates, name: str = "") -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=files.certificate("authority"))
    if name:
        context.load_cert_chain(files.certificate(name), files.key(name))
    return context


@asynccontextmanager
async def serving(tls: TlsConfig) -> AsyncIterator[Listener]:
    service = make_service()
    listener = Listener(HOST, 0, lambda peers: ModbusTcp(peers, service), tls=server_context(tls))
    await listener.open()
    try:
        yield listener
    finally:
        await listener.close()
        listener.ticker.stop()


async def ask(port: int, context: ssl.SSLContext, data: bytes, size: int) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port, ssl=context)
    try:
        writer.write(data)
        return await asyncio.wait_for(reader.readexactly(size), 5)
    finally:
        writer.close()


@pytest.mark.parametrize("ca", [True, False])
def test_frames_inside_tls(files: Certificates, ca: bool) -> None:
    async def scenario() -> None:
        async with serving(config(files, ca)) as listener:
            context = client_context(files, "client" if ca else "")
            assert await ask(listener.port, context, READ * 100, 1100) == TOLD * 100
            metrics = listener.metrics
            assert (metrics.requests, metrics.connections_total, metrics.bytes_out) == (100, 1, 1100)

    asyncio.run(scenario())


@pytest.mark.parametrize("who", ["", "stranger"])
def test_who_shows_no_certificate_of_the_authority_is_not_served(files: Certificates, who: str) -> None:
    async def scenario() -> None:
        async with serving(config(files)) as listener:
            with pytest.raises((OSError, asyncio.IncompleteReadError)):
                await ask(listener.port, client_context(files, who), READ, 11)
            assert (listener.metrics.requests, listener.metrics.connections_total) == (0, 0)
            assert await ask(listener.port, client_context(files, "client"), READ, 11) == TOLD

    asyncio.run(scenario())


def test_an_old_version_is_refused(files: Certificates) -> None:
    async def scenario() -> None:
        async with serving(config(files)) as listener:
            context = client_context(files, "client")
            with pytest.warns(DeprecationWarning):
                context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
            with pytest.raises(OSError):
                await ask(listener.port, context, READ, 11)

    asyncio.run(scenario())


@pytest.mark.parametrize("data", [READ, b"GET / HTTP/1.1\r\n\r\n", b""])
def test_who_speaks_no_tls_holds_nobody_up(files: Certificates, data: bytes) -> None:
    async def scenario() -> None:
        async with serving(config(files)) as listener:
            reader, writer = await asyncio.open_connection(HOST, listener.port)
            writer.write(data)
            assert await ask(listener.port, client_context(files, "client"), READ, 11) == TOLD
            if data:
                assert TOLD not in await asyncio.wait_for(reader.read(), 5)
            began = asyncio.get_running_loop().time()
            await listener.close()
            assert asyncio.get_running_loop().time() - began < 2
            writer.close()

    asyncio.run(scenario())


def test_files_that_are_of_no_use(files: Certificates, tmp_path: Path) -> None:
    good, key, authority = files.certificate("server"), files.key("server"), files.certificate("authority")
    empty = tmp_path / "empty.pem"
    empty.touch()
    for wrong, fault in (
        (TlsConfig("/nowhere.pem", key), "/nowhere.pem: No such file or directory"),
        (TlsConfig(good, files.key("client")), "KEY_VALUES_MISMATCH"),
        (TlsConfig(good, str(empty)), "no certificate and key that belong together"),
        (TlsConfig(good, key, str(empty)), "no certificates of an authority"),
        (TlsConfig(good, key, str(tmp_path)), "Is a directory"),
    ):
        with pytest.raises(NodeError) as caught:
            server_context(wrong)
        assert fault in str(caught.value)
    server_context(TlsConfig(good, key, authority))
