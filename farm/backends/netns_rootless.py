"""Nodes in network namespaces for a user without root: the same plant, within one user, network and mount namespace.

A holder keeps that namespace, and this process moves into it before anything else: there it is root, the holder's
network namespace is "the machine", and all is done as it is for root. Nodes are reached from the real machine at
addresses of 127/8, whose sockets a process that stays outside hands in. Needs user namespaces that this user may make,
and nothing else (docs/decisions/0019).
"""

import contextlib
import dataclasses
from pathlib import Path

from farm.backends import netns_doorway
from farm.backends.netns import NetnsBackend
from farm.backends.netns_holder import COMM, find_holder, make_holder
from farm.backends.netns_spaces import unmount
from farm.backends.observed import ObservedShard
from node.config.model import NodeConfig
from node.control.messages import Place

PINS = "netns"
"""Folder of the run in which namespaces are pinned, in the holder's mount namespace."""


class RootlessNetnsBackend(NetnsBackend):
    """See `NetnsBackend`. To make one is to move this process, which must have one thread, into the holder's
    namespaces, whence it does not come back. Raises `BackendError` with what forbids it and the cure."""

    def __init__(self, directory: Path, run_id: str, epoch: float, control: Path, secret: str) -> None:
        self._doorway = directory / netns_doorway.FILE
        if not netns_doorway.is_open(self._doorway):
            netns_doorway.open_doorway(self._doorway)
        holder = find_holder(directory, run_id) or make_holder(directory, run_id)
        holder.enter()
        super().__init__(directory, run_id, epoch, control, secret, directory / PINS)

    def place(self, shard: str, nodes: tuple[NodeConfig, ...]) -> Place:
        """In its namespace, with a way out of it."""
        return dataclasses.replace(super().place(shard, nodes), doorway=str(self._doorway))

    def strays(self, known: tuple[ObservedShard, ...]) -> tuple[int, ...]:
        """All but those that keep the namespaces."""
        return tuple(pid for pid in super().strays(known) if not _keeps(pid))

    def end_all(self, grace: float = 2.0) -> int:
        """The process outside cannot be signalled from within, so it is told."""
        count = super().end_all(grace)
        netns_doorway.close_doorway(self._doorway)
        with contextlib.suppress(OSError):  # a folder that is mounted on cannot be removed from within
            unmount(str(self._pins))
        return count


def _keeps(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_bytes().strip() in (COMM, netns_doorway.COMM)
    return False
