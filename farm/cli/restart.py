"""`farm restart`: some nodes anew, the others untouched."""

from farm.cli import options
from farm.cli.node_choice import Nodes, Where, choose, parse_where, where
from farm.cli.progress import Progress
from farm.cli.rows import LONG, node_table, summary
from farm.cli.terminal import say
from farm.cli.usage import UsageError
from farm.errors import FarmError
from farm.supervisor.link import Link, run_named


def restart(nodes: Nodes = None, which: Where = None, name: options.FarmName = None) -> None:
    """Stop nodes and start them again; the plant's clock goes on."""
    if not nodes and not which:
        raise UsageError("which nodes? Name them, or say which by --where, as in --where state=down")
    wanted = parse_where(which or ())
    link = Link.open(run_named(name))
    rows = link.ask("ps")["rows"]
    chosen = set(choose(rows, nodes or ["*"], link.run.name))
    names = [row["name"] for row in where(rows, wanted) if row["name"] in chosen]
    if not names:
        raise FarmError(f"no node of {link.run.name} is so: {', '.join(which or ())}; `farm ps` shows how they are")
    with Progress(quiet=len(names) == 1) as progress:
        done = link.ask("restart", progress, nodes=names)["rows"]
    say(node_table(done, wide=True) if len(done) <= LONG else summary(done))
