"""A result made by hand, for tests of what reports show of one."""

from farm.load.job import Target
from farm.load.profile import Profile
from farm.load.result import Result
from farm.load.tally import Tally

NAMES = ("plc-1", "<b>plc-2</b>")


def result(errors: bool = True, profile: Profile | None = None) -> Result:
    """Two nodes for 3 s at 100 a second each; of the second, each tenth answer is an error, and the rest ten times as
    slow."""
    targets = [Target(name, "10.0.0.1", 44818 + at, "enip") for at, name in enumerate(NAMES)]
    found = Result.of(profile or Profile(duration=3.0, rate=100.0), targets, 2, 1)
    found.farm, found.seconds_run, found.opened = "works", 3.0, 2
    tally = Tally(2)
    for second in range(3):
        for number in range(100):
            for node in (0, 1):
                tally.nodes[node].asked += 1
                tally.second.sent += 1
                if errors and node and number % 10 == 0:
                    tally.failed(node, "CIP path destination unknown (0x05)", "Level")
                else:
                    tally.answered(node, "read", 0.001 * (1 + 9 * node), 0.001)
        found.second(second).add(tally.take_second().body())
        found.connected[second] = 2
    for held, counted in zip(found.tallies, tally.body()["nodes"], strict=True):
        held.add(counted)
    found.service.add(tally.service.counts)
    found.cpu = [0.3]
    return found
