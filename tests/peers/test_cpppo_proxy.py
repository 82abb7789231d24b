"""Names and types against cpppo's server, whose objects are not ours: what it leaves empty must be read as such."""

from __future__ import annotations

import pytest

from node.client.proxy import Proxy
from tests.peers.test_cpppo_server import PORT, server

__all__ = ["server"]

pytestmark = pytest.mark.net


def test_parameters_by_name(server: str) -> None:
    via = Proxy(server, PORT)
    with via:
        assert via.write({"SCADA[0-1]": [7, 8], "Volume": 2.5}, checking=True) == [True, True]
        identity, tcpip, name, scada, volume = via.read(["Identity", "TCPIP", "Product Name", "SCADA[0-1]", "Volume"])
    assert identity == [1, 14, 54, 2836, 12640, 7079450, "1756-L61/B LOGIX5561", 255]
    assert tcpip is not None
    assert tcpip[:4] == [2, 48, 0, []]
    assert (name, scada, volume) == (["1756-L61/B LOGIX5561"], [7, 8], [2.5])
    assert str(via).startswith(f"1756-L61/B LOGIX5561 at {server}:{PORT}[")
    via.close()
