"""Real clients through a gateway: to a simple device behind it, to a controller, and through two gateways in a row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pycomm3 import CIPDriver, LogixDriver, Services, Tag
from pylogix import PLC

from tests.peers.conftest import Running, running

pytestmark = pytest.mark.net

FIRST, SECOND, SIMPLE, FAR, NOBODY = (f"127.64.240.{number}" for number in (1, 2, 3, 4, 99))
ONWARD = "{onward: 127.64.240.0/24}"
PLANT = f"""
farm: 1
name: gateways
nodes:
  first: {{kind: logix, address: {FIRST}, enip: {ONWARD}, tags: {{Where: {{type: DINT, init: 1}}}}}}
  second: {{kind: logix, address: {SECOND}, enip: {ONWARD}, tags: {{Where: {{type: DINT, init: 2}}}}}}
  simple: {{kind: logix, profile: PowerFlex-755, address: {SIMPLE}}}
  far:
    kind: logix
    address: {FAR}
    tags: {{Where: {{type: DINT, init: 4}}, Many: "DINT[3000]", Name: STRING}}
"""


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    file: Path = tmp_path_factory.mktemp("gateways") / "plant.yaml"
    file.write_text(PLANT)
    yield from running(file)


@contextmanager
def dialled(route: list[tuple[int, int | str]] | None = None) -> Iterator[PLC]:
    """pylogix at the first gateway."""
    with PLC(FIRST) as client:
        client.Route = route
        yield client
    client.conn.msg_socket.close()  # made by pylogix, and never closed by it


def product(route: str) -> Tag:
    """The product name at the end of a route from the first gateway."""
    with CIPDriver(FIRST) as driver:
        return driver.generic_message(
            service=Services.get_attribute_single,
            class_code=1,
            instance=1,
            attribute=7,
            connected=False,
            unconnected_send=True,
            route_path=route,
        )


def test_pycomm3_asks_a_simple_device_behind_it(plant: Running) -> None:
    for route in (f"enet/{SIMPLE}", f"bp/0/enet/{SIMPLE}", f"enet/{SECOND}/enet/{SIMPLE}"):
        answer = product(route)
        assert not answer.error
        assert answer.value == b"\x0dPowerFlex 755"


def test_pycomm3_is_told_why_it_gets_nowhere(plant: Running) -> None:
    for route, status in (
        (f"enet/{NOBODY}", "312"),
        ("enet/127.64.1.1", "312"),
        (f"enet/{SIMPLE}/bp/0", "311"),
        (f"enet/{SECOND}/enet/{FIRST}/" * 5 + "bp/0", "315"),
    ):
        assert f"(01, {status})" in str(product(route).error)
    assert not product("bp/0").error


@pytest.mark.parametrize("route", [f"bp/0/enet/{FAR}/bp/0", f"bp/0/enet/{SECOND}/bp/0/enet/{FAR}/bp/0"])
def test_pycomm3_uses_a_controller_behind_it(plant: Running, route: str) -> None:
    with LogixDriver(f"{FIRST}/{route}") as driver:
        assert {"Where", "Many", "Name"} <= driver.tags.keys()
        assert driver.read("Where").value == 4
        values = list(range(3000))
        assert driver.write(("Many{3000}", values))
        assert driver.read("Many{3000}").value == values
        assert driver.write(("Name", "behind two doors"))
        assert [tag.value for tag in driver.read("Where", "Name")] == [4, "behind two doors"]


@pytest.mark.parametrize(
    "route", [[(1, 0), (2, FAR), (1, 0)], [(2, FAR)], [(1, 0), (2, SECOND), (1, 0), (2, FAR), (1, 0)]]
)
def test_pylogix_uses_a_controller_behind_it(plant: Running, route: list[tuple[int, int | str]]) -> None:
    with dialled(route) as client:
        assert client.Read("Where").Value == 4
        assert client.Write("Many[7]", [70, 80, 90]).Status == "Success"
        assert client.Read("Many[7]", 3).Value == [70, 80, 90]
        assert len(client.Read("Many[0]", 3000).Value) == 3000
        assert {"Where", "Many"} <= {tag.TagName for tag in client.GetTagList().Value}


def test_pylogix_is_refused_and_the_gateway_goes_on(plant: Running) -> None:
    with dialled([(2, NOBODY)]) as client:
        assert client.Read("Where").Status != "Success"
    with dialled() as client:
        assert client.Read("Where").Value == 1


def test_cpppo_asks_through_one_and_two(plant: Running, cpppo: Callable[..., list[str]]) -> None:
    for hops in ([FAR], [SECOND, FAR]):
        route = json.dumps([{"port": 2, "link": link} for link in hops])
        lines = cpppo(
            "-a", FIRST, "-p", "--depth", "8", "--route-path", route, "Where", "Where", "Where=(DINT)4", "Where"
        )
        assert sum("== [4]: 'OK'" in line for line in lines) == 3
