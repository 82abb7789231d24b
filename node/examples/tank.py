"""A device in twenty lines: a tank that fills while its pump runs, and empties through a leak.

python -m node.examples.tank 127.0.0.1:44818
"""

import sys
import time

from node import Controller

with Controller(["Pump=BOOL", "Level=REAL"], address=sys.argv[1], on_write=print) as plc:
    print(f"a tank at port {plc.ports['enip']}, Ctrl-C ends it", flush=True)
    level = 0.0
    while True:
        level += 2.0 if plc.tags["Pump"].value else -0.5
        level = min(max(level, 0.0), 100.0)
        plc.tags["Level"] = level
        time.sleep(0.1)
