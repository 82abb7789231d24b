"""Merging addresses into reads: as few as can be, none that is not allowed; and what a device's refusals teach."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.client.modbus_reads import Span, TableReads, Values, merge, pick, split
from node.modbus.functions import ModbusError

addresses = st.sets(st.integers(0, 400), max_size=60)
few = st.sets(st.integers(0, 400), max_size=15)


def fewest(wanted: list[int], limit: int, hole: int, missing: set[int], walls: set[int]) -> int:
    """The least number of allowed reads, by trying every way to cut."""
    best = [0]
    for end in range(1, len(wanted) + 1):
        options = []
        for begin in range(end):
            part = wanted[begin:end]
            inside = range(part[0], part[-1] + 1)
            if (
                len(inside) <= limit
                and all(after - before - 1 <= hole for before, after in pairwise(part))
                and missing.isdisjoint(inside)
                and walls.isdisjoint(inside[1:])
            ):
                options.append(best[begin] + 1)
        best.append(min(options))
    return best[-1]


@given(addresses, st.integers(1, 125), st.integers(0, 30), few, few)
def test_all_that_is_wanted_in_as_few_reads_as_can_be(
    wanted: set[int], limit: int, hole: int, missing: set[int], walls: set[int]
) -> None:
    spans = merge(wanted, limit, hole, missing, walls)
    read = [address for span in spans for address in range(span.start, span.stop)]
    assert len(read) == len(set(read))
    assert wanted - missing <= set(read)
    assert not missing & set(read)
    assert all(1 <= span.count <= limit for span in spans)
    assert not any(wall in range(span.start + 1, span.stop) for span in spans for wall in walls)
    assert all({span.start, span.stop - 1} <= wanted for span in spans)
    for span in spans:
        inside = sorted(wanted & set(range(span.start, span.stop)))
        assert all(after - before - 1 <= hole for before, after in pairwise(inside))
    assert len(spans) == fewest(sorted(wanted - missing), limit, hole, missing, walls)


@given(st.sets(st.integers(0, 400), min_size=2, max_size=60))
def test_a_split_loses_nothing(wanted: set[int]) -> None:
    span = Span(min(wanted), max(wanted) + 1 - min(wanted))
    left, right = split(span, wanted)
    assert (left.start, right.stop) == (span.start, span.stop)
    assert left.stop <= right.start
    assert wanted <= set(range(left.start, left.stop)) | set(range(right.start, right.stop))
    assert {left.stop - 1, right.start} <= wanted


@pytest.mark.parametrize(
    ("wanted", "left", "right"),
    [(range(8), 4, 4), ([0, 1, 2, 9], 3, 1), ([0, 5, 6, 7, 9, 10], 1, 6), (range(3), 1, 2)],
)
def test_at_the_widest_hole_else_in_the_middle(wanted: list[int], left: int, right: int) -> None:
    parts = split(Span(0, max(wanted) + 1), wanted)
    assert {part.count for part in parts} == {left, right}


class Device:
    """Has `there`, and reads no more than `most` at once; counts what it is asked."""

    def __init__(self, there: set[int], most: int = 125) -> None:
        self.there = there
        self.most = most
        self.asked = 0

    def read(self, span: Span) -> list[int]:
        self.asked += 1
        found = range(span.start, span.stop)
        if len(found) > self.most or not self.there >= set(found):
            raise ModbusError(2)
        return [address * 3 for address in found]

    def poll(self, reads: TableReads) -> Values:
        """A poll of everything."""
        values: Values = {}
        for span, wanted in reads.plan().items():
            try:
                values |= pick(span, wanted, self.read(span))
            except ModbusError:
                values |= reads.explore(span, self.read)
        return values


@given(addresses, addresses, st.integers(0, 30), st.integers(1, 125))
def test_what_is_there_is_read_whatever_is_not(wanted: set[int], there: set[int], hole: int, most: int) -> None:
    device = Device(there, most)
    reads = TableReads(125, hole)
    reads.want(wanted)
    right = {address: address * 3 for address in wanted & there}
    for _ in range(12):
        assert device.poll(reads) == right  # from the first poll on
    before = device.asked
    assert device.poll(reads) == right
    assert device.asked - before == len(reads.plan())  # and nothing is refused any more
    assert reads.missing == wanted - there


def test_one_missing_address_costs_one_read_more() -> None:
    device = Device(set(range(100)) - {37})
    reads = TableReads(125, 16)
    reads.want(range(100))
    assert len(device.poll(reads)) == 99
    assert device.asked < 20
    assert list(reads.plan()) == [Span(0, 37), Span(38, 62)]


def test_a_hole_that_cannot_be_read_across_is_a_wall() -> None:
    device = Device({0, 1, 2, 8, 9, 15, 16})
    reads = TableReads(125, 16)
    reads.want(device.there - {1})
    assert set(device.poll(reads)) == device.there - {1}
    assert set(device.poll(reads)) == device.there - {1}
    assert list(reads.plan()) == [Span(0, 3), Span(8, 2), Span(15, 2)]
    assert reads.missing == set()


def test_other_exceptions_are_not_explored() -> None:
    reads = TableReads(125, 16)
    reads.want([1, 2, 3])

    def busy(span: Span) -> list[int]:
        raise ModbusError(6)

    with pytest.raises(ModbusError, match="06"):
        reads.explore(Span(1, 3), busy)
    assert list(reads.plan()) == [Span(1, 3)]


def test_what_is_wanted_later_is_read_too() -> None:
    device, reads = Device(set(range(50))), TableReads(125, 0)
    reads.want([1, 2])
    assert device.poll(reads) == {1: 3, 2: 6}
    reads.want([3, 7])
    assert device.poll(reads) == {1: 3, 2: 6, 3: 9, 7: 21}
    assert list(reads.plan()) == [Span(1, 3), Span(7, 1)]
