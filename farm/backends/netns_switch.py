"""The switch of a farm: one network namespace that holds all bridges with their ports, and that the farm itself is in.

So the machine's own list of links, its firewall and its services never see the plant's traffic, and taking this one
namespace away takes every bridge and port away (docs/decisions/0017). Ways into it, and into the machine's namespace
where the ends of a few links lie, are sockets that stay where they were made: this process need not be inside.
"""

import contextlib
import os
import threading
from pathlib import Path

from farm.backends.netns_spaces import Spaces, inside, opened, setns
from farm.backends.rtnetlink import LOOPBACK, Link, Rtnetlink, set_link
from farm.errors import BackendError

SWITCH = "switch"
FIRST_PORT = 1 << 20
"""Index of the first port: those that the kernel gives out by itself are far below."""

SETTINGS = {
    "net/ipv4/ip_forward": "0",  # a new namespace takes the machine's
    "net/ipv4/conf/all/arp_ignore": "1",  # a bridge answers for its own address and no other bridge's
    "net/ipv4/conf/all/arp_announce": "2",
    "net/ipv6/conf/all/disable_ipv6": "1",
    "net/ipv6/conf/default/disable_ipv6": "1",
    "net/bridge/bridge-nf-call-iptables": "0",
    "net/bridge/bridge-nf-call-arptables": "0",
}


class Switch:
    """The switch of the run that `spaces` is of. Whoever makes it stands in the machine's namespace."""

    def __init__(self, spaces: Spaces) -> None:
        self.spaces = spaces
        self.machine = Rtnetlink()
        self.machine_namespace = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self._lock = threading.Lock()
        self._namespace = -1
        self._kernel: Rtnetlink | None = None
        self._last_port = FIRST_PORT

    @property
    def namespace(self) -> int:
        """A descriptor of its namespace, which is made when it is not there. Raises `BackendError`."""
        with self._lock:
            self._be_there()
            return self._namespace

    @property
    def kernel(self) -> Rtnetlink:
        """A socket in its namespace, which is made when it is not there. Raises `BackendError`."""
        with self._lock:
            return self._be_there()

    def enter(self) -> None:
        """Moves this process, which must have one thread, into its namespace. Raises `BackendError`."""
        try:
            setns(self.namespace)
        except OSError as exc:
            raise BackendError(SWITCH, "enter", str(exc)) from exc

    def links(self) -> list[Link]:
        """All that are in it; none when there is no switch, which is not made for that."""
        with self._lock:
            if self._kernel is None and not self.spaces.sound(SWITCH):
                return []
            kernel = self._be_there()
        found = kernel.links()
        with self._lock:
            self._last_port = max([self._last_port, *(link.index for link in found)])
        return found

    def new_index(self) -> int:
        """An index for a port that is about to be made."""
        with self._lock:
            self._last_port += 1
            return self._last_port

    def drop(self) -> None:
        """Takes the pin away; the namespace ends when nobody is in it any more."""
        with self._lock:
            self.spaces.drop(SWITCH)
            self._leave()

    def close(self) -> None:
        """Closes what is open; all of it stays. Nothing can be asked after it."""
        with self._lock:
            self._leave()
            self.machine.close()
            if self.machine_namespace >= 0:
                os.close(self.machine_namespace)
            self.machine_namespace = -1

    def _be_there(self) -> Rtnetlink:
        """Finds it, makes it, or pins it again when its pin was taken away."""
        if self._kernel is not None and not self._is_ours():
            self.spaces.drop(SWITCH)
            inside(self._namespace, lambda: self.spaces.pin_this(SWITCH))
        if self._kernel is None:
            if not self.spaces.sound(SWITCH):
                self.spaces.drop(SWITCH)
                self.spaces.prepare()
                self.spaces.make(SWITCH, _set_up)
            try:
                self._namespace = os.open(self.spaces.pin(SWITCH), os.O_RDONLY | os.O_CLOEXEC)
                self._kernel = inside(self._namespace, Rtnetlink)
                links = self._kernel.links()
            except OSError as exc:
                raise BackendError(SWITCH, "enter", str(exc)) from exc
            self._last_port = max([FIRST_PORT, *(link.index for link in links)])
        return self._kernel

    def _is_ours(self) -> bool:
        try:
            return os.fstat(self._namespace).st_ino == self.spaces.pin(SWITCH).stat().st_ino
        except OSError:
            return False

    def _leave(self) -> None:
        if self._kernel is not None:
            self._kernel.close()
            os.close(self._namespace)
        self._kernel, self._namespace = None, -1


def write_setting(name: str, value: str) -> None:
    """Sets a kernel parameter (`net/...`) of the calling thread's namespace. Raises `OSError`."""
    descriptor = os.open(f"/proc/sys/{name}", os.O_WRONLY)
    try:
        os.write(descriptor, value.encode())
    finally:
        os.close(descriptor)


def _set_up() -> None:
    for name, value in SETTINGS.items():
        with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6, or without the bridge's filter
            write_setting(name, value)
    with Rtnetlink() as kernel:
        kernel.send([set_link(LOOPBACK, up=True)])


def namespace_inode(pin: Path) -> int:
    """What tells a namespace from every other; 0 when there is none."""
    try:
        with opened(pin) as descriptor:
            return os.fstat(descriptor).st_ino
    except OSError:
        return 0
