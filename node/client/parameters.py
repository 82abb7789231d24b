"""Names for what a device has: where a value lies, how its bytes become it, and its unit.

    PARAMETERS = {"product_name": Parameter("@1/1/7", "SSTRING"), "Flow": Parameter("@0x93/1/10", "REAL", "l/s")}

A simple device gives an attribute as bytes without a type, so the type has to be told. Names are the same in either
case, and whether blanks or underscores stand between words. What is no name is an operation as it stands: a tag
(`SCADA[0-9]`), or an object or attribute (`@1/1`, `@1/1/7`), which is raw bytes.

    kind    a type          "REAL": a list of all the values that there are; "SSTRING", "STRING": of the one text
            several         ("UINT", "SSTRING"): one after the other, a list of as many

Types are the elementary ones, SSTRING, STRING (length u16, padded to even), EPATH (length in words u16; a list of
segments) and IPADDR (u32; in dots).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from node.cip.attribute_values import PaddedString
from node.cip.attribute_values import Path as PathCodec
from node.cip.interface_configuration import decode_ip, encode_ip
from node.cip.status import CipError
from node.cip.text import SSTRING, decode_sstring, encode_sstring
from node.cip.types import SINT, by_name, decode_values
from node.client.exchanges import encoded
from node.client.operations import WRITE, Operation, parse_operation
from node.client.paths import parse_target
from node.errors import LocalProtocolError, RemoteProtocolError
from node.record import dataclass

Kind = str | Sequence[str] | None
"""A type's name, several, or None: as it comes."""

_PATH = PathCodec()
_TEXT = PaddedString(0xFFFF)
_ADDRESS = "IPADDR"
_TEXTS = ("SSTRING", "SHORT_STRING", "STRING")
_OTHERS = (*_TEXTS, "EPATH", _ADDRESS)


@dataclass(frozen=True, slots=True)
class Parameter:
    """`path` of a tag, an object or an attribute, the `kind` of its value, and its `units`. The last `optional` of
    several values may be missing: there are devices that leave them out."""

    path: str
    kind: Kind = None
    units: str = ""
    optional: int = 0


Named = Parameter | str | tuple[str, Kind] | tuple[str, Kind, str]
"""A parameter by its name, itself, or as a tuple of what it is made of."""

IDENTITY = Parameter("@1/1", ("UINT", "UINT", "UINT", "UINT", "WORD", "UDINT", "SSTRING", "USINT"), optional=1)
TCPIP = Parameter("@0xF5/1", ("DWORD", "DWORD", "DWORD", "EPATH", *[_ADDRESS] * 5, "STRING", "STRING"))
PRODUCT_NAME = Parameter("@1/1/7", "SSTRING")

PREDEFINED: Mapping[str, Parameter] = {"identity": IDENTITY, "tcpip": TCPIP, "product_name": PRODUCT_NAME}
"""What every device has. An Identity is vendor, device type, product code, revision (major | minor << 8), status,
serial number, product name, state; TCPIP is status, capability, control, physical link, address, mask, gateway, two
name servers, domain, host name."""


@dataclass(slots=True)
class Asked:
    """A value that is wanted: `name` as it was asked for, the `operation` that gets it, `kind` of what it gets."""

    name: str
    operation: Operation
    kind: Kind = None
    optional: int = 0

    @property
    def raw(self) -> bool:
        """Whether it comes as bytes."""
        return self.operation["method"] != "read"

    def value(self, got: Sequence[Any]) -> list[Any]:
        """The value of what was got, bytes as numbers where it is `raw`. Raises `RemoteProtocolError`, which names it,
        for bytes that are none of its kind."""
        if not self.raw or self.kind is None:
            return list(got)
        try:
            return decode_attribute(self.kind, bytes(got), self.optional)
        except (CipError, RemoteProtocolError) as exc:
            wanted = self.kind if isinstance(self.kind, str) else ", ".join(self.kind)
            raise RemoteProtocolError(f"{self.name}: {len(got)} bytes that are no {wanted}: {exc}") from exc


def folded(name: str) -> str:
    """`A Sensor  Parameter` and `a_sensor_parameter` are one name."""
    return "_".join(name.replace("_", " ").split()).lower()


def folded_names(parameters: Mapping[str, Named]) -> dict[str, Parameter]:
    """The parameters by their folded names. Raises `LocalProtocolError` for a type that there is not."""
    return {folded(name): checked(name, parameter) for name, parameter in parameters.items()}


def checked(name: str, parameter: Named) -> Parameter:
    """The parameter called `name`. Raises `LocalProtocolError` for a type that there is not."""
    if isinstance(parameter, str):
        parameter = Parameter(parameter)
    elif isinstance(parameter, tuple):
        parameter = Parameter(*parameter)
    kinds = (parameter.kind,) if isinstance(parameter.kind, str) else parameter.kind or ()
    for kind in kinds:
        if by_name(kind) is None and kind.upper() not in _OTHERS:
            raise LocalProtocolError(f"{name}: {kind!r} is no type; wanted one like REAL, DINT, SSTRING or IPADDR")
    return parameter


def to_read(what: Named, parameters: Mapping[str, Parameter]) -> Asked:
    """How to read a parameter, tag or attribute; `parameters` by folded names. Raises `LocalProtocolError`."""
    name = what if isinstance(what, str) else what.path if isinstance(what, Parameter) else what[0]
    known = parameters.get(folded(what)) if isinstance(what, str) else checked(name, what)
    parameter = known or Parameter(name)
    operation = parse_operation(parameter.path)
    if operation["method"] == WRITE:
        raise LocalProtocolError(f"{name!r} is a write; `write` does those")
    if parameter.path.lstrip().startswith("@"):
        single = any("attribute" in segment for segment in operation["path"])
        operation["method"] = "get_attribute_single" if single else "get_attributes_all"
    return Asked(name, operation, parameter.kind, parameter.optional)


def to_write(what: str, value: object, parameters: Mapping[str, Parameter]) -> Asked:
    """How to write `value`, or a list of them, to a parameter, tag or attribute. Raises `LocalProtocolError`."""
    asked = to_read(what, parameters)
    values = list(value) if isinstance(value, list | tuple) else [value]
    operation = asked.operation
    if asked.raw:
        if operation["method"] == "get_attributes_all":
            raise LocalProtocolError(f"{what!r} is a whole object; name the attribute to write")
        data: Any = values if asked.kind is None else encode_attribute(what, asked.kind, values)
        operation.update({"method": "set_attribute_single", "data": data})
        return asked
    if operation["elements"] not in (1, len(values)):
        raise LocalProtocolError(f"{what!r}: {len(values)} values where {operation['elements']} were wanted")
    operation.update({"method": WRITE, "elements": len(values), "data": values})
    if isinstance(asked.kind, str):
        kind = by_name(asked.kind)
        operation.update({"tag_type": kind.code} if kind is not None else {})
    return asked


def to_write_text(text: str, parameters: Mapping[str, Parameter]) -> Asked:
    """How to do `Speed Units=1`, `SCADA[0-2]=1,2,3`, `@0x93/300/10=(DINT)1`. Raises `LocalProtocolError`."""
    name, equals, values = text.partition("=")
    parameter = parameters.get(folded(name))
    if equals and parameter is not None:
        kind = parameter.kind if isinstance(parameter.kind, str) else None
        cast_to = f"({kind})" if kind is not None and not values.lstrip().startswith("(") else ""
        return to_write(name, list(parse_operation(f"_={cast_to}{values}")["data"]), parameters)
    operation = parse_operation(text, SINT.code if text.lstrip().startswith("@") else 0xC3)
    if operation["method"] != WRITE:
        raise LocalProtocolError(f"{text!r} writes nothing; wanted an = and a value")
    if text.lstrip().startswith("@"):
        operation["method"] = "set_attribute_single"
    return Asked(name.strip(), operation)


def writes(
    what: str | Mapping[str, object] | Iterable[str], value: object, parameters: Mapping[str, Parameter]
) -> list[Asked]:
    """What is to be written: `value` to `what`, each of a mapping, or texts with an equals sign."""
    if isinstance(what, Mapping):
        return [to_write(name, each, parameters) for name, each in what.items()]
    if value is not None:
        if not isinstance(what, str):
            raise LocalProtocolError("one value for several names; give a mapping of names to values")
        return [to_write(what, value, parameters)]
    return [to_write_text(text, parameters) for text in ([what] if isinstance(what, str) else what)]


def reads(names: Named | Iterable[Named]) -> Iterable[Named]:
    """One name, or many of them, as many."""
    return [names] if isinstance(names, str | Parameter) else cast("Iterable[Named]", names)


def decode_attribute(kind: str | Sequence[str], data: bytes, optional: int = 0) -> list[Any]:
    """The values in an attribute's bytes. Raises `CipError`, `RemoteProtocolError` when they are not of these types;
    what several are followed by is of a later edition of the object, and left."""
    if isinstance(kind, str):
        number = by_name(kind)
        if number is None:
            return [_decode_one(kind, data, 0)[0]]
        if not data:
            raise RemoteProtocolError("there are none")
        return list(decode_values(number, data))
    values: list[Any] = []
    at = 0
    for position, each in enumerate(kind):
        if at == len(data) and position >= len(kind) - optional:
            break
        value, at = _decode_one(each, data, at)
        values.append(value)
    return values


def encode_attribute(name: str, kind: str | Sequence[str], values: Sequence[Any]) -> bytes:
    """The bytes of an attribute's values. Raises `LocalProtocolError`, which says `name`."""
    kinds = [kind] * len(values) if isinstance(kind, str) else kind
    if len(kinds) != len(values):
        raise LocalProtocolError(f"{name}: {len(values)} values where {len(kinds)} were wanted")
    try:
        return b"".join(_encode_one(each, value) for each, value in zip(kinds, values, strict=True))
    except LocalProtocolError as exc:
        raise LocalProtocolError(f"{name}: {exc}") from exc


def _decode_one(kind: str, data: bytes, at: int) -> tuple[Any, int]:
    """A value at `at`, and what is behind it."""
    number = by_name(kind)
    if number is not None:
        end = at + number.size
        if end > len(data):
            raise RemoteProtocolError(f"they end where a {number.name} was wanted")
        return decode_values(number, data[at:end])[0], end
    match kind.upper():
        case "STRING":
            end = at + _TEXT.measure(data[at:])
            return _TEXT.decode(data[at:end]), end
        case "EPATH":
            end = at + _PATH.measure(data[at:])
            return _segments(str(_PATH.decode(data[at:end]))), end
        case "IPADDR":
            if at + 4 > len(data):
                raise RemoteProtocolError("they end where an address was wanted")
            return decode_ip(data[at : at + 4]), at + 4
    return decode_sstring(data, at)


def _segments(text: str) -> list[Any]:
    """A path's segments, none of an empty one; as a text where it has such as no one types."""
    try:
        return list(parse_target(text)) if text else []
    except LocalProtocolError:
        return [text]


def _encode_one(kind: str, value: Any) -> bytes:
    number = by_name(kind)
    if number is not None:
        return b"".join(encoded(number, [value]))
    match kind.upper():
        case "STRING":
            return _TEXT.encode(value)
        case "EPATH":
            return _PATH.encode(value)
        case "IPADDR":
            return encode_ip(value)
    if not isinstance(value, str):
        raise LocalProtocolError(f"{value!r} where a text was wanted, {SSTRING.name}")
    return encode_sstring(value)
