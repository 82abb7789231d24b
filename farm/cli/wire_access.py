"""Values read and written as any client would: over the node's own port, so that what is shown is what a SCADA sees."""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import TypeVar

from farm.cli.reach import reached_at, stand_by
from farm.cli.tag_places import Place, Word, registers
from farm.errors import FarmError
from farm.supervisor.link import Link
from farm.supervisor.probe import modbus_client
from farm.supervisor.wire import decode_plant, unpack
from farm.topology.plant import Plant
from node.client.aio import AsyncConnector
from node.client.data_files import AsyncDataFiles
from node.client.modbus_aio import AsyncModbus
from node.client.modbus_tags import TagRegisters, read_tag, write_tag
from node.client.tag_values import Value, parse_truths
from node.config.data_files import has_data_files, with_data_files
from node.config.model import NodeConfig
from node.config.schema import Template, build_templates, root
from node.errors import NodeError

Result = TypeVar("Result")


def running_plant(link: Link, nodes: Sequence[str] | None = None) -> Plant:
    """The plant that runs, with those `nodes` alone where they are given: all of a plant of 10,000 take seconds to hand
    over. Raises `FarmError` when nothing is wanted of this farm."""
    found = link.ask("plant", nodes=None if nodes is None else list(nodes))["plant"]
    if found is None:
        raise FarmError(f"{link.run.name} has no nodes; `farm up` starts them")
    body = unpack(found) if isinstance(found, str) else found  # a supervisor of the release before gives it as it is
    return decode_plant(body, checked=True)


def running_nodes(link: Link, nodes: Sequence[str] | None = None) -> dict[str, NodeConfig]:
    """Its nodes by name, all or some."""
    return {node.name: with_data_files(node) for node in running_plant(link, nodes).nodes}


def running_node(link: Link, name: str) -> NodeConfig:
    """One of them. Raises `FarmError`."""
    return _find(link, running_plant(link, [name]), name)


def reached_node(link: Link, name: str) -> NodeConfig:
    """One of them, which can be asked from here from then on. Raises `FarmError`."""
    plant = running_plant(link, [name])
    found = _find(link, plant, name)
    stand_by(link, plant, found)
    return found


def _find(link: Link, plant: Plant, name: str) -> NodeConfig:
    for node in plant.nodes:
        if node.name == name:
            return with_data_files(node)
    raise FarmError(f"there is no node {name!r} in {link.run.name}; `farm ps` lists them")


def asked(place: Place, work: Coroutine[None, None, Result]) -> Result:
    """Runs a read or write. Raises `FarmError` naming node and tag when the node does not answer, or refuses."""
    try:
        return asyncio.run(work)
    except NodeError as exc:
        raise FarmError(f"{place.node.name} {place.name}: {exc}") from exc


async def read_place(place: Place, seconds: float) -> list[Value]:
    """Its values. Raises `NodeError` when the node does not answer, or answers with an error."""
    node = place.node
    if node.enip is not None:
        async with _controller(node, node.enip.port, seconds) as plc:
            words = place.words
            if not words:
                return list(await plc.read(place.path, place.count))
            held = await plc.read(words[0].path, len(words))
            return [
                bool(number >> bit & 1)
                for word, number in zip(words, held, strict=True)
                if isinstance(number, int)
                for bit in word.bits
            ]
    block, device = _modbus(place, seconds)
    async with device:
        return list(await read_tag(device, block, place.first, place.count))


async def write_place(place: Place, values: Sequence[str], seconds: float) -> None:
    """Writes `values`, as a person types them, from the place's first element on. Raises as `read_place` does."""
    node = place.node
    kind = place.spot.kind
    if isinstance(kind, Template) and not kind.capacity:
        member = kind.visible[0].name
        raise FarmError(f"{place.name} is a structure ({kind.name}); write its members, as {place.name}.{member}")
    if node.enip is not None:
        async with _controller(node, node.enip.port, seconds) as plc:
            if place.words:
                await _write_bits(plc, place.words, parse_truths(values))
            else:
                await plc.write(place.path, list(values), kind)
        return
    block, device = _modbus(place, seconds)
    async with device:
        await write_tag(device, block, place.first, values)


def _controller(node: NodeConfig, port: int, seconds: float) -> AsyncConnector:
    address, port = reached_at(node, "enip", port)
    templates = build_templates(node.types)
    if has_data_files(node):
        spots = {tag.name.casefold(): root(tag, templates) for tag in node.tags}
        kinds = {name: spot.kind for name, spot in spots.items() if spot is not None}
        return AsyncDataFiles(address, port, seconds, kinds)
    return AsyncConnector(address, port, seconds, templates=templates.values())


async def _write_bits(plc: AsyncConnector, words: Sequence[Word], truths: Sequence[bool]) -> None:
    """Sets and clears bits, word by word, and leaves those beside them as they are."""
    left = iter(truths)
    for word in words:
        ones = sum(1 << bit for bit in word.bits if next(left))
        zeros = sum(1 << bit for bit in word.bits) - ones
        await plc.modify(word.path, ones, zeros, word.size)


def _modbus(place: Place, seconds: float) -> tuple[TagRegisters, AsyncModbus]:
    """The first block that shows all of the place, and a connection to its unit."""
    node, spot = place.node, place.spot
    for block in registers(node, place.name, spot.kind.name, spot.length):
        if node.modbus is not None and place.first + place.count <= block.elements:
            if node.modbus.tls is not None and node.modbus.tls.ca:
                raise FarmError(f"{node.name} asks its clients for a certificate, and farm has none to show")
            address, port = reached_at(node, "modbus", node.modbus.port)
            return block, modbus_client(node.modbus, address, port, block.unit, seconds)
    raise FarmError(f"no registers of {node.name} show {place.name} {place.first} to {place.first + place.count - 1}")
