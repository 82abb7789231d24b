"""A node's configuration as plain JSON values, and back.

The farm writes what `dump` gives and a node reads it with `load`, possibly another version of it, so nothing is taken
on trust: an unknown key, a missing one or a value of the wrong kind is an error that names its place, and what comes
out has passed `node.config.check`. A key whose value is the model's default is left out.
"""

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import TypeVar, cast, get_args, get_origin, get_type_hints

from node.config.check import problems
from node.config.model import (
    EnipConfig,
    IdentityConfig,
    InterfaceConfig,
    Json,
    MemberConfig,
    ModbusConfig,
    NodeConfig,
    ObjectSetting,
    PartConfig,
    RegisterBlock,
    SignalConfig,
    TagConfig,
    TypeConfig,
    UnitConfig,
)
from node.errors import ConfigError

_T = TypeVar("_T")
_RECORDS: tuple[type, ...] = (
    NodeConfig,
    TagConfig,
    SignalConfig,
    EnipConfig,
    IdentityConfig,
    ModbusConfig,
    UnitConfig,
    RegisterBlock,
    MemberConfig,
    TypeConfig,
    PartConfig,
    ObjectSetting,
    InterfaceConfig,
)
_HINTS: dict[type, dict[str, object]] = {record: get_type_hints(record) for record in _RECORDS}
_KINDS: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    type(None): "null",
}


def dump(config: NodeConfig) -> dict[str, Json]:
    """`config` as values that `json.dumps` takes."""
    return _dump_record(config)


def load(body: object, source: str) -> NodeConfig:
    """The configuration that `dump` gave, checked. Raises `ConfigError` naming `source` and the first fault."""
    config = _load_record(NodeConfig, body, source, "")
    for problem in problems(config):
        raise ConfigError(source, 0, str(problem))
    return config


def _dump_record(record: object) -> dict[str, Json]:
    body: dict[str, Json] = {}
    for field in fields(type(record)):  # type: ignore[arg-type]
        value = getattr(record, field.name)
        if field.default is MISSING or value != field.default:
            body[field.name] = _dump_value(value)
    return body


def _dump_value(value: object) -> Json:
    if isinstance(value, tuple):
        return [_dump_value(item) for item in value]
    if is_dataclass(value):
        return _dump_record(value)
    return cast(Json, value)


def _load_record(record: type[_T], body: object, source: str, place: str) -> _T:
    if not isinstance(body, Mapping):
        raise ConfigError(source, 0, f"{place or 'the node'}: got {_shown(body)}, wanted an object")
    hints = _HINTS[record]
    inner = f"{place}." if place else ""
    for key in body:
        if key not in hints:
            raise ConfigError(source, 0, f"unknown key {inner + str(key)!r}; known: {' '.join(hints)}")
    for field in fields(record):  # type: ignore[arg-type]
        if field.default is MISSING and field.name not in body:
            raise ConfigError(source, 0, f"key {inner + field.name!r} is missing")
    return record(**{name: _load_value(hints[name], body[name], source, inner + name) for name in body})


def _load_value(wanted: object, value: object, source: str, place: str) -> object:
    """`value` as the type `wanted` of a field: a record, a tuple, one of a union, or a plain value."""
    if isinstance(wanted, types.UnionType):
        return _load_union(wanted, value, source, place)
    if get_origin(wanted) is tuple:
        return _load_tuple(get_args(wanted), value, source, place)
    if isinstance(wanted, type) and is_dataclass(wanted):
        return _load_record(wanted, value, source, place)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is wanted:
        return value
    raise ConfigError(source, 0, f"{place}: got {_shown(value)}, wanted {_KINDS[wanted]}")


def _load_tuple(items: tuple[object, ...], value: object, source: str, place: str) -> tuple[object, ...]:
    if not isinstance(value, list | tuple):
        raise ConfigError(source, 0, f"{place}: got {_shown(value)}, wanted a list")
    if len(items) == 2 and items[1] is Ellipsis:
        items = items[:1] * len(value)
    if len(items) != len(value):
        raise ConfigError(source, 0, f"{place}: got {len(value)} values, wanted {len(items)}")
    pairs = zip(items, value, strict=True)
    return tuple(_load_value(item, part, source, f"{place}[{i}]") for i, (item, part) in enumerate(pairs))


def _load_union(wanted: types.UnionType, value: object, source: str, place: str) -> object:
    choices = get_args(wanted)
    if type(value) in choices:
        return value
    rest = [choice for choice in choices if choice not in _KINDS]
    if rest and not isinstance(value, bool | int | float | str | None):
        return _load_value(rest[0], value, source, place)
    if value is None or len(rest) != 1 or len(choices) != 2:
        names = [_KINDS.get(choice, "a list") for choice in choices if choice is not type(None)]
        raise ConfigError(source, 0, f"{place}: got {_shown(value)}, wanted {' or '.join(names)}")
    return _load_value(rest[0], value, source, place)


def _shown(value: object) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
