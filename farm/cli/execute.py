"""`farm exec`: a command where a node is: in its namespace, or its container; on loopback with its address at hand."""

import os
import shutil
import sys
from typing import Annotated

import typer

from farm.backends.docker_labels import container_name
from farm.backends.netns_visit import visit
from farm.cli import options
from farm.cli.terminal import note
from farm.cli.whereabouts import about, become
from farm.cli.wire_access import running_node
from farm.errors import FarmError
from farm.supervisor.link import Link, run_named


def execute(
    node: options.NodeName,
    command: Annotated[list[str], typer.Argument(metavar="CMD...", help="A command and its arguments.")],
    name: options.FarmName = None,
) -> None:
    """Run a command where a node is; its exit code is this one's."""
    link = Link.open(run_named(name))
    config = running_node(link, node)
    extra = about(link.run.name, config)
    if link.backend == "docker":
        become(in_container(link, node, command, extra), {})
    if link.backend == "kubernetes":
        raise FarmError(
            f"{node} is in a cluster: `kubectl get pods -l plcfarm.farm`, then `kubectl exec -it POD -- CMD`"
        )
    if link.backend == "netns":
        row = next(row for row in link.ask("ps")["rows"] if row["name"] == node)
        if not row["pid"]:
            raise FarmError(f"{node} is {row['state']}: there is nothing to enter; `farm restart {node}` starts it")
        visit(row["pid"], node)
    else:
        note(f"nodes on backend {link.backend} have no network of their own: this is the machine's")
    become(command, extra)


def in_container(link: Link, node: str, command: list[str], extra: dict[str, str]) -> list[str]:
    """The command of Docker's own command line that runs `command` in a node's container. Raises `FarmError`."""
    docker = shutil.which("docker")
    if docker is None:
        raise FarmError("the command `docker` is not there; it runs commands in containers: apt-get install docker-cli")
    terminal = ["-t"] if os.isatty(0) and sys.stdout.isatty() else []
    variables = [word for name, value in extra.items() for word in ("-e", f"{name}={value}")]
    return [docker, "exec", "-i", *terminal, *variables, container_name(link.run.run_id, node), *command]
