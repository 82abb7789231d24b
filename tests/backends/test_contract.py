"""What every backend promises, on every backend that runs here."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farm.backends import pids
from farm.backends.backend import Backend
from farm.backends.memory import MemoryBackend
from farm.backends.observed import Observed, ObservedShard, ShardSpec
from farm.errors import BackendError
from farm.topology.wiring import GOOD, NetworkSpec, Shaping
from tests.backends.contract import DockerRun, Run, a_node, dead, one

PARAMETERS = [
    "memory",
    pytest.param("process", marks=pytest.mark.net),
    pytest.param("netns", marks=[pytest.mark.net, pytest.mark.root]),
    pytest.param("docker", marks=[pytest.mark.docker, pytest.mark.root]),
]
RUNS = {"process": "run", "netns": "netns_run", "docker": "docker_run"}
"""Where the run of a backend with processes is to be had."""


@pytest.fixture(params=PARAMETERS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    if request.param == "memory":
        yield MemoryBackend(tmp_path)
    else:
        yield run_of(request, request.param).backend


def run_of(request: pytest.FixtureRequest, name: str) -> Run | DockerRun:
    run: Run | DockerRun = request.getfixturevalue(RUNS[name])
    return run


@pytest.fixture
def kill(backend: Backend) -> Callable[[ObservedShard], None]:
    """Ends a shard's process as an accident does."""
    if isinstance(backend, MemoryBackend):
        return lambda shard: backend.kill(shard.name)
    return lambda shard: pids.end(shard.pid, shard.started, grace=0.0)


@pytest.fixture
def settle(request: pytest.FixtureRequest, backend: Backend) -> Callable[[], None]:
    """Waits until plc-1 serves."""
    if isinstance(backend, MemoryBackend):
        return lambda: None
    run = run_of(request, backend.name)
    return lambda: run.farm.wait_for(lambda: "plc-1" in run.farm.ready)


def started(backend: Backend, spec: ShardSpec) -> ObservedShard:
    backend.create(spec)
    return backend.start(spec.name)


def test_nothing_is_there_at_first(backend: Backend) -> None:
    assert backend.observe() == Observed()


def test_what_was_created_is_seen_and_does_not_run(backend: Backend) -> None:
    backend.create(one(1))
    assert backend.observe().shards == (ObservedShard("plc-1", 0, 0, alive=False, nodes=one(1).nodes),)


def test_what_was_started_is_seen_as_it_was_returned(backend: Backend) -> None:
    shards = [started(backend, one(number)) for number in (2, 1)]
    assert all(shard.alive and shard.pid > 0 for shard in shards)
    assert shards[1].nodes == one(1).nodes
    assert backend.observe() == Observed(shards=(shards[1], shards[0]))


def test_several_threads_start_different_shards(backend: Backend) -> None:
    found: dict[str, ObservedShard] = {}

    def start(number: int) -> None:
        found[f"plc-{number}"] = started(backend, one(number))

    threads = [threading.Thread(target=start, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({shard.pid for shard in found.values()}) == 8
    assert backend.observe().shards == tuple(found[name] for name in sorted(found))


def test_a_shard_that_died_is_seen_dead_and_starts_again(
    backend: Backend, kill: Callable[[ObservedShard], None]
) -> None:
    first = started(backend, one(1))
    kill(first)
    assert backend.observe().shards == (dead(first),)
    second = backend.start("plc-1")
    assert second.pid != first.pid
    assert backend.observe().shards == (second,)


def test_stop_ends_that_process_and_may_be_said_twice(backend: Backend) -> None:
    shard = started(backend, one(1))
    for _ in range(2):
        backend.stop(shard, 2.0)
        assert backend.observe().shards == (dead(shard),)


def test_stop_spares_the_next_process_of_the_name(backend: Backend) -> None:
    first = started(backend, one(1))
    backend.stop(first, 2.0)
    second = backend.start("plc-1")
    backend.stop(first, 2.0)
    assert backend.observe().shards == (second,)


def test_start_may_be_said_twice(backend: Backend) -> None:
    first = started(backend, one(1))
    assert backend.start("plc-1") == first
    assert backend.observe() == Observed(shards=(first,))


def test_start_needs_create(backend: Backend) -> None:
    with pytest.raises(BackendError, match=r"plc-1: start: .*create it first"):
        backend.start("plc-1")


def test_remove_forgets_and_may_be_said_twice(backend: Backend) -> None:
    shard = started(backend, one(1))
    backend.stop(shard, 2.0)
    for _ in range(2):
        backend.remove("plc-1")
        assert backend.observe() == Observed()
    with pytest.raises(BackendError):
        backend.start("plc-1")


def test_a_process_without_its_files_is_a_stray_and_can_be_ended(backend: Backend, settle: Callable[[], None]) -> None:
    shard = started(backend, one(1))
    settle()
    backend.remove("plc-1")
    assert backend.observe() == Observed(strays=(shard.pid,))
    backend.stop(ObservedShard("stray", shard.pid, 0, alive=True, nodes=()), 2.0)
    assert backend.observe() == Observed()


def test_what_was_created_anew_is_not_taken_for_what_runs(backend: Backend, settle: Callable[[], None]) -> None:
    shard = started(backend, one(1))
    settle()
    changed = ShardSpec("plc-1", (a_node(2, name="plc-1"),))
    backend.create(changed)
    assert backend.observe().shards == (ObservedShard("plc-1", shard.pid, shard.started, alive=True, nodes=()),)
    with pytest.raises(BackendError, match="stop it first"):
        backend.start("plc-1")
    backend.create(one(1))
    assert backend.observe().shards == (shard,)


def test_a_shard_may_serve_several_nodes(backend: Backend) -> None:
    spec = ShardSpec("shard-001", (a_node(1), a_node(2), a_node(3)))
    shard = started(backend, spec)
    assert [node.name for node in shard.nodes] == ["plc-1", "plc-2", "plc-3"]
    assert backend.observe().shards == (shard,)
    assert backend.logs("plc-2").name


def test_networks_and_links(backend: Backend) -> None:
    lab = NetworkSpec("lab", "10.213.65.0/24", "10.213.65.254")
    backend.create_network(lab)
    assert backend.observe().networks in ((), (lab,))
    backend.remove_network("lab")
    backend.remove_network("lab")
    assert backend.shape("plc-1", GOOD) == Shaping(GOOD, *_means(backend))
    assert backend.observe() == Observed()
    assert not backend.restarts


def _means(backend: Backend) -> tuple[str, ...]:
    return ("in a dict",) if isinstance(backend, MemoryBackend) else ()
