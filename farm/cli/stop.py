"""`farm stop`: nodes that serve no more until they are started; their processes and their memory live on."""

from farm.cli import options
from farm.cli.node_choice import Nodes, Where
from farm.cli.restart import carry_out


def stop(nodes: Nodes = None, which: Where = None, name: options.FarmName = None) -> None:
    """Have nodes close their ports; they keep their values."""
    carry_out("stop", nodes, which, name)
