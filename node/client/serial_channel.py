"""A serial line, as pyserial opens it and no more: its reads wait by time-outs of their own, which add up, and ask for
a number of bytes that nobody knows beforehand. Here the descriptor is waited for, and what is there is taken.
"""

import contextlib
import os
import time

import serial

from node.client.channels import CLOSED, RECEIVE, Channel
from node.client.patience import READ, WRITE, Patience
from node.modbus.lengths import LONGEST
from node.modbus.line import character, t3_5


class SerialChannel(Channel):
    """The device file `device`; `parity` is N, E or O, `stop_bits` 1 or 2."""

    keeps = True

    def __init__(self, device: str, baud: int, parity: str, stop_bits: int) -> None:
        super().__init__(device, 0)
        self._settings = {"baudrate": baud, "parity": parity, "stopbits": stop_bits}
        self._silence = t3_5(baud)
        self._character = character(baud)
        self._quiet_since = 0.0
        self._serial: serial.Serial | None = None

    @property
    def is_open(self) -> bool:
        return self._serial is not None

    def open(self, patience: Patience) -> None:
        try:
            self._serial = serial.Serial(self.host, timeout=0, write_timeout=0, exclusive=True, **self._settings)
        except ValueError as exc:
            raise OSError(f"it cannot be a serial line with {self._settings}: {exc}") from exc
        os.set_blocking(self._serial.fileno(), False)

    def send(self, data: bytes, patience: Patience) -> None:
        """Drops what came when nobody asked, leaves the line silent between frames as long as it must be, whoever spoke
        on it, and returns when the last character is out: the system takes a frame at once that is on a slow line for
        seconds, and neither an answer nor the next frame's silence can begin before that."""
        device = self._open_device()
        self._wait_for_silence(device, patience)
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(device.fileno(), rest) :]
            except BlockingIOError:
                patience.wait(device, WRITE)
        self._quiet_since = time.monotonic() + len(data) * self._character
        patience.pause(len(data) * self._character)

    def receive(self, patience: Patience) -> bytes:
        device = self._open_device()
        while True:
            patience.wait(device, READ)
            try:
                data = os.read(device.fileno(), RECEIVE)
            except BlockingIOError:
                continue
            self._quiet_since = time.monotonic()
            if not data:
                raise ConnectionResetError(CLOSED)
            return data

    def _wait_for_silence(self, device: serial.Serial, patience: Patience) -> None:
        """Until nothing has come for t3.5, or as long as the longest frame takes: a line that is never silent is noise,
        which whoever answers has to bear as well."""
        give_up = time.monotonic() + LONGEST * self._character
        while True:
            if self._drop(device):
                self._quiet_since = time.monotonic()
            now = time.monotonic()
            left = min(self._quiet_since + self._silence, give_up) - now
            if left <= 0:
                return
            patience.pause(left)

    def _drop(self, device: serial.Serial) -> bool:
        """Whether anything was there to be dropped. That it is gone is found out by who writes, or waits for it."""
        dropped = False
        with contextlib.suppress(BlockingIOError):
            while os.read(device.fileno(), RECEIVE):
                dropped = True
        return dropped

    def close(self) -> None:
        device, self._serial = self._serial, None
        if device is not None:
            device.close()

    def _open_device(self) -> serial.Serial:
        if self._serial is None:
            raise ConnectionResetError("not open")
        return self._serial
