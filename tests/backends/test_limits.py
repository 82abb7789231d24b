"""A farm that cannot fit is refused with the figure."""

import socket
from dataclasses import replace

import pytest

from farm.backends import limits
from farm.errors import BackendError
from node.config.model import ModbusConfig, NodeConfig
from node.config.schema import PROFILES
from tests.backends.contract import a_node, address


def test_descriptors_are_listeners_and_connections() -> None:
    assert limits.descriptors(a_node(1)) == 2 + 64
    assert limits.descriptors(NodeConfig("m", "modbus", "generic", "127.0.0.1", modbus=ModbusConfig())) == 1 + 64
    assert limits.descriptors(NodeConfig("n", "logix", "1756-L61", "127.0.0.1")) == 0
    assert limits.descriptors(replace(a_node(1), address="10.0.0.1")) == 2 + 2 + 64
    assert limits.descriptors(replace(a_node(1), address="")) == 2 + 64


def test_a_profile_may_take_more_than_is_promised_but_never_less() -> None:
    node = a_node(1)
    assert node.enip is not None and PROFILES[node.profile].sessions > limits.PROMISED
    assert limits.descriptors(replace(node, profile="2080-LC50")) == 2 + PROFILES["2080-LC50"].sessions < 2 + 64
    said = replace(node, enip=replace(node.enip, max_connections=500))
    assert limits.descriptors(said) == 2 + 500


def test_a_plant_of_five_hundred_starts_where_limits_are_as_they_come() -> None:
    nodes = [a_node(number) for number in range(500)]
    size = limits.auto_size(nodes, 4096, cores=4)
    assert size > 50
    limits.check_size(nodes[:size], 4096)
    limits.check_size(nodes[:1], 1024)


@pytest.mark.parametrize(
    ("count", "limit", "cores", "size"),
    [(100, 20_000, 2, 50), (101, 20_000, 2, 51), (500, 1024, 2, 14), (3, 20_000, 8, 1), (0, 1024, 2, 1)],
)
def test_auto_is_a_shard_for_each_core_if_it_fits(count: int, limit: int, cores: int, size: int) -> None:
    nodes = [a_node(number) for number in range(count)]
    assert limits.auto_size(nodes, limit, cores) == size
    limits.check_size(nodes[:size], limit)


def test_a_node_that_cannot_fit_is_named_with_both_figures() -> None:
    with pytest.raises(BackendError, match=r"plc-1: create: needs 130 descriptors, this user may have 100: raise"):
        limits.auto_size([a_node(1)], 100)


def test_a_shard_that_cannot_fit_is_refused() -> None:
    with pytest.raises(BackendError, match=r"a shard of 20 nodes needs 1384 descriptors, this user may have 1024"):
        limits.check_size([a_node(number) for number in range(20)], 1024)


@pytest.mark.net
def test_a_port_that_is_taken_may_be_bound_all_the_same() -> None:
    with socket.socket() as taken:
        taken.bind((address(1), 0))
        taken.listen()
        assert limits.can_bind(address(1), taken.getsockname()[1])


def test_a_port_that_is_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(sock: socket.socket, address: object) -> None:
        raise PermissionError

    monkeypatch.setattr(socket, "socket", type("Refusing", (socket.socket,), {"bind": refuse}))
    assert not limits.can_bind_modbus()


def test_so_many_nodes_are_spread_as_those_that_are_known() -> None:
    nodes = [a_node(number) for number in range(500)]
    for limit in (1024, 20_000, 1 << 30):
        assert limits.auto_size_of(500, limit, cores=4) == limits.auto_size(nodes, limit, cores=4)
    assert limits.auto_size_of(10, 64, cores=2) == 1
