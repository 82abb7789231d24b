"""A plant rendered for a cluster: valid for three releases, the same each time, zones as apart as the file has them."""

import copy
import ipaddress
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from farm.backends.kubernetes_manifests import Place
from farm.errors import FarmError
from farm.render.kubernetes import (
    KUSTOMIZATION,
    MULTUS,
    NETWORKS,
    Rendered,
    file_text,
    listed_files,
    render_multus,
    render_services,
)
from farm.topology import Plant, load_plant
from node.config.load import load
from node.control.messages import ShardFile
from tests.backends.kubernetes_schemas import RELEASES, Misfit, check, check_applied, check_as_published, check_rules
from tests.farm.render.cluster import PLACE, Cluster, Pod

FOLDER = Path(__file__).resolve().parents[3] / "topologies"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))
SERVICES = ipaddress.IPv4Network("10.96.0.0/12")
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")

Body = dict[str, Any]


def plant(name: str) -> Plant:
    return load_plant(FOLDER / name, environ={}, backend="kubernetes")


@cache
def rendered(name: str, network: str, size: int = 20) -> Rendered:
    found = plant(name)
    place = Place("brewery", "brewery", "plcfarm/node:test")
    return render_multus(found, place, "eth1") if network == MULTUS else render_services(found, place, size, SERVICES)


def read_back(found: Rendered) -> Iterator[Body]:
    """Every object as whoever reads the files has it."""
    for documents in found.files.values():
        yield from yaml.load_all(file_text(documents), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("name", FILES)
def test_every_plant_is_valid_for_three_releases(name: str, network: str) -> None:
    found = rendered(name, network)
    objects = list(read_back(found))
    assert objects == [body for documents in found.files.values() for _, body in documents]
    assert len(RELEASES) == 3
    for release in RELEASES:
        for body in unlike(objects):
            check(body, release)
    for body in objects:
        check_rules(body)
        check_applied(body)
    by_kind = {body["kind"]: body for body in objects if body["kind"] not in ("Kustomization",)}
    for kind, body in by_kind.items():
        if kind != "NetworkAttachmentDefinition":
            check_as_published(body, RELEASES[-1])
    keys = [(body["kind"], body["metadata"]["name"]) for body in objects if body["kind"] != "Kustomization"]
    assert len(set(keys)) == len(keys)
    served = [node for body in objects if body["kind"] == "ConfigMap" for node in nodes_of(body)]
    assert sorted(served) == sorted(node.name for node in plant(name).nodes)


def unlike(objects: list[Body]) -> list[Body]:
    """Those that differ by more than hex digits, the first of each: to a schema the rest are the same."""
    return list({re.sub("[0-9a-f]+", "", json.dumps(body)): body for body in reversed(objects)}.values())


def nodes_of(config_map: Body) -> list[str]:
    """The nodes of all files of a ConfigMap, each loaded as a pod would."""
    found = []
    for name, text in config_map["data"].items():
        file = ShardFile.decode(name, text.encode())
        found += [load(node, name).name for node in file.nodes]
    return found


def spoil(body: Body, path: str, value: object = None) -> Body:
    """The object with the last part of `path` spelt wrongly, or with another value there."""
    found = copy.deepcopy(body)
    *way, last = path.split(".")
    place: Any = found
    for part in way:
        place = place[int(part) if part.isdecimal() else part]
    if value is None:
        place[last[:-1] + last[-1].swapcase()] = place.pop(last)
    else:
        place[last] = value
    return found


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    ("network", "kind", "path", "value"),
    [
        ("services", "Service", "spec.clusterIP", None),
        ("services", "StatefulSet", "spec.template.spec.containers.0.securityContext.readOnlyRootFilesystem", None),
        ("services", "StatefulSet", "spec.replicas", "two"),
        ("services", "NetworkPolicy", "spec.policyTypes", "Ingress"),
        ("services", "ConfigMap", "metadata.name", "UPPER_case"),
        ("services", "Service", "metadata.name", "7up"),
        ("services", "Service", "metadata.labels", {"plcfarm.node": "-x"}),
        ("services", "Service", "spec.ports.0.name", "ethernet-ip-over-tcp"),
        ("services", "StatefulSet", "metadata.name", "s" * 53),
        ("services", "ConfigMap", "data", {"x.json": "x" * (1 << 20) + "x"}),
        ("services", "Kustomization", "resources", None),
        ("multus", "NetworkAttachmentDefinition", "spec.config", None),
        ("multus", "NetworkAttachmentDefinition", "spec.config", '{"cniVersion": "1.0.0", "name": "x"}'),
        ("multus", "Pod", "spec.hostname", None),
        (
            "multus",
            "Pod",
            "metadata.annotations",
            {"k8s.v1.cni.cncf.io/networks": '[{"name": "cell", "ip": "10.0.0.1"}]'},
        ),
    ],
)
def test_a_wrong_field_is_found(release: str, network: str, kind: str, path: str, value: object) -> None:
    body = next(
        each for each in read_back(rendered("purdue.yaml", network)) if each["kind"] == kind and path_in(each, path)
    )
    check(body, release)
    with pytest.raises(Misfit):
        check(spoil(body, path, value), release)


def path_in(body: Body, path: str) -> bool:
    place: Any = body
    for part in path.split("."):
        place = place[int(part)] if isinstance(place, list) else place.get(part)
        if place is None:
            return False
    return True


def test_the_package_s_own_door_finds_it_too() -> None:
    body = Cluster(rendered("purdue.yaml", "services")).service("office")
    with pytest.raises(jsonschema.ValidationError, match="clusterIp"):
        check_as_published(spoil(body, "spec.clusterIP"), RELEASES[-1])


@pytest.mark.parametrize("network", NETWORKS)
def test_the_same_plant_is_the_same_bytes(network: str) -> None:
    first, again = rendered.__wrapped__("purdue.yaml", network), rendered.__wrapped__("purdue.yaml", network)
    texts = [{name: file_text(documents) for name, documents in each.files.items()} for each in (first, again)]
    assert texts[0] == texts[1]
    assert listed_files(texts[0][KUSTOMIZATION]) == [name for name in texts[0] if name != KUSTOMIZATION]
    assert listed_files("resources:\n- theirs.yaml\n") == []


def test_each_node_s_address_leads_to_it_in_its_pod() -> None:
    cluster = Cluster(rendered("plant.yaml", "services", 3))
    for node in plant("plant.yaml").nodes:
        service = cluster.service(node.name)["spec"]
        pod = service["selector"]["statefulset.kubernetes.io/pod-name"]
        data = cluster.named("ConfigMap", pod.rpartition("-")[0])["data"]
        file = ShardFile.decode(pod, data[f"{pod}.json"].encode())
        served = next(each for each in (load(body, pod) for body in file.nodes) if each.name == node.name)
        assert file.everywhere
        assert served.address == service["clusterIP"]
        assert {(each["port"], each["targetPort"]) for each in service["ports"]} == {
            (node.ports[protocol], served.ports[protocol]) for protocol in node.ports
        }
        assert (served.tags, served.profile) == (node.tags, node.profile)
        targets = [port for other in file.nodes for port in load(other, pod).ports.values()]
        assert len(set(targets)) == len(targets)


@pytest.mark.parametrize("network", NETWORKS)
def test_what_a_pod_and_its_probes_read_is_a_file_that_it_has(network: str) -> None:
    cluster = Cluster(rendered("purdue.yaml", network, 2))
    assert len(cluster.pods()) > 5
    for pod in cluster.pods():
        files = cluster.files(pod)
        for part in ("command", *PROBES):
            [path] = [word for word in cluster.words(pod, part) if word.startswith("/")]
            assert path in files, (pod, part)
        nodes = [load(node, "").name for node in ShardFile.decode(pod, files[path].encode()).nodes]
        if network == MULTUS:
            assert nodes == [pod]
        else:
            assert pod in [service_pod(cluster, node) for node in nodes]


def service_pod(cluster: Cluster, node: str) -> str:
    """The pod that a node's address leads to."""
    return str(cluster.service(node)["spec"]["selector"]["statefulset.kubernetes.io/pod-name"])


def test_only_who_answers_nobody_is_started_again() -> None:
    pod = Cluster(rendered("plant.yaml", "services")).pods()[0]
    words = {part: Cluster(rendered("plant.yaml", "services")).words(pod, part) for part in PROBES}
    assert {part: words[part][-1] for part in PROBES} == {
        "startupProbe": "--any",
        "readinessProbe": "--busy",  # a change of the set waits for it, and a client may be faster
        "livenessProbe": "--any",
    }


ZONES = [
    ("office", "replica", 44818, True),
    ("historian", "office", 44818, False),
    ("replica", "office", 44818, False),
    ("office", "historian", 44818, False),
    ("office", "brewhouse", 44818, False),
    ("replica", "historian", 44818, True),
    ("historian", "replica", 44818, False),
    ("historian", "panel", 44818, True),
    ("historian", "fermenter-1", 44818, True),
    ("historian", "drive-3", 502, True),
    ("panel", "brewhouse", 44818, True),
    ("panel", "fermenter-1", 44818, False),
    ("panel", "drive-1", 502, False),
    ("fermenter-1", "drive-1", 502, True),
    ("fermenter-1", "historian", 44818, False),
]


@pytest.mark.parametrize("size", [1, 20])
@pytest.mark.parametrize(("source", "target", "port", "passes"), ZONES)
def test_zones_are_as_apart_as_the_routers_have_them(
    source: str, target: str, port: int, passes: bool, size: int
) -> None:
    cluster = Cluster(rendered("purdue.yaml", "services", size))
    assert cluster.reaches(cluster.pod_of(source), target, port) is passes


@pytest.mark.parametrize(
    ("network", "target", "port", "passes"),
    [
        ("enterprise", "office", 44818, True),
        ("enterprise", "replica", 44818, True),
        ("enterprise", "historian", 44818, False),
        ("supervision", "brewhouse", 44818, True),
        ("supervision", "fermenter-2", 44818, False),
        ("", "office", 44818, True),  # its network is not internal
        ("", "replica", 44818, False),
        ("", "brewhouse", 44818, False),
    ],
)
def test_a_client_is_on_the_network_that_its_label_says(network: str, target: str, port: int, passes: bool) -> None:
    cluster = Cluster(rendered("purdue.yaml", "services"))
    scada = Pod({f"plcfarm.network.{network}": "brewery"} if network else {}, namespace="control-room")
    assert cluster.reaches(scada, target, port) is passes


def test_networks_of_like_names_and_those_of_another_farm_are_apart(tmp_path: Path) -> None:
    file = tmp_path / "like.yaml"
    networks = "networks: {Cell: {subnet: 10.1.0.0/24, internal: true}, cell: {subnet: 10.2.0.0/24, internal: true}}"
    file.write_text(
        f"farm: 1\nname: Like\n{networks}\ndefaults: {{kind: logix, tags: {{A: DINT}}}}\n"
        "nodes: {a: {network: Cell}, b: {network: Cell}, c: {network: cell}}\n"
    )
    cluster = Cluster(render_services(load_plant(file, environ={}, backend="kubernetes"), PLACE, 1, SERVICES))
    assert cluster.reaches(cluster.pod_of("a"), "b", 44818)
    assert not cluster.reaches(cluster.pod_of("a"), "c", 44818)
    assert cluster.reaches(Pod({"plcfarm.network.cell": "brewery"}, "elsewhere"), "c", 44818)
    assert not cluster.reaches(Pod({"plcfarm.network.cell": "distillery"}, "elsewhere"), "c", 44818)


def test_udp_passes_where_any_protocol_does() -> None:
    cluster = Cluster(rendered("purdue.yaml", "services"))
    assert cluster.reaches(cluster.pod_of("panel"), "brewhouse", 44818, "UDP")
    assert not cluster.reaches(cluster.pod_of("historian"), "fermenter-1", 44818, "UDP")


def test_an_internal_network_is_closed_where_it_is_the_only_one(tmp_path: Path) -> None:
    file = tmp_path / "cell.yaml"
    cell = "farm: 1\nname: Cell\nnetworks: {cell: {subnet: 10.1.0.0/24, internal: true}}\n"
    file.write_text(f"{cell}defaults: {{kind: logix, network: cell, tags: {{A: DINT}}}}\nnodes: {{a: {{}}, b: {{}}}}\n")
    cluster = Cluster(render_services(load_plant(file, environ={}, backend="kubernetes"), PLACE, 1, SERVICES))
    assert cluster.reaches(cluster.pod_of("a"), "b", 44818)
    assert not cluster.reaches(Pod({}, "elsewhere"), "b", 44818)
    assert cluster.reaches(Pod({"plcfarm.network.cell": "brewery"}, "elsewhere"), "b", 44818)


def test_a_plant_without_networks_of_its_own_is_open() -> None:
    cluster = Cluster(rendered("plant.yaml", "services"))
    assert "NetworkPolicy" not in cluster.objects
    assert cluster.reaches(Pod({}, "elsewhere"), "tower-level", 502)


def test_addresses_outside_the_range_are_moved_and_said() -> None:
    found = rendered("purdue.yaml", "services")
    assert found.addresses["drive-2"] == "10.106.2.2"
    service = Cluster(found).service("drive-2")
    assert service["metadata"]["annotations"]["plcfarm/address"] == "10.10.2.2"
    text = file_text(found.files["cell-modbus-services.yaml"])
    assert "# drive-2, 10.10.2.2 (purdue.yaml:58), 10.106.2.2 here; pod cell-modbus-0.\n" in text
    historian = json.loads(
        Cluster(found).named("ConfigMap", "supervision-historian")["data"]["supervision-historian-0.json"]
    )
    assert historian["nodes"][0]["enip"]["onward"] == "10.106.0.0/16"  # where the machines are here


def test_what_a_cluster_has_not_is_said() -> None:
    services, multus = rendered("purdue.yaml", "services").missing, rendered("purdue.yaml", "multus").missing
    assert services[0] == "links of drive-1, drive-2, drive-3: a cluster shapes none, so they are good ones"
    assert any("icmp" in line for line in services)
    assert any(line.startswith("gateway fw-cell (10.20.0.254 on supervision") for line in multus)
    assert any("share eth1" in line for line in multus)


def test_with_multus_a_node_is_at_the_address_of_the_file() -> None:
    found = plant("purdue.yaml")
    cluster = Cluster(rendered("purdue.yaml", "multus"))
    for node in found.nodes:
        pod = cluster.named("Pod", node.name)
        [attached] = json.loads(pod["metadata"]["annotations"]["k8s.v1.cni.cncf.io/networks"])
        interface = node.interfaces[0]
        assert attached["ips"] == [f"{interface.address}/{interface.prefix}"]
        assert (attached["mac"], attached.get("default-route", [""])) == (interface.mac, [interface.gateway])
        volume = pod["spec"]["volumes"][0]["configMap"]
        text = cluster.named("ConfigMap", volume["name"])["data"][volume["items"][0]["key"]]
        file = ShardFile.decode(node.name, text.encode())
        assert (load(file.nodes[0], ""), file.everywhere) == (node, False)
        config = json.loads(cluster.named("NetworkAttachmentDefinition", attached["name"])["spec"]["config"])
        assert config["plugins"][0]["master"] == "eth1"
    closed = cluster.objects["NetworkPolicy"][0]["spec"]
    assert closed["ingress"] == closed["egress"] == []


def pods(cluster: Cluster) -> list[Body]:
    """The spec of every pod."""
    sets = [each["spec"]["template"]["spec"] for each in cluster.objects.get("StatefulSet", [])]
    return sets + [each["spec"] for each in cluster.objects.get("Pod", [])]


@pytest.mark.parametrize("network", NETWORKS)
def test_pods_are_as_restricted_as_their_namespace_asks(network: str) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/, restricted."""
    cluster = Cluster(rendered("purdue.yaml", network))
    labels = cluster.objects["Namespace"][0]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    for pod in pods(cluster):
        of_pod, of_container = pod["securityContext"], pod["containers"][0]["securityContext"]
        assert of_pod["runAsNonRoot"] and of_pod["runAsUser"] == 65534
        assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert of_container["capabilities"] == {"drop": ["ALL"]}
        assert (of_container["allowPrivilegeEscalation"], of_container["readOnlyRootFilesystem"]) == (False, True)
        assert not pod["automountServiceAccountToken"] and not pod["enableServiceLinks"]
        assert {each["name"] for each in of_pod.get("sysctls", [])} <= {"net.ipv4.ip_unprivileged_port_start"}
        assert pod["containers"][0]["resources"].keys() == {"requests", "limits"}
    lows = [pod for pod in pods(cluster) if pod["securityContext"].get("sysctls")]
    assert len(lows) == (3 if network == MULTUS else 0)  # the drives, at port 502


def many(count: int, tags: str, folder: Path) -> Plant:
    file = folder / "many.yaml"
    nodes = f"groups: {{plc: {{count: {count}, kind: logix, tags: {tags}}}}}"
    file.write_text(f"farm: 1\nname: Many_PLCs\n{nodes}\n")
    return load_plant(file, environ={}, backend="kubernetes")


def test_a_zone_of_more_than_a_config_map_holds_is_several_sets(tmp_path: Path) -> None:
    tags = ", ".join(f"T{number}: {{type: REAL, signal: sine}}" for number in range(40))
    found = render_services(many(600, f"{{{tags}}}", tmp_path), PLACE, 7, SERVICES)
    cluster = Cluster(found)
    names = [each["metadata"]["name"] for each in cluster.objects["StatefulSet"]]
    assert names == ["default", *(f"default-{number}" for number in range(2, len(names) + 1))] != ["default"]
    sizes = [len(json.dumps(each)) for each in cluster.objects["ConfigMap"]]
    assert min(sizes[:-1]) > 200_000
    for body in cluster.objects["ConfigMap"]:
        check_applied(body)
    for body in (*cluster.objects["StatefulSet"], *cluster.objects["ConfigMap"]):
        check(body, RELEASES[-1])
    served = [node for each in cluster.objects["ConfigMap"] for node in nodes_of(each)]
    assert len(served) == len(set(served)) == 600
    replicas = {each["metadata"]["name"]: each["spec"]["replicas"] for each in cluster.objects["StatefulSet"]}
    assert replicas == {each["metadata"]["name"]: len(each["data"]) for each in cluster.objects["ConfigMap"]}


def test_a_pod_of_more_than_apply_keeps_has_a_set_of_its_own(tmp_path: Path) -> None:
    values = ", ".join(["1234567890"] * 30_000)
    large = many(2, f'{{A: {{type: "DINT[30000]", init: [{values}]}}}}', tmp_path)
    for found in (render_services(large, PLACE, 1, SERVICES), render_multus(large, PLACE, "eth0")):
        maps = Cluster(found).objects["ConfigMap"]
        assert [len(each["data"]) for each in maps] == [1, 1]
        for body in maps:
            check(body, RELEASES[-1])
            with pytest.raises(Misfit):
                check_applied(body)


def test_what_no_config_map_holds_is_refused(tmp_path: Path) -> None:
    values = ", ".join(["1234567890"] * 100_000)
    big = many(3, f'{{A: {{type: "DINT[100000]", init: [{values}]}}}}', tmp_path)
    with pytest.raises(
        FarmError, match=r"^plc-1 has 1,\d{3},\d{3} bytes of configuration, and a ConfigMap holds 1,000,0"
    ):
        render_services(big, PLACE, 1, SERVICES)
    with pytest.raises(FarmError, match=r"^the 3 nodes from plc-1 on have .* --shard 1 may do"):
        render_services(big, PLACE, 3, SERVICES)
    with pytest.raises(FarmError, match="plc-1 has 1,"):
        render_multus(big, PLACE, "eth0")


def test_names_that_a_cluster_does_not_take_are_changed_and_kept_apart(tmp_path: Path) -> None:
    file = tmp_path / "names.yaml"
    nodes = "\n".join(f"  {name}: {{kind: logix, tags: {{A: DINT}}}}" for name in ("PLC_1", "plc-1", "7up", "default"))
    file.write_text(f"farm: 1\nname: Names\nnodes:\n{nodes}\n")
    found = load_plant(file, environ={}, backend="kubernetes")
    for result in (render_services(found, PLACE, 1, SERVICES), render_multus(found, PLACE, "eth0")):
        for body in read_back(result):
            check(body, RELEASES[-1])
    cluster = Cluster(render_services(found, PLACE, 2, SERVICES))
    services = [each["metadata"]["name"] for each in cluster.objects["Service"]]
    assert len(set(services)) == len(services) == 5  # one of them is the set's own
    assert {"plc-1", "n-7up", "default"} < set(services)


def test_long_names_are_cut_so_that_sets_have_pods(tmp_path: Path) -> None:
    file = tmp_path / "long.yaml"
    networks = [f"{letter * 31}{number}" for number, letter in enumerate("nm")]
    text = ", ".join(f"{name}: {{subnet: 10.{number}.0.0/24}}" for number, name in enumerate(networks, 1))
    nodes = [f"{'plc' * 10}-{number}" for number in range(2)]
    rules = [f"{networks[1]} -> {node} {protocol} 44818" for node, protocol in zip(nodes, ("tcp", "udp"), strict=True)]
    file.write_text(
        f"farm: 1\nname: {'7' * 32}\nnetworks: {{{text}}}\n"
        f"gateways: {{fw: {{between: [{', '.join(networks)}], allow: [{', '.join(rules)}]}}}}\n"
        f"defaults: {{kind: logix, network: {networks[0]}, tags: {{A: DINT}}}}\n"
        f"nodes:\n" + "".join(f"  {node}: {{}}\n" for node in [*nodes, "other"])
    )
    found = render_services(load_plant(file, environ={}, backend="kubernetes"), PLACE, 1, SERVICES)
    for body in read_back(found):
        check(body, RELEASES[-1])
    names = [each["metadata"]["name"] for each in Cluster(found).objects["StatefulSet"]]
    assert len(set(names)) == len(names) > 1 and max(map(len, names)) == 52


@pytest.mark.parametrize(("namespace", "there"), [("default", False), ("kube-system", False), ("lab", True)])
def test_a_namespace_of_the_cluster_s_own_is_not_taken_away_with_a_plant(namespace: str, there: bool) -> None:
    place = Place("brewery", namespace, "plcfarm/node:test")
    for found in (
        render_services(plant("purdue.yaml"), place, 1, SERVICES),
        render_multus(plant("purdue.yaml"), place, "e"),
    ):
        assert ("Namespace" in Cluster(found).objects) is there
