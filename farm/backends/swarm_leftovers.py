"""What runs left in a Swarm itself, found by their label: services, which would start anew whatever else is taken away,
and their configs and secrets. Containers and networks are found at each engine (`docker_leftovers`)."""

from dataclasses import dataclass
from typing import Any

from farm.backends import docker_labels as labels
from farm.backends.docker_engine import Engine
from farm.backends.swarm_services import Services
from farm.errors import BackendError


@dataclass(frozen=True, slots=True)
class SwarmLeftovers:
    """Of one run, by its id: the farm's name, and names of its services, configs and secrets."""

    run: str
    farm: str
    names: tuple[str, ...]


def find_services(url: str = "") -> list[SwarmLeftovers]:
    """Those of every run of this machine's, of living ones too, by run id, where the engine at `url` ("": DOCKER_HOST,
    else the machine's own) is a manager of a Swarm; none elsewhere. Raises `BackendError` when it does not answer."""
    engine = Engine(url)
    try:
        with engine.told("docker", "list"):
            api: Any = engine.api
            if not (api.info().get("Swarm") or {}).get("ControlAvailable"):
                return []
            wanted = labels.of_any_run()
            listed = [*api.services(filters=wanted), *api.configs(filters=wanted), *api.secrets(filters=wanted)]
    finally:
        engine.close()
    runs: dict[str, list[dict[str, Any]]] = {}
    for spec in [each["Spec"] for each in listed]:
        if labels.is_ours(spec["Labels"]):
            runs.setdefault(str(spec["Labels"][labels.RUN]), []).append(spec)
    return [_of_run(run, runs[run]) for run in sorted(runs)]


def end_services(leftovers: SwarmLeftovers, url: str = "") -> None:
    """Takes them away, and returns when their tasks have ended. Raises `BackendError`."""
    engine = Engine(url)
    try:
        Services(lambda: engine, leftovers.run).remove_all()
    except BackendError as exc:
        raise BackendError(leftovers.run, "remove", exc.message) from exc
    finally:
        engine.close()


def _of_run(run: str, specs: list[dict[str, Any]]) -> SwarmLeftovers:
    farms = {str(spec["Labels"].get(labels.FARM, "")) for spec in specs} - {""}
    return SwarmLeftovers(run, min(farms, default=""), tuple(sorted({str(spec["Name"]) for spec in specs})))
