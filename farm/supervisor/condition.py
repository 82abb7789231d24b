"""How a node is, in one word: the one place that says which word, for the page, the interface and the command line.

down       its process is gone or being started again, or it cannot serve
stopped    it was told not to serve
starting   it is on its way up
stale      it has not reported for `Pace.stale` seconds (after `Pace.silent` it is down)
fault      a fault is active on it, or a tag of it is forced: somebody wants it so
degraded   its link is bad, it has a bug, or many of its answers of the last minute were errors
up         none of these
"""

from collections.abc import Mapping

from farm.supervisor.pace import Pace
from farm.supervisor.roster import CRASH_LOOP, DOWN, RESTARTING, STARTING, STOPPED

BAD, HALTED, COMING, SILENT, FAULTED, DEGRADED, GOOD = (
    "down",
    "stopped",
    "starting",
    "stale",
    "fault",
    "degraded",
    "up",
)
CONDITIONS = (BAD, HALTED, COMING, SILENT, FAULTED, DEGRADED, GOOD)
"""The most abnormal first, as they are listed."""

ERRORS = 5
"""Errors in the last minute from which on a node can be degraded by them."""
ERROR_SHARE = 0.05
"""Of the requests of the last minute, beyond which it is."""

SMALL = Pace()
"""Of a farm whose nodes report once a second."""

_OF_STATES: Mapping[str, str] = {
    DOWN: BAD,
    CRASH_LOOP: BAD,
    RESTARTING: BAD,
    STOPPED: HALTED,
    STARTING: COMING,
}


def condition(
    state: str,
    age: float | None,
    *,
    pace: Pace = SMALL,
    faults: int = 0,
    forced: int = 0,
    bad_link: bool = False,
    bugs: int = 0,
    errors: int = 0,
    requests: int = 0,
) -> str:
    """The first of `CONDITIONS` that fits. `state` is the node's state as `farm ps` says it, `age` the seconds since
    its last report (None: there was none yet), which come at a `pace`; `errors` and `requests` are those of the last
    minute."""
    known = _OF_STATES.get(state)
    if known is not None:
        return known
    if age is not None and age > pace.stale:
        return SILENT
    if faults or forced:
        return FAULTED
    if bad_link or bugs or (errors >= ERRORS and errors > ERROR_SHARE * requests):
        return DEGRADED
    return GOOD
