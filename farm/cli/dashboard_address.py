"""Where a dashboard listens: loopback unless somebody says otherwise, on the first port of twenty that is free."""

import errno
import ipaddress
import re
import socket
from dataclasses import dataclass

from farm.cli.machine_names import machine_names
from farm.cli.usage import UsageError
from farm.dashboard.safety import LOCAL_NAMES
from farm.errors import FarmError

FIRST_PORT, LAST_PORT = 8080, 8099
BACKLOG = 256
ANY = ("0.0.0.0", "::")
_BRACKETED, _PLAIN = re.compile(r"\[([^\]]*)\](?::(.*))?"), re.compile(r"([^:]*):([^:]*)")


@dataclass(frozen=True, slots=True)
class Listening:
    """Sockets that listen, with the host and port of each."""

    sockets: tuple[socket.socket, ...]
    addresses: tuple[tuple[str, int], ...]

    @property
    def loopback(self) -> bool:
        """Whether nobody reaches them from another machine."""
        return all(ipaddress.ip_address(host).is_loopback for host, _ in self.addresses)

    @property
    def any_address(self) -> bool:
        """Whether they listen on every address of this machine."""
        return any(host in ANY for host, _ in self.addresses)

    @property
    def names(self) -> tuple[str, ...]:
        """What a request may call this server."""
        hosts = {host for host, _ in self.addresses if host not in ANY}
        names = LOCAL_NAMES | {shown_host(host) for host in hosts}
        return tuple(sorted(names if self.loopback else names | machine_names(hosts)))

    def close(self) -> None:
        """Here; whoever they were handed to keeps them."""
        for each in self.sockets:
            each.close()


def parse_listen(text: str) -> tuple[str, int | None]:
    """`10.0.0.5`, `10.0.0.5:9000`, `[::1]:9000`: address and port, None where there is none. Raises `UsageError`."""
    host, port = text, None
    if match := _BRACKETED.fullmatch(text) or _PLAIN.fullmatch(text):
        host, port = match.groups()
    host = "127.0.0.1" if host == "localhost" else host
    try:
        address = str(ipaddress.ip_address(host))
    except ValueError:
        raise UsageError(f"--listen {text}: {host!r} is no IP address; wanted ADDRESS or ADDRESS:PORT") from None
    if port is None:
        return address, None
    if not (port.isdecimal() and 0 < int(port) < 65536):
        raise UsageError(f"--listen {text}: {port!r} is no port; wanted 1 to 65535")
    return address, int(port)


def listen(wanted: str | None) -> tuple[Listening, str]:
    """Listens where `wanted` says, or on loopback of both families, and the port that was taken though it came first,
    "" for none. Raises `FarmError`."""
    host, port = parse_listen(wanted) if wanted else ("127.0.0.1", None)
    if port is not None:
        return _listening(host, port, wanted is None), ""
    taken = ""
    for number in range(FIRST_PORT, LAST_PORT + 1):
        try:
            return _listening(host, number, wanted is None), taken
        except FarmError as exc:
            if not isinstance(exc.__cause__, OSError) or exc.__cause__.errno != errno.EADDRINUSE:
                raise
            taken = taken or str(number)
    raise FarmError(f"ports {FIRST_PORT} to {LAST_PORT} of {host} are all taken: name one with --listen {host}:PORT")


def _listening(host: str, port: int, both: bool) -> Listening:
    """On one address, and with `both` on that of IPv6 as well, where there is one."""
    sockets = [_bound(host, port)]
    if both:
        try:
            sockets.append(_bound("::1", port))
        except FarmError as exc:
            if isinstance(exc.__cause__, OSError) and exc.__cause__.errno == errno.EADDRINUSE:
                sockets[0].close()
                raise
    addresses = tuple((str(each.getsockname()[0]), int(each.getsockname()[1])) for each in sockets)
    return Listening(tuple(sockets), addresses)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        found = socket.socket(family, socket.SOCK_STREAM)
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            found.bind((host, port))
            found.listen(BACKLOG)
        except BaseException:
            found.close()
            raise
    except OSError as exc:
        raise FarmError(f"cannot listen on {shown_host(host)}:{port}: {exc.strerror}") from exc
    return found


def shown_host(host: str) -> str:
    """As it stands in an address of the web."""
    return f"[{host}]" if ":" in host else host


def url_of(addresses: tuple[tuple[str, int], ...]) -> str:
    """Where a browser of this machine, or of another, finds the page: the first address, or this machine's name where
    that is any."""
    host, port = addresses[0]
    return f"http://{socket.gethostname() if host in ANY else shown_host(host)}:{port}/"
