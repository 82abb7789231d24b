"""The one place that knows which platforms there are and makes one for a run."""

import importlib
import os
import sys

from farm.backends.backend import Backend
from farm.backends.netns_spaces import Spaces
from farm.errors import BackendError, FarmError
from farm.supervisor.run_directory import RunDirectory
from farm.supervisor.state import Identity

HOMES = {
    "process": ("farm.backends.process", "ProcessBackend"),
    "netns": ("farm.backends.netns", "NetnsBackend"),
    "docker": ("farm.backends.docker", "DockerBackend"),
    "swarm": ("farm.backends.swarm_either", "EitherSwarmBackend"),
    "kubernetes": ("farm.backends.kubernetes", "KubernetesBackend"),
}
"""Backend to the module and class it is; a platform's own library is imported with it, and only then."""

ROOTLESS = ("farm.backends.netns_rootless", "RootlessNetnsBackend")
"""What netns is for any user but root."""
OUTSIDE = ("farm.backends.netns_outside", "OutsideBackend")
"""What such a run is to whoever is not in it."""

EXTRAS = {"swarm": "docker"}
"""Extras whose names are not those of their backends."""

BACKENDS = tuple(HOMES)


def check_backend(name: str) -> str:
    """`name`, when there is such a backend. Raises `FarmError`."""
    if name not in BACKENDS:
        raise FarmError(f"there is no backend {name!r}; there is {', '.join(BACKENDS)}")
    return name


def make_backend(run: RunDirectory, identity: Identity) -> Backend:
    """The backend of a run, from what its folder says about it, to look at it and to end it. Raises `BackendError`
    where the library it stands on is not installed.

    Namespaces that a user made without root are seen from within only, and go with their processes: from here they
    are a run of processes.
    """
    name = _platform(identity)
    return _made(run, identity, OUTSIDE if name == "netns" and os.geteuid() != 0 else _home(name))


def make_supervised(run: RunDirectory, identity: Identity) -> Backend:
    """The same for the process that supervises it from now on, which may be moved into the run's namespaces."""
    name = _platform(identity)
    return _made(run, identity, ROOTLESS if name == "netns" and os.geteuid() != 0 else _home(name))


def _home(name: str) -> tuple[str, str]:
    """Where a backend is. A user's run of processes, as a run without files seems to be, may have been one in
    namespaces."""
    return OUTSIDE if name == "process" and os.geteuid() != 0 and sys.platform == "linux" else HOMES[name]


def _platform(identity: Identity) -> str:
    """What the run says it is on, or, where its files were lost and it says nothing, what it left shows."""
    name = check_backend(identity.backend)
    return "netns" if name == "process" and Spaces(identity.run_id).names() else name


def _made(run: RunDirectory, identity: Identity, home: tuple[str, str]) -> Backend:
    module, name = home
    try:
        made = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as exc:
        cure = f'pip install "plcfarm[{EXTRAS.get(identity.backend, identity.backend)}]"'
        raise BackendError(identity.backend, "open", f"{exc.name} is not installed: {cure}") from exc
    backend: Backend = made(run.path, identity.run_id, identity.epoch, run.control_socket, identity.token)
    return backend


def served_outside(backend: str) -> bool:
    """Whether this machine reaches the nodes of a backend at addresses of 127/8 only: those in network namespaces of
    another user than root, those in containers of a virtual machine, and those on overlays."""
    if backend == "netns":
        return os.geteuid() != 0
    return backend == "swarm" or (backend == "docker" and sys.platform != "linux")
