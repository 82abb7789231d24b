"""What this machine is called by others, as far as its own files say. Nobody is asked: where the name server does not
answer that takes longer than anybody waits for a page.
"""

import contextlib
import socket
from collections.abc import Collection, Iterator
from pathlib import Path

HOSTS = Path("/etc/hosts")
RESOLVER = Path("/etc/resolv.conf")
MULTICAST = "local"
"""The domain in which machines tell their own names (RFC 6762)."""


def machine_names(addresses: Collection[str] = (), hosts: Path = HOSTS, resolver: Path = RESOLVER) -> set[str]:
    """Its host name, short and in each domain that names are looked for in, and what the hosts file calls it or one of
    these `addresses`; lower case."""
    own = socket.gethostname().lower()
    short = own.partition(".")[0]
    names = {own, short} | {f"{short}.{domain}" for domain in (MULTICAST, *_domains(resolver))}
    for address, *called in _rows(hosts):
        if address in addresses or not {own, short}.isdisjoint(called):
            names.update(called)
    return names


def _domains(resolver: Path) -> list[str]:
    """Those of the file's last `search` or `domain`, which is the one that counts."""
    found: list[str] = []
    for key, *domains in _rows(resolver):
        if key in ("search", "domain"):
            found = [name for name in (domain.strip(".") for domain in domains) if name]
    return found


def _rows(file: Path) -> Iterator[list[str]]:
    """The words of each line, lower case, without comments; none of a file that is not there."""
    text = ""
    with contextlib.suppress(OSError):
        text = file.read_text(errors="replace")
    for line in text.lower().splitlines():
        if words := line.partition("#")[0].partition(";")[0].split():
            yield words
