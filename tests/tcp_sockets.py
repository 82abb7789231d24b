"""This machine's TCP sockets, as Linux lists them (proc(5))."""

from pathlib import Path

TIME_WAIT, LISTEN = "06", "0A"


def sockets_of(port: int) -> list[str]:
    """The states of those at a local port, but of one that listens."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row[3] for row in rows if int(row[1].rpartition(":")[2], 16) == port and row[3] != LISTEN]
