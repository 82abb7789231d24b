"""`farm start`: nodes that were stopped serve again."""

from farm.cli import options
from farm.cli.node_choice import Nodes, Where
from farm.cli.restart import carry_out


def start(nodes: Nodes = None, which: Where = None, name: options.FarmName = None) -> None:
    """Have nodes that were stopped open their ports again."""
    carry_out("start", nodes, which, name)
