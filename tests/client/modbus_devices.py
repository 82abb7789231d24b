"""Devices for clients that wait in threads: our node, pymodbus's servers, and strangers that behave badly. Each serves
in a thread of its own on real sockets."""

import asyncio
import os
import pty
import socket
import ssl
import struct
import subprocess
import threading
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer, ModbusTlsServer, ModbusUdpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from node.cip.types import BOOL, UINT
from node.memory.attribute import Attribute, Instant
from node.modbus.adu import TcpFramer
from node.modbus.bank import RegisterBank
from node.modbus.rtu import encode_rtu
from node.modbus.unit import Unit
from node.modbus.units import Units
from node.server.listener import Listener
from node.server.modbus_tcp import ModbusService, ModbusTcp

HOST = "127.64.33.26"

Serve = Callable[[socket.socket], object]


def bank() -> RegisterBank:
    """Holding and input register A = A for 0 to 999, but for 500 to 509; coil A is on where 3 divides A."""
    made = RegisterBank()
    for table in ("holding", "input"):
        made.add(table, 0, 500, Attribute(UINT, (500,), list(range(500))))
        made.add(table, 510, 490, Attribute(UINT, (490,), list(range(510, 1000))))
    for table in ("coils", "discrete"):
        made.add(table, 0, 5000, Attribute(BOOL, (5000,), [k % 3 == 0 for k in range(5000)]))
    return made


@asynccontextmanager
async def _node(port: int, made: RegisterBank, reset: bool) -> AsyncIterator[int]:
    service = ModbusService(Units({1: Unit(made), 7: Unit(made)}), Instant())
    listener = Listener(HOST, port, lambda peers: ModbusTcp(peers, service), max_connections=500)
    await listener.open()
    try:
        yield listener.port
    finally:
        await listener.close(reset)
        listener.ticker.stop()


@contextmanager
def _in_thread(made: AbstractAsyncContextManager[int]) -> Iterator[int]:
    """An asyncio server in a thread; gives its port."""
    ready: list[int] = []
    begun = threading.Event()
    told: list[Callable[[], object]] = []

    async def serve() -> None:
        end = asyncio.Event()
        loop = asyncio.get_running_loop()
        told.append(lambda: loop.call_soon_threadsafe(end.set))
        async with made as port:
            ready.append(port)
            begun.set()
            await end.wait()

    def run() -> None:
        try:
            asyncio.run(serve())
        finally:
            begun.set()

    thread = threading.Thread(target=run)
    thread.start()
    begun.wait(30)
    assert ready, "the server did not begin"
    try:
        yield ready[0]
    finally:
        told[0]()
        thread.join(30)


def node(port: int = 0, made: RegisterBank | None = None, reset: bool = False) -> Any:
    """A node of ours as units 1 and 7 (of the same registers); gives its port."""
    return _in_thread(_node(port, made or bank(), reset))


def _device() -> SimDevice:
    bits = [SimData(0, values=[k % 3 == 0 for k in range(64)], datatype=DataType.BITS)]
    words = [SimData(0, values=list(range(200)), datatype=DataType.REGISTERS)]
    return SimDevice(1, simdata=(bits, bits, words, words))


@asynccontextmanager
async def pymodbus_serving(kind: Any, port: int = 0, **more: Any) -> AsyncIterator[int]:
    server = kind(_device(), address=(HOST, port), **more)
    await server.serve_forever(background=True)
    transport = server.transport
    sock = transport.sockets[0] if hasattr(transport, "sockets") else transport.get_extra_info("socket")
    try:
        yield sock.getsockname()[1]
    finally:
        await server.shutdown()
        await asyncio.sleep(0.05)


def pymodbus_tcp(port: int = 0) -> Any:
    """pymodbus's own server, unit 1: register A = A for 0 to 199, coil A on where 3 divides A for 0 to 63."""
    return _in_thread(pymodbus_serving(ModbusTcpServer, port))


def pymodbus_udp(port: int = 0) -> Any:
    """The same over UDP."""
    return _in_thread(pymodbus_serving(ModbusUdpServer, port))


def pymodbus_rtu_over_tcp(port: int = 0) -> Any:
    """The same with RTU frames over TCP."""
    return _in_thread(pymodbus_serving(ModbusTcpServer, port, framer=FramerType.RTU))


def pymodbus_ascii_over_tcp(port: int = 0) -> Any:
    """The same with ASCII frames over TCP."""
    return _in_thread(pymodbus_serving(ModbusTcpServer, port, framer=FramerType.ASCII))


@asynccontextmanager
async def _pymodbus_serial(device: str) -> AsyncIterator[int]:
    server = ModbusSerialServer(_device(), port=device)
    await server.serve_forever(background=True)
    try:
        yield 0
    finally:
        await server.shutdown()


def pymodbus_rtu(device: str) -> Any:
    """The same on the serial line `device`, as it is opened by default."""
    return _in_thread(_pymodbus_serial(device))


def pymodbus_tls(context: ssl.SSLContext) -> Any:
    """The same over TLS."""
    return _in_thread(pymodbus_serving(ModbusTlsServer, sslctx=context))


@contextmanager
def stranger(*serves: Serve) -> Iterator[int]:
    """A device that does with its first connection what the first of `serves` does, and so on, with later ones what the
    last does; gives its port."""
    listening = socket.create_server((HOST, 0))
    open_now: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve(sock: socket.socket, what: Serve) -> None:
        with sock, suppress(OSError):
            what(sock)

    def accept() -> None:
        with suppress(OSError):
            for number in range(1_000_000):
                sock, _ = listening.accept()
                open_now.append(sock)
                thread = threading.Thread(target=serve, args=(sock, serves[min(number, len(serves) - 1)]))
                threads.append(thread)
                thread.start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield listening.getsockname()[1]
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join(10)
        for sock in open_now:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(10)


@contextmanager
def full() -> Iterator[int]:
    """A device whose backlog is full: who connects gets no answer at all; gives its port."""
    with socket.socket() as device, ExitStack() as held:
        device.bind((HOST, 0))
        device.listen(0)
        for _ in range(8):
            sock = held.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(device.getsockname())
        yield device.getsockname()[1]


def requests(sock: socket.socket) -> Iterator[bytes]:
    """The requests that come on a connection, headers included."""
    framer = TcpFramer()
    while data := sock.recv(4096):
        yield from framer.feed(data)


def registers(request: bytes, value: int = 0) -> bytes:
    """The frame that answers a read of registers, all of them `value`."""
    count = int.from_bytes(request[10:12], "big")
    pdu = bytes((request[7], 2 * count)) + value.to_bytes(2, "big") * count
    return request[:4] + (len(pdu) + 1).to_bytes(2, "big") + request[6:7] + pdu


@contextmanager
def pty_pair() -> Iterator[tuple[int, str]]:
    """A serial line: a descriptor of the one end and the device file of the other."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    try:
        yield ours, os.ttyname(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


@contextmanager
def on_line(ours: int, answer: Callable[[bytes], list[tuple[float, bytes]]]) -> Iterator[list[bytes]]:
    """Reads what is said on a line, eight bytes a request, and says what `answer` gives for it, each piece after so
    many seconds; gives what was said."""
    said: list[bytes] = []
    over = threading.Event()
    os.set_blocking(ours, False)

    def run() -> None:
        data = b""
        while not over.wait(0.002):
            with suppress(BlockingIOError, OSError):
                data += os.read(ours, 1024)
            while len(data) >= 8:
                request, data = data[:8], data[8:]
                said.append(request)
                for pause, piece in answer(request):
                    over.wait(pause)
                    os.write(ours, piece)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield said
    finally:
        over.set()
        thread.join(10)


def line_reply(request: bytes, value: int = 0) -> bytes:
    """The frame of a serial line that answers a read, all registers `value`; a write is echoed."""
    if request[1] not in (3, 4):
        return request
    count = int.from_bytes(request[4:6], "big")
    return encode_rtu(request[0], bytes((request[1], 2 * count)) + value.to_bytes(2, "big") * count)


def silent(sock: socket.socket) -> None:
    """Reads, and never says a word."""
    while sock.recv(4096):
        pass


def resets(sock: socket.socket) -> None:
    """Ends a connection at once, with a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def certificates(folder: Path) -> tuple[Path, Path]:
    """A certificate for `HOST`, signed by itself, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=device"]
    command += ["-addext", f"subjectAltName=IP:{HOST}", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return cert, key
