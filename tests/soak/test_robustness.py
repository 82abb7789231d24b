"""A little of what `make soak` does for minutes. Times are not held: they want an idle machine."""

import random
import time

import pytest

from tests.soak import mutated, robustness

SEED = 20161122


@pytest.mark.net
@pytest.mark.timeout(120)
def test_a_good_client_sees_nothing_of_what_a_node_bears() -> None:
    with robustness.plant(quiet=0.2, strict=False) as bench:
        outcomes = [
            robustness.sessions(bench, 400, SEED),
            robustness.opens(bench, 400, SEED),
            robustness.idle(bench, 100, 0.5),
            robustness.slow(bench, 9, 1.0),
        ]
        time.sleep(robustness.TOLD)
        bugs = bench.target.counted("bugs")
    assert bugs == 0
    assert [line for outcome in outcomes for line in outcome.broken] == []
    assert all(outcome.seen.reads > 50 for outcome in outcomes)
    assert "answered" in outcomes[0].did
    assert "opened" in outcomes[1].did
    assert "refused 0x011A" in outcomes[1].did


def test_a_session_can_be_run_again_by_its_seed() -> None:
    frames = [bytes([number]) * 60 for number in range(5)]

    def spoilt(seed: str) -> list[bytes]:
        chance, copy = random.Random(seed), list(frames)
        for spoil in mutated.SPOIL:
            spoil(chance, copy)
        return mutated._pieces(chance, b"".join(copy))

    assert spoilt("1/7") == spoilt("1/7")
    assert spoilt("1/7") != spoilt("1/8")


@pytest.mark.parametrize("spoil", mutated.SPOIL, ids=lambda spoil: spoil.__name__)
def test_every_way_to_spoil_a_session_does(spoil: mutated.Spoil) -> None:
    frames = [bytes([number]) * (30 + number) for number in range(60, 66)]
    tried = []
    for seed in range(20):
        copy = list(frames)
        spoil(random.Random(seed), copy)
        tried.append(copy != frames)
    assert any(tried)
