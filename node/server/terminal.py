"""Serial devices as files: opened, set to a speed and a form of characters, and pseudo terminals of our own.

A pseudo terminal has two ends. A node keeps both: were the other one closed whenever its client is, the node would read
an error where there is only nobody. termios(3), pty(7); on Linux and macOS.
"""

import contextlib
import errno
import fcntl
import os
import sys
import termios
from pathlib import Path

from node.config.model import SerialConfig
from node.server.listener import ListenError

_PARITIES = {"N": 0, "E": termios.PARENB, "O": termios.PARENB | termios.PARODD}
_BITS = {"7": termios.CS7, "8": termios.CS8}


class Terminal:
    """An open device: `descriptor` is read and written, `path` what clients open, or what was opened."""

    def __init__(self, descriptor: int, path: str, other: int | None = None, link: str = "") -> None:
        self.descriptor = descriptor
        self.path = path
        self._other = other
        self._link = link

    @property
    def is_pseudo(self) -> bool:
        """Whether no device is behind it."""
        return self._other is not None

    @property
    def unread(self) -> int:
        """Bytes that the client of a pseudo terminal has yet to read, which go with its end; 0 of a device."""
        if self._other is None:
            return 0
        return int.from_bytes(fcntl.ioctl(self._other, termios.FIONREAD, bytes(4)), sys.byteorder)

    def forget(self) -> None:
        """What came or was to go by now is as if it had not been."""
        with contextlib.suppress(termios.error):
            termios.tcflush(self.descriptor, termios.TCIOFLUSH)

    def close(self) -> None:
        """Closes it, and takes away the link that was made to it."""
        os.close(self.descriptor)
        if self._other is None:
            return
        if self._link:
            with contextlib.suppress(OSError):
                if Path(self._link).readlink() == Path(self.path):
                    Path(self._link).unlink()
        os.close(self._other)


def open_terminal(config: SerialConfig) -> Terminal:
    """The device, ready to use, or a pseudo terminal. Raises `ListenError`."""
    return _make_pty(config) if config.pty else _open_device(config)


def _open_device(config: SerialConfig) -> Terminal:
    try:
        descriptor = os.open(config.device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as exc:
        raise ListenError(_explain(config.device, exc)) from exc
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _set_up(descriptor, config)
    except BlockingIOError as exc:
        os.close(descriptor)
        raise ListenError(f"{config.device}: in use: another program has it; `fuser {config.device}` shows") from exc
    except (OSError, termios.error) as exc:
        os.close(descriptor)
        raise ListenError(f"{config.device}: cannot be a serial line: {exc.args[-1]}") from exc
    return Terminal(descriptor, config.device)


def _make_pty(config: SerialConfig) -> Terminal:
    link = config.device
    try:
        descriptor, other = os.openpty()
    except OSError as exc:
        raise ListenError(f"no pseudo terminal can be had: {exc.strerror}") from exc
    made = Terminal(descriptor, os.ttyname(other), other, link)
    try:
        os.set_blocking(descriptor, False)
        _set_up(other, config)
        if link:
            _link(link, made.path)
    except (OSError, termios.error) as exc:
        made.close()
        raise ListenError(_explain(link or made.path, exc)) from exc
    return made


def _link(link: str, path: str) -> None:
    """Has `link` lead to `path`, in place of a link that was there. Raises `OSError` when something else is."""
    if Path(link).is_symlink():
        Path(link).unlink()
    Path(link).symlink_to(path)


def _set_up(descriptor: int, config: SerialConfig) -> None:
    """Raw, with no flow control. A character with a wrong parity is read as 0, which its frame's check tells. Raises
    `termios.error`."""
    bits, parity, stop = tuple(config.format)
    control = termios.CREAD | termios.CLOCAL | _BITS[bits] | _PARITIES[parity]
    if stop == "2":
        control |= termios.CSTOPB
    speed = getattr(termios, f"B{config.baud}")
    characters = termios.tcgetattr(descriptor)[6]
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    checks = termios.INPCK if parity != "N" else 0
    try:
        termios.tcsetattr(descriptor, termios.TCSANOW, [checks, 0, control, 0, speed, speed, characters])
    except termios.error as exc:
        if exc.args[0] != errno.EINVAL or parity == "N":
            raise
        control &= ~(termios.PARENB | termios.PARODD)  # a pseudo terminal has none, and may say so
        termios.tcsetattr(descriptor, termios.TCSANOW, [0, 0, control, 0, speed, speed, characters])
    termios.tcflush(descriptor, termios.TCIOFLUSH)


def _explain(device: str, exc: OSError | termios.error) -> str:
    if isinstance(exc, PermissionError):
        return f"{device}: permission denied: your user is not in its group (often dialout); `ls -l {device}` shows it"
    if isinstance(exc, FileNotFoundError):
        return f"{device}: there is no such device"
    if isinstance(exc, FileExistsError):
        return f"{device}: something else is there, which no link may replace"
    return f"{device}: cannot be opened: {exc.args[-1]}"
