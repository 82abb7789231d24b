"""A client that reads from a node for so long: `CLIENT HOST PORT SECONDS BATCH`; prints values read, seconds, CPU.

With BATCH 1 the same tag over and over, one request at a time; else so many tags in one call, as that client does it
best by itself. The node's SCADA is 0 and its ARR counts from nothing: all values are 0, and every one is looked at.
cpppo's client runs this under its own interpreter, so nothing but Python's own library is imported before it is named.
"""

import json
import sys
import time


def names(batch):
    """The tags of a call."""
    return ["SCADA"] if batch == 1 else [f"ARR[{number}]" for number in range(batch)]


def plcfarm(host, port, tags, connected=None):
    """Our blocking client; connected and bundled by itself."""
    from node.client import Connector

    plc = Connector(host, port, connected=connected)
    return (lambda: [plc.read_tag(tags[0])]) if len(tags) == 1 else (lambda: plc.read_tags(tags))


def plcfarm_unconnected(host, port, tags):
    """The same, unconnected."""
    return plcfarm(host, port, tags, connected=False)


def pylogix(host, port, tags):
    """pylogix as one uses it: it looks a tag's type up once."""
    from pylogix import PLC

    plc = PLC(host)
    plc.conn.Port = port
    if len(tags) == 1:
        return lambda: [plc.Read(tags[0]).Value]
    return lambda: [answer.Value for answer in plc.Read(tags)]


def pycomm3(host, port, tags):
    """pycomm3's driver, which lists all tags when it opens."""
    from pycomm3 import LogixDriver

    plc = LogixDriver(f"{host}:{port}")
    plc.open()
    if len(tags) == 1:
        return lambda: [plc.read(tags[0]).value]
    return lambda: [answer.value for answer in plc.read(*tags)]


def cpppo(host, port, tags):
    """cpppo's connector: one request at a time, or packets of 500 bytes with twenty under way."""
    from cpppo.server.enip import client

    plc = client.connector(host=host, port=port, timeout=10)
    how = {"depth": 1} if len(tags) == 1 else {"depth": 20, "multiple": 500}

    def read():
        with plc:  # it wants to be locked
            found = plc.pipeline(operations=client.parse_operations(tags), timeout=10, **how)
            return [value[0] for _, _, _, _, _, value in found]

    return read


CLIENTS = {each.__name__: each for each in (plcfarm, plcfarm_unconnected, pylogix, pycomm3, cpppo)}


def main(name, host, port, seconds, batch):
    """Reads, and says how much."""
    tags = names(batch)
    read = CLIENTS[name](host, port, tags)
    wanted = [0] * len(tags)
    assert read() == wanted
    calls, cpu, begun = 0, time.process_time(), time.perf_counter()
    while time.perf_counter() - begun < seconds:
        assert read() == wanted
        calls += 1
    took, cpu = time.perf_counter() - begun, time.process_time() - cpu
    print(json.dumps({"values": calls * batch, "seconds": took, "cpu": cpu}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]))
