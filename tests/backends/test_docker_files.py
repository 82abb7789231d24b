"""What containers are given: a file for each shard, read back as it was written."""

import json
from dataclasses import replace
from pathlib import Path

from farm.backends.docker_files import ContainerFiles
from farm.backends.observed import ShardSpec
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
