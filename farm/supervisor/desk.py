"""The dashboard's door to a supervisor: `dashboard/sock`, with those operations that its pages need and no others.

Its process is unprivileged. Where this one is root, the dashboard has a uid of its own that no node of any farm has:
only that uid may pass into the folder, and who connects is asked for it again (SO_PEERCRED, unix(7)).
"""

import asyncio
import contextlib
import logging
import os
import socket
import struct

from farm.supervisor.dashboard_user import dashboard_user
from farm.supervisor.door import Door
from farm.supervisor.operations import Operations
from farm.supervisor.supervisor import Supervisor

log = logging.getLogger(__name__)

ALLOWED = (
    "fleet",
    "nodes",
    "node",
    "tags",
    "command",
    "trend",
    "watch",
    "requests",
    "connections",
    "clients",
    "faults",
    "fault_add",
    "fault_clear",
    "restart",
    "stop",
    "start",
    "events",
    "status",
    "plant",
)
"""Operations of the dashboard: none that makes other nodes, or ends the farm."""

REQUEST_LIMIT = 4 << 20
"""Bytes of a request."""
AT_ONCE = 256
"""Connections; more are hung up on."""


class Desk(Door):
    """Answers the dashboard of one supervisor."""

    def __init__(self, supervisor: Supervisor) -> None:
        table = Operations(supervisor).table
        super().__init__({name: table[name] for name in ALLOWED}, str(supervisor.run.log_file), REQUEST_LIMIT)
        self._path = supervisor.run.dashboard_socket
        self._users = {os.geteuid(), dashboard_user() or 0}

    async def start(self) -> None:
        """Makes the folder, and listens in it."""
        folder, user = self._path.parent, dashboard_user()
        folder.mkdir(mode=0o700, exist_ok=True)
        self._path.unlink(missing_ok=True)
        await self.listen(str(self._path))
        if user is not None:
            os.chown(folder, -1, user)
            os.chown(self._path, -1, user)
        folder.chmod(0o710 if user is not None else 0o700)
        self._path.chmod(0o660 if user is not None else 0o600)

    def admits(self, writer: asyncio.StreamWriter) -> bool:
        """Only this user, root, and the dashboard's own user."""
        if len(self._connections) > AT_ONCE:
            return False
        sock = writer.get_extra_info("socket")
        if not hasattr(socket, "SO_PEERCRED"):
            return True  # the folder's mode is what there is
        with contextlib.suppress(OSError):
            uid: int = struct.unpack("=iII", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
            if uid in self._users:
                return True
            log.warning("user %d is not let in at the dashboard's socket", uid)
        return False
