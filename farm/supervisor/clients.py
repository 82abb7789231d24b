"""Who talks to a farm: clients by address, and to which nodes, from the peers that nodes report.

A node names its 32 busiest connections at most, so a client whose every connection is quieter than 32 others of each
node is not seen here; and one that comes and goes between two reports is not either. Rates are smoothed with a time
constant of `SMOOTH` seconds. What a client is is said only where its behaviour leaves little doubt (`guess`).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from farm.supervisor.pace import Pace

SMOOTH = 5.0
FORGOTTEN = 3600.0
"""Seconds after which a client that is gone is forgotten."""
LEFT = 10.0
"""Seconds without a connection after which a client has left, for the events."""
MOST = 1000
"""Clients remembered; beyond, the one that was seen longest ago is forgotten."""
NAMES = 20
"""Nodes of a client that are named."""

SCANNED = 10
"""Nodes that who scans has reached at least,"""
TOUCHES = 3.0
"""with so many requests each at most."""

NO_SERVICES: Mapping[str, str] = {}

Peer = Sequence[Any]
"""[protocol, peer, seconds, requests, errors] of a connection."""


@dataclass(slots=True)
class Edge:
    """A client at one node: its connections now, and the requests of all it has had. `at` is when the rate was so."""

    connections: int = 0
    requests: int = 0
    rate: float = 0.0
    at: float = 0.0

    def rate_at(self, now: float, every: float = 1.0) -> float:
        """Requests a second by now, if nothing came since `at`; the time between two reports without news is none."""
        return self.rate * math.exp(-max(0.0, now - self.at - every) / SMOOTH)


@dataclass(slots=True)
class Client:
    """One address. Instants are of the monotonic clock."""

    first_seen: float
    last_seen: float
    requests: int = 0
    errors: int = 0
    services: set[str] = field(default_factory=set)
    edges: dict[str, Edge] = field(default_factory=dict)
    present: bool = True

    @property
    def connections(self) -> int:
        """Open ones, of all nodes."""
        return sum(edge.connections for edge in self.edges.values())


class Clients:
    """All clients of a farm, whose nodes report at a `pace`. `now` is in seconds of one monotonic clock."""

    def __init__(self, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        self._clients: dict[str, Client] = {}
        self._peers: dict[str, dict[str, tuple[int, int]]] = {}
        """By node, then peer: requests and errors as they were reported last."""

    def report(
        self, node: str, peers: Iterable[Peer], now: float, services: Mapping[str, str] = NO_SERVICES
    ) -> list[str]:
        """Takes the peers that a node has, `services` what its protocols are called; addresses that were not here
        before."""
        before = self._peers.get(node, {})
        here: dict[str, tuple[int, int]] = {}
        risen: dict[str, list[int]] = {}
        new: list[str] = []
        for protocol, peer, _, requests, errors in peers:
            old = before.get(peer, (0, 0))
            here[peer] = (requests, errors)
            address = _address(peer)
            client = self._clients.get(address)
            if client is None or not client.present:
                new.append(address)
                client = self._appears(address, now)
            client.last_seen = now
            client.services.add(services.get(protocol, protocol))
            more = risen.setdefault(address, [0, 0])
            more[0] += 1
            if requests >= old[0]:
                more[1] += requests - old[0]
                client.errors += max(0, errors - old[1])
            else:  # another connection from a port that was used before
                more[1] += requests
                client.errors += errors
        self._absent(node, before, here, now)
        for address, (connections, requests) in risen.items():
            self._count(self._clients[address], node, connections, requests, now)
        self._peers[node] = here
        return new

    def ended(self, node: str, now: float) -> None:
        """The node's process is gone, and its connections with it."""
        if node in self._peers:
            self._absent(node, self._peers.pop(node), {}, now)

    def keep(self, nodes: Iterable[str], now: float) -> None:
        """Forgets all nodes but these."""
        kept = set(nodes)
        for node in set(self._peers) - kept:
            self.ended(node, now)
        for client in self._clients.values():
            client.edges = {node: edge for node, edge in client.edges.items() if node in kept}

    def leave(self, now: float) -> list[str]:
        """Addresses that have been without a connection for a while now, each told once; old ones are forgotten."""
        left = []
        for address, client in list(self._clients.items()):
            if client.connections:
                client.last_seen = now
            elif client.present and now - client.last_seen > LEFT:
                client.present = False
                left.append(address)
            elif now - client.last_seen > FORGOTTEN:
                del self._clients[address]
        return left

    @property
    def count(self) -> int:
        """Addresses with a connection now."""
        return sum(1 for client in self._clients.values() if client.connections)

    def listed(self, inside: Mapping[str, str], now: float) -> dict[str, list[dict[str, Any]]]:
        """`clients` and `edges`, as they are answered, the busiest first. `inside` maps addresses of nodes to names."""
        clients, edges = [], []
        for address, client in self._clients.items():
            rates = {node: edge.rate_at(now, self._pace.every) for node, edge in client.edges.items()}
            busiest = sorted(client.edges, key=lambda node: (-rates[node], node))
            clients.append(
                {
                    "address": address,
                    "nodes": len(client.edges),
                    "names": busiest[:NAMES],
                    "connections": client.connections,
                    "requests_per_s": round(sum(rates.values()), 1),
                    "requests": client.requests,
                    "errors": client.errors,
                    "services": sorted(client.services),
                    "software": guess(client),
                    "first_seen_s": round(now - client.first_seen, 1),
                    "last_seen_s": 0.0 if client.connections else round(now - client.last_seen, 1),
                    "inside": inside.get(address, ""),
                }
            )
            edges += [
                {
                    "client": address,
                    "node": node,
                    "requests_per_s": round(rates[node], 1),
                    "connections": client.edges[node].connections,
                }
                for node in busiest
                if client.edges[node].connections or rates[node] >= 0.05
            ]
        clients.sort(key=lambda client: float(str(client["requests_per_s"])), reverse=True)
        return {"clients": clients, "edges": edges}

    def _appears(self, address: str, now: float) -> Client:
        client = self._clients.get(address)
        if client is None:
            if len(self._clients) >= MOST:
                oldest = min(self._clients, key=lambda each: self._clients[each].last_seen)
                del self._clients[oldest]
            client = self._clients[address] = Client(now, now)
        client.present = True
        return client

    def _absent(self, node: str, before: Iterable[str], here: Mapping[str, Any], now: float) -> None:
        """Addresses of which the node had connections and has none any more."""
        ended = [peer for peer in before if peer not in here]
        if not ended:  # as nearly always, and this is done for each report of each node
            return
        gone = {_address(peer) for peer in ended} - {_address(peer) for peer in here}
        for address in gone:
            client = self._clients.get(address)
            if client is not None and node in client.edges:
                self._count(client, node, 0, 0, now)
                client.last_seen = now

    def _count(self, client: Client, node: str, connections: int, requests: int, now: float) -> None:
        edge = client.edges.get(node)
        if edge is None:
            edge = client.edges[node] = Edge(at=now - self._pace.every)
        passed = max(now - edge.at, 0.001)
        edge.rate += (requests / passed - edge.rate) * (1 - math.exp(-passed / SMOOTH))
        edge.connections, edge.at = connections, now
        edge.requests += requests
        client.requests += requests


def guess(client: Client) -> str:
    """What the client is, as it behaves; "" where that is anybody's guess."""
    if len(client.edges) >= SCANNED and client.requests <= TOUCHES * len(client.edges):
        return "a scanner: few requests to many nodes"
    return ""


def _address(peer: str) -> str:
    return str(peer).rpartition(":")[0].strip("[]")
