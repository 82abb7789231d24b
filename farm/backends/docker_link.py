"""A container's cable: the outer ends of its interfaces are taken down and up, so that it sees no carrier and keeps its
addresses, routes and MACs. Docker itself can only take an interface away and make another.

The outer end of an interface is the link whose index is its `iflink`, which root reads in the container's own /sys
(its interfaces are eth0, eth1 … there). On a macvlan there is no such end.
"""

import os
from pathlib import Path

from farm.backends.rtnetlink import Rtnetlink, set_link
from farm.errors import BackendError


def pull_cable(node: str, pid: int, *, up: bool) -> None:
    """Takes the links of the process `pid`'s container down, or up again. Raises `BackendError`, without root too."""
    if os.geteuid() != 0:
        raise BackendError(node, "shape", "root alone can pull a container's cable: run the farm with sudo")
    try:
        inside = Path(f"/proc/{pid}/root/sys/class/net")
        ends = {path.name: int((path / "iflink").read_text()) for path in inside.glob("eth*")}
        with Rtnetlink() as machine:
            veths = {link.index for link in machine.links() if link.kind == "veth"}
            outer = [index for index in ends.values() if index in veths]
            machine.send([set_link(index, up=up) for index in outer])
    except OSError as exc:
        raise BackendError(node, "shape", f"its link cannot be taken {'up' if up else 'down'}: {exc}") from exc
    if not outer:
        raise BackendError(node, "shape", "its container is on no bridge: there is no cable to pull")
