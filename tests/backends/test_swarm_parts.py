"""What of backend swarm needs no engine: which node goes where, ranges of overlays, silent engines, ssh, logs."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.backends.swarm_engines import HostEngine
from farm.backends.swarm_homes import settle
from farm.backends.swarm_hosts import Hosts
from farm.backends.swarm_logs import FetchedLogs
from farm.backends.swarm_networks import pool
from farm.backends.swarm_tunnel import Tunnel
from farm.errors import BackendError
from farm.topology.placement import HostSpec, Placement
from farm.topology.wiring import NetworkSpec
from node.control.messages import BEGAN_VARIABLE, ShardFile
from node.shard import read

THREE = ("h1", "h2", "h3")
PLACEMENT = Placement(hosts=tuple(HostSpec(name, f"unix:///{name}") for name in THREE))


def test_nodes_are_balanced_and_stay_when_others_come() -> None:
    first = settle(["a", "b", "c", "d"], PLACEMENT, THREE, {})
    assert first == {"a": "h1", "b": "h2", "c": "h3", "d": "h1"}
    assert settle(["x", "d", "c", "b", "a", "y"], PLACEMENT, THREE, first) == {**first, "x": "h2", "y": "h3"}


def test_a_node_leaves_a_host_where_it_may_not_stay() -> None:
    before = {"a": "h1", "b": "h1", "c": "gone"}
    placement = Placement(hosts=PLACEMENT.hosts, homes={"a": ("h2", "h3"), "b": ("h1",)})
    assert settle(["a", "b", "c"], placement, THREE, before) == {"a": "h2", "b": "h1", "c": "h3"}


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from((*THREE, "gone"))), st.integers(1, 40))
def test_no_host_has_two_more_than_another_unless_it_had_before(before: dict[str, str], count: int) -> None:
    nodes = [*before, *(f"n{number}" for number in range(count))]
    homes = settle(nodes, PLACEMENT, THREE, before)
    assert set(homes) == set(nodes)
    assert {node: homes[node] for node in before if before[node] in THREE} == {
        node: host for node, host in before.items() if host in THREE
    }
    kept = [list(before.values()).count(host) for host in THREE]
    load = [list(homes.values()).count(host) for host in THREE]
    assert max(load) - min(load) <= 1 or max(load) in kept


def test_an_overlay_keeps_a_range_for_hosts_where_no_node_is() -> None:
    cell = NetworkSpec("cell", "10.20.0.0/24", "10.20.0.253", host="10.20.0.254")
    assert pool(cell, ["10.20.0.1", "10.20.0.9"]) == {
        "Subnet": "10.20.0.0/24",
        "IPRange": "10.20.0.192/27",
        "Gateway": "10.20.0.254",
        "AuxiliaryAddresses": None,
    }
    assert pool(cell, ["10.20.0.200", "10.20.0.170"])["IPRange"] == "10.20.0.128/27"
    crowded = pool(cell, [f"10.20.0.{number}" for number in range(1, 224)])
    assert crowded["IPRange"] == "10.20.0.224/27", "the last one, though the farm's own address is in it"
    closed = NetworkSpec("cell", "10.20.0.0/24", "10.20.0.253", internal=True)
    assert pool(closed, [])["Gateway"] == "10.20.0.254"
    assert pool(closed, ["10.20.0.254"])["Gateway"] is None


@contextmanager
def silent_engine(folder: Path) -> Iterator[str]:
    """An engine that takes a request and says nothing, as one does whose machine has lost its power."""
    path = folder / "silent"
    held: list[socket.socket] = []
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen(64)

        def hold() -> None:
            while True:
                try:
                    held.append(door.accept()[0])
                except OSError:
                    return

        threading.Thread(target=hold, daemon=True).start()
        try:
            yield f"unix://{path}"
        finally:
            door.shutdown(socket.SHUT_RDWR)
            for each in held:
                each.close()


def test_a_silent_engine_costs_one_short_wait_for_all_who_ask(tmp_path: Path) -> None:
    with silent_engine(tmp_path) as url:
        engine = HostEngine(HostSpec("far", url), tmp_path)
        refused: list[str] = []

        def ask() -> None:
            with pytest.raises(BackendError) as caught:
                engine.api.ping()
            refused.append(str(caught.value))

        began = time.monotonic()
        askers = [threading.Thread(target=ask) for _ in range(20)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        assert time.monotonic() - began < 6
        assert set(refused) == {f"far: reach: no engine answers at {url}"}
        assert len(refused) == 20
        engine.close()


def test_hosts_are_known_to_the_next_who_looks(tmp_path: Path) -> None:
    hosts = Hosts(tmp_path)
    assert hosts.all == [], "nothing was wanted here"
    hosts.use(PLACEMENT)
    hosts.settle(["a", "b"], {"b": "h3"})
    hosts.use(Placement(hosts=PLACEMENT.hosts[1:]))
    hosts.keep()
    found = Hosts(tmp_path)
    assert (found.wanted, found.all) == (["h2", "h3"], ["h2", "h3", "h1"])
    assert (found.home("a"), found.home("b")) == ("h1", "h3")
    with pytest.raises(BackendError, match="the run has no host h9: h2, h3, h1"):
        found.engine("h9")


def test_a_file_of_hosts_that_is_damaged_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "hosts.json").write_text('{"placement": 5}')
    assert Hosts(tmp_path).all == []


def test_every_host_is_asked_at_once_and_one_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    hosts = Hosts(tmp_path)
    hosts.use(PLACEMENT)
    together = threading.Barrier(3, timeout=10)

    def work(host: str) -> str:
        together.wait()
        if host == "h2":
            raise BackendError(host, "reach", "gone")
        return host

    found = hosts.each(work)
    assert (found["h1"], found["h3"]) == ("h1", "h3")
    assert str(found["h2"]) == "h2: reach: gone"


def test_a_folder_without_certificates_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        engine = HostEngine(HostSpec("far", url, tls=str(tmp_path)), tmp_path)
        with pytest.raises(BackendError, match=r"has no ca\.pem: ca\.pem, cert\.pem and key\.pem"):
            engine.reach()
        engine.close()


def test_a_context_that_is_not_there_is_named(tmp_path: Path) -> None:
    engine = HostEngine(HostSpec("far", context="no-such"), tmp_path)
    with pytest.raises(BackendError, match="there is no Docker context no-such: `docker context ls` lists"):
        engine.reach()


def test_ssh_that_does_not_get_through_says_why(tmp_path: Path) -> None:
    tunnel = Tunnel("far", "ssh://root@127.0.0.1:1", tmp_path)
    with pytest.raises(BackendError, match=r"far: connect: .*port 1"):
        tunnel.open()
    assert not tunnel.stands
    assert list(tmp_path.iterdir()) == []


def test_a_shard_on_another_machine_has_the_plants_start_on_its_own_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    content = ShardFile("plc", "run", 1e9, "", ()).encode()
    assert read("plc.json", content).file.epoch == 1e9
    monkeypatch.setenv(BEGAN_VARIABLE, f"{time.time() - 5:.3f}")
    assert time.monotonic() - read("plc.json", content).file.epoch == pytest.approx(5, abs=0.5)
    monkeypatch.setenv(BEGAN_VARIABLE, "yesterday")
    assert read("plc.json", content).file.epoch == 1e9


class Keeper:
    """An engine that keeps the output of one container."""

    def __init__(self) -> None:
        self.said = b""
        self.api: Any = self

    def logs(self, container: str) -> bytes:
        return self.said

    @contextmanager
    def told(self, name: str, operation: str) -> Iterator[None]:
        yield


def test_logs_are_fetched_once_each_over_the_containers_of_a_node(tmp_path: Path) -> None:
    logs, engine, path = FetchedLogs(), Keeper(), tmp_path / "plc.log"
    for container, said in (("one", b"a\n"), ("one", b"a\n"), ("one", b"a\nb\n"), ("two", b"c\n"), ("two", b"c\nd\n")):
        engine.said = said
        logs.fetch(path, engine, container)  # type: ignore[arg-type]
    assert path.read_bytes() == b"a\nb\nc\nd\n"
