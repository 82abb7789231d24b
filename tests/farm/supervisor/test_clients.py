"""Who talks to whom, from what nodes say of their peers."""

import pytest

from farm.supervisor import clients as module
from farm.supervisor.clients import Clients
from farm.supervisor.pace import Pace


def peer(address: str, requests: int, port: int = 50000, errors: int = 0, protocol: str = "enip") -> list[object]:
    return [protocol, f"{address}:{port}", 1.0, requests, errors]


def test_a_client_is_an_address_whatever_its_ports() -> None:
    clients = Clients()
    both = {"enip": "EtherNet/IP", "modbus": "Modbus/TLS"}
    assert clients.report("pump-1", [peer("10.0.0.5", 10), peer("10.0.0.5", 5, port=50001)], 1.0, both) == ["10.0.0.5"]
    assert clients.report("pump-2", [peer("10.0.0.5", 1, protocol="modbus")], 1.0, both) == []
    (client,) = clients.listed({}, 1.0)["clients"]
    assert (client["address"], client["nodes"], client["connections"], client["requests"]) == ("10.0.0.5", 2, 3, 16)
    assert client["services"] == ["EtherNet/IP", "Modbus/TLS"]
    assert clients.count == 1


def test_its_rate_is_smoothed_and_falls_when_it_is_idle() -> None:
    clients = Clients()
    for second in range(40):
        clients.report("pump-1", [peer("10.0.0.5", 20 * second)], float(second))
    found = clients.listed({}, 39.0)
    assert found["edges"] == [{"client": "10.0.0.5", "node": "pump-1", "requests_per_s": 20.0, "connections": 1}]
    assert clients.listed({}, 80.0)["clients"][0]["requests_per_s"] == 0.0, "nulls since: it is connected and silent"


def test_ended_connections_are_remembered_until_they_are_old(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = Clients()
    clients.report("pump-1", [peer("10.0.0.5", 7)], 1.0)
    clients.report("pump-1", [], 2.0)
    assert (clients.count, clients.leave(5.0)) == (0, [])
    (client,) = clients.listed({}, 5.0)["clients"]
    assert (client["connections"], client["requests"]) == (0, 7)
    assert (client["last_seen_s"], client["first_seen_s"]) == (3.0, 4.0)
    assert clients.leave(13.0) == ["10.0.0.5"]
    assert clients.leave(14.0) == [], "told once"
    assert clients.report("pump-1", [peer("10.0.0.5", 1, port=50009)], 20.0) == ["10.0.0.5"], "it is back"
    clients.report("pump-1", [], 21.0)
    clients.leave(40.0)
    clients.leave(21.0 + module.FORGOTTEN + 1)
    assert clients.listed({}, 5000.0) == {"clients": [], "edges": []}


def test_a_port_that_is_used_again_counts_on() -> None:
    clients = Clients()
    clients.report("pump-1", [peer("10.0.0.5", 100, errors=3)], 1.0)
    clients.report("pump-1", [peer("10.0.0.5", 4, errors=1)], 2.0)
    (client,) = clients.listed({}, 2.0)["clients"]
    assert (client["requests"], client["errors"]) == (104, 4)


def test_a_node_that_died_has_no_clients() -> None:
    clients = Clients()
    clients.report("pump-1", [peer("10.0.0.5", 100)], 1.0)
    clients.ended("pump-1", 2.0)
    assert clients.count == 0
    clients.report("pump-1", [peer("10.0.0.5", 3)], 3.0)
    assert clients.listed({}, 3.0)["clients"][0]["requests"] == 103


def test_nodes_that_are_gone_are_no_edges() -> None:
    clients = Clients()
    clients.report("pump-1", [peer("10.0.0.5", 100)], 1.0)
    clients.keep([], 2.0)
    assert clients.listed({}, 2.0)["edges"] == []


def test_a_scanner_is_known_by_what_it_does_and_others_are_not_guessed() -> None:
    clients = Clients()
    for number in range(12):
        clients.report(f"pump-{number}", [peer("10.0.0.66", 2), peer("10.0.0.5", 900)], 1.0)
    found = {client["address"]: client["software"] for client in clients.listed({}, 1.0)["clients"]}
    assert found == {"10.0.0.66": "a scanner: few requests to many nodes", "10.0.0.5": ""}


def test_a_client_that_is_a_node_is_named_and_ipv6_is_an_address() -> None:
    clients = Clients()
    clients.report("pump-1", [peer("10.0.0.7", 1), peer("[fd00::7]", 1)], 1.0)
    inside = {client["address"]: client["inside"] for client in clients.listed({"10.0.0.7": "gw"}, 1.0)["clients"]}
    assert inside == {"10.0.0.7": "gw", "fd00::7": ""}


def test_there_are_not_more_than_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    clients = Clients()
    for number in range(10):
        clients.report("pump-1", [peer(f"10.0.0.{number}", 1)], float(number))
    kept = {client["address"] for client in clients.listed({}, 9.0)["clients"]}
    assert kept == {"10.0.0.9", "10.0.0.8", "10.0.0.7"}


def test_a_client_is_as_busy_as_it_is_where_nodes_report_more_rarely() -> None:
    clients = Clients(Pace(4))
    for second in range(0, 80, 4):
        clients.report("pump-1", [["enip", "10.0.0.9:4000", second, 100 * second, 0]], float(second))
    found = clients.listed({}, 79.5)["clients"][0]
    assert found["requests_per_s"] == pytest.approx(100, rel=0.01)
