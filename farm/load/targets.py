"""Nodes and what is wanted of them, as requests that are ready to be sent.

What is written is what was there just before: a load test then changes nothing that does not move by itself.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from farm.errors import FarmError
from farm.load.job import Target
from farm.load.profile import Profile
from node.client.aio import MESSAGE_LIMIT
from node.client.prepared import Prepared
from node.client.prepared_enip import TagItem, encoded_route, parse_tag, prepare_reads, prepare_write
from node.client.prepared_modbus import (
    RegisterItem,
    parse_registers,
    prepare_register_reads,
    prepare_register_writes,
)
from node.client.survey import survey_registers, survey_tags
from node.errors import NodeError

AT_ONCE = 32
"""Nodes that are surveyed at once."""
SEQUENCE = 2
"""Bytes of a connection's size that its sequence count takes."""
PORTS = {"enip": 44818, "modbus": 502}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read of a device, and what may be written. `known` says that sizes of tags are, and need not be
    asked for. `tls` is its certificate, "" for none."""

    name: str
    host: str
    port: int
    protocol: str
    tags: Sequence[TagItem] = ()
    registers: Sequence[RegisterItem] = ()
    writable: frozenset[str] = frozenset()
    known: bool = True
    tls: str = ""


def device(address: str, protocol: str, tags: Sequence[str]) -> Wanted:
    """A device that is in no plant: `10.0.0.1`, `10.0.0.1:44818`. Raises `FarmError` for an address or tags that cannot
    be."""
    host, colon, port = address.rpartition(":")
    if not colon:
        host, port = address, str(PORTS[protocol])
    if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise FarmError(f"address {address}: wanted HOST or HOST:PORT, as 10.0.0.1:{PORTS[protocol]}")
    if not tags:
        example = "40001-40010" if protocol == "modbus" else "SCADA,ARR[0-9]"
        raise FarmError(f"{address}: which tags? Only a farm's own nodes are known; say --tags {example}")
    wanted = Wanted(address, host.strip("[]"), int(port), protocol, writable=frozenset(tags), known=False)
    try:
        if protocol == "modbus":
            return replace(wanted, registers=[parse_registers(tag) for tag in tags])
        return replace(wanted, tags=[parse_tag(tag) for tag in tags])
    except NodeError as exc:
        raise FarmError(str(exc)) from exc


async def prepare(wanted: Sequence[Wanted], profile: Profile) -> list[Target]:
    """A target for each device. Raises `FarmError` for one that cannot be asked for what is wanted."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(each: Wanted) -> Target:
        async with turn:
            return await _target(each, profile)

    try:
        return list(await asyncio.gather(*map(one, wanted)))
    except NodeError as exc:
        raise FarmError(str(exc)) from exc


async def _target(wanted: Wanted, profile: Profile) -> Target:
    make = _registers if wanted.protocol == "modbus" else _tags
    reads, writes = await make(wanted, profile)
    return Target(wanted.name, wanted.host, wanted.port, wanted.protocol, reads, writes, wanted.tls)


async def _tags(wanted: Wanted, profile: Profile) -> tuple[Sequence[Prepared], Sequence[Prepared]]:
    items, writing = list(wanted.tags), profile.mix.get("write", 0) > 0
    written = [item for item in items if item.name in wanted.writable] if writing else []
    asked = items if not wanted.known else written
    route = profile.route or None
    held = dict(
        zip(asked, await survey_tags(wanted.host, wanted.port, asked, profile.timeout, route), strict=True)
        if asked
        else ()
    )
    hops = encoded_route(route)
    limit = profile.connection - SEQUENCE if profile.connected else MESSAGE_LIMIT
    if not wanted.known:
        items = [replace(item, size=len(held[item].data)) for item in items]
    reads = prepare_reads(items, multiple=profile.multiple, limit=limit, route=hops)
    writes = [prepare_write(item, held[item].code, held[item].handle, held[item].data, hops) for item in written]
    return reads, writes


async def _registers(wanted: Wanted, profile: Profile) -> tuple[Sequence[Prepared], Sequence[Prepared]]:
    items = list(wanted.registers)
    written = [item for item in items if item.name in wanted.writable] if profile.mix.get("write", 0) > 0 else []
    asked = items if not wanted.known else written
    seconds, tls = profile.timeout, wanted.tls
    held = await survey_registers(wanted.host, wanted.port, asked, seconds, tls) if asked else []
    values = dict(zip(asked, held, strict=True))
    reads = prepare_register_reads(items, multiple=profile.multiple)
    writes = [request for item in written for request in prepare_register_writes(item, values[item])]
    return reads, writes
