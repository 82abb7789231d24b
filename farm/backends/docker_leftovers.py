"""What runs left in a Docker daemon, found by their label and by nothing else, and what the daemon is fit for.

Plain data, for `farm clean` and `farm doctor`, which need no run and no backend for it.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from docker.errors import APIError

from farm.backends import docker_labels as labels
from farm.backends.docker_engine import Engine, is_gone
from farm.backends.docker_images import BASES, Images
from farm.backends.docker_networks import LOCAL, Networks, of_scope
from farm.backends.docker_recipes import context_files, node_tag
from farm.errors import BackendError

OLDEST_API = (1, 41)
"""Docker 20.10: the oldest that this was tried on."""
REMOVING_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Of one run, by its id: the farm's name, names of its containers and networks, and how many containers run."""

    run: str
    farm: str
    containers: tuple[str, ...]
    networks: tuple[str, ...]
    running: int


@dataclass(frozen=True, slots=True)
class DaemonReport:
    """A daemon at `url`: `error` says why it cannot be used, "" when it can. `image` is the tag that this version's
    nodes run in, `image_there` whether it is, `base` what it could be built on, "" for nothing."""

    url: str
    error: str = ""
    version: str = ""
    api: str = ""
    api_suffices: bool = False
    image: str = ""
    image_there: bool = False
    base: str = ""


def find_leftovers(url: str = "") -> list[Leftovers]:
    """Those of every run of this machine's, of living ones too, by run id, at the daemon at `url` ("": DOCKER_HOST,
    else the machine's own).

    Raises `BackendError` when it does not answer.
    """
    engine = Engine(url)
    try:
        with engine.told("docker", "list"):
            containers: list[dict[str, Any]] = engine.api.containers(all=True, filters=labels.of_any_run())
            filters = labels.of_any_run() | of_scope(_scope(engine))
            networks: list[dict[str, Any]] = engine.api.networks(filters=filters)
    finally:
        engine.close()
    containers = [found for found in containers if labels.is_ours(found["Labels"])]
    networks = [found for found in networks if labels.is_ours(found["Labels"])]
    runs = sorted({str(found["Labels"][labels.RUN]) for found in (*containers, *networks)})
    return [_of_run(run, containers, networks) for run in runs]


def take_away(leftovers: Leftovers, url: str = "") -> None:
    """Kills and removes the containers of one run, then its networks. Raises `BackendError`; what another has removed
    meanwhile is no error."""
    engine = Engine(url)
    try:
        with engine.told(leftovers.run, "list"):
            found = [each["Id"] for each in engine.api.containers(all=True, filters=labels.of_run(leftovers.run))]
            scope = _scope(engine)

        def remove(container: str) -> None:
            with engine.told(leftovers.run, "remove"):
                try:
                    engine.api.remove_container(container, force=True, v=True)
                except APIError as exc:
                    if not is_gone(exc) and "already in progress" not in str(exc.explanation):
                        raise

        with ThreadPoolExecutor(REMOVING_AT_ONCE) as crew:
            for _ in crew.map(remove, found):
                pass
        Networks(engine, leftovers.run, leftovers.farm).remove_all(scope)
    finally:
        engine.close()


def _scope(engine: Engine) -> str:
    """Of which scope are the networks that may be taken away at this daemon, "" for all: on a worker of a Swarm those
    of its own alone. An overlay leaves a worker with the last container there, and goes at a manager."""
    swarm = engine.api.info().get("Swarm") or {}
    worker = swarm.get("LocalNodeState") == "active" and not swarm.get("ControlAvailable")
    return LOCAL if worker else ""


def look_at_daemon(url: str = "") -> DaemonReport:
    """What a daemon is fit for. Never raises: an error is in the report."""
    engine = Engine(url)
    try:
        with engine.told("docker", "version"):
            found = engine.api.version()
            api = engine.api.api_version
        images = Images(engine)
        tag = node_tag(context_files())
        return DaemonReport(
            engine.url,
            version=str(found.get("Version", "")),
            api=api,
            api_suffices=tuple(int(part) for part in api.split(".")[:2]) >= OLDEST_API,
            image=tag,
            image_there=images.has(tag),
            base=next((base for base in BASES if images.has(base)), ""),
        )
    except BackendError as exc:
        return DaemonReport(engine.url, error=exc.message)
    finally:
        engine.close()


def _of_run(run: str, containers: list[dict[str, Any]], networks: list[dict[str, Any]]) -> Leftovers:
    boxes = [found for found in containers if found["Labels"][labels.RUN] == run]
    nets = [found for found in networks if found["Labels"][labels.RUN] == run]
    farms = {str(found["Labels"].get(labels.FARM, "")) for found in (*boxes, *nets)} - {""}
    return Leftovers(
        run,
        min(farms, default=""),
        tuple(sorted(str(found["Names"][0]).removeprefix("/") for found in boxes)),
        tuple(sorted(str(found["Name"]) for found in nets)),
        sum(found["State"] == "running" for found in boxes),
    )
