"""cm-ethernetip's servers, as a program of its own: a controller with tags and an adapter; prints both ports."""

import asyncio
import sys

from ethernetip.cip.identity_info import IdentityInfo
from ethernetip.device.virtual_device import VirtualDevice
from ethernetip.logix import data_types
from ethernetip.logix.logix_dispatcher import LogixDispatcher
from ethernetip.logix.tag_database import TagDatabase
from ethernetip.protocol.eip_adapter import EipAdapter


def identity(device_type: int, name: str) -> IdentityInfo:
    """Who one of them is."""
    return IdentityInfo(
        vendor_id=1,
        device_type=device_type,
        product_code=1,
        major_revision=20,
        minor_revision=1,
        serial_number=0xC0FFEE,
        product_name=name,
    )


async def serve(host: str) -> None:
    """Until it is ended."""
    tags = TagDatabase()
    tags.add_tag("rate", data_types.DINT).write_dint(0, 1500)
    tags.add_tag("temperature", data_types.REAL).write_real(0, 72.5)
    tags.add_tag("counts", data_types.INT, element_count=100)
    tags.add_tag("big", data_types.DINT, element_count=3000)
    controller = EipAdapter(LogixDispatcher(tags, identity(14, "CM Logix")), identity(14, "CM Logix"))
    await controller.listen(host, 0)
    adapter = VirtualDevice(identity(12, "CM Adapter"), host)
    adapter.add_assembly(100, 4, "input")
    await adapter.start(0, 0)
    assert adapter._adapter is not None
    print(controller.port, adapter._adapter.port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
