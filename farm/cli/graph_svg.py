"""A plant's graph as a picture in SVG 1.1: a band for each network from the highest level down, its nodes in it,
routers beside with a line to each of their networks. The same plant gives the same bytes.
"""

from collections.abc import Iterable, Sequence
from html import escape

from farm.cli.graph_text import shown_rules
from farm.cli.plant_graph import Group, PlantGraph, Zone

WIDTH = 820
"""Of a band; boxes that do not fit beside each other go below."""
MARGIN, GAP, LINE, LETTER = 20, 14, 16, 7.5
"""Pixels around and between things, from one line of text to the next, and a letter's width."""
LANE = 26
"""Between bands and routers, for the lines of each router."""
STYLE = (
    "text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#222}.t{font-weight:bold}"
    ".z{fill:#eef3f8;stroke:#8aa}.n{fill:#fff;stroke:#456}.r{fill:#fdf3e1;stroke:#b80}.l{stroke:#b80;fill:none}"
)

Box = tuple[int, int, int, int]
"""Left, top, width, height."""


def as_svg(graph: PlantGraph) -> str:
    """The picture."""
    parts: list[str] = [_text(MARGIN, MARGIN + 12, graph.title, "t")]
    top = MARGIN + LINE + GAP
    bands: dict[str, Box] = {}
    for zone in graph.zones:
        height, drawn = _band(zone, top)
        bands[zone.network.name] = (MARGIN, top, WIDTH, height)
        parts += drawn
        top += height + GAP * 2
    left = MARGIN + WIDTH + LANE * (len(graph.crossings) + 1)
    widest = 0
    low = MARGIN + LINE + GAP
    for number, crossing in enumerate(graph.crossings):
        lines = [crossing.name, *(f"{name} {address}" for name, address in crossing.addresses), *shown_rules(crossing)]
        box = (left, low, _width(lines), LINE * len(lines) + GAP)
        widest = max(widest, box[2])
        lane = MARGIN + WIDTH + LANE * (number + 1)
        parts += _lines(box, lane, [bands[name] for name, _ in crossing.addresses], number)
        parts += _box(box, lines, "r")
        low += box[3] + GAP
    right = left + widest + MARGIN if graph.crossings else MARGIN * 2 + WIDTH
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{right}" height="{max(top, low) + MARGIN}">',
            f"<title>{escape(graph.title)}</title>",
            f"<style>{STYLE}</style>",
            *parts,
            "</svg>",
        ]
    )


def _band(zone: Zone, top: int) -> tuple[int, list[str]]:
    """Height of a network's band, and what is drawn of it."""
    x, y, row = MARGIN + GAP, top + LINE + GAP, 0
    drawn: list[str] = []
    for group in zone.groups:
        lines = _label(group)
        width, height = _width(lines), LINE * len(lines) + GAP
        if x + width > MARGIN + WIDTH - GAP and x > MARGIN + GAP:
            x, y, row = MARGIN + GAP, y + row + GAP, 0
        drawn += _box((x, y, width, height), lines, "n")
        x, row = x + width + GAP, max(row, height)
    height = y + row + GAP - top
    frame = f'<rect class="z" x="{MARGIN}" y="{top}" width="{WIDTH}" height="{height}" rx="6"/>'
    return height, [frame, _text(MARGIN + GAP, top + LINE, zone.title, "t"), *drawn]


def _label(group: Group) -> list[str]:
    return [group.name, group.address, group.what]


def _box(box: Box, lines: Sequence[str], kind: str) -> list[str]:
    x, y, width, height = box
    rect = f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="3"/>'
    return [rect, *(_text(x + 7, y + LINE * (at + 1), line, "" if at else "t") for at, line in enumerate(lines))]


def _lines(box: Box, lane: int, bands: Iterable[Box], number: int) -> list[str]:
    """From a router along its lane to the right edge of each of its networks."""
    middle = box[1] + box[3] // 2
    ends = [band[1] + min(band[3] - 4, 10 + number * 6 % max(1, band[3] - 14)) for band in bands]
    drawn = [f'<path class="l" d="M{box[0]} {middle}H{lane}"/>']
    return drawn + [f'<path class="l" d="M{lane} {middle}V{end}H{MARGIN + WIDTH}"/>' for end in ends]


def _text(x: int, y: int, text: str, kind: str) -> str:
    return f'<text x="{x}" y="{y}"{f" class={chr(34)}{kind}{chr(34)}" if kind else ""}>{escape(text)}</text>'


def _width(lines: Iterable[str]) -> int:
    return int(max(map(len, lines)) * LETTER) + 14
