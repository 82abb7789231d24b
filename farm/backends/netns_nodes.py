"""The namespaces of nodes on their networks, made together where they are asked for together.

The kernel has one lock for all links of the machine, so links made by several threads at once take longer than one
after the other. Whoever has his turn makes those of all who wait for theirs, with a few sends for all of them; and they
go on together to the nursery, whose children share more memory that way.
"""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from farm.backends.netns_networks import Networks
from farm.backends.netns_routers import Routers
from farm.backends.netns_switch import Switch
from farm.backends.netns_wiring import Attachment, is_wired, port_name, wire_all
from farm.errors import BackendError
from node.config.model import InterfaceConfig


@dataclass(slots=True)
class _Wish:
    """A namespace that is wanted, and what became of it."""

    space: str
    interfaces: Sequence[InterfaceConfig]
    granted: bool = False
    anew: bool = False
    error: BackendError | None = None


class Nodes:
    """Puts nodes on `networks` and makes them known to `routers`."""

    def __init__(self, switch: Switch, networks: Networks, routers: Routers) -> None:
        self._switch = switch
        self._networks = networks
        self._routers = routers
        self._turn = threading.Lock()
        self._wishes: deque[_Wish] = deque()

    def connect(self, space: str, interfaces: Sequence[InterfaceConfig]) -> bool:
        """Has the namespace be there with these interfaces, known to all who are to know them. What is right stays;
        true when it was made anew. Raises `BackendError`."""
        wish = _Wish(space, interfaces)
        self._wishes.append(wish)
        with self._turn:
            if not wish.granted:
                self._grant([self._wishes.popleft() for _ in range(len(self._wishes))])
        if wish.error is not None:
            raise wish.error
        return wish.anew

    def forget(self, interfaces: Sequence[InterfaceConfig]) -> None:
        """They are gone. Raises `BackendError`."""
        if interfaces:
            self._networks.forget(interfaces)
            self._routers.forget(interfaces)

    def _grant(self, wishes: list[_Wish]) -> None:
        try:
            self._connect(wishes)
        except BackendError as exc:
            if len(wishes) == 1:
                wishes[0].error = exc
            else:
                for wish in wishes:  # one after the other, to see whose fault it is
                    self._grant([wish])
        finally:
            for wish in wishes:
                wish.granted = True

    def _connect(self, wishes: list[_Wish]) -> None:
        attached: dict[str, Sequence[Attachment]] = {}
        anew: dict[str, Sequence[Attachment]] = {}
        for wish in wishes:
            found = self._standing(wish)
            wish.anew = found is None
            attached[wish.space] = self._attach(wish.interfaces) if found is None else found
            if found is None:
                anew[wish.space] = attached[wish.space]
        if anew:
            wire_all(self._switch, anew)
        together = [attachment for each in attached.values() for attachment in each]
        if together:
            self._networks.introduce(together)
            self._routers.introduce([attachment.interface for attachment in together])

    def _attach(self, interfaces: Sequence[InterfaceConfig]) -> list[Attachment]:
        mac_of = self._routers.mac_of
        return [
            self._networks.attach(each, mac_of(each.network, each.gateway) if each.gateway else "")
            for each in interfaces
        ]

    def _standing(self, wish: _Wish) -> list[Attachment] | None:
        """How a node is attached whose namespace and links are there and right, else None."""
        spaces = self._switch.spaces
        if not spaces.sound(wish.space):
            return None
        kernel, names = self._switch.kernel, [port_name(wish.space, number) for number in range(len(wish.interfaces))]
        try:
            links = {name: link for name in names if (link := kernel.link(name)) is not None}
        except OSError as exc:
            raise BackendError(wish.space, "create", str(exc)) from exc
        if not is_wired(spaces, wish.space, wish.interfaces, links, self._networks.bridges):
            return None
        return [Attachment(each, links[name].master) for name, each in zip(names, wish.interfaces, strict=True)]
