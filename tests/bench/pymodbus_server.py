"""pymodbus's own asyncio TCP server, unit 1, holding register A = A for 0 to 9999: `HOST PORT`."""

import asyncio
import sys

from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import StartAsyncTcpServer


async def main() -> None:
    """Serve until killed."""
    block = ModbusSequentialDataBlock(1, list(range(10000)))
    device = ModbusDeviceContext(di=block, co=block, hr=block, ir=block)
    context = ModbusServerContext(devices=device, single=True)
    await StartAsyncTcpServer(context, address=(sys.argv[1], int(sys.argv[2])))


if __name__ == "__main__":
    asyncio.run(main())
