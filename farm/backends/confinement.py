"""What a node in a container is given, and all that is taken from it, whoever starts the container.

It runs as nobody, without capabilities, on a root filesystem that it cannot write, and can get no privilege back;
processes, memory and what is kept of its output are limited. Ports from 0 on are everybody's inside
(`ip_unprivileged_port_start`), so that not even NET_BIND_SERVICE is needed for 502.
"""

NOBODY = "65534:65534"
MEMORY = 256 << 20
"""Bytes."""
PROCESSES = 64
LOG_SIZE, LOG_FILES = "1m", "2"
PORTS_FROM = {"net.ipv4.ip_unprivileged_port_start": "0"}

INSIDE = "/run/plcfarm"
"""The folder of what is mounted."""
SHARD_FILE = f"{INSIDE}/shard.json"
"""What the node reads when it starts."""
NODE_COMMAND = ("python3", "-S", "-m", "node")
"""`python -m node` in the image; without site, which would look for packages that are not there."""

TRANSPORTS = {"enip": ("tcp", "udp"), "modbus": ("tcp",)}
"""Protocol to what carries it, where the node does not say more."""
