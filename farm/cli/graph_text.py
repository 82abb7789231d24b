"""A plant's graph in words and lines: for a terminal, for Graphviz (DOT), for Mermaid."""

from collections.abc import Iterator

from farm.cli.plant_graph import Crossing, PlantGraph, Zone

RULES = 6
"""Rules of a router that a picture shows; the text shows all."""


def as_text(graph: PlantGraph, width: int) -> str:
    """Networks from the highest level down; below each the routers that lead on from it. No line is over `width`."""
    lines = [graph.title]
    left = list(graph.crossings)
    for zone in graph.zones:
        lines += ["", zone.title, *_members(zone)]
        here = [crossing for crossing in left if any(name == zone.network.name for name, _ in crossing.addresses)]
        for crossing in here:
            left.remove(crossing)
            lines += _router(crossing)
    return "\n".join(line if len(line) <= width else f"{line[: width - 1]}…" for line in lines)


def _members(zone: Zone) -> Iterator[str]:
    names = max((len(group.name) for group in zone.groups), default=0)
    addresses = max((len(group.address) for group in zone.groups), default=0)
    for group in zone.groups:
        yield f"  {group.name:{names}}  {group.address:{addresses}}  {group.what}"
    if not zone.groups:
        yield "  (nothing)"


def _router(crossing: Crossing) -> Iterator[str]:
    yield "    |"
    yield f"  <{crossing.name}>  " + ", ".join(f"{network} {address}" for network, address in crossing.addresses)
    for rule in crossing.rules:
        yield f"    | {rule}"
    if not crossing.rules:
        yield "    | nothing passes"


def as_dot(graph: PlantGraph) -> str:
    """For `dot -Tsvg`: a cluster for each network, an edge from each router to its networks."""
    lines = ["graph plant {", f"  label={_quoted(graph.title)}; compound=true; node [shape=box, fontname=sans];"]
    for number, zone in enumerate(graph.zones):
        lines += [f"  subgraph cluster_{number} {{", f"    label={_quoted(zone.title)};"]
        lines.append(f"    z{number} [shape=point, style=invis];")
        for at, group in enumerate(zone.groups):
            lines.append(f"    z{number}n{at} [label={_quoted(group.name, group.address, group.what)}];")
        lines.append("  }")
    places = {zone.network.name: number for number, zone in enumerate(graph.zones)}
    for number, crossing in enumerate(graph.crossings):
        lines.append(f"  r{number} [shape=diamond, label={_quoted(crossing.name, *shown_rules(crossing))}];")
        for network, address in crossing.addresses:
            at = places[network]
            lines.append(f"  z{at} -- r{number} [ltail=cluster_{at}, label={_quoted(address)}];")
    return "\n".join([*lines, "}"])


def as_mermaid(graph: PlantGraph) -> str:
    """For Markdown pages that draw Mermaid."""
    lines = ["flowchart TB"]
    for number, zone in enumerate(graph.zones):
        lines.append(f"  subgraph z{number}[{_mermaid(zone.title)}]")
        lines += [
            f"    z{number}n{at}[{_mermaid(group.name, group.address, group.what)}]"
            for at, group in enumerate(zone.groups)
        ]
        lines.append("  end")
    places = {zone.network.name: number for number, zone in enumerate(graph.zones)}
    for number, crossing in enumerate(graph.crossings):
        lines.append(f"  r{number}{{{_mermaid(crossing.name, *shown_rules(crossing))}}}")
        lines += [f"  z{places[network]} ---|{_mermaid(address)}| r{number}" for network, address in crossing.addresses]
    return "\n".join(lines)


def shown_rules(crossing: Crossing) -> list[str]:
    """The rules of a router that a picture has room for."""
    more = len(crossing.rules) - RULES
    return [*crossing.rules[:RULES], *([f"and {more} more"] if more > 0 else [])] or ["nothing passes"]


def _quoted(*texts: str) -> str:
    escaped = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return '"' + "\\n".join(escaped) + '"'


def _mermaid(*texts: str) -> str:
    escaped = (
        text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;") for text in texts
    )
    return '"' + "<br/>".join(escaped) + '"'
