"""How many changes a minute: by a clock of the test's own, and for a server that is asked for too many."""

import pytest

from farm.dashboard.limits import CHANGES, ChangeRate
from farm.dashboard.refusal import Refusal
from tests.dashboard.served import OTHER_PLANT, a_served_plant


def test_as_many_as_come_at_once_and_then_as_many_as_pass() -> None:
    now = [100.0]
    rate = ChangeRate(lambda: now[0])
    rate.take(CHANGES)
    with pytest.raises(Refusal) as refused:
        rate.take()
    assert (refused.value.status, refused.value.retry_after) == (429, 1)
    now[0] += 30.0
    rate.take(CHANGES // 2)
    with pytest.raises(Refusal) as refused:
        rate.take(CHANGES // 2)
    assert refused.value.retry_after == 31
    now[0] += 1000.0
    rate.take(CHANGES)


def test_a_large_plant_is_not_too_large_for_ever() -> None:
    """One act on more nodes than there are changes takes them all, and is refused while there are fewer."""
    now = [100.0]
    rate = ChangeRate(lambda: now[0])
    rate.take(10 * CHANGES)
    with pytest.raises(Refusal) as refused:
        rate.take(10 * CHANGES)
    assert refused.value.retry_after == 61
    now[0] += 60.0
    rate.take(10 * CHANGES)


@pytest.mark.net
@pytest.mark.slow
def test_a_script_that_runs_away_is_stopped_and_looking_goes_on() -> None:
    with a_served_plant(OTHER_PLANT) as served:
        writes = [{"node": "nobody", "tag": "Count", "value": number} for number in range(CHANGES // 2)]
        for status in (200, 200, 429):
            answer = served.change("POST", "/api/v1/tags:batch", {"writes": writes})
            assert answer.status == status
        assert int(answer.headers["retry-after"]) > 1
        assert served.get("/api/v1/nodes")["total"] == 3
