"""Network namespaces of one run: made, pinned under a name, entered, taken away.

A namespace belongs to a thread, and a socket stays in the one it was made in; so whatever is to be done inside is done
by a thread of its own, which ends there (`inside`). Pins are bind mounts in one folder: /run/netns, where `ip netns`
finds them, or one of a rootless run's own mount namespace. Names begin with the run's mark, so that a run's namespaces
are found without any file, and no other's are touched (namespaces(7), mount(2)).
"""

import contextlib
import ctypes
import errno
import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from farm.errors import BackendError

T = TypeVar("T")

PINS = Path("/run/netns")
PREFIX = "pf-"
"""Of every namespace, and of every link in the machine's own namespace, that any run makes."""
MARK_DIGITS = 8

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE, MS_SHARED = 0x1000, 0x4000, 1 << 18, 1 << 20
MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)


def run_mark(run_id: str) -> str:
    """`pf-` and eight hex digits: what the names of a run's namespaces and links begin with."""
    return PREFIX + hashlib.blake2b(run_id.encode(), digest_size=MARK_DIGITS // 2).hexdigest()


def unshare(flags: int) -> None:
    """Puts the calling thread into new namespaces. Raises `OSError`."""
    _check(_libc.unshare(flags), "unshare")


def setns(descriptor: int, flags: int = CLONE_NEWNET) -> None:
    """Puts the calling thread into the namespace that `descriptor` holds. Raises `OSError`."""
    _check(_libc.setns(descriptor, flags), "setns")


def mount(source: str, target: str, flags: int, kind: str | None = None) -> None:
    """mount(2), without options. Raises `OSError`."""
    filesystem = None if kind is None else kind.encode()
    _check(_libc.mount(source.encode(), target.encode(), filesystem, ctypes.c_ulong(flags), None), f"mount {target}")


def unmount(target: str) -> None:
    """Takes a mount away, now or when its last user ends. Raises `OSError`."""
    _check(_libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def inside(namespace: int | Path, work: Callable[[], T]) -> T:
    """What `work` returns or raises, done by a thread in a network namespace (a descriptor or a pin).

    Raises `OSError` when it cannot be entered.
    """

    def enter_and_work() -> T:
        if isinstance(namespace, int):
            setns(namespace)
        else:
            with opened(namespace) as descriptor:
                setns(descriptor)
        return work()

    return _by_a_thread(enter_and_work)


@contextlib.contextmanager
def opened(pin: Path) -> Iterator[int]:
    """A descriptor of a pinned namespace."""
    descriptor = os.open(pin, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class Spaces:
    """The namespaces of the run `run_id`, pinned in `pins`. Names here are without the run's mark: `switch`,
    `node.NAME`, `router.NAME`."""

    def __init__(self, run_id: str, pins: Path = PINS) -> None:
        self.mark = run_mark(run_id)
        self.pins = pins

    def pin(self, name: str) -> Path:
        """Where the namespace `name` is pinned."""
        return self.pins / f"{self.mark}.{name}"

    def names(self) -> list[str]:
        """Those that have a pin, sound or not."""
        start = f"{self.mark}."
        try:
            return sorted(name[len(start) :] for name in os.listdir(self.pins) if name.startswith(start))  # noqa: PTH208
        except OSError:
            return []

    def sound(self, name: str) -> bool:
        """Whether the pin holds a namespace: one that was killed in between is an empty file."""
        try:
            return self.pin(name).stat().st_dev != self.pins.stat().st_dev
        except OSError:
            return False

    def make(self, name: str, set_up: Callable[[], T]) -> T:
        """A new namespace, pinned as `name`, and what `set_up` returns, which is called inside by the thread that made
        it, after it was pinned. Raises `BackendError`; nothing is left then."""
        return self.make_all([name], lambda name: set_up())[name]

    def make_all(self, names: Sequence[str], set_up: Callable[[str], T]) -> dict[str, T]:
        """Several at once, by one thread; `set_up` is called in each with its name. Raises `BackendError`; none of them
        is left then."""
        outcomes: dict[str, T] = {}

        def create() -> None:
            for name in names:
                unshare(CLONE_NEWNET)
                self.pin_this(name)
                outcomes[name] = set_up(name)

        try:
            _by_a_thread(create)
        except BaseException as exc:
            for name in names:
                self.drop(name)
            if isinstance(exc, OSError):
                failed = names[min(len(outcomes), len(names) - 1)]
                raise BackendError(failed, "create", f"no network namespace: {exc}") from exc
            raise
        return outcomes

    def drop(self, name: str) -> None:
        """Takes the pin away; the namespace ends with the last process in it. Not an error when it is gone."""
        pin = self.pin(name)
        with contextlib.suppress(OSError):
            while True:  # until it is no mount any more: somebody may have mounted twice
                unmount(str(pin))
        with contextlib.suppress(OSError):
            pin.unlink(missing_ok=True)

    def pin_this(self, name: str) -> None:
        """Pins the calling thread's namespace as `name`. Raises `OSError`."""
        pin = self.pin(name)
        os.close(os.open(pin, os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o444))
        mount(f"/proc/self/task/{threading.get_native_id()}/ns/net", str(pin), MS_BIND)

    def prepare(self) -> None:
        """Makes the folder of pins what `ip netns` makes of it: a mount of its own, shared. Raises `BackendError`.

        One that is a mount already is not mounted once more: each would double all that are there.
        """
        try:
            self.pins.mkdir(mode=0o755, parents=True, exist_ok=True)
            try:
                mount("", str(self.pins), MS_SHARED)
            except OSError as exc:
                if exc.errno != errno.EINVAL:  # it is no mount
                    raise
                mount(str(self.pins), str(self.pins), MS_BIND)
                mount("", str(self.pins), MS_SHARED)
        except OSError as exc:
            raise BackendError("networks", "create", f"cannot prepare {self.pins}: {exc.strerror}") from exc


def _by_a_thread(work: Callable[[], T]) -> T:
    """What `work` returns or raises in a thread of its own, which ends with it: where it stands is nobody else's."""
    outcome: list[T] = []
    failure: list[BaseException] = []

    def do() -> None:
        try:
            outcome.append(work())
        except BaseException as exc:
            failure.append(exc)

    thread = threading.Thread(target=do)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def _check(result: int, what: str) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
