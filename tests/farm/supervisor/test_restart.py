"""When a shard that died is started again, on a clock that the test holds."""

from farm.supervisor.restart import CEILING, RestartPolicy


def test_each_death_waits_twice_as_long_as_the_last() -> None:
    policy, now, delays = RestartPolicy(), 0.0, []
    for _ in range(4):
        delays.append(policy.died(now))
        now += 30
        policy.started(now)
    assert delays == [1, 2, 4, 8]
    assert not policy.crash_loop


def test_no_wait_is_longer_than_a_minute() -> None:
    policy, delays = RestartPolicy(), []
    for death in range(10):
        policy.started(death * 50.0)
        delays.append(policy.died(death * 50.0 + 1))
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]


def test_a_minute_of_health_forgives() -> None:
    policy = RestartPolicy()
    policy.started(0)
    assert policy.died(10) == 1
    policy.started(11)
    assert policy.died(71) == 1
    policy.started(72)
    assert policy.died(131.9) == 2


def test_five_deaths_in_a_minute_are_a_crash_loop_tried_once_a_minute() -> None:
    policy, now, loops, delays = RestartPolicy(), 0.0, [], []
    for _ in range(8):
        delays.append(policy.died(now))
        loops.append(policy.crash_loop)
        now += delays[-1]
        policy.started(now)
        now += 0.5
    assert delays == [1, 2, 4, 8, CEILING, CEILING, CEILING, CEILING]
    assert loops == [False] * 4 + [True] * 4
    assert policy.died(now + 100) == 1
    assert not policy.crash_loop


def test_what_cannot_be_started_counts_as_dead() -> None:
    policy = RestartPolicy()
    assert [policy.died(now) for now in range(6)] == [1, 2, 4, 8, 60, 60]


def test_it_can_be_told_to_forget() -> None:
    policy = RestartPolicy()
    for now in range(5):
        policy.died(now)
    policy.forget()
    assert (policy.crash_loop, policy.died(5)) == (False, 1)
