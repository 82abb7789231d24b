"""Containers with the least in them that could be a controller, as a person would start them with Docker's own SDK: an
echo server on asyncio each, at an address of its own, shut in as the farm's are. What is left to gain beside them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import ip_network
from itertools import islice

from docker.api.client import APIClient
from docker.types import IPAMConfig, IPAMPool, NetworkingConfig

from farm.backends.docker_engine import Engine
from tests.bench import processes, servers
from tests.bench.scale import Row, idle_percent, kernel_mib, shims

ECHO = """
import asyncio

async def echo(reader, writer):
    while data := await reader.read(256):
        writer.write(data)
        await writer.drain()
    writer.close()

async def serve():
    async with await asyncio.start_server(echo, "0.0.0.0", 502) as server:
        await server.serve_forever()

asyncio.run(serve())
"""
NAME = "plcfarm-bare"
SUBNET = "10.230.0.0/22"
THREADS = 8
"""As many at once as brought the most on two cores."""


def bare_row(url: str, image: str, count: int, runtime: str) -> Row:
    """`count` containers of `image`, which has Python, on the daemon at `url`: seconds until each takes a client."""
    engine = Engine(url)
    before = kernel_mib()
    try:
        with _network(engine.api) as network:
            addresses = [str(address) for address in islice(ip_network(SUBNET).hosts(), 10, 10 + count)]
            made: list[str] = []
            begun = time.monotonic()
            try:
                with ThreadPoolExecutor(THREADS) as pool:
                    made += pool.map(lambda address: _start(engine.api, network, image, address), addresses)
                for address in addresses:
                    servers.wait_for_port(address, 502)
                seconds = time.monotonic() - begun
                pids = [engine.api.inspect_container(container)["State"]["Pid"] for container in made]
                everything = [*pids, *shims()]
                kernel, pss = kernel_mib() - before, processes.pss_mib(everything)
                idle = idle_percent(everything)
            finally:
                begun = time.monotonic()
                found = engine.api.containers(all=True, filters={"label": NAME})
                with ThreadPoolExecutor(THREADS) as pool:
                    list(pool.map(lambda one: engine.api.remove_container(one["Id"], force=True), found))
                down = time.monotonic() - begun
    finally:
        engine.close()
    return Row(f"bare echo servers, docker{runtime}, and shims", count, seconds, pss, kernel, idle, down)


@contextmanager
def _network(api: APIClient) -> Iterator[str]:
    pools = IPAMConfig(pool_configs=[IPAMPool(subnet=SUBNET)])
    api.create_network(NAME, driver="bridge", internal=True, ipam=pools)
    try:
        yield NAME
    finally:
        api.remove_network(NAME)


def _start(api: APIClient, network: str, image: str, address: str) -> str:
    shut_in = api.create_host_config(
        network_mode=network,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        read_only=True,
        pids_limit=64,
        mem_limit="64m",
        sysctls={"net.ipv4.ip_unprivileged_port_start": "0"},
    )
    joined = NetworkingConfig()
    joined["EndpointsConfig"] = {network: api.create_endpoint_config(ipv4_address=address)}
    container: str = api.create_container(
        image,
        ["python3", "-c", ECHO],
        user="65534:65534",
        labels=[NAME],
        host_config=shut_in,
        networking_config=joined,
    )["Id"]
    api.start(container)
    return container
