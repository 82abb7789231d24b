"""Plants in containers, on a daemon of the benchmark's own: seconds until all answer, memory with Docker's shims."""

from __future__ import annotations

import os

from tests.backends.docker_daemon import Daemon, missing
from tests.bench import scale
from tests.bench.generators import BenchError

SIZES = scale.SIZES["docker"]


def run(runs: int) -> list[str]:
    """The table, as Markdown; each plant `runs` times. Raises `BenchError` where there can be no daemon."""
    reason = missing()
    if reason:
        raise BenchError(reason)
    daemon = Daemon()
    before = os.environ.get("DOCKER_HOST")
    os.environ["DOCKER_HOST"] = daemon.url
    try:
        daemon.start()
        daemon.make_images()
        lines = ["", "### Plants in containers", "", scale.HEADING, scale.RULE]
        print("\n".join(lines), flush=True)
        for count in SIZES:
            for row in scale.farm_rows("docker", count, runs):
                print(row.line(), flush=True)
                lines.append(row.line())
        return lines
    finally:
        daemon.remove()
        if before is None:
            del os.environ["DOCKER_HOST"]
        else:
            os.environ["DOCKER_HOST"] = before
