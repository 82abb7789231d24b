"""What a pod of a rendered plant runs, run here: the command on its file, its probes, and clients at its ports."""

import subprocess
import sys
from pathlib import Path

import pylogix
import pytest

from tests.cli.lone import ROOT
from tests.farm.render.cluster import Cluster
from tests.farm.render.test_kubernetes import rendered

pytestmark = pytest.mark.net

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def command(cluster: Cluster, pod: str, part: str, folder: Path) -> list[str]:
    """What the cluster has a pod's container do, with this Python, and the container's files in `folder`."""
    files = cluster.files(pod)
    words = cluster.words(pod, part)
    assert words[0] == "python3"
    for number, word in enumerate(words):
        if word in files:
            words[number] = str(folder / word.replace("/", "_"))
            Path(words[number]).write_text(files[word])
    return [sys.executable, *words[1:]]


def test_a_pod_of_several_nodes_serves_them_with_nobody_to_report_to(tmp_path: Path) -> None:
    cluster = Cluster(rendered("plant.yaml", "services", 12))
    service = cluster.service("outstation")["spec"]
    pod = service["selector"]["statefulset.kubernetes.io/pod-name"]
    ports = {each["name"]: each["targetPort"] for each in service["ports"]}
    serve = command(cluster, pod, "command", tmp_path)
    with subprocess.Popen(serve, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            while ": serves " not in (line := process.stderr.readline()):
                assert line, "it ended"
            for part in PROBES:
                subprocess.run(command(cluster, pod, part, tmp_path), cwd=ROOT, check=True, timeout=20)
            with pylogix.PLC("127.0.0.1", port=ports["enip-tcp"]) as plc:
                assert plc.Read("FIT701_Flow").Status == "Success"
            plc.conn.msg_socket.close()  # made by pylogix, and never closed by it
        finally:
            process.terminate()
        assert process.wait(20) == 0
    alive = command(cluster, pod, "livenessProbe", tmp_path)
    assert subprocess.run(alive, cwd=ROOT, capture_output=True, timeout=20).returncode == 1
