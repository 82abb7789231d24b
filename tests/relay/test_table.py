"""A relay's file: read back, and refused in one clear line."""

import json
from typing import Any

import pytest

from node.errors import ConfigError
from node.relay.table import Forward, Orders

ROW = ["tcp", "172.18.0.2", 20001, "10.1.0.5", 44818]


def test_a_file_is_read() -> None:
    body = {"control": "10.99.0.2:7700", "socket": "/run/x", "link": "127.0.0.1:7701", "forwards": [ROW]}
    orders = Orders.decode("f", json.dumps(body).encode())
    forward = Forward("tcp", "172.18.0.2", 20001, "10.1.0.5", 44818)
    assert orders == Orders(("10.99.0.2", 7700), "/run/x", ("127.0.0.1", 7701), (forward,))
    assert str(forward) == "tcp 172.18.0.2:20001 to 10.1.0.5:44818"
    assert Orders.decode("f", b"{}") == Orders(None, "", None, ())
    both = {"forwards": [ROW, ["udp", *ROW[1:]]]}
    assert Orders.decode("f", json.dumps(both).encode()).forwards[1].protocol == "udp"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "one JSON object, got []"),
        ({"contrl": "x"}, "'contrl': known are control, socket, link, forwards"),
        ({"control": "10.0.0.1"}, "as 10.1.0.5:7700, got '10.0.0.1'"),
        ({"control": "10.0.0.1:99999", "socket": "s"}, "a port is 1 to 65535, got 99999"),
        ({"control": "host:77", "socket": "s"}, "an IPv4 address is wanted, got 'host'"),
        ({"control": "10.0.0.1:77"}, "control leads nowhere: say socket, or link"),
        ({"socket": 5}, "socket is a path, got 5"),
        ({"forwards": {}}, "a list of at most 50000 rows"),
        ({"forwards": [["sctp", *ROW[1:]]]}, 'a forward is ["tcp" or "udp", address, port'),
        ({"forwards": [ROW[:4]]}, "a forward is"),
        ({"forwards": [["tcp", "172.18.0.2", 0, "10.1.0.5", 1]]}, "a port is 1 to 65535, got 0"),
        ({"forwards": [["tcp", 5, 1, "10.1.0.5", 1]]}, "an IPv4 address is wanted, got 5"),
        ({"forwards": [ROW, [*ROW[:3], "10.1.0.6", 502]]}, "a port leads to one node"),
    ],
)
def test_what_is_wrong_is_one_line(body: Any, said: str) -> None:
    data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    with pytest.raises(ConfigError) as caught:
        Orders.decode("relay.json", data)
    line = str(caught.value)
    assert line.startswith("relay.json: ")
    assert said in line
    assert "\n" not in line
