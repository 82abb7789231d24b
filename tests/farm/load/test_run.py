"""How clients are shared out over processes and cores."""

import pytest

from farm.load.job import Target
from farm.load.profile import Profile, ProfileError
from farm.load.run import share_out

TARGETS = [Target(f"plc-{number}", "10.0.0.1", 44818, "enip", ["scan"]) for number in range(10)]  # type: ignore[list-item]


def test_every_client_is_in_one_process() -> None:
    jobs = share_out(Profile(clients=3, rate=5.0, workers=4), TARGETS, range(8))
    seats = sorted((seat for job in jobs for seat in job.seats), key=lambda seat: seat.number)
    assert [seat.number for seat in seats] == list(range(30))
    assert [seat.target for seat in seats] == [number % 10 for number in range(30)]
    assert {job.clients for job in jobs} == {30}
    assert {job.rate for job in jobs} == {5.0}


def test_clients_in_all_go_round_the_nodes_and_share_a_rate() -> None:
    (job,) = share_out(Profile(clients_in_all=25, rate=0.0, rate_in_all=500.0), TARGETS, range(2))
    assert (job.clients, job.rate) == (25, 20.0)
    assert [seat.target for seat in job.seats][:12] == [*range(10), 0, 1]


@pytest.mark.parametrize(
    ("profile", "cores", "workers"),
    [
        (Profile(rate=1.0), 2, 1),
        (Profile(rate=1.0), 64, 1),
        (Profile(rate=2000.0), 2, 1),  # the other core is the plant's
        (Profile(rate=2000.0), 8, 4),
        (Profile(rate=0.0), 1, 1),
        (Profile(rate=0.0), 2, 1),
        (Profile(rate=0.0), 8, 4),
        (Profile(rate=0.0, workers=3), 2, 3),
        (Profile(rate=0.0, workers=30), 2, 10),  # no process without a client
    ],
)
def test_as_many_processes_as_the_load_needs_and_the_machine_has(profile: Profile, cores: int, workers: int) -> None:
    assert len(share_out(profile, TARGETS, range(cores))) == workers


def test_each_process_keeps_to_a_core_where_there_are_more_than_two() -> None:
    assert [job.core for job in share_out(Profile(rate=0.0), TARGETS, [0, 1, 2, 3, 6, 7])] == [7, 6, 3]
    assert [job.core for job in share_out(Profile(rate=0.0), TARGETS, [0, 1])] == [None]
    assert [job.core for job in share_out(Profile(rate=0.0, workers=4), TARGETS, [0, 1, 2, 3])] == [None] * 4


def test_more_clients_than_a_machine_has_ports_for() -> None:
    with pytest.raises(ProfileError, match="30000 clients: 20000 are the most"):
        share_out(Profile(clients=3000), TARGETS, range(2))
