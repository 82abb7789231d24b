"""A farm that is taken down without its supervisor: what one machine refuses keeps nothing else from ending."""

from pathlib import Path

import pytest

from farm.backends.memory import MemoryBackend
from farm.backends.observed import ShardSpec
from farm.errors import FarmError
from farm.supervisor.clean import clean
from farm.supervisor.run_directory import RunDirectory
from tests.farm.plan.plants import node

NAMES = ["pump-1", "pump-2", "pump-3"]


def test_what_cannot_be_ended_is_told_and_all_else_ends(tmp_path: Path) -> None:
    run, backend = RunDirectory(tmp_path / "works"), MemoryBackend()
    run.prepare()
    for name in NAMES:
        backend.create(ShardSpec(name, (node(name),)))
        backend.start(name)
    backend.fail_at = 1
    with pytest.raises(FarmError, match=r"^pump-\d: stop: told to fail$"):
        clean(run, lambda run, identity: backend)
    left = [shard.name for shard in backend.observe().shards]
    assert len(left) == 1
    assert [name for operation, name in backend.operations if operation == "start"] == NAMES, "nothing was started anew"
    assert run.path.exists(), "there is something left to take down"
    assert clean(run, lambda run, identity: backend)["nodes"] == 1
    assert not run.path.exists()
