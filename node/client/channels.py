"""Ways to a device, byte by byte: TCP, TLS and UDP; a serial line is `node.client.serial_channel`. Each waits with the
caller's `Patience` and knows nothing of Modbus but what a datagram of it looks like.

All of them raise `OutOfTime`, and `OSError` for what the system or the device refuses.
"""

import errno
import os
import socket
import ssl
from abc import ABC, abstractmethod

from node.client.patience import READ, WRITE, Patience
from node.modbus.adu import HEADER_SIZE, PREFIX_SIZE

RECEIVE = 4096
"""Bytes that are read at once."""

CLOSED = "connection closed by the device"

_UNDER_WAY = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN)


class Channel(ABC):
    """A way to `host`:`port`; port 0 is a device of this machine called `host`."""

    keeps = False
    """Does it stay open when an answer did not come? A late one must not be taken for the next, so only where opening
    is dear, and where `send` can drop what came late."""

    stream = False
    """Does it carry bytes, and as many frames at once as fit?"""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Is there a connection, as far as is known?"""

    @abstractmethod
    def open(self, patience: Patience) -> None:
        """Connects."""

    @abstractmethod
    def send(self, data: bytes, patience: Patience) -> None:
        """All of `data`."""

    @abstractmethod
    def receive(self, patience: Patience) -> bytes:
        """What comes next, one byte at least."""

    @abstractmethod
    def close(self) -> None:
        """Ends it; it may be opened again."""

    def fresh(self) -> bool:
        """Can a request be sent on it? What was closed meanwhile cannot be."""
        return self.is_open


class TcpChannel(Channel):
    """A TCP connection."""

    stream = True

    def __init__(self, host: str, port: int) -> None:
        super().__init__(host, port)
        self._sock: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        return self._sock is not None

    def open(self, patience: Patience) -> None:
        """All addresses of the host in turn. The look-up of a name is the one thing that cannot be cut short."""
        self._sock = self._secured(_connected(self.host, self.port, socket.SOCK_STREAM, patience), patience)

    def send(self, data: bytes, patience: Patience) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._open_socket().send(rest) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                patience.wait(self._open_socket(), WRITE)
            except ssl.SSLWantReadError:
                patience.wait(self._open_socket(), READ)

    def receive(self, patience: Patience) -> bytes:
        while True:
            try:
                data = self._open_socket().recv(RECEIVE)
            except (BlockingIOError, ssl.SSLWantReadError):
                patience.wait(self._open_socket(), READ)
            except ssl.SSLWantWriteError:
                patience.wait(self._open_socket(), WRITE)
            else:
                if not data:
                    raise ConnectionResetError(CLOSED)
                return data

    def close(self) -> None:
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()

    def fresh(self) -> bool:
        """Nothing may wait on it between two requests: an end, or an answer that nobody waits for any more."""
        if self._sock is None:
            return False
        try:
            self._sock.recv(RECEIVE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def _secured(self, sock: socket.socket, patience: Patience) -> socket.socket:
        """The connection as it is used."""
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _open_socket(self) -> socket.socket:
        if self._sock is None:
            raise ConnectionResetError("not connected")
        return self._sock


class TlsChannel(TcpChannel):
    """The same within TLS; `name` is what the device's certificate must be for."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, name: str) -> None:
        super().__init__(host, port)
        self._context = context
        self._name = name

    def _secured(self, sock: socket.socket, patience: Patience) -> socket.socket:
        try:
            super()._secured(sock, patience)
            secured = self._context.wrap_socket(sock, do_handshake_on_connect=False, server_hostname=self._name)
        except BaseException:
            sock.close()
            raise
        try:
            while True:
                try:
                    secured.do_handshake()
                except ssl.SSLWantReadError:
                    patience.wait(secured, READ)
                except ssl.SSLWantWriteError:
                    patience.wait(secured, WRITE)
                else:
                    return secured
        except BaseException:
            secured.close()
            raise


class UdpChannel(TcpChannel):
    """Datagrams, one frame each, to and from this one device."""

    stream = False

    def _secured(self, sock: socket.socket, patience: Patience) -> socket.socket:
        return sock

    def open(self, patience: Patience) -> None:
        self._sock = _connected(self.host, self.port, socket.SOCK_DGRAM, patience)

    def receive(self, patience: Patience) -> bytes:
        """The next datagram that is one whole frame: the rest of a broken one must not stand before a good one."""
        while True:
            patience.check()
            try:
                data = self._open_socket().recv(RECEIVE)
            except BlockingIOError:
                patience.wait(self._open_socket(), READ)
            else:
                if len(data) > HEADER_SIZE and int.from_bytes(data[4:6], "big") == len(data) - PREFIX_SIZE:
                    return data


def _connected(host: str, port: int, kind: socket.SocketKind, patience: Patience) -> socket.socket:
    """A socket that does not block, connected."""
    failure = OSError("no address to connect to")
    for family, _, protocol, _, address in socket.getaddrinfo(host, port, type=kind):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            code = sock.connect_ex(address)
            if code in _UNDER_WAY:
                patience.wait(sock, WRITE)
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not code:
                return sock
            failure = OSError(code, os.strerror(code))
        except BaseException:
            sock.close()
            raise
        sock.close()
    raise failure
