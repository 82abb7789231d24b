"""`farm render kubernetes` as a person types it: a folder or a stream, what is said beside it, and what is refused."""

from pathlib import Path

import pytest
import yaml

from farm.cli import app
from tests.architecture.sources import ROOT
from tests.backends.kubernetes_schemas import RELEASES, check

PURDUE = str(ROOT / "topologies" / "purdue.yaml")
HUGE = str(ROOT / "topologies" / "tank-farm-500.yaml")


def render(*words: str) -> int:
    return app.run(["render", "kubernetes", *words])


def test_a_folder_is_a_kustomize_base_whose_files_are_all_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render(PURDUE, "-o", str(tmp_path), "--shard", "4") == 0
    said = capsys.readouterr().err.splitlines()
    assert "drive-1      10.10.2.1   10.106.2.1" in said
    assert any(line.startswith("warning: not in it: links of drive-1, drive-2, drive-3") for line in said)
    base = yaml.safe_load((tmp_path / "kustomization.yaml").read_text())
    assert base["namespace"] == "brewery"
    listed = {"kustomization.yaml", *base["resources"]}
    assert {path.name for path in tmp_path.iterdir()} == listed
    (tmp_path / "mine.yaml").write_text("kind: Mine\n")
    assert render(PURDUE, "-o", str(tmp_path), "--network", "multus", "--i-understand-real-network") == 0
    base = yaml.safe_load((tmp_path / "kustomization.yaml").read_text())
    again = {"kustomization.yaml", *base["resources"]}
    assert "nodes.yaml" in again - listed
    assert {path.name for path in tmp_path.iterdir()} == again | {"mine.yaml"}  # ours of before are gone
    kustomization = tmp_path / "kustomization.yaml"
    kustomization.write_text(kustomization.read_text().replace("]", ", mine.yaml]"))
    assert render(PURDUE, "-o", str(tmp_path)) == 0
    assert (tmp_path / "mine.yaml").exists()  # though it was listed among ours


def test_a_stream_is_all_objects_with_the_options_in_them(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--shard", "2", "--namespace", "lab", "--image", "registry.lab/node:7", "--service-cidr", "10.40.0.0/16")
    assert render(PURDUE, *words) == 0
    said = capsys.readouterr()
    objects = list(yaml.safe_load_all(said.out))
    for body in objects:
        check(body, RELEASES[-1])
    kinds = {body["kind"]: body for body in objects}
    assert kinds.keys() == {"Namespace", "NetworkPolicy", "ConfigMap", "Service", "StatefulSet"}
    assert {body["metadata"]["namespace"] for body in objects if body["kind"] != "Namespace"} == {"lab"}
    assert kinds["StatefulSet"]["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.lab/node:7"
    addresses = {body["metadata"]["name"]: body["spec"]["clusterIP"] for body in objects if body["kind"] == "Service"}
    assert (addresses["office"], addresses["drive-1"]) == ("10.40.0.20", "10.40.2.1")
    # 10.40.0.10 is kept for the cluster itself, and of the next ones others of the file were moved to the first four
    assert "office       10.40.0.10  10.40.0.20" in said.err


def test_of_many_nodes_that_are_elsewhere_the_first_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert render(HUGE, "--shard", "auto") == 0
    said = capsys.readouterr()
    assert "and 488 more; each service has its node's address as an annotation" in said.err
    assert len(said.err.splitlines()) == 14
    assert said.out.count("\nkind: StatefulSet\n") == 4  # three of tanks, as many as `kubectl apply` takes, and gauges
    replicas = [int(line.split()[1]) for line in said.out.splitlines() if line.startswith("  replicas: ")]
    assert replicas == [3, 3, 2, 2]  # 400 and 100, 50 a pod


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--network", "flannel"], 2, "error: --network flannel: wanted services or multus\n"),
        (["--network", "multus", "--shard", "4"], 2, "error: --shard 4: with --network multus a pod is one node\n"),
        (["--shard", "0"], 2, "error: --shard 0: wanted a number of nodes from 1 on, or auto\n"),
        (["--shard", "901"], 1, "error: --shard 901: a pod serves 1 to 900 nodes\n"),
        (["--service-cidr", "10.96.0.1/12"], 1, "--service-cidr 10.96.0.1/12: wanted a range of IPv4 addresses"),
        (["--service-cidr", "10.96.0.0/27"], 1, "--service-cidr 10.96.0.0/27: 32 addresses are too few"),
        (["--network", "multus"], 1, "would answer on the real network that eth0 of each host is on: --i-understand"),
        (["--namespace", "My_Lab"], 2, "error: --namespace My_Lab: wanted up to 63 small letters, digits and -, as in"),
        (
            ["--interface", "eth0/1"],
            2,
            "error: --interface eth0/1: wanted the name of a network interface, as in eth0\n",
        ),
        (["-o", "/proc/nowhere"], 1, "error: cannot write /proc/nowhere"),
        (["--set", "nobody=1"], 1, "no ${nobody} in the plant"),
    ],
)
def test_what_cannot_be_is_one_line(words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert render(PURDUE, *words) == code
    found = capsys.readouterr()
    assert said in found.err
    assert found.out == ""


def test_code_of_somebody_s_own_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(
        "farm: 1\nname: own\nnodes: {a: {kind: logix, tags: {W: {type: DINT, class: 'weather:Weather'}}}}\n"
    )
    assert render(str(file)) == 1
    assert "on backend kubernetes its module would have to be in the image" in capsys.readouterr().err
