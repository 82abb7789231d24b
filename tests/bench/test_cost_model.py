"""The fit finds the terms that cases were made of, and says so of larger plants."""

import pytest

from tests.bench.cost_model import QUANTITIES, Quantity, fit, fit_table, off, predicted
from tests.bench.generators import BenchError
from tests.bench.large_plants import Case

SPREAD = [(nodes, shards) for nodes in (100, 1000, 3000, 10_000) for shards in (2, nodes // 50, nodes // 10)]


def case(nodes: int, shards: int, value: float = 1.0) -> Case:
    return Case(nodes, shards, value, value, value, value, value, value, value, value, value, value, value, 100, 100)


def made_of(farm: float, node: float, process: float) -> list[Case]:
    return [case(nodes, shards, farm + node * nodes + process * shards) for nodes, shards in SPREAD]


@pytest.mark.parametrize("terms", [(10.0, 0.05, 3.4), (0.0, 0.002, 0.0), (60.0, 0.0, 4.0)])
def test_terms_are_found_again(terms: tuple[float, float, float]) -> None:
    cases, memory = made_of(*terms), Quantity("memory", "MiB", lambda case: case.mib)
    found = fit(cases, memory)
    assert found == pytest.approx(terms, abs=1e-6)
    assert off(cases, memory, found) < 1e-6
    assert predicted(found, 100_000, 340) == pytest.approx(terms[0] + terms[1] * 100_000 + terms[2] * 340)


def test_what_reports_cost_falls_as_they_come_more_rarely() -> None:
    quantity = Quantity("idle", "%", lambda case: case.idle, paced=True)
    cases = [
        case(nodes, shards, 2.0 + (0.01 * nodes + 0.02 * shards) / case(nodes, shards).every)
        for nodes, shards in SPREAD
    ]
    found = fit(cases, quantity)
    assert found == pytest.approx((2.0, 0.01, 0.02))
    assert predicted(found, 10_000, 34, 4.0) == pytest.approx(2.0 + (100 + 0.68) / 4)


def test_nothing_costs_less_than_nothing() -> None:
    cases = [case(nodes, shards, 50.0 + 0.01 * nodes - 0.0001 * shards) for nodes, shards in SPREAD]
    assert min(fit(cases, QUANTITIES[0])) >= 0.0


def test_cases_that_are_all_alike_are_no_fit() -> None:
    with pytest.raises(BenchError, match="too few cases differ"):
        fit([case(100, 10)] * 3, QUANTITIES[0])


def test_the_table_has_a_row_for_each_quantity_and_says_what_100_000_take() -> None:
    lines = fit_table(made_of(10.0, 0.05, 3.4))
    assert len(lines) == 2 + len(QUANTITIES)
    (memory,) = [
        line for line in lines if line.startswith("| memory of all processes, MiB | 10.00 | 0.05000 | 3.4000 |")
    ]
    assert memory.endswith(f"| 0 % | {10 + 500 + 3.4 * 34:,.0f} | {10 + 5000 + 3.4 * 334:,.0f} |")
