"""`farm render`: a plant as files for tools that start containers without a farm."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from farm import topology
from farm.backends.docker_recipes import context_files, node_tag
from farm.backends.kubernetes_addresses import SERVICE_CIDR, parse_range
from farm.backends.kubernetes_manifests import Place
from farm.backends.kubernetes_multus import PARENT
from farm.backends.kubernetes_names import dns_name
from farm.backends.kubernetes_sets import AUTO_NODES
from farm.cli import options
from farm.cli.plants import MODBUS_PORT, parse_settings, parse_shard
from farm.cli.terminal import node_count, note, say, table, warn
from farm.cli.usage import UsageError
from farm.cli.verbs import WholeHelp
from farm.errors import FarmError
from farm.render import kubernetes
from farm.render.compose import Composed, compose
from farm.render.documents import yaml_text
from farm.topology.plant import Plant

app = typer.Typer(
    cls=WholeHelp, help="Write a plant as files for other tools, which run it without a farm.", no_args_is_help=True
)

STANDARD_OUTPUT = "-"
COMPOSE_FILE = "compose.yaml"
YAML = (".yaml", ".yml")
NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
INTERFACE = re.compile(r"[^\s/]{1,15}")
MOVED_SHOWN = 12
"""Nodes that are elsewhere in a cluster, of which this is said."""
WIRED = "netns"
"""The backend with all that a plant file can wire: what the target cannot is left out and said, and no error."""

Image = Annotated[
    str | None, typer.Option("--image", metavar="IMAGE", help="Of a node [default: plcfarm/node of this version].")
]


@app.command("compose")
def render_compose(
    plant_file: options.PlantFile = None,
    target: Annotated[
        str,
        typer.Option("--output", "-o", metavar="FOLDER|FILE|-", help="Where to: a folder, FILE.yaml, - to print it."),
    ] = STANDARD_OUTPUT,
    image: Image = None,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Publish ports of nodes that the machine may reach, on its addresses of 127/8."),
    ] = False,
    understood: options.RealNetwork = False,
    settings: options.Settings = None,
) -> None:
    """Write a Compose file: a service a node, hardened as on backend docker."""
    plant = wired_plant(plant_file, settings or (), backend=WIRED, outside=publish)
    _allow_uplinks(plant, understood)
    one_file = target == STANDARD_OUTPUT or target.endswith(YAML)
    composed = compose(plant, node_image(image), inline=one_file)
    text = yaml_text(composed.body, _head(plant, composed))
    if one_file:
        write_files({Path(target).name: text}, None if target == STANDARD_OUTPUT else Path(target).parent)
    else:
        write_files({COMPOSE_FILE: text, **composed.files}, Path(target))
    for line in composed.missing:
        warn(f"not in it: {line}")


@app.command("kubernetes")
def render_kubernetes(
    plant_file: options.PlantFile = None,
    target: Annotated[
        str, typer.Option("--output", "-o", metavar="FOLDER|-", help="Where to: a folder, - to print it.")
    ] = STANDARD_OUTPUT,
    network: Annotated[
        str, typer.Option("--network", metavar="services|multus", help="How nodes get their addresses.")
    ] = kubernetes.SERVICES,
    shard: Annotated[
        str | None, typer.Option("--shard", metavar="K|auto", help="Nodes a pod; the plant file's, else 1.")
    ] = None,
    namespace: Annotated[
        str | None, typer.Option("--namespace", metavar="NAME", help="Where it goes [default: the farm's name].")
    ] = None,
    image: Image = None,
    service_cidr: Annotated[
        str, typer.Option("--service-cidr", metavar="CIDR", help="The cluster's addresses of services.")
    ] = SERVICE_CIDR,
    interface: Annotated[
        str, typer.Option("--interface", metavar="NAME", help="The hosts' interface that multus puts networks on.")
    ] = PARENT,
    understood: options.RealNetwork = False,
    settings: options.Settings = None,
) -> None:
    """Write a kustomize base: pods of nodes, an address for each, policies between their networks."""
    if network not in kubernetes.NETWORKS:
        raise UsageError(f"--network {network}: wanted {' or '.join(kubernetes.NETWORKS)}")
    _check_names(namespace, interface)
    size = None if shard is None else parse_shard(shard)
    plant = wired_plant(plant_file, settings or (), backend="kubernetes", shard=size)
    place = Place(dns_name(plant.name), namespace or dns_name(plant.name), node_image(image))
    if network == kubernetes.MULTUS:
        if size not in (None, 1):
            raise UsageError(f"--shard {shard}: with --network multus a pod is one node")
        if not understood:
            raise FarmError(
                f"{plant.name} would answer on the real network that {interface} of each host is on: "
                "--i-understand-real-network writes it"
            )
        rendered = kubernetes.render_multus(plant, place, interface)
    else:
        nodes = AUTO_NODES if plant.shard == "auto" else int(plant.shard)
        rendered = kubernetes.render_services(plant, place, nodes, parse_range(service_cidr))
    _write_base(rendered, target)
    _tell_moved(plant, rendered.addresses)
    for line in rendered.missing:
        warn(f"not in it: {line}")


def wired_plant(
    plant_file: Path | None,
    settings: Sequence[str],
    *,
    backend: str,
    outside: bool = False,
    shard: int | str | None = 1,
) -> Plant:
    """The plant of a file, or of the one in this folder, as it is on `backend`: each node with interfaces of its own,
    and Modbus at its own port whoever asks. `outside` gives every node an address of 127/8 too; `shard` is how many
    share a process, None for what the file says. Its warnings have been printed. Raises `TopologyProblems`."""
    file = plant_file if plant_file is not None else topology.find_plant(Path())
    if file.is_dir():
        file = topology.find_plant(file)
    plant = topology.load_plant(
        file,
        settings=parse_settings(settings),
        environ=os.environ,
        modbus_port=MODBUS_PORT,
        backend=backend,
        shard=shard,
        outside=outside,
    )
    for warning in plant.warnings:
        note(warning)
    return plant


def node_image(image: str | None) -> str:
    """The image that was asked for, else that of this very code."""
    return image or node_tag(context_files())


def write_files(files: Mapping[str, str], folder: Path | None) -> None:
    """Writes texts by their paths into `folder`, readable for whoever the nodes run as; prints them without one. Raises
    `FarmError`."""
    if folder is None:
        for text in files.values():
            say(text.rstrip("\n"))
        return
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o644)
    except OSError as exc:
        raise FarmError(f"cannot write {exc.filename}: {exc.strerror}") from exc
    names = list(files)
    shown = ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
    note(f"{folder / names[0] if len(names) == 1 else f'{shown} in {folder}'}")


def _head(plant: Plant, composed: Composed) -> list[str]:
    """What stands above a Compose file."""
    head = [
        f"{plant.name}: {node_count(len(plant.nodes))} of {Path(plant.file).name}, written by `farm render compose`.",
        "`docker compose up -d` starts them, `docker compose down` takes them away.",
    ]
    return head + (["", "Not in it:", *(f"- {line}" for line in composed.missing)] if composed.missing else [])


def _allow_uplinks(plant: Plant, understood: bool) -> None:
    """Raises `FarmError` for a plant that would answer on a real network, unless that was `understood`."""
    uplinks = [f"{spec.name} on {spec.uplink}" for spec in plant.networks if spec.uplink]
    if uplinks and not understood:
        raise FarmError(
            f"{plant.name} would answer on a real network (network {', '.join(uplinks)}): "
            "--i-understand-real-network writes it"
        )


def _check_names(namespace: str | None, interface: str) -> None:
    """Raises `UsageError` for a namespace or an interface that nobody can have."""
    if namespace is not None and not NAMESPACE.fullmatch(namespace):
        raise UsageError(f"--namespace {namespace}: wanted up to 63 small letters, digits and -, as in waterworks")
    if not INTERFACE.fullmatch(interface):
        raise UsageError(f"--interface {interface}: wanted the name of a network interface, as in {PARENT}")


def _write_base(rendered: kubernetes.Rendered, target: str) -> None:
    """All in one stream, or the files of a kustomize base in place of those of an earlier one."""
    texts = {name: kubernetes.file_text(documents) for name, documents in rendered.files.items()}
    if target == STANDARD_OUTPUT:
        del texts[kubernetes.KUSTOMIZATION]
        write_files({"stream": "---\n".join(texts.values())}, None)
        return
    folder = Path(target)
    try:
        for name in kubernetes.listed_files(_text_of(folder / kubernetes.KUSTOMIZATION)):
            if name not in texts and kubernetes.OURS in _text_of(folder / name):
                (folder / name).unlink(missing_ok=True)
    except OSError as exc:
        raise FarmError(f"cannot remove {exc.filename}: {exc.strerror}") from exc
    write_files(texts, folder)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _tell_moved(plant: Plant, addresses: Mapping[str, str]) -> None:
    """Who is not where the file has him, the first of them."""
    moved = [
        [node.name, node.address, addresses[node.name]] for node in plant.nodes if addresses[node.name] != node.address
    ]
    if moved:
        note(table(["NODE", "ADDRESS", "IN THE CLUSTER"], moved[:MOVED_SHOWN]))
        if len(moved) > MOVED_SHOWN:
            note(f"and {len(moved) - MOVED_SHOWN} more; each service has its node's address as an annotation")
