"""A node as a scanner sees it, from its configuration: what ListIdentity and Read Device Identification would say."""

from typing import Any

from farm.topology.keys import DEVICE_ID_OBJECTS
from node.config.model import NodeConfig
from node.config.transports import carriers


def seen_identity(config: NodeConfig) -> dict[str, Any]:
    """`{"enip": {...}, "modbus": {...}}`, each where the node speaks it."""
    found: dict[str, Any] = {}
    if config.enip is not None:
        identity = config.enip.identity
        found["enip"] = {
            "vendor": identity.vendor,
            "device_type": identity.device_type,
            "product_code": identity.product_code,
            "revision": ".".join(map(str, identity.revision)),
            "status": f"0x{identity.status:04x}",
            "serial": f"0x{identity.serial:08x}",
            "product_name": identity.product_name,
            "state": identity.state,
            "protocol": "EtherNet/IP",
            "address": config.address,
            "port": config.enip.port,
        }
    if config.modbus is not None:
        texts = {
            DEVICE_ID_OBJECTS[number] if number < len(DEVICE_ID_OBJECTS) else f"object_{number}": text
            for number, text in config.modbus.device_id
        }
        units = [unit.unit_id for unit in config.modbus.units]
        found["modbus"] = {
            **texts,
            "units": units,
            "protocol": ", ".join(carriers(config.modbus)),
            "address": config.address,
            "port": config.modbus.port,
        }
    return found
