"""Into the network of another process: where a node is reached whom this machine does not reach.

Whoever made a user namespace may enter it, and what is in it; so a user without root gets to the nodes of a run of his
own, and root to all (setns(2), user_namespaces(7)).
"""

import os

from farm.backends.netns_spaces import CLONE_NEWNET, CLONE_NEWUSER, setns
from farm.errors import FarmError


def visit(pid: int, what: str) -> None:
    """Moves this process, which must have one thread, into the user and network namespaces of the process `pid`, whence
    it does not come back. Raises `FarmError` about `what`."""
    try:
        for kind, flag in (("user", CLONE_NEWUSER), ("net", CLONE_NEWNET)):
            descriptor = os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                if os.fstat(descriptor).st_ino != os.stat(f"/proc/self/ns/{kind}").st_ino:  # noqa: PTH116 - no file
                    setns(descriptor, flag)
            finally:
                os.close(descriptor)
    except FileNotFoundError as exc:
        raise FarmError(f"{what}: its process is gone; `farm ps` shows how it is") from exc
    except PermissionError as exc:
        raise FarmError(f"{what}: only root may enter its namespace") from exc
    except OSError as exc:
        raise FarmError(f"{what}: its namespace cannot be entered: {exc.strerror or exc}") from exc
