"""The one place that knows which platforms there are and makes one for a run."""

from farm.backends.backend import Backend
from farm.backends.process import ProcessBackend
from farm.errors import FarmError
from farm.supervisor.run_directory import RunDirectory
from farm.supervisor.state import Identity

BACKENDS = ("process", "netns")


def check_backend(name: str) -> str:
    """`name`, when there is such a backend. Raises `FarmError`."""
    if name not in BACKENDS:
        raise FarmError(f"there is no backend {name!r}; there is {', '.join(BACKENDS)}")
    return name


def make_backend(run: RunDirectory, identity: Identity) -> Backend:
    """The backend of a run, from what its folder says about it."""
    check_backend(identity.backend)
    if identity.backend == "netns":
        from farm.backends.netns import NetnsBackend

        return NetnsBackend(run.path, identity.run_id, identity.epoch, run.control_socket, identity.token)
    return ProcessBackend(run.path, identity.run_id, identity.epoch, run.control_socket, identity.token)
