"""A plant as a Compose file: what stands in it, what does not and is said, and whether Compose itself finds a fault."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from farm.cli.app import app
from farm.errors import FarmError
from farm.render.compose import compose, project
from farm.render.documents import yaml_text
from node.config.load import load
from node.config.model import NodeConfig, TagConfig
from node.control.messages import ShardFile
from tests.architecture.sources import ROOT
from tests.farm.render import compose_program
from tests.farm.render.plants import TEXT, mill

IMAGE = "plcfarm/node:test"
PLANTS = sorted((ROOT / "topologies").glob("*.yaml"))


def rendered(*arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of `farm render compose`."""
    done = CliRunner().invoke(app, ["render", "compose", *arguments], standalone_mode=False)
    return done.exit_code, done.stdout, done.stderr


def service(folder: Path, name: str, **options: Any) -> dict[str, Any]:
    """A service of the mill."""
    found: dict[str, Any] = compose(mill(folder, outside=options.pop("outside", False)), IMAGE, **options).body
    return dict(found["services"][name])


def test_a_service_is_given_what_a_container_of_the_backend_is(tmp_path: Path) -> None:
    found = service(tmp_path, "plc-1")
    command = ["python3", "-S", "-m", "node"]
    assert found.pop("healthcheck")["test"] == ["CMD", *command, "health", "/run/plcfarm/shard.json", "--busy"]
    labels = found.pop("labels")
    assert (labels["plcfarm.farm"], labels["plcfarm.node"], len(labels["plcfarm.digest"])) == ("Mill", "plc-1", 16)
    assert "plcfarm.run" not in labels, "by which a farm would take it away"
    macs = [found.pop("mac_address"), found["networks"]["office"].pop("mac_address")]
    assert len(set(macs)) == 2
    assert found == {
        "image": IMAGE,
        "command": [*command, "shard", "/run/plcfarm/shard.json"],
        "hostname": "plc-1",
        "user": "65534:65534",
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "read_only": True,
        "pids_limit": 64,
        "mem_limit": "256m",
        "memswap_limit": "256m",
        "sysctls": {"net.ipv4.ip_unprivileged_port_start": "0"},
        "restart": "unless-stopped",
        "configs": [{"source": "plc-1", "target": "/run/plcfarm/shard.json"}],
        "logging": {"driver": "json-file", "options": {"max-size": "1m", "max-file": "2"}},
        "networks": {
            "cell": {"ipv4_address": "10.231.2.11", "ipv6_address": "fd00:231::ae7:20b", "priority": 1000},
            "office": {"ipv4_address": "10.231.1.11", "priority": 999},
        },
    }


def test_networks_are_those_of_the_file_and_nothing_leads_out_of_them(tmp_path: Path) -> None:
    networks = compose(mill(tmp_path), IMAGE).body["networks"]
    assert set(networks) == {"office", "cell"}
    assert all(network["internal"] is True for network in networks.values())
    assert networks["office"]["ipam"]["config"][0]["subnet"] == "10.231.1.0/24"
    assert networks["office"]["driver_opts"] == {"com.docker.network.driver.mtu": "1400"}
    cell = networks["cell"]
    assert (cell["enable_ipv6"], cell["ipam"]["config"][1]) == (True, {"subnet": "fd00:231::/64"})
    assert cell["ipam"]["config"][0]["gateway"] not in ("10.231.2.1", "10.231.2.11", "10.231.2.13")


@pytest.mark.parametrize("inline", [False, True])
def test_configurations_are_whole_and_no_dollar_is_a_variable(tmp_path: Path, inline: bool) -> None:
    plant = mill(tmp_path)
    made = compose(plant, IMAGE, inline=inline)
    body = yaml.safe_load(yaml_text(made.body))
    for node in plant.nodes:
        assert ("read_only" in body["services"][node.name]) is not inline
        config = body["configs"][node.name]
        if inline:
            text = config["content"].replace("$$", "$")
            assert "$" not in config["content"].replace("$$", "")
        else:
            text = made.files[config["file"].removeprefix("./")]
        file = ShardFile.decode("", text.encode())
        assert [load(each, "") for each in file.nodes] == [node]
        assert (file.run, file.pid_file, file.everywhere) == ("", "", False)
    price = next(tag for tag in plant.nodes[0].tags if tag.name == "Price")
    assert price.initial == "12 $ or plc-1"


def test_what_is_published_is_on_a_network_apart(tmp_path: Path) -> None:
    made = compose(mill(tmp_path, outside=True), IMAGE).body
    services = made["services"]
    outside = {name: service.get("ports", []) for name, service in services.items()}
    assert outside["rtu-1"] == ["127.231.1.12:502:502/tcp"]
    assert outside["lone"] == [], "its network is internal"
    assert set(services["rtu-1"]["networks"]) == {"office", "outside"}
    options = made["networks"]["outside"]["driver_opts"]
    assert options["com.docker.network.bridge.enable_icc"] == "false"
    assert "internal" not in made["networks"]["outside"]


def test_what_is_not_in_it_is_said(tmp_path: Path) -> None:
    missing = compose(mill(tmp_path), IMAGE).missing
    assert [line.partition(":")[0] for line in missing] == [
        "gateway fw between office, cell",
        "links of lone",
        "MACs of further interfaces of plc-1",
        "`internal` of cell",
    ]
    assert "read-only roots" in compose(mill(tmp_path), IMAGE, inline=True).missing[-1]
    calm = TEXT.replace(TEXT[TEXT.index("gateways:") : TEXT.index("nodes:")], "").replace(", internal: true", "")
    calm = calm.replace("    interfaces: {office: 10.231.1.11}\n", "").replace("link: {delay: 2ms}, ", "")
    assert compose(mill(tmp_path, text=calm), IMAGE).missing == ()


def test_a_network_that_no_bridge_holds_is_said(tmp_path: Path) -> None:
    group = "groups:\n  many: {count: 1024, kind: logix, network: office, tags: {A: DINT}}\n"
    text = TEXT.replace("10.231.1.0/24", "10.232.0.0/16").replace("10.231.1.", "10.232.1.")
    missing = compose(mill(tmp_path, text=text.replace("nodes:\n", f"{group}nodes:\n", 1)), IMAGE).missing
    assert "network office has 1026 nodes: a bridge takes 1023, and the rest will not start" in missing


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    plant = mill(tmp_path)
    coded = replace(plant.nodes[0], tags=(TagConfig("A", "DINT", code="weather:Weather"),))
    with pytest.raises(FarmError, match="node plc-1: its tags run code"):
        compose(replace(plant, nodes=(coded,)), IMAGE)
    joined = replace(plant.networks[0], uplink="eth1")
    with pytest.raises(FarmError, match="network office: Docker joins no bridge to eth1"):
        compose(replace(plant, networks=(joined,)), IMAGE)
    made = compose(replace(plant, networks=(replace(joined, driver="macvlan"),)), IMAGE).body["networks"]["office"]
    assert (made["driver"], made["driver_opts"]["parent"], "internal" in made) == ("macvlan", "eth1", False)


@pytest.mark.parametrize(("name", "wanted"), [("Mill", "mill"), ("_A b.c", "a-b-c"), ("0x", "0x"), ("__", "plant")])
def test_a_project_is_called_as_compose_wants_it(name: str, wanted: str) -> None:
    assert project(name) == wanted


def test_a_node_without_any_network_has_none(tmp_path: Path) -> None:
    plant = mill(tmp_path)
    alone = NodeConfig("a", "logix", "generic", "127.0.0.1")
    made = compose(replace(plant, nodes=(alone,), networks=()), IMAGE).body
    assert (made["services"]["a"]["network_mode"], "networks" in made) == ("none", False)


def test_the_verb_writes_a_folder_and_prints_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mill.yaml"
    file.write_text(TEXT)
    code, out, error = rendered(str(file), "-o", str(tmp_path / "out"), "--image", IMAGE)
    assert (code, out) == (0, "")
    assert error.splitlines()[0] == f"compose.yaml, nodes/plc-1.json and 2 more in {tmp_path / 'out'}"
    assert "warning: not in it: gateway fw between office, cell: Compose has no routers" in error
    text = (tmp_path / "out" / "compose.yaml").read_text()
    assert "# - gateway fw between office, cell: Compose has no routers" in text
    assert (tmp_path / "out" / "nodes" / "plc-1.json").stat().st_mode & 0o777 == 0o644
    code, printed, _ = rendered(str(file), "--image", IMAGE)
    assert (code, yaml.safe_load(printed)["services"]["lone"]["image"]) == (0, IMAGE)
    assert rendered(str(file), "--image", IMAGE)[1] == printed, "the same file gives the same bytes"
    assert rendered(str(file), "--image", IMAGE, "-o", str(tmp_path / "one.yml"))[0] == 0
    assert (tmp_path / "one.yml").read_text() == printed
    assert "plcfarm/node:" in rendered(str(file))[1]


def test_a_real_network_is_rendered_on_purpose_only(tmp_path: Path) -> None:
    file = tmp_path / "mill.yaml"
    file.write_text(TEXT.replace("mtu: 1400", "driver: macvlan, uplink: eth1"))
    done = CliRunner().invoke(app, ["render", "compose", str(file)], standalone_mode=False)
    assert isinstance(done.exception, FarmError)
    assert "Mill would answer on a real network (network office on eth1): --i-understand" in str(done.exception)
    assert rendered(str(file), "--i-understand-real-network", "--image", IMAGE)[0] == 0


@pytest.fixture(scope="module")
def compose_here() -> None:
    if reason := compose_program.why_not():
        pytest.skip(reason)


@pytest.mark.usefixtures("compose_here")
@pytest.mark.parametrize("path", PLANTS, ids=lambda path: path.name)
def test_compose_finds_no_fault_in_any_plant_that_comes_with_the_package(path: Path, tmp_path: Path) -> None:
    assert rendered(str(path), "-o", str(tmp_path / "compose.yaml"), "--publish", "--image", IMAGE)[0] == 0
    if path.name == "tank-farm-500.yaml":  # which takes Compose four seconds each time
        done = compose_program.compose(tmp_path, "config", "--quiet")
        assert (done.returncode, done.stderr) == (0, "")
        return
    assert rendered(str(path), "-o", str(tmp_path / "folder"), "--image", IMAGE)[0] == 0
    both = [compose_program.compose(folder, "config", "--format", "json") for folder in (tmp_path, tmp_path / "folder")]
    assert [(done.returncode, done.stderr) for done in both] == [(0, "")] * 2
    inline, beside = (json.loads(done.stdout) for done in both)
    for name, config in inline["configs"].items():
        here, there = (
            json.loads(text) for text in (config["content"], Path(beside["configs"][name]["file"]).read_text())
        )
        assert here["nodes"][0]["name"] == there["nodes"][0]["name"] == name


@pytest.mark.usefixtures("compose_here")
@pytest.mark.parametrize(
    ("right", "wrong"),
    [("cap_drop:", "cap_dropped:"), ("ipv4_address:", "ipv4_addres:"), ("internal: true", "internal: [1]")],
)
def test_compose_does_find_what_is_wrong(right: str, wrong: str, tmp_path: Path) -> None:
    text = yaml_text(compose(mill(tmp_path), IMAGE, inline=True).body)
    assert right in text
    (tmp_path / "compose.yaml").write_text(text.replace(right, wrong, 1))
    done = compose_program.compose(tmp_path, "config", "--quiet")
    assert done.returncode != 0
    assert wrong.partition(":")[0] in done.stderr
