"""What processes take, looked at a few at a time."""

import os

from farm.supervisor.usage import ROUND, NodeMemory, OwnUsage, resident


def test_a_few_are_looked_at_each_second_and_all_within_a_round() -> None:
    looked: list[int] = []

    def look(pid: int) -> float | None:
        looked.append(pid)
        return None if pid == 7 else float(pid)

    memory, pids = NodeMemory(look), list(range(1, 101))
    for _ in range(ROUND):
        before = len(looked)
        memory.tick(pids)
        assert len(looked) - before == 4
    assert set(looked) == set(pids)
    assert (memory.of(5), memory.of(7), memory.of(500)) == (5.0, None, None)
    memory.tick([5, 6])
    assert memory.of(50) is None
    memory.tick([])


def test_this_process_has_memory_and_one_that_is_not_has_none() -> None:
    own = resident(os.getpid())
    assert own is not None
    assert 5 < own < 2000
    assert resident(2**22 + 1) is None


def test_cpu_is_per_cent_of_a_core() -> None:
    instants = iter([0.0, 2.0, 2.0])
    usage = OwnUsage(lambda: next(instants))
    usage.tick()
    shown = usage.shown()
    assert (shown["pid"], shown["uptime_s"]) == (os.getpid(), 2.0)
    assert isinstance(shown["cpu_percent"], float)
