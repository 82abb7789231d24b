"""What containers are given: a file for each shard, read back as it was written."""

import json
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from farm.backends.docker_files import ContainerFiles
from farm.backends.observed import ShardSpec
from farm.errors import BackendError
from tests.backends.contract import a_node


def test_tags_that_nodes_of_a_container_have_alike_stand_in_its_file_once(tmp_path: Path) -> None:
    """So that they are in its memory once, too."""
    nodes = tuple(replace(a_node(number), tags=a_node(1).tags) for number in (1, 2, 3))
    assert nodes[0].tags
    files = ContainerFiles(tmp_path, "works-1234", 0.0)
    files.write(ShardSpec("shard-001", nodes))
    body = json.loads(files.path("shard-001", ".json").read_bytes())
    assert [tag["name"] for tag in body["tags"]] == [tag.name for tag in nodes[0].tags]
    assert files.served_by("shard-001") == nodes


def test_a_file_that_cannot_be_written_whole_is_not_put_in_the_place_of_the_one_before(tmp_path: Path) -> None:
    files = ContainerFiles(tmp_path, "works-1234", 0.0)
    files.write(ShardSpec("shard-001", (a_node(1),)))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))  # as a disk that is full after so much
    try:
        with pytest.raises(BackendError, match=r"shard-001: create: cannot write its files: .*File too large"):
            files.write(ShardSpec("shard-001", tuple(map(a_node, range(1, 100)))))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert files.served_by("shard-001") == (a_node(1),)
