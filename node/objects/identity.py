"""Identity, class 0x01: who the device is (CIP Vol 1, 5-2).

    1 vendor u16 | 2 device type u16 | 3 product code u16 | 4 revision u8 u8 | 5 status u16 | 6 serial u32 |
    7 product name SHORT_STRING | 8 state u8 | 9 configuration consistency u16 | 10 heartbeat interval u8 (s)
    service 0x05 Reset: type u8, 0 when it is left out

Get Attributes All gives 1 to 7 and no more, as real controllers do: a client that takes the name to the end of the
reply would read a state into it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from node.cip.attribute_services import without_route
from node.cip.attribute_values import Codec, Number, Revision, ShortString
from node.cip.services import IDENTITY_CLASS, RESET
from node.cip.status import DEVICE_STATE_CONFLICT, INVALID_PARAMETER, TOO_MUCH_DATA, CipError
from node.cip.types import UDINT, UINT, USINT, WORD
from node.enip.commands import IdentityItem
from node.objects.attribute_access import ATTRIBUTE_SERVICES
from node.objects.object import AttributeRow, Call, Object, Requester, constant, stored, success
from node.record import dataclass

MAX_PRODUCT_NAME = 32
"""Characters (CIP Vol 1, 5-2.2.1.7)."""

POWER_CYCLE, FACTORY_DEFAULTS, FACTORY_BUT_NETWORK = 0, 1, 2
"""Types of Reset; the last leaves alone how the device is on its network."""

KEYSWITCH = 0x3000
KEYSWITCH_RUN = 0x1000
"""The keyswitch in the status of a controller: in RUN it lets nobody reset it."""


class IdentityValues(Protocol):
    """The values of the attributes; a node's configuration has them under these names."""

    @property
    def vendor(self) -> int:
        """1 is Rockwell Automation."""

    @property
    def device_type(self) -> int:
        """0x0E is a programmable controller."""

    @property
    def product_code(self) -> int:
        """The vendor's own."""

    @property
    def revision(self) -> tuple[int, int]:
        """Major, minor."""

    @property
    def status(self) -> int:
        """Status word."""

    @property
    def serial(self) -> int:
        """Serial number, 32 bits."""

    @property
    def product_name(self) -> str:
        """Up to 32 characters."""

    @property
    def state(self) -> int:
        """3 is operational."""


@dataclass(slots=True)
class Identity:
    """What a device says of itself now, as `IdentityValues` is; its object and ListIdentity both tell this."""

    vendor: int
    device_type: int
    product_code: int
    revision: tuple[int, int]
    status: int
    serial: int
    product_name: str
    state: int

    @classmethod
    def of(cls, values: IdentityValues) -> Identity:
        """One that begins with `values`."""
        return cls(
            values.vendor,
            values.device_type,
            values.product_code,
            values.revision,
            values.status,
            values.serial,
            values.product_name,
            values.state,
        )


_ROWS: tuple[tuple[int, str, str, Codec, tuple[str, ...]], ...] = (
    (1, "vendor", "vendor", Number(UINT), ("vendor number", "vendor id")),
    (2, "device type", "device_type", Number(UINT), ()),
    (3, "product code", "product_code", Number(UINT), ("product code number",)),
    (4, "revision", "revision", Revision(), ("product revision",)),
    (5, "status", "status", Number(WORD), ("status word",)),
    (6, "serial", "serial", Number(UDINT), ("serial number",)),
    (7, "product name", "product_name", ShortString(MAX_PRODUCT_NAME), ()),
    (8, "state", "state", Number(USINT), ()),
)
"""Attribute, name, field of `Identity`, codec, other names."""


def identity_object(identity: Identity, reset: Callable[[int, Requester | None], None]) -> Object:
    """The object that tells `identity`; `reset` is called with the type of a Reset that was granted, and who asked."""
    rows = [
        _row(identity, ident, name, field, codec, aliases, listed=ident <= 7)
        for ident, name, field, codec, aliases in _ROWS
    ]
    rows.append(constant(9, "configuration consistency value", bytes(2), listed=False, codec=Number(UINT)))
    rows.append(stored(10, "heartbeat interval", Number(USINT), 0, listed=False))

    def handle_reset(call: Call) -> bytes:
        data = without_route(call.data, len(call.data) & 1)
        if len(data) > 1:
            raise CipError(TOO_MUCH_DATA)
        kind = data[0] if data else POWER_CYCLE
        if kind > FACTORY_BUT_NETWORK:
            raise CipError(INVALID_PARAMETER)
        if identity.status & KEYSWITCH == KEYSWITCH_RUN:
            raise CipError(DEVICE_STATE_CONFLICT)
        reset(kind, call.origin)
        return success(call.service)

    services = {**ATTRIBUTE_SERVICES, RESET: handle_reset}
    return Object(IDENTITY_CLASS, "Identity", {1: rows}, services, class_listed=(1, 2, 6, 7))


def _row(
    identity: Identity, ident: int, name: str, field: str, codec: Codec, aliases: tuple[str, ...], listed: bool
) -> AttributeRow:
    def get() -> bytes:
        return codec.encode(getattr(identity, field))

    def preset(data: bytes) -> None:
        value = codec.decode(data)
        setattr(identity, field, (data[0], data[1]) if isinstance(codec, Revision) else value)

    return AttributeRow(ident, name, get, None, listed, codec, aliases, preset)


def identity_item(values: IdentityValues, ip: str, port: int) -> IdentityItem:
    """The same as ListIdentity tells it, with the node's own address."""
    return IdentityItem(
        ip,
        values.vendor,
        values.device_type,
        values.product_code,
        values.revision,
        values.status,
        values.serial,
        values.product_name,
        values.state,
        port,
    )
