"""`farm restart`: some nodes anew, the others untouched."""

from farm.cli import options
from farm.cli.events import ACTOR
from farm.cli.node_choice import Nodes, Where, chosen, require_choice
from farm.cli.progress import Progress
from farm.cli.rows import LONG, node_table, summary
from farm.cli.terminal import say
from farm.supervisor.link import Link, run_named


def restart(nodes: Nodes = None, which: Where = None, name: options.FarmName = None) -> None:
    """Stop nodes and start them again; the plant's clock goes on."""
    carry_out("restart", nodes, which, name)


def carry_out(verb: str, nodes: list[str] | None, which: list[str] | None, name: str | None) -> None:
    """Has `restart`, `stop` or `start` done to the nodes that are meant, and shows how they are then."""
    require_choice(nodes, which)
    link = Link.open(run_named(name))
    names = chosen(link.ask("ps")["rows"], nodes, which, link.run.name)
    with Progress(quiet=len(names) == 1) as progress:
        done = link.ask(verb, progress, nodes=names, actor=ACTOR)["rows"]
    say(node_table(done, wide=True) if len(done) <= LONG else summary(done))
