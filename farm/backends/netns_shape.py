"""The quality of a node's link, made by the kernel: how fast, how lossy, how late, and whether it is there at all.

What goes to the node leaves by its port in the switch's namespace, what comes from it leaves by its interface in its
own, so each way has a queueing discipline of its own:

    rate     TBF, both ways
    loss     netem, both ways; without it a rule of nftables before the port's own queue and behind it
    delay    netem, from the node only, as the node itself would wait before it answers; without it left to the node
    down     the port is switched off: the node's interface loses its carrier and keeps all its settings

A kernel with netem gets one tree, netem above TBF. All of it is replaced in place: what is in flight stays, and so do
connections. A node has no privilege to change any of it.
"""

import fcntl
import shutil
import socket
import struct
import subprocess
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path

from farm.backends.netns_netem import CURE, netem_available
from farm.backends.netns_qdiscs import NETEM_CLASS, put_netem, put_tbf, take_below, take_root
from farm.backends.netns_spaces import inside
from farm.backends.rtnetlink import Message, Rtnetlink, switch_link
from farm.errors import BackendError
from farm.topology.wiring import GOOD, LinkQuality, Shaping

NFT = "nft"
_GET_MTU = 0x8921
_REQUEST = struct.Struct("16si20x")
_PARTS = 1_000_000
"""A loss is a share of so many, which nft draws from."""

Space = int | Path
"""A network namespace: a descriptor of it, or its pin."""


def shape(
    switch: Space,
    ports: Sequence[str],
    node: Space,
    interfaces: Sequence[str],
    quality: LinkQuality,
    *,
    losing_inside: bool = False,
) -> Shaping:
    """Makes each link of a node, from its port of the switch to its interface, as `quality` says, whatever it was made
    before, and says by which means.

    `ports` and `interfaces` are names of links in the namespaces `switch` and `node`, in the same order. With
    `losing_inside` a rule of nftables stands in the node's namespace and goes with it, and `forget` is not needed.
    Raises `BackendError`, with the node's pin or first port as its name.
    """
    name = _name(node, ports)
    netem = netem_available()
    late = bool(quality.delay or quality.jitter)
    if late and quality.kernel and not netem:
        wanted = f"this kernel has no netem, and `kernel` keeps the node from playing the delay itself: {CURE}"
        raise BackendError(name, "shape", wanted)
    loss = quality.loss if netem else 0.0
    towards = LinkQuality(loss=loss, rate=quality.rate)
    back = LinkQuality(quality.delay if netem else 0.0, quality.jitter if netem else 0.0, loss, quality.rate)
    state = [switch_link(port, up=quality.up) for port in ports]
    try:
        inside(node, lambda: _send(lambda: _queues(interfaces, back)))
        if not netem:
            lossy, links = (node, interfaces) if losing_inside else (switch, ports)
            inside(lossy, lambda: _lose(name, links, quality.loss))
        inside(switch, lambda: _send(lambda: [*_queues(ports, towards), *state]))
    except OSError as exc:
        raise BackendError(name, "shape", str(exc)) from exc
    left = LinkQuality(delay=quality.delay, jitter=quality.jitter) if late and not netem else GOOD
    return Shaping(quality, ", ".join(_means(quality, netem)), left)


def forget(switch: Space, ports: Sequence[str]) -> None:
    """Takes away what stays in the switch's namespace when a port is deleted: a rule there would wait for the next one
    of its name. Raises `BackendError`."""
    if shutil.which(NFT) is None:
        return
    try:
        inside(switch, lambda: _run_nft(ports[0], _rules(ports, 0.0)))
    except OSError as exc:
        raise BackendError(ports[0], "remove", str(exc)) from exc


def _means(quality: LinkQuality, netem: bool) -> list[str]:
    """By what the kernel does each part of it."""
    means = ["rate by tbf"] if quality.rate else []
    if quality.loss:
        means.append(f"loss by {'netem' if netem else 'nft'}")
    if (quality.delay or quality.jitter) and netem:
        means.append("delay by netem")
    return means if quality.up else [*means, "down by its port"]


def _queues(links: Sequence[str], quality: LinkQuality) -> list[Message]:
    """What makes each of `links`, all in the calling thread's namespace, send like that. Raises `OSError`."""
    messages = []
    for link in links:
        index, mtu = socket.if_nametoindex(link), _mtu(link)
        if quality.delay or quality.jitter or quality.loss:
            messages.append(put_netem(index, quality.delay, quality.jitter, quality.loss))
            below = put_tbf(index, quality.rate, mtu, NETEM_CLASS) if quality.rate else take_below(index)
            messages.append(below)
        else:
            messages.append(put_tbf(index, quality.rate, mtu) if quality.rate else take_root(index))
    return messages


def _send(messages: Callable[[], Sequence[Message]]) -> None:
    with Rtnetlink() as kernel:
        kernel.send(messages())


def _mtu(link: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        answer = fcntl.ioctl(asker, _GET_MTU, _REQUEST.pack(link.encode(), 0))
    return int(_REQUEST.unpack(answer)[1])


def _lose(name: str, ports: Sequence[str], loss: float) -> None:
    """Has nftables lose a share of all frames at `ports`, both ways; nothing to do where there is no nft and nothing
    to lose. Raises `BackendError`."""
    if shutil.which(NFT) is not None:
        _run_nft(name, _rules(ports, loss))
    elif loss:
        wanted = "loss needs netem, which this kernel has not, or the program nft: apt-get install nftables"
        raise BackendError(name, "shape", wanted)


def _run_nft(name: str, rules: str) -> None:
    done = subprocess.run([NFT, "-f", "-"], input=rules, capture_output=True, text=True, timeout=30, check=False)
    if done.returncode:
        words = " ".join(done.stderr.split())
        raise BackendError(name, "shape", f"nft refused its rules (netdev hooks need Linux 5.16): {words}")


def _rules(ports: Sequence[str], loss: float) -> str:
    """What nft reads: the tables of `ports` replaced, or taken away when nothing is lost. Written so that it succeeds
    whether a table was there or not."""
    lines = []
    lost = round(_PARTS * loss / 100)
    drop = f"numgen random mod {_PARTS} < {lost} drop" if lost < _PARTS else "drop"
    for port in ports:
        table = f"netdev link_{blake2b(port.encode(), digest_size=6).hexdigest()}"
        lines += [f"table {table}", f"delete table {table}"]
        if not loss:
            continue
        lines += [f"table {table} {{"]
        for hook in ("ingress", "egress"):
            lines += [f'chain {hook} {{ type filter hook {hook} device "{port}" priority 0; {drop}; }}']
        lines += ["}"]
    return "\n".join([*lines, ""])


def _name(node: Space, ports: Sequence[str]) -> str:
    """What an error calls the node: its name, which its pin ends with."""
    return node.name.partition(".node.")[2] or node.name if isinstance(node, Path) else ports[0]
