"""Parameter, class 0x0F: the parameters of a device, each with its type, units and limits (CIP Vol 1, 5-14).

    class: 8 descriptor u16 (1 instances, 2 all attributes) | 9 configuration assembly u16
    1 value | 2 link size u8 (bytes) | 3 link, a path | 4 descriptor u16 | 5 type u8 | 6 size u8 (bytes) |
    7 name SHORT_STRING | 8 units SHORT_STRING | 10 lowest | 11 highest | 12 default, as the value

Get Attributes All gives 1 to 6. The values are those of class 0x93, which the links name.
"""

from collections.abc import Iterable

from node.cip.attribute_values import Number, Raw, ShortString
from node.cip.epath import Attribute, Class, Instance, encode_epath
from node.cip.services import DRIVE_PARAMETER_CLASS, PARAMETER_CLASS
from node.cip.types import UINT, USINT, WORD
from node.objects.attribute_access import ATTRIBUTE_SERVICES
from node.objects.drive_parameter import RAM, ParameterValue
from node.objects.object import AttributeRow, Object, constant

INSTANCES_AND_ALL = 3

_U8, _U16, _FLAGS, _TEXT = Number(USINT), Number(UINT), Number(WORD), ShortString()


def parameter_object(values: Iterable[ParameterValue]) -> Object:
    """The object of these parameters."""
    instances = {value.parameter.number: _rows(value) for value in values}
    extra = (
        constant(8, "parameter class descriptor", _FLAGS.encode(INSTANCES_AND_ALL), codec=_FLAGS),
        constant(9, "configuration assembly instance", _U16.encode(0), codec=_U16),
    )
    return Object(
        PARAMETER_CLASS,
        "Parameter",
        instances,
        dict(ATTRIBUTE_SERVICES),
        class_attributes=extra,
        class_listed=(1, 2, 8, 9),
    )


def _rows(value: ParameterValue) -> list[AttributeRow]:
    parameter = value.parameter
    kind = parameter.kind
    link = encode_epath((Class(DRIVE_PARAMETER_CLASS), Instance(parameter.number), Attribute(RAM)))
    number = Number(kind)
    return [
        AttributeRow(
            1, "parameter value", value.ram, value.set_ram, True, number, ("value",), value.preset, value.restore
        ),
        constant(2, "link path size", _U8.encode(len(link)), codec=_U8),
        constant(3, "link path", link, codec=Raw()),
        constant(4, "descriptor", _FLAGS.encode(0), codec=_FLAGS),
        constant(5, "data type", _U8.encode(kind.code), codec=_U8),
        constant(6, "data size", _U8.encode(kind.size), codec=_U8),
        constant(7, "parameter name", _TEXT.encode(parameter.name), False, _TEXT, ("name",)),
        constant(8, "units string", _TEXT.encode(parameter.units), False, _TEXT, ("units",)),
        constant(10, "minimum value", number.encode(kind.low), False, number),
        constant(11, "maximum value", number.encode(kind.high), False, number),
        constant(12, "default value", number.encode(parameter.start), False, number),
    ]
