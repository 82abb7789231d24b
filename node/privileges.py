"""What a node's process gives up before it serves: it enters its network, becomes a user of its own, and keeps nothing.

After `give_up` the process can gain no privileges by running a program, has no capability but those named, may write
none of the farm's files, and is limited in what it can take from its neighbours. What it needs later must be open by
then. It stays dumpable, or the farm, which finds its processes by the mark in `/proc/PID/environ`, could not read it
where it is not root. Linux only (capabilities(7), prctl(2), setns(2)).
"""

import contextlib
import ctypes
import os
import resource
import struct
from collections.abc import Iterable, Mapping

NET_BIND_SERVICE = 10
"""The capability to listen on ports below 1024."""

LIMITS = {
    "nofile": resource.RLIMIT_NOFILE,
    "core": resource.RLIMIT_CORE,
    "as": resource.RLIMIT_AS,
    "nproc": getattr(resource, "RLIMIT_NPROC", -1),
}
"""By the names of setrlimit(2); `nproc` counts all processes of the user, so it goes with a user of one's own."""

_CLONE_NEWNET = 0x40000000
_PR_SET_DUMPABLE, _PR_SET_KEEPCAPS, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 4, 8, 24, 38, 47
_PR_GET_NO_NEW_PRIVS = 39
_AMBIENT_CLEAR_ALL = 4
_LAST_CAPABILITY = 63
_CAPABILITY_VERSION = 0x20080522
_HEADER = struct.Struct("=II")
_SETS = struct.Struct("=6I")
"""Effective, permitted and inheritable, the low halves and then the high ones."""

_libc = ctypes.CDLL(None, use_errno=True)


class PrivilegeError(OSError):
    """Something that could not be given up."""


def rehearse() -> None:
    """Does what costs memory the first time and changes nothing: a nursery's children then share the pages."""
    _prctl(_PR_GET_NO_NEW_PRIVS, 0)
    _capget()


def enter_network(pin: str) -> None:
    """Moves this process, which has one thread, into the network namespace pinned at the path `pin`."""
    descriptor = os.open(pin, os.O_RDONLY)
    try:
        _check(_libc.setns(descriptor, _CLONE_NEWNET), f"enter the network namespace {pin}")
    finally:
        os.close(descriptor)


def give_up(
    uid: int | None = None,
    gid: int | None = None,
    keep: Iterable[int] = (),
    limits: Mapping[str, int] | None = None,
) -> None:
    """Becomes the user `uid` and group `gid` (None: stays who it is), keeps of its capabilities those of `keep`, and
    sets `limits` by the names of `LIMITS`. Raises `PrivilegeError` with what did not work; the process must end then.
    """
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    permitted = _capget()[1]
    kept = sum(1 << number for number in set(keep)) & permitted
    _clear_sets(kept)
    for name, value in (limits or {}).items():
        _limit(name, value)
    if uid is not None and gid is not None:
        _prctl(_PR_SET_KEEPCAPS, 1 if kept else 0)
        try:
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
        except OSError as exc:
            raise PrivilegeError(exc.errno, f"become user {uid}: {exc.strerror}") from exc
    _capset(kept)
    _prctl(_PR_SET_DUMPABLE, 1)


def _clear_sets(kept: int) -> None:
    """Ambient and bounding set; the latter is let be where there is no right to, for it has no effect any more."""
    with contextlib.suppress(OSError):  # a kernel before 4.3 has none
        _prctl(_PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL)
    for number in range(_LAST_CAPABILITY + 1):
        if not kept >> number & 1 and _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0):
            return  # no such capability: the last one is passed; or no right to


def _limit(name: str, value: int) -> None:
    kind = LIMITS[name]
    _, hard = resource.getrlimit(kind)
    wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(kind, (wanted, wanted))
    except (OSError, ValueError) as exc:
        raise PrivilegeError(0, f"limit {name} to {wanted}: {exc}") from exc


def _capget() -> tuple[int, int, int]:
    """Effective, permitted and inheritable capabilities, a bit each."""
    header = ctypes.create_string_buffer(_HEADER.pack(_CAPABILITY_VERSION, 0))
    sets = ctypes.create_string_buffer(_SETS.size)
    _check(_libc.capget(header, sets), "read the capabilities")
    low_e, low_p, low_i, high_e, high_p, high_i = _SETS.unpack(sets.raw[: _SETS.size])
    return low_e | high_e << 32, low_p | high_p << 32, low_i | high_i << 32


def _capset(kept: int) -> None:
    low, high = kept & 0xFFFFFFFF, kept >> 32
    header = ctypes.create_string_buffer(_HEADER.pack(_CAPABILITY_VERSION, 0))
    sets = ctypes.create_string_buffer(_SETS.pack(low, low, 0, high, high, 0))
    _check(_libc.capset(header, sets), "set the capabilities")


def _prctl(option: int, value: int) -> None:
    _check(_libc.prctl(option, value, 0, 0, 0), f"prctl {option}")


def _check(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise PrivilegeError(code, f"{what}: {os.strerror(code)}")
