"""The memory of a node, put together from its configuration: tags with what they start with and what moves them, the
programs they belong to, and other names for them.

Aliases come after the tags they name, so that they can be configured in any order.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from node.cip.template import Template
from node.cip.types import BOOL_TRUE
from node.config.model import ACCESS, PartConfig, SignalConfig, TagConfig
from node.config.places import Spot, find, places, root
from node.config.tag_check import Tags, split_path, target_of
from node.errors import ConfigError
from node.memory.attribute import Attribute, Value
from node.memory.hooks import bypassing
from node.memory.place import Place, follow
from node.memory.tags import TagTable
from node.memory.text_attribute import create_attribute
from node.signals.source import SignalSource

OwnClass = Callable[[TagConfig], type[Attribute] | None]
OwnClasses = type[Attribute] | Mapping[str, type[Attribute]]
"""Of all tags, or by a tag's name."""
NO_TEMPLATES: Mapping[str, Template] = {}


def build_tags(
    configs: Iterable[TagConfig],
    epoch: float,
    templates: Mapping[str, Template] = NO_TEMPLATES,
    *,
    programs: Sequence[str] = (),
    bool_true: int = BOOL_TRUE,
    own_class: OwnClass | None = None,
) -> TagTable:
    """The tags; signals count from `epoch`. `templates` are the node's own structures, `bool_true` is the byte a true
    BOOL reads as; `own_class` gives the class whose hooks a tag has. Raises `NodeError`."""
    table = TagTable()
    configs = list(configs)
    tags = {config.name.casefold(): config for config in configs}
    for config in configs:
        if not config.alias:
            attribute = _build_attribute(config, templates, epoch, own_class(config) if own_class is not None else None)
            if bool_true != BOOL_TRUE:
                attribute.bool_true = bool_true
            table.add(config.name, attribute, config.address)
    for program in programs:
        table.add_program(program)
    for config in configs:
        if config.alias:
            table.add_alias(config.name, _target(config.alias, tags, table, templates))
    return table


def class_by_tag(given: OwnClasses, tags: Iterable[str]) -> OwnClass:
    """What gives each of the `tags` the class that was `given`, for all of them or by name. Raises `ConfigError` for
    what is no class of attributes, or is for a tag that is not there."""
    known = {name.casefold() for name in tags}
    by_name = {name.casefold(): own for name, own in given.items()} if isinstance(given, Mapping) else {}
    for name in by_name:
        if name not in known:
            raise ConfigError("attribute_class", 0, f"there is no tag {name!r}")
    for own in by_name.values() if isinstance(given, Mapping) else [given]:
        if not (isinstance(own, type) and issubclass(own, Attribute)):
            raise ConfigError("attribute_class", 0, f"got {own!r:.80}; wanted a subclass of node.Attribute")
    if isinstance(given, Mapping):
        return lambda tag: by_name.get(tag.name.casefold())
    return lambda tag: given


def tag_place(text: str, tags: Tags, table: TagTable, templates: Mapping[str, Template]) -> Place:
    """The place in `table` that `text` means, as `Tank1.Level[3]`. Raises `ConfigError` of one line."""
    found = split_path(text, tags)
    if found is None:
        raise ConfigError(text, 0, f"there is no tag {text!r}")
    tag, path = found
    return _target(tag.alias + path if tag.alias else text, tags, table, templates)


def shown_attribute(text: str, tags: Tags, table: TagTable, templates: Mapping[str, Template]) -> Attribute:
    """What a register block of `text` shows: a tag, or what is within one. Raises `NodeError`."""
    whole = table.by_name(text)
    if whole is not None:
        return whole
    return tag_place(text, tags, table, templates).alone()


def _target(alias: str, tags: Tags, table: TagTable, templates: Mapping[str, Template]) -> Place:
    tag, path = target_of(alias, tags)
    whole, attribute = root(tag, templates), table.by_name(tag.name)
    if whole is None or attribute is None:
        raise ConfigError(alias, 0, f"there is no tag {tag.name!r}")
    return follow(attribute, find(whole, path).segments)


def _build_attribute(
    config: TagConfig, templates: Mapping[str, Template], epoch: float, own: type[Attribute] | None
) -> Attribute:
    whole = root(config, templates)
    if whole is None:
        raise ConfigError(f"tag {config.name}", 0, f"type {config.type!r} is unknown")
    attribute = create_attribute(
        whole.kind, config.dimensions, config.initial, config.name, config.writable, packed=config.packed, own=own
    )
    attribute.readable = config.access != ACCESS[2]
    if config.signal is not None:
        attribute.source = _source(config.signal, whole, epoch)
    with bypassing(attribute):
        for part in config.parts:
            for number, spot in enumerate(places(whole, part.path)):
                _start_part(part, follow(attribute, spot.segments), spot, epoch, number)
    return attribute


def _start_part(part: PartConfig, place: Place, spot: Spot, epoch: float, number: int) -> None:
    """Gives a part what it starts with and what moves it; it is the `number`-th of those that its path means."""
    if spot.packed:
        place = Place(place.attribute.unpacked)
    if part.initial is not None:
        values: Sequence[Value] = part.initial if isinstance(part.initial, tuple) else [part.initial] * spot.length
        place.attribute[place.start : place.start + spot.length] = values
    if part.signal is not None:
        ahead = number * dict(part.signal.parameters).get("spread", 0.0)
        own = replace(part.signal, seed=part.signal.seed + number)
        place.attach(_source(own, spot, epoch - ahead))


def _source(signal: SignalConfig, spot: Spot, epoch: float) -> SignalSource:
    return SignalSource(signal.kind, dict(signal.parameters), signal.seed, signal.on_write, epoch, spot.kind)
