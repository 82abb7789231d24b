"""The one place that knows which platforms there are and makes one for a run."""

import importlib
import os
import sys

from farm.backends.backend import Backend
from farm.errors import BackendError, FarmError
from farm.supervisor.run_directory import RunDirectory
from farm.supervisor.state import Identity

HOMES = {
    "process": ("farm.backends.process", "ProcessBackend"),
    "netns": ("farm.backends.netns", "NetnsBackend"),
    "docker": ("farm.backends.docker", "DockerBackend"),
}
"""Backend to the module and class it is; a platform's own library is imported with it, and only then."""

BACKENDS = tuple(HOMES)


def check_backend(name: str) -> str:
    """`name`, when there is such a backend. Raises `FarmError`."""
    if name not in BACKENDS:
        raise FarmError(f"there is no backend {name!r}; there is {', '.join(BACKENDS)}")
    return name


def make_backend(run: RunDirectory, identity: Identity) -> Backend:
    """The backend of a run, from what its folder says about it. Raises `BackendError` where the library it stands on is
    not installed."""
    module, name = HOMES[check_backend(identity.backend)]
    try:
        made = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as exc:
        cure = f'pip install "plcfarm[{identity.backend}]"'
        raise BackendError(identity.backend, "open", f"{exc.name} is not installed: {cure}") from exc
    backend: Backend = made(run.path, identity.run_id, identity.epoch, run.control_socket, identity.token)
    return backend


def served_outside(backend: str) -> bool:
    """Whether this machine reaches the nodes of a backend at addresses of 127/8 only: those in network namespaces of
    another user than root, and those in containers of a virtual machine."""
    if backend == "netns":
        return os.geteuid() != 0
    return backend == "docker" and sys.platform != "linux"
