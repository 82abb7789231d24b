"""A device with one tag of each make, and requests to it written as hex."""

from collections.abc import Iterable
from typing import Any

from node.cip import types
from node.cip.predefined import STRING
from node.cip.text import SSTRING
from node.config.model import IdentityConfig
from node.memory.access import Access
from node.memory.attribute import Instant
from node.memory.tags import TagTable
from node.memory.text_attribute import create_attribute
from node.objects.attribute_names import Setting
from node.objects.device import Device, build_device
from node.objects.profiles import PROFILES
from node.objects.routes import Route

IDENTITY = IdentityConfig(1, 14, 54, (20, 11), 0x3060, 0x006C061A, "1756-L61/B LOGIX5561")


def build_tags() -> TagTable:
    """SCADA holds its indexes, CUBE too; NUMBERED is at 22/1/1, FLAGS at 22/1/2."""
    tags = TagTable()
    tags.add("SCADA", create_attribute(types.DINT, (1000,), range(1000)))
    tags.add("CUBE", create_attribute(types.INT, (2, 3, 4), range(24)))
    tags.add("ONE", create_attribute(types.DINT, (), 7))
    tags.add("FLAG", create_attribute(types.BOOL))
    tags.add("REAL", create_attribute(types.REAL))
    tags.add("LOCKED", create_attribute(types.DINT, writable=False))
    tags.add("TEXT", create_attribute(SSTRING, (4,), ("a", "", "xyz", "end")))
    tags.add("NAME", create_attribute(STRING, (8,), [f"n{index}" for index in range(8)]))
    tags.add("NUMBERED", create_attribute(types.INT, (3,), (1, 2, 3)), (22, 1, 1))
    tags.add("FLAGS", create_attribute(types.BOOL, (2,), (True, False)), (22, 1, 2))
    tags.add("Program:Main.P1", create_attribute(types.SINT, (), 5))
    return tags


def build(route: Route | None = None, limit: int = 64, **options: object) -> Device:
    """The device; `options` are those of `build_device`."""
    return build_device(
        IDENTITY,
        build_tags(),
        Instant(),
        address="192.168.0.201",
        host_name="plc",
        route_path=route,
        max_cip_connections=limit,
        **options,  # type: ignore[arg-type]
    )


def build_of(profile: str, settings: Iterable[Setting] = (), **options: Any) -> Device:
    """A device of a profile, with the same tags and the instant 100 s."""
    found = PROFILES[profile]
    who = IdentityConfig(
        found.vendor,
        found.device_type,
        found.product_code,
        found.revision,
        found.status,
        0x006C061A,
        found.product_name,
        found.state,
    )
    return build_device(
        who, build_tags(), Instant(100.0), profile=found, address="192.168.0.201", settings=settings, **options
    )


def name(text: str) -> str:
    """A symbolic segment in hex."""
    raw = text.encode()
    return (bytes((0x91, len(raw))) + raw + b"\0" * (len(raw) & 1)).hex()


def request(service: int, path: str, data: str = "") -> bytes:
    """A Message Router request; path and data in hex."""
    raw = bytes.fromhex(path)
    return bytes((service, len(raw) // 2)) + raw + bytes.fromhex(data)


def ask(device: Device, message: bytes, trace: list[Access] | None = None, limit: int = 504) -> str:
    """The reply in hex; asked twice, for the second answer may come from a plan and must be the same."""
    first = device.router.request(message, trace, limit=limit)
    if message[0] in (0x01, 0x03, 0x0E, 0x4C, 0x52) and trace is None:
        assert device.router.request(message, limit=limit) == first
    return first.hex()
