"""The interface configuration of a TCP/IP Interface object (CIP Vol 2, 5-4.3.2.5), in JSON and in bytes.

    {"ip_address": "192.168.0.201", …}     five addresses u32 | domain name: length u16, characters, pad to even

Addresses are little-endian numbers here, unlike in socket addresses: 192.168.0.201 is C9 00 A8 C0.
"""

from collections.abc import Mapping

from node.cip.attribute_values import PaddedString, misfit
from node.cip.status import NOT_ENOUGH_DATA, CipError
from node.errors import LocalProtocolError

ADDRESSES = ("ip_address", "network_mask", "gateway_address", "dns_primary", "dns_secondary")
DOMAIN_NAME = "domain_name"
KEYS = (*ADDRESSES, DOMAIN_NAME)
MAX_DOMAIN_NAME = 48

_END = 4 * len(ADDRESSES)
_DOMAIN = PaddedString(MAX_DOMAIN_NAME)


class InterfaceConfiguration:
    """The codec of the whole attribute."""

    name = "interface configuration"
    size = 0

    def encode(self, value: object, before: bytes = b"") -> bytes:
        """From an object with any of `KEYS`; those it does not have stay as they are in `before`."""
        keys = " ".join(KEYS)
        if not isinstance(value, Mapping):
            raise misfit(value, f"an object of {keys}")
        for key in value:
            if key not in KEYS:
                raise LocalProtocolError(f"got {key!r}, wanted only {keys}")
        old = _parts(before or bytes(_END + 2))
        parts = [encode_ip(value[key]) if key in value else old[key] for key in ADDRESSES]
        domain = _DOMAIN.encode(value[DOMAIN_NAME]) if DOMAIN_NAME in value else old[DOMAIN_NAME]
        return b"".join(parts) + domain

    def decode(self, data: bytes) -> object:
        """As an object of all keys. Raises `CipError`."""
        parts = _parts(data)
        values: dict[str, object] = {key: decode_ip(parts[key]) for key in ADDRESSES}
        return {**values, DOMAIN_NAME: _DOMAIN.decode(parts[DOMAIN_NAME])}

    def measure(self, data: bytes) -> int:
        """Five addresses and the name. Raises `CipError` 0x13."""
        return _END + _DOMAIN.measure(data[_END:])


def _parts(data: bytes) -> dict[str, bytes]:
    if len(data) < _END:
        raise CipError(NOT_ENOUGH_DATA)
    addresses = [data[offset : offset + 4] for offset in range(0, _END, 4)]
    return dict(zip(KEYS, (*addresses, data[_END:]), strict=True))


def encode_ip(value: object) -> bytes:
    """An IPv4 address in dots as a little-endian number. Raises `LocalProtocolError`."""
    parts = value.strip().split(".") if isinstance(value, str) else []
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and int(part) <= 0xFF for part in parts):
        raise misfit(value, "an IPv4 address as 192.168.0.201")
    return bytes(int(part) for part in reversed(parts))


def decode_ip(data: bytes) -> str:
    """The four bytes of an address in dots."""
    return ".".join(str(byte) for byte in reversed(data))
