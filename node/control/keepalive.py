"""Connections that are to be found dead when the machine at their other end is: nothing says so by itself."""

import asyncio
import contextlib
import socket

IDLE, EVERY, TRIES = 5, 3, 3
UNREAD_MS = 14_000
"""After which bytes that nobody confirms end the connection: as long as the questions take, 5 + 3 * 3 s."""


def keep_alive(transport: asyncio.BaseTransport) -> None:
    """Does so for the socket of a transport, where it has one."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        keep_socket_alive(sock)


def keep_socket_alive(sock: socket.socket) -> None:
    """Has the system ask the other end of a TCP connection whether it is there, and end it within 15 s when not; as far
    as the system can. Other sockets are left alone."""
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (("TCP_KEEPIDLE", IDLE), ("TCP_KEEPINTVL", EVERY), ("TCP_KEEPCNT", TRIES)):
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)
