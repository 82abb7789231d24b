"""A node's stations on a serial line: a device or a pseudo terminal, read as bytes come and answered after t3.5.

Nothing here depends on when bytes are read: frames are found by their content (`node.modbus.rtu`). A device that goes
away, as an adapter that is pulled out does, is looked for until it is back.
"""

import asyncio
import contextlib
import logging
import os
from collections import deque
from collections.abc import Callable

from node.config.model import SerialConfig
from node.exchange.exchange import SENT, Exchange
from node.exchange.metrics import Metrics
from node.modbus.line import ASCII_SILENCE, silence, t3_5
from node.server.listener import ListenError
from node.server.modbus_line import ASCII, ModbusLine
from node.server.modbus_tcp import ModbusService
from node.server.terminal import Terminal, open_terminal

READ_SIZE = 512
"""Bytes taken before others have their turn."""
UNSENT_LIMIT = 1024
"""Bytes that wait for a line that takes none; what comes then is not sent."""
ON_ITS_WAY = 0.1
"""Seconds after which what was written to a pseudo terminal counts as come to the other end, where it can be counted.
The kernel carries it there by a thread of its own, which a busy machine lets wait."""
AGAIN = 1.0
"""Seconds until a device that is gone is looked for again."""

log = logging.getLogger(__name__)


class SerialLine:
    """Serves the stations of `service` on the line that `config` describes, while it is open."""

    def __init__(
        self, config: SerialConfig, service: ModbusService, metrics: Metrics, clock: Callable[[], float]
    ) -> None:
        self._config = config
        self._metrics = metrics
        self._clock = clock
        self._gap = t3_5(config.baud)
        patience = ASCII_SILENCE if config.framing == ASCII else silence(config.baud)
        self._line = ModbusLine(service, metrics, clock, config.framing, patience)
        self._line.late = self._deliver
        self._terminal: Terminal | None = None
        self._open = False
        self._held = False
        self._retired = False
        self._quiet: asyncio.TimerHandle | None = None
        self._again: asyncio.TimerHandle | None = None
        self._replies: deque[tuple[float, bytes]] = deque()
        self._due: asyncio.TimerHandle | None = None
        self._unsent = b""
        self._wrote = -ON_ITS_WAY

    @property
    def is_open(self) -> bool:
        """Whether it is served."""
        return self._open

    @property
    def path(self) -> str:
        """The device, or what clients of a pseudo terminal open; "" while it is not there."""
        return self._terminal.path if self._terminal is not None else ""

    def hold(self) -> None:
        """Opens the device and keeps it open, served or not. Raises `ListenError`."""
        self._held = True
        if self._terminal is None:
            self._terminal = open_terminal(self._config)

    def open(self) -> None:
        """Serves the line. Raises `ListenError`."""
        if not self._open:
            if self._terminal is None:
                self._terminal = open_terminal(self._config)
            else:
                self._terminal.forget()
            self._begin()
            self._open = True

    @property
    def owes(self) -> bool:
        """Whether a reply waits for its time or for the line, or once it is retired for the client to read it."""
        terminal = self._terminal
        if terminal is None or not self._open:
            return False
        if self._replies or self._unsent or self._line.owes:
            return True
        on_its_way = terminal.is_pseudo and self._clock() - self._wrote < ON_ITS_WAY
        return self._retired and (on_its_way or terminal.unread > 0)

    def retire(self) -> None:
        """Reads no more; replies that wait are still sent."""
        self._retired = True
        if self._terminal is not None:
            asyncio.get_running_loop().remove_reader(self._terminal.descriptor)

    def close(self) -> None:
        """Serves it no more; replies that wait are not sent. The device is closed, unless it is held. A pseudo terminal
        stays as it is, for its clients know no other: whoever asks there is not answered, as on a line on which nobody
        listens."""
        if not self._open:
            return
        self._open = self._retired = False
        if self._again is not None:
            self._again.cancel()
            self._again = None
        self._end(keep=self._held or self._config.pty)
        if self._terminal is not None and self._terminal.is_pseudo:
            asyncio.get_running_loop().add_reader(self._terminal.descriptor, self._ignore)

    def release(self) -> None:
        """Lets go of a pseudo terminal that is not served and not held."""
        if not self._open and not self._held and self._terminal is not None:
            self._end(keep=False)

    def _begin(self) -> None:
        terminal = self._terminal
        assert terminal is not None
        asyncio.get_running_loop().add_reader(terminal.descriptor, self._read)

    def _end(self, keep: bool) -> None:
        for timer in (self._quiet, self._due):
            if timer is not None:
                timer.cancel()
        self._quiet = self._due = None
        self._replies.clear()
        self._line.forget()
        self._unsent = b""
        terminal = self._terminal
        if terminal is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(terminal.descriptor)
            loop.remove_writer(terminal.descriptor)
            if not keep:
                terminal.close()
                self._terminal = None
        self._line.framer.quiet()

    def _read(self) -> None:
        assert self._terminal is not None
        try:
            data = os.read(self._terminal.descriptor, READ_SIZE)
        except BlockingIOError:
            return
        except OSError as exc:
            self._lose(exc.strerror)
            return
        if not data:
            self._lose("it hung up")
            return
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = None
        for exchange in self._line.feed(data, self._terminal.path):
            self._deliver(exchange)
        framer = self._line.framer
        if framer.pending:
            self._quiet = asyncio.get_running_loop().call_later(framer.silence, self._fell_silent)

    def _ignore(self) -> None:
        """Takes what is not served, so that whoever wrote it can go on writing."""
        if self._terminal is not None:
            with contextlib.suppress(OSError):
                os.read(self._terminal.descriptor, READ_SIZE)

    def _fell_silent(self) -> None:
        self._quiet = None
        for exchange in self._line.quiet(self.path):
            self._deliver(exchange)

    def _deliver(self, exchange: Exchange) -> None:
        """Sends a reply when it is due, and none before one that was due earlier."""
        if exchange.reply is None or exchange.action not in SENT:
            return
        self._replies.append((self._clock() + self._gap + exchange.delay, exchange.reply))
        if self._due is None:
            self._send_due()

    def _send_due(self) -> None:
        self._due = None
        now = self._clock()
        while self._replies:
            due, reply = self._replies[0]
            if due > now:
                self._due = asyncio.get_running_loop().call_later(due - now, self._send_due)
                return
            self._replies.popleft()
            if len(self._unsent) <= UNSENT_LIMIT:
                self._metrics.bytes_out += len(reply)
                self._unsent += reply
                self._write()

    def _write(self) -> None:
        """As much as the line takes now; the rest when it takes more."""
        terminal = self._terminal
        if terminal is None:
            return
        try:
            self._unsent = self._unsent[os.write(terminal.descriptor, self._unsent) :]
            self._wrote = self._clock()
        except BlockingIOError:
            pass
        except OSError as exc:
            self._lose(exc.strerror)
            return
        loop = asyncio.get_running_loop()
        if self._unsent:
            loop.add_writer(terminal.descriptor, self._write)
        else:
            loop.remove_writer(terminal.descriptor)

    def _lose(self, why: str | None) -> None:
        log.warning("%s: the device is gone (%s); it is looked for", self.path, why)
        self._end(keep=False)
        self._again = asyncio.get_running_loop().call_later(AGAIN, self._try_again)

    def _try_again(self) -> None:
        self._again = None
        try:
            self._terminal = open_terminal(self._config)
        except ListenError:
            self._again = asyncio.get_running_loop().call_later(AGAIN, self._try_again)
            return
        self._begin()
        log.info("%s: the device is back", self.path)
