"""The one place that knows which platforms there are and makes one for a run."""

from collections.abc import Callable
from pathlib import Path

from farm.backends.backend import Backend
from farm.backends.netns_spaces import Spaces
from farm.backends.process import ProcessBackend
from farm.errors import FarmError
from farm.supervisor.run_directory import RunDirectory
from farm.supervisor.state import Identity

BACKENDS = ("process", "netns", "docker")

Maker = Callable[[Path, str, float, Path, str], Backend]
"""A backend of a run: its folder, run id, epoch, control socket and secret."""


def check_backend(name: str) -> str:
    """`name`, when there is such a backend. Raises `FarmError`."""
    if name not in BACKENDS:
        raise FarmError(f"there is no backend {name!r}; there is {', '.join(BACKENDS)}")
    return name


def make_backend(run: RunDirectory, identity: Identity) -> Backend:
    """The backend of a run, from what its folder says about it, or what it left where its files were lost: namespaces
    of its mark. Raises `FarmError` where an extra is missing."""
    name = check_backend(identity.backend)
    if name == "process" and Spaces(identity.run_id).names():
        name = "netns"
    made = _MAKERS[name]()
    return made(run.path, identity.run_id, identity.epoch, run.control_socket, identity.token)


def _process() -> Maker:
    return ProcessBackend


def _netns() -> Maker:
    """Imported when it is asked for: it is for Linux, and stands on an extra."""
    try:
        from farm.backends.netns import NetnsBackend
    except ModuleNotFoundError as exc:
        raise FarmError(f'{exc.name} is missing, backend netns stands on it: pip install "plcfarm[netns]"') from exc
    return NetnsBackend


def _docker() -> Maker:
    """Imported when it is asked for: the SDK is large, and may not be there."""
    try:
        from farm.backends.docker import DockerBackend
    except ModuleNotFoundError as exc:
        raise FarmError(f'{exc.name} is missing, backend docker stands on it: pip install "plcfarm[docker]"') from exc
    return DockerBackend


_MAKERS: dict[str, Callable[[], Maker]] = {"process": _process, "netns": _netns, "docker": _docker}
