"""Whether a setting of an object's attribute can be had, asked before there is a device (`node.objects.attribute_names`
has the names, each object's rows what fits)."""

from functools import lru_cache

from node.errors import LocalProtocolError
from node.memory.attribute import Instant
from node.memory.tags import TagTable
from node.objects.attribute_names import find_row, parse_json
from node.objects.device import build_device
from node.objects.identity import Identity
from node.objects.object import Object
from node.objects.profiles import PROFILES


def check(profile: str, section: str, name: str, json_text: str) -> str:
    """What is wrong with giving attribute `name` of object `section` a value, on a device of `profile`: one line, ""
    for nothing. An unknown profile is none of its business."""
    if profile not in PROFILES:
        return ""
    try:
        row = find_row(_objects(profile), section, name)
        row.codec.encode(parse_json(json_text), row.get())
    except LocalProtocolError as exc:
        return str(exc)
    return ""


@lru_cache(maxsize=4)
def _objects(profile: str) -> tuple[Object, ...]:
    """The objects of such a device: nobody changes them here."""
    found = PROFILES[profile]
    who = Identity(
        found.vendor,
        found.device_type,
        found.product_code,
        found.revision,
        found.status,
        1,
        found.product_name,
        found.state,
    )
    device = build_device(who, TagTable(), Instant(), profile=found)
    return tuple(device.router.objects.values())
