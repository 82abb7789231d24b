"""Where a farm keeps what it needs while it runs: one folder a farm under one root a user.

Everything that must be found again after a `kill -9` hangs on this path. The run id is made from the path, the user and
the device of the root, not drawn by lot, so that the processes of a run are found by their `FARM_RUN` even when every
file of the folder is lost; the device keeps a container's farm of the same path apart from the host's.
"""

import fcntl
import hashlib
import os
import re
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from farm.errors import FarmError

ROOT_VARIABLE = "PLCFARM_RUN"
SOCKET_PATH_LIMIT = 107
"""Bytes in the path of a Unix socket (`sun_path` less its closing zero)."""

NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
OWN_FILES = frozenset(
    {"lock", "run.json", "state.json", "farm.sock", "control", "dashboard", "supervisor.log", "shards"}
)


def default_root() -> Path:
    """The root where `PLCFARM_RUN` names none: `$XDG_RUNTIME_DIR/plcfarm`, else `/tmp/plcfarm-<uid>`."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_dir():
        return Path(runtime) / "plcfarm"
    return Path(f"/tmp/plcfarm-{os.getuid()}")


def run_root() -> Path:
    """The folder that holds this user's runs. It need not exist."""
    named = os.environ.get(ROOT_VARIABLE)
    return Path(named).absolute() if named else default_root()


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """The folder of one farm, and the paths in it."""

    path: Path

    @property
    def name(self) -> str:
        """The farm's name."""
        return self.path.name

    @property
    def farm_socket(self) -> Path:
        """Where the supervisor takes requests."""
        return self.path / "farm.sock"

    @property
    def control_socket(self) -> Path:
        """Where shards dial: in a folder of its own, which a container can be given whole, for the socket is made anew
        by each supervisor."""
        return self.path / "control" / "sock"

    @property
    def dashboard_socket(self) -> Path:
        """Where the supervisor takes the dashboard's requests: in a folder that its user alone may pass into."""
        return self.path / "dashboard" / "sock"

    @property
    def lock_file(self) -> Path:
        """Locked by the supervisor for as long as it lives."""
        return self.path / "lock"

    @property
    def identity_file(self) -> Path:
        """What never changes in a run (`state.Identity`), written before the first process is started."""
        return self.path / "run.json"

    @property
    def state_file(self) -> Path:
        """What is wanted (`state.RunState`)."""
        return self.path / "state.json"

    @property
    def log_file(self) -> Path:
        """What the supervisor prints."""
        return self.path / "supervisor.log"

    @property
    def events_file(self) -> Path:
        """What happened (`events.EventLog`)."""
        return self.path / "events.jsonl"

    @property
    def run_id(self) -> str:
        """The value of `FARM_RUN` in every process of this run: the name and 16 hex digits."""
        root = self.path.parent
        device = root.stat().st_dev if root.exists() else 0
        mark = f"{os.getuid()}:{device}:{root.resolve() / self.path.name}"
        return f"{self.name}-{hashlib.blake2b(mark.encode(), digest_size=8).hexdigest()}"

    def exists(self) -> bool:
        """Whether there is a folder of that name: a farm that runs, or what a killed one left."""
        return self.path.is_dir()

    def prepare(self) -> None:
        """Makes the root and the folder: others may pass to the control socket, and see and change nothing.

        Raises `FarmError` where a socket path would be too long or the root belongs to someone else."""
        longest = len(os.fsencode(self.dashboard_socket))
        if longest > SOCKET_PATH_LIMIT:
            raise FarmError(
                f"{self.dashboard_socket} has {longest} bytes, but the path of a Unix socket has at most "
                f"{SOCKET_PATH_LIMIT}: set {ROOT_VARIABLE} to a shorter folder"
            )
        root = self.path.parent
        try:
            root.mkdir(mode=0o711, parents=True, exist_ok=True)
            self.path.mkdir(mode=0o711, exist_ok=True)
        except OSError as exc:
            raise FarmError(
                f"cannot make {self.path}: {exc.strerror}; set {ROOT_VARIABLE} to a folder of yours"
            ) from exc
        for folder in (root, self.path):
            require_own(folder)


def require_own(folder: Path) -> None:
    """Raises `FarmError` unless `folder` is a real folder of this user in which nobody else may write: whoever may
    write there may put a socket of his own in place of ours."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise FarmError(f"{folder} is not a folder; take it away, or set {ROOT_VARIABLE} to another place")
    if found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise FarmError(
            f"{folder} belongs to uid {found.st_uid}, mode {stat.S_IMODE(found.st_mode):o}, but must be writable for "
            f"uid {os.getuid()} alone: set {ROOT_VARIABLE} to a folder of yours"
        )


def run_directory(name: str, root: Path | None = None) -> RunDirectory:
    """The folder of the farm `name`, made or not."""
    if not NAME.fullmatch(name):
        raise FarmError(f"{name!r} is no farm name: 1 to 32 letters, digits, - and _ are wanted")
    return RunDirectory((root or run_root()) / name)


def find_runs(root: Path | None = None) -> list[RunDirectory]:
    """Every run under `root` (default: this user's), by name: running, or left by a supervisor that was killed."""
    base = root or run_root()
    if not base.is_dir():
        return []
    folders = [path for path in sorted(base.iterdir()) if NAME.fullmatch(path.name) and path.is_dir()]
    return [RunDirectory(path) for path in folders if is_run(path)]


def is_run(folder: Path) -> bool:
    """Whether a folder holds one of a run's files, or nothing yet."""
    try:
        names = {entry.name for entry in os.scandir(folder)}
    except OSError:
        return False
    return not names or bool(names & OWN_FILES)


def run_named(name: str | None, root: Path | None = None) -> RunDirectory:
    """The run `name`, or the only one. Raises `FarmError` when there is none, or several and no name."""
    runs = find_runs(root)
    if name is not None:
        for run in runs:
            if run.name == name:
                return run
        known = ", ".join(run.name for run in runs) or "none"
        raise FarmError(f"no farm named {name!r} is running under {root or run_root()} (running: {known})")
    if not runs:
        raise FarmError(f"no farm is running under {root or run_root()}; start one with `farm up`")
    if len(runs) > 1:
        raise FarmError(f"{len(runs)} farms are running ({', '.join(run.name for run in runs)}): name one")
    return runs[0]


class Lock:
    """The lock of a run. Who holds it is its supervisor; it goes with the process, however that ends."""

    def __init__(self, run: RunDirectory) -> None:
        self._path = run.lock_file
        self._descriptor = -1

    def take(self, patience: float = 0.0) -> bool:
        """Tries for `patience` seconds; true when it is ours now. A lock file that was removed while we waited does
        not count: it is another run's by then."""
        give_up = time.monotonic() + patience
        while not self._try():
            if time.monotonic() >= give_up:
                return False
            time.sleep(0.01)
        return True

    def _try(self) -> bool:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            return False  # the folder was taken away a moment ago
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            ours, there = os.fstat(descriptor), self._path.stat()
            if (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino):
                self._descriptor = descriptor
                return True
        except OSError:
            pass
        os.close(descriptor)
        return False

    def release(self) -> None:
        """Gives it back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
