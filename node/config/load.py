"""A node's configuration as plain JSON values, and back.

The farm writes what `dump` gives and a node reads it with `load`, possibly another version of it, so its form is never
taken on trust: an unknown key, a missing one or a value of the wrong kind is an error that names its place. What comes
out has passed `node.config.check`, now or, as its reader knows, before. A key whose value is the model's default is
left out.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import NoReturn, cast, get_args, get_origin, get_type_hints

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
    SerialConfig,
    SignalConfig,
    TagConfig,
    TlsConfig,
    TypeConfig,
    UnitConfig,
)
from node.config.shared_tags import SharedTags
from node.errors import ConfigError

_RECORDS: tuple[type, ...] = (
    SignalConfig,
    MemberConfig,
    TypeConfig,
    PartConfig,
    TagConfig,
    RegisterBlock,
    UnitConfig,
    IdentityConfig,
    ObjectSetting,
    InterfaceConfig,
    EnipConfig,
    SerialConfig,
    TlsConfig,
    ModbusConfig,
    NodeConfig,
)
"""Each after those it is made of."""
_FIELDS: dict[type, tuple[tuple[str, object], ...]] = {
    record: tuple((field.name, field.default) for field in fields(record)) for record in _RECORDS
}
"""Name and default of each field."""
_FIELDS_BUT_TAGS = tuple(field for field in _FIELDS[NodeConfig] if field[0] != "tags")
_KINDS: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    type(None): "null",
}

_Reader = Callable[[object], object]
"""A JSON value as a field of the model has it. Raises `_Misfit`."""


class _Misfit(Exception):
    """A value that does not fit. Where it stands is put together on the way out, since hardly any ever is."""

    def __init__(self, after: str, before: str = "", place: str = "") -> None:
        self.place = place
        self._before = before
        self._after = after

    def __str__(self) -> str:
        return f"{self._before}{self.place!r}{self._after}" if self._before else f"{self.place}{self._after}"

    def rise(self, part: str) -> NoReturn:
        """Goes on from the key or index that the value stands under."""
        self.place = f"{part}.{self.place}" if self.place and self.place[0] != "[" else part + self.place
        raise self


def dump(config: NodeConfig, shared: SharedTags | None = None) -> dict[str, Json]:
    """`config` as values that `json.dumps` takes; with `shared`, equal tags of several nodes are one object."""
    if shared is None:
        return _dump_record(config)
    body = _dump_fields(config, _FIELDS_BUT_TAGS)
    if config.tags:
        body["tags"] = [_dump_tag(tag, shared) for tag in config.tags]
    return body


def load(body: object, source: str, checked: bool = False, shared: SharedTags | None = None) -> NodeConfig:
    """The configuration that `dump` gave. Raises `ConfigError` naming `source` and the first fault. `checked` says that
    `node.config.check` has passed it before; its form is looked at all the same. `shared` are the tags of nodes that
    were read before it, which are not looked at again."""
    try:
        if shared is not None and isinstance(body, Mapping) and isinstance(body.get("tags"), list):
            body = {**body, "tags": [_load_tag(tag, shared) for tag in body["tags"]]}
        config = cast(NodeConfig, _READERS[NodeConfig](body))
    except _Misfit as exc:
        raise ConfigError(source, 0, str(exc) if exc.place else f"the node{exc}") from None
    if not checked:
        for problem in problems(config, shared):
            raise ConfigError(source, 0, str(problem))
    return config


def _dump_tag(tag: TagConfig, shared: SharedTags) -> dict[str, Json]:
    body = shared.written(tag)
    if body is None:
        body = _dump_record(tag)
        shared.write(tag, body)
    return body


def _load_tag(body: Json, shared: SharedTags) -> object:
    """The tag, or the body where it is none: whoever reads the node says so, and where."""
    tag = shared.known(body)
    if tag is None:
        try:
            tag = cast(TagConfig, _READERS[TagConfig](body))
        except _Misfit:
            return body
        shared.read(body, tag)
    return tag


def _dump_record(record: object) -> dict[str, Json]:
    return _dump_fields(record, _FIELDS[type(record)])


def _dump_fields(record: object, chosen: tuple[tuple[str, object], ...]) -> dict[str, Json]:
    body: dict[str, Json] = {}
    for name, default in chosen:
        value = getattr(record, name)
        if default is MISSING or value != default:
            body[name] = _dump_value(value)
    return body


def _dump_value(value: object) -> Json:
    if isinstance(value, tuple):
        return [_dump_value(item) for item in value]
    if type(value) in _FIELDS:
        return _dump_record(value)
    return cast(Json, value)


def _record_reader(record: type) -> _Reader:
    readers = {name: _reader(hint) for name, hint in get_type_hints(record).items()}
    required = [name for name, default in _FIELDS[record] if default is MISSING]

    def read(body: object) -> object:
        if not isinstance(body, Mapping):
            if type(body) is record:  # read before, and shared
                return body
            raise _misfit(body, "an object")
        for key in body:
            if key not in readers:
                raise _Misfit(f"; known: {' '.join(readers)}", "unknown key ", str(key))
        for key in required:
            if key not in body:
                raise _Misfit(" is missing", "key ", key)
        values = {}
        for key, value in body.items():
            try:
                values[key] = readers[key](value)
            except _Misfit as exc:
                exc.rise(key)
        return record(**values)

    return read


def _reader(wanted: object) -> _Reader:
    """For the type `wanted` of a field: a record, a tuple, one of a union, or a plain value."""
    if isinstance(wanted, types.UnionType):
        return _union_reader(get_args(wanted))
    if get_origin(wanted) is tuple:
        return _tuple_reader(get_args(wanted))
    if isinstance(wanted, type) and wanted in _READERS:
        return _READERS[wanted]

    def read(value: object) -> object:
        if type(value) is wanted:
            return value
        if wanted is float and type(value) is int:
            return float(value)
        raise _misfit(value, _KINDS[wanted])

    return read


def _tuple_reader(items: tuple[object, ...]) -> _Reader:
    readers = [_reader(item) for item in items if item is not Ellipsis]
    any_length = items[-1] is Ellipsis

    def read(value: object) -> object:
        if not isinstance(value, list | tuple):
            raise _misfit(value, "a list")
        each = readers * len(value) if any_length else readers
        if len(each) != len(value):
            raise _Misfit(f": got {len(value)} values, wanted {len(each)}")
        found: list[object] = []
        try:
            for item, part in zip(each, value, strict=True):
                found.append(item(part))
        except _Misfit as exc:
            exc.rise(f"[{len(found)}]")
        return tuple(found)

    return read


def _union_reader(choices: tuple[object, ...]) -> _Reader:
    rest = [_reader(choice) for choice in choices if choice not in _KINDS]
    names = " or ".join(_KINDS.get(choice, "a list") for choice in choices if choice is not type(None))

    def read(value: object) -> object:
        if type(value) in choices:
            return value
        if rest and not isinstance(value, bool | int | float | str | None):
            return rest[0](value)
        if value is None or len(rest) != 1 or len(choices) != 2:
            raise _misfit(value, names)
        return rest[0](value)

    return read


def _misfit(value: object, wanted: str) -> _Misfit:
    text = "null" if value is None else repr(value)
    return _Misfit(f": got {text if len(text) <= 40 else text[:37] + '...'}, wanted {wanted}")


_READERS: dict[type, _Reader] = {}
for _record in _RECORDS:
    _READERS[_record] = _record_reader(_record)
