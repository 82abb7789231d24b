"""An encapsulation frame of EtherNet/IP as a machine: the reference that one can read, and watch.

    header 24, as `length` says bytes of:    RegisterSession      version u16 | options u16
                                             SendRRData,
                                             SendUnitData         interface u32 | timeout u16 | packet
                                             the List commands    nothing, or a packet
                                             any other            what it likes
    packet                                   count u16 | for each item: type u16 | length u16 | data; then anything

Nodes decode frames by `node.enip`, a hundred times as quick; a test has both look at the same bytes. Where a run ends
without accepting, `source.sent` is the byte where the frame went wrong (CIP Vol 2, 2-3 and 2-6).
"""

from __future__ import annotations

from node.automata.choices import choice
from node.automata.dotted import dotdict
from node.automata.machine import dfa
from node.automata.states import state_drop
from node.automata.values import octets, structure

REGISTER_SESSION = 0x0065
SENDS = (0x006F, 0x0070)
LISTS = (0x0001, 0x0004, 0x0063, 0x0064)

HEADER = ("command", "length", "session", "status", "sender_context", "options")
MOST_ITEMS, MOST_LISTED = 4, 32
"""Items that a message may have, and that a List reply may have."""


def encapsulation(name: str = "EtherNet/IP") -> dfa:
    """A machine that reads one frame. In the data: `enip.command`, `length`, `session`, `status`, `sender_context`,
    `options`; then `enip.register.version` and `options`, or `enip.send.interface` and `timeout`; of a packet
    `enip.CPF.count` and `enip.CPF.item[0].type_id`, `length` and `data`; of any other command `enip.data`."""
    register = structure("register", "<HH", ("version", "options"), context="register")
    send = structure("send", "<IH", ("interface", "timeout"), context="send")
    send[None] = packet(MOST_ITEMS)
    sent, listed = dfa("send data", send), packet(MOST_LISTED)
    data = octets("data", "length", context="data")

    def follows(found: dotdict, path: str) -> dfa | None:
        command, length = found[f"{path}.command"], found[f"{path}.length"]
        if command == REGISTER_SESSION:
            return register
        if command in SENDS:
            return sent
        return (listed if command in LISTS else data) if length else None

    header = structure("header", "<HHII8sI", HEADER, context="")
    header[None] = choice("body", follows, size="length", terminal=True)
    return dfa(name, header, terminal=True, context="enip")


def packet(most: int) -> dfa:
    """A machine of a Common Packet Format packet with `most` items at most, and whatever comes behind them."""
    count = _count(most)
    head = structure("item", "<HH", ("type_id", "length"), context="")
    head[None] = octets("item data", "length", terminal=True, context="data")
    items = dfa("items", head, terminal=True, context="item", repeat="count")
    rest = state_drop("rest", terminal=True)
    rest[True] = rest
    count[None] = items
    items[True] = rest
    return dfa("packet", count, terminal=True, context="CPF")


class _count(structure):
    """How many items there are. A state of its own refuses too many: their bytes stay in the source."""

    def __init__(self, most: int) -> None:
        super().__init__("count", "<H", ("count",), context="")
        self.most = most

    def fits(self, data: dotdict, path: str) -> bool:
        """Whether so many are taken."""
        return int(data[f"{path}.count"]) <= self.most
