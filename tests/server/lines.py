"""A Modbus node on a pseudo terminal, and a master at its other end, on one loop."""

import asyncio
import os
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from node.cip.types import UINT
from node.config.model import SerialConfig
from node.exchange.metrics import Metrics
from node.memory.attribute import Attribute, Instant
from node.modbus.bank import RegisterBank
from node.modbus.rtu import encode_rtu
from node.modbus.unit import Unit
from node.modbus.units import Units
from node.server.modbus_tcp import ModbusService
from node.server.serial_line import SerialLine

STATIONS = (1, 100)


def make_service() -> ModbusService:
    """Two devices that show the same registers: register A is A at first, for 0 to 99."""
    words = Attribute(UINT, (100,), list(range(100)), "words")
    units = {}
    for station in STATIONS:
        bank = RegisterBank()
        bank.add("holding", 0, 100, words)
        units[station] = Unit(bank)
    return ModbusService(Units(units), Instant())


@dataclass
class Master:
    """The other end of a line."""

    descriptor: int
    received: bytes = b""
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        asyncio.get_running_loop().add_reader(self.descriptor, self._read)

    def _read(self) -> None:
        with suppress(OSError):
            self.received += os.read(self.descriptor, 4096)
        self._came.set()

    def send(self, data: bytes) -> None:
        """Sends it all at once."""
        assert os.write(self.descriptor, data) == len(data)

    async def receive(self, size: int, seconds: float = 5.0) -> bytes:
        """The next `size` bytes, or as many as come in that time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self.received) < size:
                    self._came.clear()
                    await self._came.wait()
        taken, self.received = self.received[:size], self.received[size:]
        return taken

    async def ask(self, data: bytes, size: int) -> bytes:
        """Sends `data` and gives the answer."""
        self.send(data)
        return await self.receive(size)

    def close(self) -> None:
        """Hangs up."""
        asyncio.get_running_loop().remove_reader(self.descriptor)
        os.close(self.descriptor)


def open_master(path: str) -> Master:
    """A master at a pseudo terminal that has been set up."""
    return Master(os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))


@dataclass
class Served:
    """A node on a line of its own making."""

    service: ModbusService
    line: SerialLine
    metrics: Metrics
    master: Master


@asynccontextmanager
async def serving(
    clock: Callable[[], float] | None = None, config: SerialConfig | None = None
) -> AsyncIterator[Served]:
    """A node on a pseudo terminal at 115200 baud, unless `config` says otherwise."""
    service, metrics = make_service(), Metrics()
    config = config or SerialConfig(baud=115200, pty=True)
    line = SerialLine(config, service, metrics, clock or asyncio.get_running_loop().time)
    line.open()
    master = open_master(line.path)
    try:
        yield Served(service, line, metrics, master)
    finally:
        master.close()
        line.close()
        line.release()


def read(address: int, station: int = 1, count: int = 1) -> bytes:
    """A request for registers."""
    return encode_rtu(station, bytes((3, 0, address, 0, count)))


def answer(*values: int, station: int = 1) -> bytes:
    """Its reply."""
    data = b"".join(value.to_bytes(2, "big") for value in values)
    return encode_rtu(station, bytes((3, len(data))) + data)


def device_of(folder: Path) -> tuple[int, str]:
    """A stand-in for a serial device, whose other end is the descriptor."""
    master, slave = os.openpty()
    path = os.ttyname(slave)
    attributes = termios.tcgetattr(slave)
    attributes[0] = attributes[1] = attributes[3] = 0
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    os.close(slave)
    link = folder / "ttyUSB0"
    link.unlink(missing_ok=True)
    link.symlink_to(path)
    return master, str(link)
