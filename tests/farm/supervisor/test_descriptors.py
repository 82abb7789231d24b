"""A farm that is too large for this user's limit is refused with the figures."""

import resource

import pytest

from farm.errors import FarmError
from farm.supervisor import descriptors


def allow(monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> list[tuple[int, int]]:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda which: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limits: asked.append(limits))
    return asked


def test_two_descriptors_a_shard_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, 1024, 1024)
    descriptors.check(416)
    with pytest.raises(
        FarmError, match=r"^500 shards need 1192 descriptors in their supervisor, this user may have 1024"
    ):
        descriptors.check(500)


def test_no_limit_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    descriptors.check(10_000)
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == resource.RLIM_INFINITY


def test_the_limit_is_raised_as_far_as_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = allow(monkeypatch, 1024, 4096)
    descriptors.raise_limit()
    assert asked == [(4096, 4096)]
