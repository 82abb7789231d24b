"""Into the network of another process: where a node is reached whom this machine does not reach.

Whoever made a user namespace may enter it, and what is in it; so a user without root gets to the nodes of a run of his
own, and root to all (setns(2), user_namespaces(7)).
"""

import os

from farm.backends.netns_spaces import CLONE_NEWNET, CLONE_NEWUSER, setns
from farm.errors import BackendError


def visit(pid: int) -> None:
    """Moves this process, which must have one thread, into the user and network namespaces of the process `pid`, whence
    it does not come back. Raises `BackendError`."""
    for kind, flag in (("user", CLONE_NEWUSER), ("net", CLONE_NEWNET)):
        theirs = f"/proc/{pid}/ns/{kind}"
        try:
            descriptor = os.open(theirs, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as exc:
            raise BackendError(f"process {pid}", "enter", f"its {kind} namespace: {exc.strerror}") from exc
        try:
            if os.fstat(descriptor).st_ino != os.stat(f"/proc/self/ns/{kind}").st_ino:  # noqa: PTH116 - a link to no file
                setns(descriptor, flag)
        except OSError as exc:
            raise BackendError(f"process {pid}", "enter", f"its {kind} namespace: {exc.strerror or exc}") from exc
        finally:
            os.close(descriptor)
