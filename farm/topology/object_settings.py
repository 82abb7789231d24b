"""`objects`: attributes of CIP objects that differ from the profile's, as `cpppo.cfg` has them in sections.

objects: {TCPIP: {Host Name: pump-station-1}, Port 2: {Port Name: A}}
"""

import json
from dataclasses import dataclass, field

from farm.topology.document import ListNode, MapNode, Node, Scalar, is_null
from farm.topology.problem import Report
from farm.topology.scalars import number, truth, whole
from node.config.model import ObjectSetting
from node.config.schema import object_fault

Json = bool | int | float | str | None | list["Json"] | dict[str, "Json"]


@dataclass(slots=True)
class ObjectBuilder:
    """Builds the object settings of nodes; a map that many nodes share is checked once for each profile."""

    report: Report
    _known: dict[tuple[int, str], tuple[MapNode, tuple[ObjectSetting, ...]]] = field(default_factory=dict)

    def objects(self, body: MapNode, profile: str) -> tuple[ObjectSetting, ...]:
        """The settings of a node's `objects`, in the order of the file."""
        objects = body.map("objects")
        if objects is None:
            return ()
        known = self._known.get((id(objects), profile))
        if known is None:
            noted = self.report.noted
            known = (objects, self.build(objects, profile))
            if self.report.noted == noted:
                self._known[id(objects), profile] = known
        return known[1]

    def build(self, objects: MapNode, profile: str) -> tuple[ObjectSetting, ...]:
        """The settings, each checked."""
        built: list[ObjectSetting] = []
        for section, _, attributes in objects.items():
            for name, key, value in attributes.items() if isinstance(attributes, MapNode) else ():
                setting = ObjectSetting(section, name, json.dumps(plain(value)))
                fault = "" if value.dollar else object_fault(profile, section, name, setting.value)
                if fault:
                    self.report.error("F065", key, fault)
                built.append(setting)
        return tuple(built)


def plain(node: Node) -> Json:
    """A tree as JSON has it; a text in quotes stays one."""
    if isinstance(node, MapNode):
        return {text: plain(value) for text, (_, value) in node.entries.items()}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return None if is_null(node) else _scalar(node)


def _scalar(scalar: Scalar) -> Json:
    if not scalar.plain:
        return scalar.text
    for found in (truth(scalar.text), whole(scalar.text), number(scalar.text)):
        if found is not None:
            return found
    return scalar.text
