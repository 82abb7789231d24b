"""Plants in containers, on a daemon of the benchmark's own: seconds until all answer, memory with Docker's shims,
beside as many containers with a bare echo server each. Once with Docker as Debian has it, and, where crun is installed,
once as docs/images.md says that it starts them soonest."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence

from tests.backends.docker_daemon import Daemon, missing
from tests.bench import scale
from tests.bench.bare_containers import bare_row
from tests.bench.generators import BenchError

SIZES = scale.SIZES["docker"]

TUNED = ("env", "GOGC=800")
HYBRID = "/sys/fs/cgroup/unified"
NOT_HYBRID = ("unshare", "--mount", "sh", "-c", f'umount {HYBRID}; exec "$@"', "sh")
"""crun takes no machine with both kinds of control groups, as some virtual machines are; for it there is one kind."""


def run(runs: int) -> list[str]:
    """The table, as Markdown; each plant `runs` times. Raises `BenchError` where there can be no daemon."""
    reason = missing()
    if reason:
        raise BenchError(reason)
    lines = ["", "### Plants in containers", "", scale.HEADING, scale.RULE]
    print("\n".join(lines), flush=True)
    lines += _rows("", runs)
    crun = shutil.which("crun")
    if crun is None:
        print("without crun (apt-get install crun) there are no rows of it", flush=True)
        return lines
    prefix = (*NOT_HYBRID, *TUNED) if os.path.ismount(HYBRID) else TUNED
    return lines + _rows(" with crun", runs, prefix, (f"--add-runtime=crun={crun}", "--default-runtime=crun"))


def _rows(runtime: str, runs: int, prefix: Sequence[str] = (), options: Sequence[str] = ()) -> list[str]:
    daemon = Daemon(prefix, options)
    before = os.environ.get("DOCKER_HOST")
    os.environ["DOCKER_HOST"] = daemon.url
    lines: list[str] = []
    try:
        daemon.start()
        image = daemon.make_images()
        for count in SIZES:
            bare = scale.median([bare_row(daemon.url, image, count, runtime) for _ in range(runs)])
            for row in [bare, *scale.farm_rows("docker", count, runs)]:
                line = row.line().replace("farm, docker", f"farm, docker{runtime}")
                print(line, flush=True)
                lines.append(line)
        return lines
    finally:
        daemon.remove()
        if before is None:
            del os.environ["DOCKER_HOST"]
        else:
            os.environ["DOCKER_HOST"] = before
