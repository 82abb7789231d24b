"""The backend of other tests fails when it is told to, and says what it was asked."""

import pytest

from farm.backends.memory import MemoryBackend
from farm.backends.observed import ShardSpec
from farm.errors import BackendError
from farm.topology.wiring import NetworkSpec


def test_the_nth_operation_fails_once_and_changes_nothing() -> None:
    backend = MemoryBackend()
    backend.fail_at = 2
    backend.create(ShardSpec("a", ()))
    with pytest.raises(BackendError, match="a: start: told to fail"):
        backend.start("a")
    assert not backend.observe().shards[0].alive
    assert backend.start("a").alive
    assert backend.operations == [("create", "a"), ("start", "a"), ("start", "a")]


def test_networks_are_seen() -> None:
    backend = MemoryBackend()
    lab = NetworkSpec("lab", "10.65.0.0/24", "10.65.0.253")
    backend.create_network(lab)
    assert backend.observe().networks == (lab,)
