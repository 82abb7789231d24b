"""The hosts of a plant, and which of them each node may be on. Of use to backend swarm; the others pass them over, so
that one file serves them all, but what cannot be is told on every backend."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from farm.topology.document import ListNode, MapNode, Node, Scalar, shown
from farm.topology.groups import Member
from farm.topology.host_keys import CONTEXT, ENGINE_URL, FOLDER, IMAGE, PLACEMENT
from farm.topology.placement import STATIC, HostSpec, Placement
from farm.topology.problem import Report, TooManyError, suggestion
from farm.topology.shapes import read, take

MAX_HOSTS = 256


def read_placement(head: MapNode, members: list[Member], folder: Path, report: Report) -> Placement:
    """From the filled-in settings of a file that lies in `folder`, and its nodes."""
    hosts = tuple(_hosts(head, folder, report))
    declared = head.map("hosts")
    known = dict.fromkeys(declared.entries) if declared is not None else {}
    homes = dict(_homes(members, known, report))
    kind = take(head, "placement", PLACEMENT, STATIC, report)
    return Placement(kind, hosts, homes, take(head, "image", IMAGE, "", report))


def _hosts(head: MapNode, folder: Path, report: Report) -> Iterator[HostSpec]:
    """Those that can be; for the others an error is noted."""
    declared = head.map("hosts")
    for number, (name, key, body) in enumerate(declared.items() if declared is not None else ()):
        if number >= MAX_HOSTS:
            report.error("F037", key, f"the plant has more than {MAX_HOSTS} hosts")
            raise TooManyError
        if isinstance(body, Scalar) and not body.dollar:
            url = read(body, ENGINE_URL, f"host {shown(name)}", report)
            if url is not None:
                yield HostSpec(name, url)
        elif isinstance(body, MapNode):
            host = _host(name, key, body, folder, report)
            if host is not None:
                yield host


def _host(name: str, key: Scalar, body: MapNode, folder: Path, report: Report) -> HostSpec | None:
    url = take(body, "url", ENGINE_URL, "", report)
    context = take(body, "context", CONTEXT, "", report)
    tls = take(body, "tls", FOLDER, "", report)
    if (body.get("url") is None) == (body.get("context") is None):
        both = "both 'url' and 'context'" if context else "neither 'url' nor 'context'"
        report.error("F076", key, f"host {shown(name)} has {both}", "give one of them")
        return None
    if tls and not url.startswith("tcp://"):
        report.error("F076", body.get("tls") or key, "'tls' is for an engine at tcp://", "leave it out")
        return None
    return HostSpec(name, url, str((folder / tls).absolute()) if tls else "", context)


def _homes(members: list[Member], known: Mapping[str, object], report: Report) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The hosts of each node whose file names any."""
    for member in members:
        written = member.body.get("host")
        if written is None:
            continue
        report.subject = member.name
        names = [item for item in _items(written) if isinstance(item, Scalar) and not item.dollar]
        for item in names:
            if item.text not in known:
                hint = suggestion(item.text, known) or (f"known: {', '.join(known)}" if known else "'hosts' names none")
                report.error("F075", item, f"host {shown(item.text)} is unknown", hint)
        yield member.name, tuple(dict.fromkeys(item.text for item in names))
    report.subject = ""


def _items(written: Node) -> list[Node]:
    return written.items if isinstance(written, ListNode) else [written]
