"""How good the link of each node is, of all that a plant file says of it.

Most specific first: what a node says itself under `nodes`, then `links` (a later pattern wins over an earlier one),
then its group, its templates, its kind and `defaults`. Key by key: a pattern with a loss leaves a group's delay alone.
"""

import fnmatch
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from farm.topology import territory
from farm.topology.document import MapNode, Node, Scalar, is_null, shown
from farm.topology.groups import Member
from farm.topology.network_values import LINK_DELAY, LINK_TIME, LOSS, RATE
from farm.topology.problem import Report, TooManyError, suggestion
from farm.topology.shapes import take
from farm.topology.wiring import GOOD, LinkQuality
from farm.topology.wiring_keys import REQUIRE, TRUTH

MAX_MATCHES = 300_000
"""Names that all patterns may be held against."""

GROUP = "group:"
_WILD = re.compile(r"[*?\[]")


@dataclass(slots=True)
class LinkBuilder:
    """Builds the links of one plant. `patterns` is the file's `links`, `groups` the names of its groups, `absent` names
    of nodes that are not there this time, and of which a pattern may speak all the same."""

    patterns: MapNode | None
    backend: str
    groups: Collection[str]
    absent: Collection[str]
    report: Report
    _matching: dict[str, list[MapNode]] = field(default_factory=dict)

    def links(self, members: Sequence[Member]) -> dict[str, LinkQuality]:
        """Node name to quality, of all nodes whose link is not a good one."""
        self.match(members)
        found = {}
        for member in members:
            values = self.values(member)
            if values:
                self.report.subject = member.name
                quality = self.quality(values, member.body)
                if quality != GOOD:
                    found[member.name] = quality
        self.report.subject = ""
        return found

    def match(self, members: Sequence[Member]) -> None:
        """Find the patterns of each node."""
        names = dict.fromkeys(member.name for member in members)
        left = MAX_MATCHES
        for text, key, link in self.patterns.items() if self.patterns is not None else ():
            if not isinstance(link, MapNode) or key.dollar:
                continue
            if text.startswith(GROUP):
                matching: Iterable[str] = [member.name for member in members if member.group == text[len(GROUP) :]]
                left -= len(names)
            elif _WILD.search(text):
                fits = re.compile(fnmatch.translate(text)).match
                matching = [name for name in names if fits(name)]
                left -= len(names)
            else:
                matching = [text]
            if left < 0:
                hint = "use fewer patterns, or names of groups"
                self.report.error("F037", key, f"'links' is held against more than {MAX_MATCHES:,} names", hint)
                raise TooManyError
            self.miss(key, matching, names)
            for name in matching:
                self._matching.setdefault(name, []).append(link)

    def miss(self, key: Scalar, matching: Iterable[str], names: Collection[str]) -> None:
        """Tell of a pattern that is no node's: a slip in a name would go unseen."""
        text = key.text
        if text.startswith(GROUP):
            group = text[len(GROUP) :]
            if group not in self.groups:
                hint = suggestion(group, self.groups)
                self.report.error("F067", key, f"'links': there is no group {shown(group)}", hint)
        elif _WILD.search(text):
            if not matching:
                self.report.warning("F067", key, f"'links': no node is called like {shown(text)}")
        elif text not in self.absent and text not in names:
            self.report.error("F067", key, f"'links': there is no node {shown(text)}", suggestion(text, names))

    def values(self, member: Member) -> Mapping[str, Node]:
        """What the file says of a node's link in the end: key to value."""
        inherited = member.body.map("link")
        values = {text: value for text, _, value in inherited.items()} if inherited is not None else {}
        layers = self._matching.get(member.name, [])
        for layer in layers:
            _put(values, layer)
        if layers and member.own is not None and "link" in member.own.entries:
            own = member.scope.fill(member.own.entries["link"][1])
            if isinstance(own, MapNode):
                _put(values, own)
            else:
                values.clear()
        return values

    def quality(self, values: Mapping[str, Node], at: Node) -> LinkQuality:
        """The link that these values describe."""
        place = next(iter(values.values()), at)
        body = MapNode(
            {key: (_key(key, value), value) for key, value in values.items()}, place.source, place.line, place.column
        )
        delay, spread = take(body, "delay", LINK_DELAY, (0.0, None), self.report)
        quality = LinkQuality(
            delay=delay,
            jitter=take(body, "jitter", LINK_TIME, spread or 0.0, self.report),
            loss=take(body, "loss", LOSS, 0.0, self.report),
            rate=take(body, "rate", RATE, 0, self.report),
            up=take(body, "up", TRUTH, True, self.report),
            kernel=take(body, "require", REQUIRE, "", self.report) == "kernel",
        )
        if self.backend not in territory.OWN_NETWORKS:
            for key in ("loss", "rate", "up", "require"):
                if key in values and quality != LinkQuality(quality.delay, quality.jitter):
                    message = f"on backend {self.backend} all nodes share one link, of which only a delay can be had"
                    self.report.error("F071", values[key], f"'{key}': {message}", "use --backend netns")
        return quality


def _put(values: dict[str, Node], layer: MapNode) -> None:
    """A layer on top; null takes a key away."""
    for key, (_, value) in layer.entries.items():
        if is_null(value):
            values.pop(key, None)
        else:
            values[key] = value


def _key(text: str, value: Node) -> Scalar:
    return Scalar(text, True, value.source, value.line, value.column)
