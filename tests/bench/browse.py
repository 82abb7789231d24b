"""Seconds that a client needs to list five thousand tags, over one connection of 4000 bytes.

Twice: by pycomm3, as it is released, where most of the time is its own; and by a loop that sends the same pages of Get
Instance Attribute List and looks for nothing but the last symbol's number, which leaves the controller's part. The
first listing of a node builds what later ones find ready, so it stands apart.
"""

from __future__ import annotations

import random
import socket
import statistics
import struct
import sys
import time
from dataclasses import dataclass

from tests.bench import processes, servers
from tests.bench.generators import BenchError
from tests.bench.servers import BROWSED, Server
from tests.soak.session import connect, connected, forward_open, register, reply, unconnected

ATTRIBUTES = struct.pack("<8H", 7, 1, 2, 3, 5, 6, 8, 10)
"""What pycomm3 asks of a controller from revision 18 on."""

_ENTRY = 2 + 3 * 4 + 12 + 1
"""Bytes of a symbol behind its name."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One listing: seconds, pages, and the symbols there were."""

    seconds: float
    pages: int
    symbols: int


def page(start: int) -> bytes:
    """A Get Instance Attribute List from symbol `start` on."""
    return b"\x55\x03\x20\x6b\x25\x00" + struct.pack("<H", start) + ATTRIBUTES


def raw(link: socket.socket, handle: bytes, ident: bytes, sequence: int) -> tuple[Listing, int]:
    """All pages; and the next sequence count. Raises `BenchError` for an answer that is none."""
    begun = time.perf_counter()
    start = pages = symbols = 0
    while True:
        sequence += 1
        link.sendall(connected(handle, ident, sequence, page(start)))
        answer = reply(link)[46:]
        if answer[:2] != b"\xd5\0" or answer[2] not in (0, 6):
            raise BenchError(f"a list of symbols was answered {answer[:8].hex()}")
        pages += 1
        offset = 4
        while offset < len(answer):
            (start, length) = struct.unpack_from("<IH", answer, offset)
            offset += 6 + length + _ENTRY
            symbols += 1
        if not answer[2]:
            return Listing(time.perf_counter() - begun, pages, symbols), sequence
        start += 1


def by_loop(server: Server, runs: int) -> tuple[Listing, Listing]:
    """The first listing, and the median of the others."""
    with connect(server.host, server.port) as link:
        handle = register(link)
        link.sendall(unconnected(handle, forward_open(random.Random(1))))
        ident = reply(link)[44:48]
        first, sequence = raw(link, handle, ident, 0)
        later = []
        for _ in range(runs):
            listing, sequence = raw(link, handle, ident, sequence)
            later.append(listing)
    return first, sorted(later, key=lambda listing: listing.seconds)[len(later) // 2]


def by_pycomm3(server: Server, runs: int) -> Listing:
    """`get_tag_list` of the released client, the median of its runs."""
    from pycomm3 import LogixDriver

    spans, count = [], 0
    with LogixDriver(f"{server.host}/0", init_tags=False) as plc:
        for _ in range(runs):
            begun = time.perf_counter()
            count = len(plc.get_tag_list())
            spans.append(time.perf_counter() - begun)
    return Listing(statistics.median(spans), 0, count)


def run(runs: int) -> list[str]:
    """The table, as Markdown."""
    lines = [
        "",
        f"### Browsing {BROWSED:,} tags of a farm node, over a connection of 4000 bytes",
        "",
        "| client | tags | pages | s | node's CPU, s |",
        "|---|--:|--:|--:|--:|",
    ]
    print("\n".join(lines), flush=True)
    with servers.browsed_node() as server:
        for name, listing, used in _rows(server, runs):
            pages = str(listing.pages) if listing.pages else "—"
            row = f"| {name} | {listing.symbols:,} | {pages} | {listing.seconds:.3f} | {used:.3f} |"
            print(row, flush=True)
            lines.append(row)
            if listing.symbols < BROWSED:
                print(f"browse: {name} saw {listing.symbols} of {BROWSED} tags", file=sys.stderr)
    lines += ["", "cpppo has no list of tags: it answers one with a fault of the encapsulation and hangs up."]
    print("\n".join(lines[-2:]), flush=True)
    return lines


def _rows(server: Server, runs: int) -> list[tuple[str, Listing, float]]:
    """Each way, what it saw, and the CPU seconds the node needed for one listing."""
    used = processes.cpu_seconds(server.pids)
    first, later = by_loop(server, runs)
    loop = (processes.cpu_seconds(server.pids) - used) / (runs + 1)
    used = processes.cpu_seconds(server.pids)
    client = by_pycomm3(server, runs)
    pycomm3 = (processes.cpu_seconds(server.pids) - used) / runs
    return [
        ("a loop over the pages, the first time", first, loop),
        ("the same, again", later, loop),
        ("pycomm3's `get_tag_list`", client, pycomm3),
    ]
