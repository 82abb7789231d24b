"""Live nodes, and a good client that reads while they are sent what is wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.malformed import enip_cases, modbus_cases
from tests.malformed.live import connect, enip_frame, modbus_frame, register, serving
from tests.malformed.nodes import ENIP, MICROLOGIX, MODBUS, NODE


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A node of both protocols."""
    yield from serving(NODE, tmp_path_factory.mktemp("node") / "node.json")


@pytest.fixture(scope="module")
def micrologix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A node that takes PCCC."""
    yield from serving(MICROLOGIX, tmp_path_factory.mktemp("micrologix") / "node.json")


@pytest.fixture(scope="module")
def good_client(node: None) -> Iterator[list[str]]:
    """Reads over both protocols, one connection each, until the module is done; the list holds what went wrong."""
    wrong: list[str] = []
    done = threading.Event()
    counts = [0]

    def read() -> None:
        with connect(ENIP) as enip, connect(MODBUS) as modbus:
            session = register(enip)
            while not done.wait(0.002):
                for link, frame, case in (
                    (enip, enip_frame, enip_cases.GOOD),
                    (modbus, modbus_frame, modbus_cases.GOOD),
                ):
                    link.sendall(case.send.replace(enip_cases.SESSION, session))
                    got = frame(link).replace(session, enip_cases.SESSION)
                    if got != case.expect:
                        wrong.append(f"{case.name}: {got.hex()}")
                    counts[0] += 1

    reader = threading.Thread(target=read)
    reader.start()
    yield wrong
    done.set()
    reader.join(20)
    assert not reader.is_alive()
    assert counts[0] > 100
    assert wrong == []
