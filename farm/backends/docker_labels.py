"""The labels by which everything a run made in Docker is found, and nothing else is touched."""

import contextlib
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from farm.backends.netns_spaces import run_mark
from node.control.messages import boot_id

RUN = "plcfarm.run"
FARM = "plcfarm.farm"
MACHINE = "plcfarm.machine"
"""The machine whose farm it is: an engine may run what is another machine's."""
NODE = "plcfarm.node"
DIGEST = "plcfarm.digest"
"""Of the configuration that a container serves (`digest_nodes`)."""
NETWORK = "plcfarm.network"
SPEC = "plcfarm.spec"
"""A network as it was wanted, in JSON (`encode_segment`)."""
OUTSIDE = "plcfarm.outside"
"""On the network of a run through which ports are published."""
INSTANCE = "plcfarm.instance"
"""What a container on another machine is known by, in place of a pid (`instance_number`)."""
RELAY = "plcfarm.relay"
"""On the relay of a run, and on the network by which shards reach it: what it was made from, in short."""
IMAGE = "plcfarm.image"
"""On images: `node`, `scada`, `modbus`, `farm` or `base`."""

Labels = Mapping[str, str]

MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


def of_run(run_id: str) -> dict[str, Any]:
    """The filter that finds all of a run, in the daemon's terms."""
    return {"label": [f"{RUN}={run_id}"]}


def of_any_run() -> dict[str, Any]:
    """The filter that finds all of every run."""
    return {"label": [RUN]}


def run_labels(run_id: str, farm: str) -> dict[str, str]:
    """What stands on everything of a run."""
    return {RUN: run_id, FARM: farm, MACHINE: this_machine()}


@cache
def this_machine() -> str:
    """What this machine is known by: its id, which outlives a boot, or that of the boot where it has none."""
    for path in MACHINE_IDS:
        with contextlib.suppress(OSError):
            found = path.read_text().strip()
            if found:
                return hashlib.blake2b(found.encode(), digest_size=8).hexdigest()  # it is not to be told everywhere
    return boot_id()


def is_ours(found: Labels | None) -> bool:
    """Whether something with these labels is a farm's of this machine."""
    return (found or {}).get(MACHINE, this_machine()) == this_machine()


def container_name(run_id: str, node: str) -> str:
    """`pf-XXXXXXXX-NODE`."""
    return f"{run_mark(run_id)}-{node}"


def network_name(run_id: str, network: str) -> str:
    """`pf-XXXXXXXX.NETWORK`: never a container's name."""
    return f"{run_mark(run_id)}.{network}"


def overlay_name(run_id: str, network: str) -> str:
    """`pf-XXXXXXXX-NETWORK-net`: a Swarm takes no dots, and nothing but letters and digits at the end."""
    return f"{run_mark(run_id)}-{network}-net"


def control_name(run_id: str) -> str:
    """`pf-XXXXXXXX-control`: that of no network of a plant."""
    return f"{run_mark(run_id)}-control"
