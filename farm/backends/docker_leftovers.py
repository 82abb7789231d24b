"""What runs in Docker left behind, found by their label and by nothing else: containers and networks; images stay.

A name like ours without the label is somebody else's.
"""

from dataclasses import dataclass, field
from typing import Any

from farm.backends import docker_labels as labels
from farm.backends.docker_engine import Engine, is_gone
from farm.backends.docker_networks import Networks


@dataclass(slots=True)
class DockerLeftovers:
    """Of the run `run` of the farm `farm`: names of its containers and networks."""

    run: str
    farm: str
    containers: list[str] = field(default_factory=list)
    networks: list[str] = field(default_factory=list)


def find_leftovers(engine: Engine) -> list[DockerLeftovers]:
    """Those of every run that this daemon knows, of living ones too, by run. Raises `BackendError`."""
    found: dict[str, DockerLeftovers] = {}

    def of(body: dict[str, Any]) -> DockerLeftovers:
        marks = body.get("Labels") or {}
        run = str(marks[labels.RUN])
        return found.setdefault(run, DockerLeftovers(run, str(marks.get(labels.FARM, ""))))

    with engine.told("leftovers", "list"):
        for container in engine.api.containers(all=True, filters=labels.of_any_run()):
            of(container).containers.append(str(container["Names"][0]).lstrip("/"))
        for network in engine.api.networks(filters=labels.of_any_run()):
            of(network).networks.append(str(network["Name"]))
    return [found[run] for run in sorted(found)]


def take_away(engine: Engine, leftovers: DockerLeftovers) -> None:
    """Ends and removes what one run left. Raises `BackendError`."""
    for container in engine_containers(engine, leftovers.run):
        with engine.told(container, "remove"):
            try:
                engine.api.remove_container(container, force=True, v=True)
            except Exception as exc:
                if not is_gone(exc):
                    raise
    Networks(engine, leftovers.run, leftovers.farm).remove_all()


def engine_containers(engine: Engine, run: str) -> list[str]:
    """Ids of the run's containers."""
    with engine.told(run, "list"):
        return [str(each["Id"]) for each in engine.api.containers(all=True, filters=labels.of_run(run))]
