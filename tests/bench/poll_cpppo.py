"""cpppo's poller in the place of ours, for its own interpreter: `HOST PORT SECONDS ADDRESS …`."""

import json
import logging
import sys
import time

from cpppo.remote.plc_modbus import poller_modbus

ALWAYS = 1e-6
FIRST = 40001


def main(host, port, seconds, addresses):
    """Polls, and checks what came. It begins with the rate, which nothing has before all addresses are known to it."""
    logging.disable(logging.CRITICAL)  # it logs each poll that is late
    poller = poller_modbus("bench", host=host, port=port, unit=1)
    for address in addresses:
        poller.poll(FIRST + address)
    poller.poll(FIRST + addresses[0], rate=ALWAYS)
    while not poller.counter:
        time.sleep(0.01)
    first, begun = poller.counter, time.perf_counter()
    time.sleep(seconds)
    polls, took = poller.counter - first, time.perf_counter() - begun
    wrong = sum(poller.read(FIRST + address) != address for address in addresses)
    print(json.dumps({"polls": polls, "seconds": took, "wrong": wrong}), flush=True)
    poller.stop()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), [int(each) for each in sys.argv[4:]])
