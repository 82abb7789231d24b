"""All checks together, and those that `farm up` makes before it starts anything."""

from collections.abc import Iterator

from farm.cli.checks import Check, Need, first_refusal
from farm.cli.cluster_checks import cluster
from farm.cli.docker_checks import docker
from farm.cli.machine_checks import always, extra_installed, leftovers, machine
from farm.cli.network_checks import bridge_ports, namespace_count, namespaces, networks
from farm.cli.swarm_checks import swarm
from farm.topology.plant import Plant


def all_checks(need: Need) -> Iterator[Check]:
    """Every check that says something about what is needed, in the order in which a farm needs it."""
    yield from machine(need)
    if need.on("netns"):
        yield from networks(need)
    elif need.on("docker"):
        yield bridge_ports(need)
    if need.on("docker"):
        yield from docker(need)
    if need.backend == "kubernetes":
        yield from cluster(need)
    if need.backend == "swarm":
        yield from swarm(need)
    yield from leftovers()


def refuse_early(plant: Plant) -> None:
    """Raises `FarmError` with the limit of this machine that would stop the plant half-way. Quick: nothing is tried
    that the plant does not need."""
    first_refusal(plant.name, needed_checks(Need.of_plant(plant)))


def needed_checks(need: Need) -> Iterator[Check]:
    """Those that can stop what is needed."""
    if not need.nodes:
        return
    if need.backend == "kubernetes":  # whose nodes take nothing of this machine
        yield extra_installed("kubernetes", "kubernetes", need)
        return
    yield from always(need)
    if need.backend == "netns":
        yield extra_installed("netns", "pyroute2", need)
        yield namespaces(need)
        yield namespace_count(need)
    if need.backend == "docker":
        yield extra_installed("docker", "docker", need)
        yield from docker(need)
        yield bridge_ports(need)
    if need.backend == "swarm":
        yield extra_installed("docker", "docker", need)
