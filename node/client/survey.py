"""What tags and registers hold before they are asked for a thousand times: their size, and a value that may be put
back.

A load test that writes must write something; what was there does the least harm, and its type needs no telling.
"""

from collections.abc import Sequence

from node.cip.epath import encode_epath
from node.cip.message import Request
from node.cip.path_text import Route, parse_path, parse_route
from node.cip.services import READ_TAG
from node.cip.status import PARTIAL_TRANSFER, CipError
from node.cip.tag_services import decode_read_reply, encode_read_tag
from node.client.aio import AsyncConnector
from node.client.modbus_aio import AsyncModbus
from node.client.modbus_tls import pinned_context
from node.client.prepared_enip import TagItem
from node.client.prepared_modbus import RegisterItem
from node.errors import LocalProtocolError, NodeError
from node.modbus.ranges import BIT_TABLES
from node.record import dataclass


class SurveyError(NodeError):
    """An item that cannot be read, and why."""


@dataclass(frozen=True, slots=True)
class Held:
    """Values as they travel, of the type with this code and, of a structure, handle."""

    code: int
    handle: int | None
    data: bytes


async def survey_tags(
    host: str, port: int, items: Sequence[TagItem], seconds: float, route: str | None = None
) -> list[Held]:
    """What each item holds. Raises `NoAnswer`, and `SurveyError` for an item that is refused or does not fit a
    reply."""
    hops: Route | None = None if route is None else parse_route(route)
    found = []
    async with AsyncConnector(host, port, seconds, hops) as plc:
        for item in items:
            request = Request(READ_TAG, encode_epath(parse_path(item.path)), encode_read_tag(item.count))
            try:
                reply = await plc.request(request)
            except CipError as exc:
                raise SurveyError(f"{host}:{port} {item.name}: {exc}") from exc
            if reply.status == PARTIAL_TRANSFER:
                raise SurveyError(f"{host}:{port} {item.name}: more than one reply holds; ask for fewer elements")
            found.append(Held(*decode_read_reply(reply.data)))
    return found


async def survey_registers(
    host: str, port: int, items: Sequence[RegisterItem], seconds: float, tls: str = ""
) -> list[bytes]:
    """What each item holds: registers as they travel, coils as a byte each. `tls` is the device's certificate, "" where
    it speaks without. Raises `NoAnswer`, `SurveyError`."""
    found: dict[RegisterItem, bytes] = {}
    context = pinned_context(tls) if tls else None
    for unit in dict.fromkeys(item.unit for item in items):
        async with AsyncModbus(host, port, unit, seconds, tls=context) as device:
            for item in (each for each in items if each.unit == unit):
                try:
                    found[item] = await _held(device, item)
                except LocalProtocolError:
                    raise
                except NodeError as exc:
                    raise SurveyError(f"{host}:{port} {item.name}: {exc}") from exc
    return [found[item] for item in items]


async def _held(device: AsyncModbus, item: RegisterItem) -> bytes:
    if item.table in BIT_TABLES:
        return bytes(await device.read_bits(item.table, item.start, item.count))
    return await device.read_raw(item.table, item.start, item.count)
