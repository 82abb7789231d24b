"""What may stand under `types`: the members of a structure, or the length of a string.

Motor: {Speed: REAL, Run: BOOL, Hours: "DINT[4]", Label: STRING}      members, each with its type
STR40: {string: 40}                                                   a string of so many characters
"""

from dataclasses import dataclass

from farm.topology.document import MapNode, Node, Scalar, is_null, kind_of, shown
from farm.topology.problem import Report
from farm.topology.scalars import SUBSTITUTED, BadValueError, JsonSchema, Text, Whole, whole
from farm.topology.shapes import One, read
from farm.topology.vocabulary import Type, TypeText
from node.config.schema import MAX_IDENTIFIER, MAX_STRING

STRING_KEY = "string"

STRING_LENGTH = Whole(1, MAX_STRING)
MEMBER_NAME = Text(f"a member's name, at most {MAX_IDENTIFIER} characters", longest=MAX_IDENTIFIER, code="F016")


@dataclass(frozen=True)
class MemberType(TypeText):
    """The type of a member, alone or with one array length: (name, dimensions)."""

    own: bool = True
    wanted: str = "a type such as REAL, DINT[4] or one of `types`"

    def read(self, scalar: Scalar) -> Type:
        name, dimensions = super().read(scalar)
        if len(dimensions) > 1:
            raise BadValueError(f"has {len(dimensions)} dimensions", "an array within a type has one", "F050")
        return name, dimensions


MEMBER_TYPE = MemberType()


def is_string(body: MapNode) -> bool:
    """Whether this is a string type, and no structure with a member of that name."""
    length = body.scalar(STRING_KEY)
    return length is not None and len(list(body.items())) == 1 and (length.dollar or whole(length.text) is not None)


@dataclass(frozen=True)
class StructureShape:
    """A map of members to their types, or of `string` to a length."""

    wanted: str = "a map of members to their types, or {string: LENGTH}"

    def check(self, node: Node, where: str, report: Report) -> None:
        if not isinstance(node, MapNode):
            report.error("F012", node, f"{where} is {kind_of(node)}; wanted {self.wanted}")
        elif is_string(node):
            One(STRING_LENGTH).check(node.entries[STRING_KEY][1], f"'{STRING_KEY}' in {where}", report)
        else:
            for text, (key, value) in node.entries.items():
                here = f"member {shown(text)} of {where}"
                if "$" not in text:
                    read(key, MEMBER_NAME, here, report)
                if not is_null(value):
                    One(MEMBER_TYPE).check(value, here, report)

    def schema(self) -> JsonSchema:
        kind: JsonSchema = {"anyOf": [MEMBER_TYPE.schema(), {"type": "null"}]}
        length: JsonSchema = {"anyOf": [{"type": "integer", "minimum": 1, "maximum": MAX_STRING}, SUBSTITUTED, kind]}
        return {"type": "object", "properties": {STRING_KEY: length}, "additionalProperties": kind}
