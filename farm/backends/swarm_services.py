"""Nodes as services of a Swarm, one each: the engine picks the host, and moves a node when its host dies.

What a node is given is a Swarm's too: its file a config, its token a secret, which are on whichever host it comes to.
Its address is the engine's, so it is read back (`swarm_tasks`). Every service is in DNS round robin: a virtual address
would want IPVS, which not every kernel has, and would hide the node. The engine restarts what ends; the farm waits for
it, and says what it saw.
"""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from docker.errors import APIError
from docker.types import (
    ConfigReference,
    ContainerSpec,
    DriverConfig,
    EndpointSpec,
    NetworkAttachmentConfig,
    Resources,
    RestartPolicy,
    SecretReference,
    ServiceMode,
    TaskTemplate,
)
from docker.types import Placement as TaskPlacement

from farm.backends import docker_labels as labels
from farm.backends.confinement import LOG_FILES, LOG_SIZE, MEMORY, NOBODY, PORTS_FROM, PROCESSES, SHARD_FILE
from farm.backends.docker_engine import Engine, is_conflict, is_gone
from farm.backends.swarm_tasks import RUNNING, Task, read_tasks
from farm.errors import BackendError
from node.config.model import NodeConfig
from node.control.messages import INSTANCE_VARIABLE, RUN_VARIABLE

TOKEN_FILE = "/run/secrets/token"
"""Where a task finds its token: Docker puts secrets there."""
TASK_ID = "{{.Task.ID}}"
MOST_CONFIG = 500 * 1024
"""Bytes of one config that every engine of a Swarm takes."""
NANOSECONDS = 1_000_000_000
GRACE = 2
RESTART_AFTER = 1
"""Seconds until the engine starts anew what ended."""
PATIENCE = 60.0
"""Seconds for the engine to have a node run: it finds out in about 15 that a host is gone, and may have to pull."""
LEAVING = 15.0
LOOK_AGAIN, LOOK_SELDOM, SLOWER = 0.2, 1.0, 1.5
"""Seconds between two looks at a task, at first and in the end, and how they grow: many are waited for at once."""


@dataclass(frozen=True, slots=True)
class ServicePlace:
    """What a service is made from: the run, its shard's file, and what the shard is known by. `control` is where it
    finds its farm (`tcp://ADDRESS:PORT`), `network` the network that leads there; `constraints` say where it may be, in
    the engine's terms."""

    run_id: str
    farm: str
    file: bytes
    token: str
    digest: str
    image: str
    control: str
    network: str
    constraints: tuple[str, ...] = ()


class Services:
    """Those of the run `run_id`; `engine` gives a manager's. Raises `BackendError` whatever is asked."""

    def __init__(self, engine: Callable[[], Engine], run_id: str) -> None:
        self._engine = engine
        self._run = run_id

    def listed(self) -> dict[str, dict[str, Any]]:
        """The services of the run as the engine tells them, by node."""
        engine = self._engine()
        with engine.told("services", "list"):
            found: list[dict[str, Any]] = _api(engine).services(filters=labels.of_run(self._run))
        return {str(service["Spec"]["Labels"].get(labels.NODE, "")): service for service in found}

    def tasks(self, node: str = "") -> dict[str, Task]:
        """The task of each node that has one, or of one node."""
        return read_tasks(self._engine(), self._run, node)

    def create(self, node: NodeConfig, place: ServicePlace) -> None:
        """Makes the service of a node, in place of one that serves something else. Nothing of it is left when the
        engine refuses."""
        if len(place.file) > MOST_CONFIG:
            what = f"its configuration has {len(place.file):,} bytes, and a Swarm's configs {MOST_CONFIG:,} at most"
            raise BackendError(node.name, "create", f"{what}: fewer tags, or placement: static")
        name = labels.container_name(self._run, node.name)
        engine = self._engine()
        with engine.told(node.name, "create"):
            made = self._find(_api(engine), name)
            if made is not None and made["Spec"]["Labels"].get(labels.DIGEST) == place.digest:
                return
            if made is not None:
                self.remove(node.name)
            try:
                api = _api(engine)
                marks = {**labels.run_labels(place.run_id, place.farm), labels.NODE: node.name}
                config = _given(api.create_config, api.remove_config, name, place.file, marks)
                secret = _given(api.create_secret, api.remove_secret, name, place.token.encode(), marks)
                template = _template(node, place, (config, name), (secret, name), marks)
                api.create_service(
                    template,
                    name=name,
                    labels={**marks, labels.DIGEST: place.digest},
                    mode=ServiceMode("replicated", replicas=1),
                    endpoint_spec=EndpointSpec(mode="dnsrr"),
                )
            except BaseException:
                with contextlib.suppress(BackendError):
                    self.remove(node.name)
                raise

    def allow(self, allowed: Mapping[str, tuple[str, ...]]) -> None:
        """Tells the engine by which constraints it may place each of these nodes from now on, where its service says
        otherwise. One that may stay where it is does so."""
        engine = self._engine()
        for node, service in self.listed().items():
            spec = service["Spec"]
            template = dict(spec["TaskTemplate"])
            placed = template.get("Placement") or {}
            now = tuple(placed.get("Constraints") or ())
            if allowed.get(node, now) == now:
                continue
            template["Placement"] = {**placed, "Constraints": list(allowed[node])}
            with engine.told(node, "place"):
                _api(engine).update_service(
                    service["ID"],
                    service["Version"]["Index"],
                    task_template=template,  # all of it as it was: the SDK's own way adds defaults, which restart it
                    name=spec["Name"],
                    labels=spec["Labels"],
                    mode=spec["Mode"],
                    endpoint_spec=spec["EndpointSpec"],
                )

    def running(self, node: str, patience: float = PATIENCE) -> Task:
        """The task that is the node, once there is one. Raises `BackendError` with what the engine says of it."""
        give_up, pause = time.monotonic() + patience, LOOK_AGAIN
        while True:
            task = self.tasks(node).get(node)
            if task is not None and task.runs:
                return task
            if time.monotonic() >= give_up:
                state = f"its task is {task.state}" if task is not None else "it has no task"
                why = f": {task.error}" if task is not None and task.error else ""
                raise BackendError(node, "start", f"the engine has it not running within {patience:g} s, {state}{why}")
            time.sleep(pause)
            pause = min(pause * SLOWER, LOOK_SELDOM)

    def remove(self, node: str) -> None:
        """Takes a node's service away, with its config and secret, and returns when none of its tasks is left to the
        engine. Not an error when it is gone."""
        name = labels.container_name(self._run, node)
        engine = self._engine()
        with engine.told(node, "remove"):
            api = _api(engine)
            for remove in (api.remove_service, api.remove_config, api.remove_secret):
                try:
                    remove(name)
                except APIError as exc:
                    if not is_gone(exc):
                        raise
            self._leave(engine, {"label": [f"{labels.RUN}={self._run}", f"{labels.NODE}={node}"]})

    def remove_all(self) -> int:
        """Takes all services, configs and secrets of the run away; how many nodes ran."""
        engine = self._engine()
        ran = sum(task.runs for task in self.tasks().values())
        wanted = labels.of_run(self._run)
        with engine.told("services", "remove"):
            api = _api(engine)
            for listed, remove in (
                (api.services(filters=wanted), api.remove_service),
                (api.configs(filters=wanted), api.remove_config),
                (api.secrets(filters=wanted), api.remove_secret),
            ):
                for each in listed:
                    try:
                        remove(each["ID"])
                    except APIError as exc:
                        if not is_gone(exc):
                            raise
            self._leave(engine, wanted)
        return ran

    def _find(self, api: Any, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = api.inspect_service(name)
        except APIError as exc:
            if is_gone(exc):
                return None
            raise
        if found["Spec"].get("Labels", {}).get(labels.RUN) != self._run:
            raise BackendError(name, "create", f"there is a service {name} which is not this farm's: remove it")
        return found

    def _leave(self, engine: Engine, filters: Mapping[str, Any]) -> None:
        """Waits until the hosts that are there have let go of tasks: networks cannot be taken away before."""
        give_up = time.monotonic() + LEAVING
        there = {str(node["ID"]) for node in _api(engine).nodes() if node["Status"]["State"] == "ready"}
        while time.monotonic() < give_up:
            left = _api(engine).tasks(filters=filters)
            if not any(each["Status"]["State"] == RUNNING and each.get("NodeID") in there for each in left):
                return
            time.sleep(LOOK_AGAIN)


def _given(
    create: Callable[..., Mapping[str, Any]],
    remove: Callable[[str], object],
    name: str,
    content: bytes,
    marks: Mapping[str, str],
) -> str:
    """The id of a config or a secret, made in place of one that a start which was cut short has left. Raises what the
    SDK raises."""
    try:
        return str(create(name, content, marks)["ID"])
    except APIError as exc:
        if not is_conflict(exc):
            raise
        remove(name)
        return str(create(name, content, marks)["ID"])


def _api(engine: Engine) -> Any:
    """The client, of whose calls for services the SDK says no types. Raises `BackendError`."""
    return engine.api


def _template(
    node: NodeConfig,
    place: ServicePlace,
    config: tuple[str, str],
    secret: tuple[str, str],
    marks: Mapping[str, str],
) -> TaskTemplate:
    """What each task of a node is: hardened as every container of ours, as far as services can be."""
    spec = ContainerSpec(
        place.image,
        command=["python3", "-S", "-m", "node", "shard", SHARD_FILE, place.control, "--token", TOKEN_FILE],
        hostname=node.hostname or node.name,
        env=[f"{RUN_VARIABLE}={place.run_id}", f"{INSTANCE_VARIABLE}={TASK_ID}"],
        user=NOBODY,
        labels={**marks, labels.DIGEST: place.digest},
        stop_grace_period=GRACE * NANOSECONDS,
        read_only=True,
        cap_drop=["ALL"],
        sysctls=PORTS_FROM,
        configs=[ConfigReference(*config, filename=SHARD_FILE)],
        secrets=[SecretReference(*secret, filename="token")],
    )
    template = TaskTemplate(
        spec,
        resources=Resources(mem_limit=MEMORY),
        restart_policy=RestartPolicy("any", delay=RESTART_AFTER * NANOSECONDS),
        placement=TaskPlacement(constraints=list(place.constraints)),
        log_driver=DriverConfig("json-file", {"max-size": LOG_SIZE, "max-file": LOG_FILES}),
        networks=[
            *(
                NetworkAttachmentConfig(labels.overlay_name(place.run_id, each.network), aliases=[node.name])
                for each in node.interfaces
            ),
            NetworkAttachmentConfig(place.network),
        ],
    )
    template["Resources"]["Limits"]["Pids"] = PROCESSES
    return template


def constraints(allowed: Sequence[str], members: Mapping[str, str]) -> tuple[str, ...]:
    """Where a node may be that is allowed the hosts `allowed`, in an engine's terms; `members` are the Swarm's ids of
    all its hosts, by name where the plant has one for them. A Swarm knows no "or", so all others are ruled out."""
    kept = {members[host] for host in allowed if host in members}
    return tuple(f"node.id!={member}" for member in sorted(set(members.values()) - kept)) if kept else ()
