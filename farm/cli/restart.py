"""`farm restart`: one node anew, the others untouched."""

from farm.cli import options
from farm.cli.progress import Progress
from farm.cli.rows import node_table
from farm.cli.terminal import say
from farm.supervisor.link import Link, run_named


def restart(node: options.NodeName, name: options.FarmName = None) -> None:
    """Stop a node and start it again; the plant's clock goes on."""
    with Progress(quiet=True) as progress:
        done = Link.open(run_named(name)).ask("restart", progress, node=node)
    say(node_table([done["row"]], wide=True))
