"""What of backend swarm needs no engine: which node goes where, ranges of overlays, silent engines, ssh, logs."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docker.errors import NotFound
from hypothesis import given
from hypothesis import strategies as st

from farm.backends.docker_recipes import context_files, node_tag
from farm.backends.swarm_either import EitherSwarmBackend
from farm.backends.swarm_engines import HostEngine
from farm.backends.swarm_homes import settle
from farm.backends.swarm_hosts import Hosts
from farm.backends.swarm_images import SpreadImages
from farm.backends.swarm_logs import FetchedLogs
from farm.backends.swarm_networks import Overlays, pool
from farm.backends.swarm_tunnel import Tunnel
from farm.errors import BackendError
from farm.topology.placement import ENGINE, STATIC, HostSpec, Placement
from farm.topology.plant import Plant
from farm.topology.wiring import NetworkSpec, encode_segment
from node.config.model import NodeConfig
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


def test_the_one_engine_of_a_run_is_the_one_it_began_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///one")
    hosts = Hosts(tmp_path)
    hosts.use(Placement())
    hosts.keep()
    monkeypatch.setenv("DOCKER_HOST", "unix:///two")
    found = Hosts(tmp_path)
    assert found.engine("here").url == "unix:///one"
    found.use(PLACEMENT)
    assert found.all == ["h1", "h2", "h3", "here"], "it may have something of the run"


def test_a_host_whose_address_changes_is_asked_there_and_one_that_comes_back_is_not_leaving(tmp_path: Path) -> None:
    hosts = Hosts(tmp_path)
    hosts.use(PLACEMENT)
    before = [hosts.engine(name) for name in THREE]
    moved = HostSpec("h2", "unix:///elsewhere")
    hosts.use(Placement(hosts=(PLACEMENT.hosts[0], moved)))
    assert hosts.all == ["h1", "h2", "h3"]
    assert (hosts.engine("h2").url, hosts.engine("h1")) == ("unix:///elsewhere", before[0])
    hosts.use(Placement(hosts=(PLACEMENT.hosts[2],)))
    assert hosts.all == ["h3", "h1", "h2"]
    assert (hosts.engine("h2").url, hosts.engine("h3")) == ("unix:///elsewhere", before[2])


class ToldHosts(Hosts):
    """Hosts of which a test says how their Swarm is; one that it says nothing of is not reached, as its socket is not
    there."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.told: dict[str, dict[str, Any]] = {}

    def swarm(self, host: str) -> dict[str, Any]:
        if host not in self.told:
            self.engine(host).reach()
        return self.told[host]


def test_another_manager_is_asked_when_the_first_is_lost(tmp_path: Path) -> None:
    hosts = ToldHosts(tmp_path)
    hosts.use(PLACEMENT)
    manager = {"ControlAvailable": True, "LocalNodeState": "active"}
    hosts.told = {"h1": manager, "h2": manager, "h3": {"LocalNodeState": "active"}}
    assert hosts.manager() == "h1"
    del hosts.told["h1"]
    assert hosts.manager() == "h1", "it is not known yet"
    with pytest.raises(BackendError, match="no engine answers at unix:///h1"):
        hosts.engine("h1").reach()
    assert hosts.manager() == "h2"


def test_a_host_that_does_not_answer_says_what_to_do(tmp_path: Path) -> None:
    hosts = ToldHosts(tmp_path)
    hosts.use(PLACEMENT)
    with pytest.raises(BackendError) as caught:
        hosts.check(without=True)
    cure = "see to it, or take it out of the plant's `hosts`"
    assert str(caught.value) == f"h1: reach: no engine answers at unix:///h1: {cure}"


@pytest.mark.parametrize("kind", [STATIC, ENGINE])
def test_when_the_relays_host_is_gone_every_node_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    plant = Plant("works", "", "swarm", 1, (), placement=replace(PLACEMENT, kind=kind, homes={"a": ("h2",)}))
    plant = replace(plant, nodes=(NodeConfig("a", "modbus", "generic", "10.66.0.1"),))
    backend = EitherSwarmBackend(tmp_path, "works-0123456789abcdef", 0.0, tmp_path / "sock", "secret")
    backend.prepare(plant, lambda line: None, patient=True)
    monkeypatch.setattr(HostEngine, "lost", property(lambda self: "" if self.spec.name == "h2" else "no answer"))
    assert backend.absent("a") == "host h1, over which nodes report: no answer"
    monkeypatch.setattr(HostEngine, "lost", property(lambda self: "no answer" if self.spec.name == "h2" else ""))
    assert backend.absent("a") == ("" if kind == ENGINE else "host h2: no answer; what it ran may run on")
    backend.close()


def test_a_plant_that_the_engine_placed_is_taken_down_before_the_file_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = EitherSwarmBackend(tmp_path, "works-0123456789abcdef", 0.0, tmp_path / "sock", "secret")
    plant = Plant("works", "", "swarm", 1, (), placement=replace(PLACEMENT, kind=ENGINE))
    backend.prepare(plant, lambda line: None, patient=True)
    monkeypatch.setattr(backend._services, "listed", lambda: {"a": {}})
    with pytest.raises(BackendError, match=r"`farm down works`, then `farm up`$"):
        backend.prepare(replace(plant, placement=PLACEMENT), lambda line: None)
    assert backend.by_engine, "nothing has changed"
    backend.close()


class Shelf:
    """An engine that has images, by name; `full` has it refuse any more, as one does whose disk is."""

    def __init__(self, *images: str) -> None:
        self.images = dict.fromkeys(images, "id")
        self.api: Any = self
        self.lost = ""
        self.full = False
        self.pulled: list[str] = []

    @contextmanager
    def told(self, name: str, operation: str) -> Iterator[None]:
        yield

    def reach(self) -> None:
        if self.lost:
            raise BackendError("shelf", "reach", self.lost)

    def inspect_image(self, tag: str) -> dict[str, str]:
        if tag not in self.images:
            raise NotFound("no such image")
        return {"Id": self.images[tag]}

    def get_image(self, tag: str) -> Iterator[bytes]:
        yield tag.encode()

    def load_image(self, parts: Iterator[bytes]) -> Iterator[dict[str, str]]:
        tag = b"".join(parts).decode()
        if self.full:
            yield {"message": "no space left on device"}
            return
        self.images[tag] = "id"
        yield {"stream": f"Loaded image: {tag}"}

    def pull(self, name: str, **options: bool) -> Iterator[dict[str, str]]:
        self.pulled.append(name)
        self.images[name] = "id"
        yield {"status": "Downloaded"}


class Shelves(Hosts):
    """Hosts whose engines are shelves."""

    def __init__(self, directory: Path, **shelves: Shelf) -> None:
        super().__init__(directory)
        self.shelves = shelves

    def engine(self, host: str) -> Any:
        return self.shelves[host]


def test_an_image_is_on_hosts_that_come_later_too(tmp_path: Path) -> None:
    tag = node_tag(context_files())
    hosts = Shelves(tmp_path, h1=Shelf(tag), h2=Shelf(), h3=Shelf())
    hosts.use(Placement(hosts=PLACEMENT.hosts[:2]))
    images = SpreadImages(hosts)
    assert images.ready() == tag
    assert [tag in shelf.images for shelf in hosts.shelves.values()] == [True, True, False]
    hosts.use(PLACEMENT)
    images.ready()
    assert tag in hosts.shelves["h3"].images
    hosts.use(Placement(hosts=PLACEMENT.hosts, image="works/node"))
    assert images.ready() == "works/node"
    assert [shelf.pulled for shelf in hosts.shelves.values()] == [["works/node"]] * 3


def test_a_host_that_was_away_gets_the_image_when_it_is_back(tmp_path: Path) -> None:
    tag = node_tag(context_files())
    hosts = Shelves(tmp_path, h1=Shelf(tag), h2=Shelf(), h3=Shelf())
    hosts.use(PLACEMENT)
    images = SpreadImages(hosts)
    hosts.shelves["h3"].lost = "no engine answers"
    images.ready()
    assert tag not in hosts.shelves["h3"].images
    with pytest.raises(BackendError, match="no engine answers"):
        images.on("h3")
    hosts.shelves["h3"].lost = ""
    images.on("h3")
    assert tag in hosts.shelves["h3"].images


def test_a_host_that_cannot_take_the_image_is_named_and_keeps_no_other_from_starting(tmp_path: Path) -> None:
    hosts = Shelves(tmp_path, h1=Shelf(node_tag(context_files())), h2=Shelf(), h3=Shelf())
    hosts.use(PLACEMENT)
    hosts.shelves["h2"].full = True
    images = SpreadImages(hosts)
    with pytest.raises(BackendError, match=r"^h2: load the image: no space left on device$"):
        images.ready()
    for good in ("h1", "h3"):
        images.on(good)
    with pytest.raises(BackendError, match="h2: load the image"):
        images.on("h2")


class Listing(Shelf):
    """An engine that lists one network: `cell` as a plant whose nodes it does not place has it."""

    def networks(self, filters: dict[str, Any]) -> list[dict[str, Any]]:
        config = {"Subnet": "10.20.0.0/24", "IPRange": "10.20.0.192/27"}
        spec = json.dumps(encode_segment(CELL))
        return [{"Labels": {"plcfarm.spec": spec}, "IPAM": {"Config": [config]}}]


CELL = NetworkSpec("cell", "10.20.0.0/24", "10.20.0.253")


def test_a_network_made_for_the_other_placement_is_made_anew() -> None:
    overlays = Overlays(Listing(), "run", "works")  # type: ignore[arg-type]
    assert overlays.observe() == (CELL,)
    overlays.spare = False
    assert overlays.observe() == (), "an engine that gives addresses would have thirty of them"


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
