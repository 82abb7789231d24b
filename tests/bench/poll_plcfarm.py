"""Our poller, as fast as it goes, with DEPTH reads under way; prints the polls of all addresses it did in how long.

Arguments: `DEPTH HOST PORT SECONDS ADDRESS …`. Holding register A must hold A.
"""

import json
import sys
import time

from node.client.modbus import ModbusClient
from node.client.modbus_poller import ModbusPoller

ALWAYS = 1e-6
"""Seconds from one poll to the next: it is always late."""


def main(depth: int, host: str, port: int, seconds: float, addresses: list[int]) -> None:
    """Polls, and checks what came."""
    with ModbusPoller(ModbusClient.tcp(host, port), ALWAYS, depth=depth) as poller:
        poller.poll([("holding", address) for address in addresses])
        while not poller.polls:
            time.sleep(0.01)
        first, begun = poller.polls, time.perf_counter()
        time.sleep(seconds)
        polls, took = poller.polls - first, time.perf_counter() - begun
        wrong = sum(poller.read(("holding", address)) != address for address in addresses)
    print(json.dumps({"polls": polls, "seconds": took, "wrong": wrong}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), [int(each) for each in sys.argv[5:]])
