"""Whether two signals of a tag's members move the same memory.

Found by comparing paths, without counting out the elements that a path means when it leaves indices out: a plant has
many tags, and each may have thousands of elements.
"""

from collections import defaultdict
from collections.abc import Sequence

from node.config.places import Spot, Step

MAX_COMPARED = 100_000
"""Pairs of paths of one tag that are compared."""

Pattern = tuple[Step | None, ...]
"""The steps of a path, None for an index that was left out."""


def overlap(spots: Sequence[Spot]) -> tuple[Spot, Spot] | None:
    """Two of `spots`, each the first place of its path and of numbers, that share memory; None when all are apart.

    More than `MAX_COMPARED` comparisons are not made: then the first two are given as well.
    """
    groups: dict[tuple[str, ...], list[Spot]] = defaultdict(list)
    for spot in spots:
        groups[tuple(step for step in spot.steps if isinstance(step, str))].append(spot)
    for group in groups.values():
        found = _overlap(group)
        if found is not None:
            return found
    return None


def _overlap(group: Sequence[Spot]) -> tuple[Spot, Spot] | None:
    """The same for places of one member, which differ in indices and bits."""
    loose = [spot for spot in group if spot.every or spot.dimensions or spot.bit is None]
    exact: dict[tuple[Pattern, int | None], Spot] = {}
    for spot in group:
        other = exact.setdefault((_pattern(spot), spot.bit), spot)
        if other is not spot:
            return other, spot
    if all(spot.bit is None and not spot.every and not spot.dimensions for spot in group):
        return None
    if len(loose) * len(group) > MAX_COMPARED:
        return loose[0], group[-1]
    for spot in loose:
        for other in group:
            if other is not spot and _meet(spot, other):
                return spot, other
    return None


def _meet(one: Spot, other: Spot) -> bool:
    for left, right in zip(_pattern(one), _pattern(other), strict=False):
        if left is not None and right is not None and left != right:
            return False
    return len(one.steps) != len(other.steps) or one.bit is None or other.bit is None or one.bit == other.bit


def _pattern(spot: Spot) -> Pattern:
    return tuple(None if at in spot.every else step for at, step in enumerate(spot.steps))
