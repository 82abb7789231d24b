"""Namespaces that are asked for together are made together, and one that cannot be is nobody else's failure."""

import threading
from dataclasses import replace

import pytest

from farm.backends.netns import NetnsBackend
from farm.backends.observed import ShardSpec
from farm.errors import BackendError
from tests.backends.contract import Run
from tests.backends.networks import LAB, interface, networked

pytestmark = [pytest.mark.net, pytest.mark.root]


def test_one_that_fails_fails_alone(netns_run: Run) -> None:
    backend = netns_run.backend
    assert isinstance(backend, NetnsBackend)
    backend.create_network(LAB)
    wrong = replace(interface(LAB, 3), gateway="192.0.2.1")  # no way to it
    nodes = [networked(number) for number in (1, 2)] + [networked(3, wrong)] + [networked(number) for number in (4, 5)]
    failures: dict[str, str] = {}
    begin = threading.Barrier(len(nodes))

    def create(spec: ShardSpec) -> None:
        begin.wait()
        try:
            backend.create(spec)
        except BackendError as exc:
            failures[spec.name] = str(exc)

    threads = [threading.Thread(target=create, args=(ShardSpec(node.name, (node,)),)) for node in nodes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(failures) == ["plc-3"]
    assert failures["plc-3"].startswith("node.plc-3: create: ")
    assert "add route 0.0.0.0/0 via 192.0.2.1" in failures["plc-3"]
    assert [name for name in backend.spaces.names() if name.startswith("node.")] == [
        f"node.plc-{number}" for number in (1, 2, 4, 5)
    ]
    assert all(backend.spaces.sound(name) for name in backend.spaces.names())
