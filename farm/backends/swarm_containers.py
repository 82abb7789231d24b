"""A node as a container on some host: what backend docker gives one, but for what would have to be mounted.

Another machine has no files of ours. So the configuration is packed and put into a volume without a name before the
container starts, and goes with it; what the node prints, its engine keeps; and its farm is reached over the network.
"""

import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass

from docker.api.client import APIClient

from farm.backends import docker_labels as labels
from farm.backends.docker_containers import (
    INSIDE,
    NOBODY,
    SHARD_FILE,
    TOKEN_VARIABLE,
    connect,
    endpoint,
    hardened,
    networking,
)
from node.config.model import NodeConfig
from node.control.messages import BEGAN_VARIABLE, INSTANCE_VARIABLE, RUN_VARIABLE

READABLE = 0o644


@dataclass(frozen=True, slots=True)
class Place:
    """What a container is made from: the run, its shard's file, and what the shard is known by. `control` is where it
    finds its farm (`tcp://ADDRESS:PORT`), `network` the network that leads there. `began` is the plant's start, in
    seconds since 1970."""

    run_id: str
    farm: str
    file: bytes
    token: str
    digest: str
    instance: str
    image: str
    control: str
    network: str
    began: float


def create(api: APIClient, node: NodeConfig, place: Place) -> str:
    """Makes the container of a node with all its interfaces and its file, and does not start it; its id.

    Raises what the SDK raises; a container that was made by then is left for the caller to remove.
    """
    first = node.interfaces[0]
    network = labels.overlay_name(place.run_id, first.network)
    found = api.create_container(
        place.image,
        ["python3", "-S", "-m", "node", "shard", SHARD_FILE, place.control],
        name=labels.container_name(place.run_id, node.name),
        hostname=node.hostname or node.name,
        user=NOBODY,
        environment={
            RUN_VARIABLE: place.run_id,
            TOKEN_VARIABLE: place.token,
            INSTANCE_VARIABLE: place.instance,
            BEGAN_VARIABLE: f"{place.began:.3f}",
        },
        volumes=[INSIDE],
        labels={
            **labels.run_labels(place.run_id, place.farm),
            labels.NODE: node.name,
            labels.DIGEST: place.digest,
            labels.INSTANCE: place.instance,
        },
        host_config=hardened(api, network_mode=network),
        networking_config=networking(network, endpoint(api, first)),
        mac_address=first.mac or None,
    )
    container = str(found["Id"])
    for interface in node.interfaces[1:]:
        connect(api, container, interface, labels.overlay_name(place.run_id, interface.network))
    api.connect_container_to_network(container, place.network)
    put_files(api, container, INSIDE, {"shard.json": place.file})
    return container


def put_files(api: APIClient, container: str, folder: str, files: Mapping[str, bytes]) -> None:
    """Puts files into a volume of a container, readable for whoever it runs as. Raises what the SDK raises."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as packed:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), READABLE
            packed.addfile(entry, io.BytesIO(content))
    api.put_archive(container, folder, target.getvalue())
