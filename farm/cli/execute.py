"""`farm exec`: a command where a node is: in its namespace, or its container; on loopback with its address at hand."""

import os
import shutil
import subprocess
import sys
from typing import Annotated

import typer

from farm.backends import docker_labels as labels
from farm.backends.netns_visit import visit
from farm.backends.shard_files import ShardFiles
from farm.cli import options
from farm.cli.terminal import note
from farm.cli.whereabouts import about, become
from farm.cli.wire_access import running_node, running_plant
from farm.errors import FarmError
from farm.supervisor.link import Link, run_named
from farm.topology.placement import ENGINE


def execute(
    node: options.NodeName,
    command: Annotated[list[str], typer.Argument(metavar="CMD...", help="A command and its arguments.")],
    name: options.FarmName = None,
) -> None:
    """Run a command where a node is; its exit code is this one's."""
    link = Link.open(run_named(name))
    config = running_node(link, node)
    extra = about(link.run.name, config)
    if link.backend in ("docker", "swarm"):
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
    command = command[1:] if command[0] == "--" else command  # as `become` takes it
    engine = [docker, *engine_of(link, node)]
    return [*engine, "exec", "-i", *terminal, *variables, container_of(engine, link, node), *command]


def container_of(engine: list[str], link: Link, node: str) -> str:
    """What a node's container is called, or the id of one that an engine has made; `engine` is the command line that
    asks it. Raises `FarmError`."""
    if link.backend == "swarm" and running_plant(link, []).placement.kind == ENGINE:
        marks = (f"{labels.RUN}={link.run.run_id}", f"{labels.NODE}={node}")
        filters = [word for mark in marks for word in ("--filter", f"label={mark}")]
        done = subprocess.run([*engine, "ps", "--quiet", *filters], capture_output=True, text=True, check=False)
        if not done.stdout.strip():
            said = " ".join(done.stderr.split()) or "`farm ps` says how it is"
            raise FarmError(f"{node} is in no container that its engine knows of now: {said}")
        return done.stdout.split()[0]
    shard = ShardFiles(link.run.path, link.run.run_id, 0.0).shard_of_node(node)
    return labels.container_name(link.run.run_id, shard)


def engine_of(link: Link, node: str) -> list[str]:
    """Options of that command line that name the engine of a node's host; none where there is one engine only."""
    if link.backend != "swarm":
        return []
    placement = running_plant(link, []).placement
    row = next(row for row in link.ask("ps")["rows"] if row["name"] == node)
    host = next((each for each in placement.hosts if each.name == row["host"]), None)
    if host is None:
        return []
    if host.context:
        return ["--context", host.context]
    names = {"--tlscacert": "ca.pem", "--tlscert": "cert.pem", "--tlskey": "key.pem"}
    tls = [word for option, name in names.items() for word in (option, f"{host.tls}/{name}")]
    return ["--host", host.url, *(["--tlsverify", *tls] if host.tls else [])]
