"""Identity, class 0x01: who the device is (CIP Vol 1, 5-2).

    1 vendor u16 | 2 device type u16 | 3 product code u16 | 4 revision u8 u8 | 5 status u16 | 6 serial u32 |
    7 product name SHORT_STRING | 8 state u8

Get Attributes All gives 1 to 7 and no more, as real controllers do: a client that takes the name to the end of the
reply would read a state into it.
"""

from typing import Protocol

from node.cip.services import IDENTITY_CLASS
from node.cip.text import encode_sstring
from node.enip.commands import IdentityItem
from node.objects.attribute_access import READ_SERVICES
from node.objects.object import Object, constant


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
        """Up to 255 characters, 32 by the specification."""

    @property
    def state(self) -> int:
        """3 is operational."""


def identity_object(values: IdentityValues) -> Object:
    """The Identity object. Raises `OverflowError` or `LocalProtocolError` for values that do not fit."""
    rows = [
        constant(1, "vendor", values.vendor.to_bytes(2, "little")),
        constant(2, "device type", values.device_type.to_bytes(2, "little")),
        constant(3, "product code", values.product_code.to_bytes(2, "little")),
        constant(4, "revision", bytes(values.revision)),
        constant(5, "status", values.status.to_bytes(2, "little")),
        constant(6, "serial", values.serial.to_bytes(4, "little")),
        constant(7, "product name", encode_sstring(values.product_name)),
        constant(8, "state", bytes((values.state,)), listed=False),
    ]
    return Object(IDENTITY_CLASS, "Identity", {1: rows}, dict(READ_SERVICES))


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
