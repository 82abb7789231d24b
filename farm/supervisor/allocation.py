"""How a process of a farm that lives for long, and has threads, gets its memory from glibc, which looks at this when
the process starts (mallopt(3)).

glibc gives each of many threads memory of its own, and lets each keep what it has freed, by size: all of them come to
fill with what is said of a large plant, and the process grows for hours. And once a large piece was given back, it
takes the next ones from where small ones are, between which they leave holes. A node has one thread and reads into a
large buffer, so this is not for those that a supervisor starts.
"""

import os
from collections.abc import Mapping, MutableMapping

STEADY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
}


def steady(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for such a process; what somebody has set stays as it is."""
    return {**STEADY, **environ}


def for_this_one_alone(environ: MutableMapping[str, str] = os.environ) -> None:
    """Takes it out of the environment: processes that are started from now on do without."""
    for name, value in STEADY.items():
        if environ.get(name) == value:
            del environ[name]
