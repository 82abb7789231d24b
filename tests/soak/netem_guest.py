"""What a link does on this kernel, beside what was asked: a line each. Run in the virtual machine by `netem_vm`, whose
kernel has netem."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from farm.backends.netns_netem import netem_available
from farm.topology.wiring import GOOD, LinkQuality
from tests.backends.shaped_link import ShapedLink, shaped_link

TOLERANCE = 0.1


def figures(link: ShapedLink) -> Iterator[tuple[str, float, float]]:
    """(what, asked, measured) of every means."""
    link.shape(GOOD)
    quiet = statistics.median(link.round_trip())
    yield "round trip on a good link, ms", 0, quiet * 1000
    for asked in (0.005, 0.02, 0.05, 0.2):
        link.shape(LinkQuality(delay=asked))
        yield f"delay {asked * 1000:g} ms", asked * 1000, (statistics.median(link.round_trip()) - quiet) * 1000
    link.shape(LinkQuality(delay=0.05, jitter=0.02))
    times = [(time - quiet) * 1000 for time in link.round_trip(100)]
    yield f"delay 50 ± 20 ms (from {times[0]:.1f} to {times[-1]:.1f}), mean", 50, statistics.mean(times)
    for rate in (100_000, 2_000_000, 5_000_000):
        link.shape(LinkQuality(rate=rate))
        for towards, way in ((True, "towards the node"), (False, "from the node")):
            yield f"rate {rate / 1e6:g} Mbit/s {way}", rate / 1e6, link.rate(towards, rate, 2.0) / 1e6
    link.shape(LinkQuality(loss=20))
    for towards, way in ((True, "towards the node"), (False, "from the node")):
        yield f"loss 20 % {way}", 20, link.loss(towards)
    link.shape(LinkQuality(delay=0.05, loss=20, rate=20_000_000))
    yield "delay 50 ms + loss 20 % + rate 20 Mbit/s: its loss", 20, link.loss(False)
    link.shape(LinkQuality(delay=0.05, loss=0.01, rate=2_000_000))
    yield (
        "delay 50 ms + loss 0.01 % + rate 2 Mbit/s: its delay",
        50,
        (statistics.median(link.round_trip()) - quiet) * 1000,
    )
    yield "delay 50 ms + loss 0.01 % + rate 2 Mbit/s: its rate", 2, link.rate(False, 2_000_000, 2.0) / 1e6


def main() -> int:
    """1 when netem is missing or a figure is off by more than a tenth."""
    print(f"kernel {Path('/proc/sys/kernel/osrelease').read_text().strip()}, netem: {netem_available()}", flush=True)
    wrong = 0 if netem_available() else 1
    with shaped_link() as link:
        for what, asked, measured in figures(link):
            fits = not asked or abs(measured - asked) <= TOLERANCE * asked
            wrong += not fits
            share = f"{100 * (measured / asked - 1):+.1f} %" if asked else ""
            print(f"{what}: {measured:.2f} {share}{'' if fits else '  NOT WITHIN 10 %'}", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
