"""Template, class 0x6C: the structures that tags are made of (Rockwell 1756-PM020).

    1 handle u16 | 2 members u16 | 3 u16 | 4 words of the definition u32 | 5 bytes of one structure u32
    service 0x4C: Template Read, a part of the definition (`node.cip.definition`)

The predefined structures are always there.
"""

from collections.abc import Sequence

from node.cip.attribute_values import Number
from node.cip.definition import (
    TEMPLATE_ATTRIBUTES,
    decode_template_read,
    encode_definition,
    read_definition,
    template_attribute,
)
from node.cip.predefined import PREDEFINED
from node.cip.services import READ_TAG, TEMPLATE_CLASS
from node.cip.status import PARTIAL_TRANSFER, REPLY_DATA_TOO_LARGE, SERVICE_NOT_SUPPORTED, CipError
from node.cip.template import Template
from node.cip.types import UDINT, UINT
from node.objects.attribute_access import READ_SERVICES
from node.objects.object import AttributeRow, Call, Object, ObjectTarget, constant, success

_HEAD = 4
"""Bytes of a reply before its data."""

_CODECS = {2: Number(UINT), 4: Number(UDINT)}


class TemplateObject(Object):
    """`templates`, and the predefined ones."""

    def __init__(self, templates: Sequence[Template] = ()) -> None:
        super().__init__(TEMPLATE_CLASS, "Template", {}, {**READ_SERVICES, READ_TAG: template_read})
        self.templates = {template.instance: template for template in (*PREDEFINED, *templates)}

    def rows(self, instance: int) -> list[AttributeRow]:
        """The attributes of a template, or of the class. Raises `CipError` 0x05 when there is none."""
        template = self.templates.get(instance)
        if template is None:
            return super().rows(instance)
        definition = encode_definition(template)
        return [
            constant(ident, name, data := template_attribute(template, ident, definition), codec=_CODECS[len(data)])
            for ident, name in TEMPLATE_ATTRIBUTES.items()
        ]

    def extent(self) -> tuple[int, int, int]:
        """The highest template, how many there are, and the highest attribute."""
        return max(self.templates), len(self.templates), max(TEMPLATE_ATTRIBUTES)


def template_read(call: Call) -> bytes:
    """0x4C: the bytes asked for, or as many as fit with status 0x06."""
    target = call.target
    assert isinstance(target, ObjectTarget)
    assert isinstance(target.object, TemplateObject)
    template = target.object.templates.get(target.instance)
    if template is None:
        raise CipError(SERVICE_NOT_SUPPORTED)
    data = read_definition(encode_definition(template), *decode_template_read(call.data))
    room = call.limit - _HEAD
    if len(data) <= room:
        return success(call.service, data)
    if room < 1:
        raise CipError(REPLY_DATA_TOO_LARGE)
    return success(call.service, data[:room], PARTIAL_TRANSFER)
