"""`farm schema`: the JSON Schema of plant files, for editors that complete and check while one types."""

from farm import topology
from farm.cli.terminal import say_json


def schema() -> None:
    """Print the JSON Schema of plant files."""
    say_json(topology.schema())
