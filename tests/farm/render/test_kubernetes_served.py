"""What a pod of a rendered plant runs, run here: the command on its file, its probes, and clients at its ports."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pylogix
import pytest

from tests.cli.lone import ROOT
from tests.farm.render.cluster import Cluster
from tests.farm.render.test_kubernetes import rendered

pytestmark = pytest.mark.net

Body = dict[str, Any]


def command(container: Body, part: str, file: Path) -> list[str]:
    """What the cluster has a container do, with this Python and the file where it is here."""
    words = container["command"] if part == "command" else container[part]["exec"]["command"]
    assert words[0] == "python3"
    return [sys.executable, *(str(file) if word.startswith("/etc/plcfarm/") else word for word in words[1:])]


def test_a_pod_of_several_nodes_serves_them_with_nobody_to_report_to(tmp_path: Path) -> None:
    cluster = Cluster(rendered("plant.yaml", "services", 12))
    service = cluster.service("outstation")["spec"]
    pod = service["selector"]["statefulset.kubernetes.io/pod-name"]
    name = pod.rpartition("-")[0]
    file = tmp_path / "pod.json"
    file.write_text(cluster.named("ConfigMap", name)["data"][f"{pod}.json"])
    container = cluster.named("StatefulSet", name)["spec"]["template"]["spec"]["containers"][0]
    ports = {each["name"]: each["targetPort"] for each in service["ports"]}
    with subprocess.Popen(command(container, "command", file), cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            while ": serves " not in (line := process.stderr.readline()):
                assert line, "it ended"
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                subprocess.run(command(container, probe, file), cwd=ROOT, check=True, timeout=20)
            with pylogix.PLC("127.0.0.1", port=ports["enip-tcp"]) as plc:
                assert plc.Read("FIT701_Flow").Status == "Success"
            plc.conn.msg_socket.close()  # made by pylogix, and never closed by it
        finally:
            process.terminate()
        assert process.wait(20) == 0
    probe = subprocess.run(command(container, "livenessProbe", file), cwd=ROOT, capture_output=True, timeout=20)
    assert probe.returncode == 1
