"""A plant with everything that a Compose file has to do with."""

from pathlib import Path

from farm.topology import Plant, load_plant

TEXT = """\
farm: 1
name: Mill
networks:
  office: {subnet: 10.231.1.0/24, mtu: 1400}
  cell: {subnet: 10.231.2.0/24, internal: true, ipv6: "fd00:231::/64"}
gateways:
  fw: {between: [office, cell], addresses: {office: 10.231.1.1, cell: 10.231.2.1}, allow: [office -> cell tcp 502]}
nodes:
  plc-1:
    kind: gateway
    network: cell
    address: 10.231.2.11
    interfaces: {office: 10.231.1.11}
    tags: {Price: {type: STRING, init: "12 $ or ${name}"}, Level: {type: "DINT[4]", init: [11, 22, 33, 44]}}
    holding: {"40001": {type: uint16, name: Speed, init: 1450}}
  rtu-1: {kind: modbus, network: office, address: 10.231.1.12, holding: {"40001": {type: uint16, name: Flow, init: 7}}}
  lone: {kind: logix, network: cell, address: 10.231.2.13, link: {delay: 2ms}, tags: {A: DINT}}
"""


def mill(folder: Path, outside: bool = False, text: str = TEXT) -> Plant:
    """Three nodes on two networks, and a router between them."""
    file = folder / "mill.yaml"
    file.write_text(text)
    return load_plant(file, environ={}, backend="netns", shard=1, outside=outside)
