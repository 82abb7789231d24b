"""What the 2016 manual shows and cannot be: each row of the table in docs/client.md, by what is right here."""

from __future__ import annotations

import importlib.util
import json
import re
import tokenize
from collections.abc import Callable, Iterator
from typing import ClassVar

import pytest

from node.cli.enip_client import main as enip_client
from node.cli.throughput import main as throughput
from node.client import Client, Connector, OperationError, Proxy, ProxySimple, parse_operations
from node.client.discovery import identity_of
from node.client.paths import encode_route_path
from node.controller import Controller
from node.errors import LocalProtocolError
from tests.cli.lone import run
from tests.client import modbus_devices
from tests.client.nodes import ROOT, Served, node
from tests.test_controller import gateway, serving

pytestmark = pytest.mark.net

MODBUS_POLL = ("-c", "from node.__main__ import modbus_poll; modbus_poll()")
PAGE = (ROOT / "docs" / "client.md").read_text()
TABLE = PAGE.partition("What that manual shows and cannot be")[2]
ROWS = re.findall(r"^\| (\d[\d.]*) \| (.*?) \| (.*) \|$", TABLE, re.M)

Capsys = pytest.CaptureFixture[str]
Check = Callable[[Served, Capsys], None]
CHECKS: dict[str, Check] = {}


def erratum(shown: str) -> Callable[[Check], Check]:
    """The test of the row that shows this."""

    def keep(check: Check) -> Check:
        CHECKS[shown] = check
        return check

    return keep


def client(plc: Served, capsys: Capsys, *arguments: str) -> list[str]:
    """The lines that `enip_client` shows."""
    enip_client(["-a", f"{plc.host}:{plc.port}", *arguments])
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


@pytest.fixture(scope="module")
def plc() -> Iterator[Served]:
    """A controller with an attribute of a hundred elements."""
    with node("SCADA=INT[1000]", "Many@511/1/26=INT[100]", "Gauge@0x93/1/10=REAL") as served:
        yield served


@erratum("device type 15 in an Identity that is polled, 14 in ListIdentity")
def _device_type(plc: Served, capsys: Capsys) -> None:
    assert identity_of(plc.host, plc.port).device_type == 14
    with Proxy(plc.host, plc.port) as via:
        ((_, kind, *_),) = via.read("Identity")
    assert kind == 14
    via.close()


@erratum("`product_revision` 2836, also in 2.1.4; bytes 20, 11 in 2.1.5")
def _revision(plc: Served, capsys: Capsys) -> None:
    assert identity_of(plc.host, plc.port).revision == (20, 11)
    with Connector(plc.host, plc.port) as conn:
        ((*_, val),) = conn.pipeline([{"method": "get_attribute_single", "path": "@1/1/4"}])
    assert val == [20, 11]
    assert val[0] | val[1] << 8 == 2836


@erratum("`1756-L61/B` is set and `1756-L61/C` polled")
def _product_name(plc: Served, capsys: Capsys) -> None:
    name = "1756-L61/B LOGIX5561"
    assert identity_of(plc.host, plc.port).product_name == name
    with Proxy(plc.host, plc.port) as via:
        assert list(via.read("Product Name")) == [[name]]
    via.close()


@erratum("26 == 0x1A == 0o49 == 0b100110")
def _bases(plc: Served, capsys: Capsys) -> None:
    assert 26 == 0x1A == 0o32 == 0b11010
    paths = [operation["path"] for operation in parse_operations(["@1/1/26", "@1/1/0x1A", "@1/1/0o32", "@1/1/0b11010"])]
    assert paths == [[{"class": 1}, {"instance": 1}, {"attribute": 26}]] * 4
    with pytest.raises(OperationError, match="0o49"):
        list(parse_operations(["@1/1/0o49"]))
    ((operation),) = parse_operations(["@1/1/0b100110"])
    assert operation["path"][2] == {"attribute": 38}


@erratum("`@511/01/26=1` for writing element 99")
def _element(plc: Served, capsys: Capsys) -> None:
    shown = client(plc, capsys, "@511/01/26[99]=1", "@511/01/26[98-99]", "@511/01/26=7", "@511/01/26[99]")
    assert [line.partition("] ")[2] or line for line in shown[1:2]] == ["== [0, 1]: 'OK'"]
    assert shown[3] == "@0x01FF/1/26[99] == [1]: 'OK'", "the other writes element 0"


@erratum('an address as the `port` of a route, `{"link": 0, "port": "192.168.1.2"}`')
def _route(plc: Served, capsys: Capsys) -> None:
    assert encode_route_path([{"link": "192.168.1.2", "port": 2}]).hex() == "120b" + b"192.168.1.2".hex() + "00"


@erratum("an item of ListServices with 19 bytes")
def _services(plc: Served, capsys: Capsys) -> None:
    with Client(plc.host, plc.port) as conn:
        conn.list_services()
        assert conn.readable(5.0)
        reply = next(conn)
    assert reply is not None
    assert reply["enip.CIP.list_services.CPF.item[0].length"] == 20


@erratum("`from cpppo.server.enip include client`")
def _include(plc: Served, capsys: Capsys) -> None:
    with pytest.raises(SyntaxError):
        compile("from node include client", "", "exec")
    scope: dict[str, object] = {}
    exec("from node import client", scope)
    assert scope["client"].Connector is Connector  # type: ignore[attr-defined]


@erratum("`readble`")
def _readable(plc: Served, capsys: Capsys) -> None:
    with Connector(plc.host, plc.port) as conn:
        conn.read("SCADA")
        assert conn.readable(timeout=5.0)
        assert not hasattr(conn, "readble")


@erratum("transactions a second from the index of the last operation")
def _rate(plc: Served, capsys: Capsys) -> None:
    assert throughput(["-a", f"{plc.host}:{plc.port}", "SCADA", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["operations"] == 1
    assert found["tps"] == pytest.approx(1 / found["seconds"], rel=0.02), "and not 0"


@erratum("four bytes after the name in all attributes of `@1/1`")
def _all_attributes(plc: Served, capsys: Capsys) -> None:
    with Connector(plc.host, plc.port) as conn:
        ((*_, val),) = conn.pipeline([{"method": "get_attributes_all", "path": "@1/1"}])
    assert bytes(val[15:]) == b"1756-L61/B LOGIX5561"


@erratum("attribute 7 of Identity a STRING")
def _name_type(plc: Served, capsys: Capsys) -> None:
    with Proxy(plc.host, plc.port) as via:
        assert list(via.read([("@1/1/7", "SSTRING")])) == [["1756-L61/B LOGIX5561"]]
        raw = next(via.read("@1/1/7"))
    assert raw is not None
    assert raw[0] == len(raw) - 1 == 20 == 0x14
    via.close()


@erratum("values as `array('c', …)`, `print k,v`")
def _python(plc: Served, capsys: Capsys) -> None:
    with Connector(plc.host, plc.port) as conn:
        conn.write("SCADA", [1])
        assert conn.readable(timeout=5.0)
        reply = next(conn)
    assert reply is not None
    for k, v in reply.items():
        print(k, v)
    assert "enip.input b'" in capsys.readouterr().out
    assert type(reply["enip.input"]) is bytes


@erratum("`powerflex.parameter`, imported nowhere")
def _parameter(plc: Served, capsys: Capsys) -> None:
    assert sensor().PARAMETERS["a_sensor_parameter"].units == "Hz"


def sensor() -> type[ProxySimple]:
    """The manual's class."""

    class SomeSensor(ProxySimple):
        PARAMETERS: ClassVar = dict(
            ProxySimple.PARAMETERS, a_sensor_parameter=ProxySimple.parameter("@0x93/1/10", "REAL", "Hz")
        )

    return SomeSensor


@erratum("`read( …, checking=True )` of nothing")
def _checking(plc: Served, capsys: Capsys) -> None:
    via = sensor()(plc.host, plc.port)
    (value,) = via.read("A Sensor Parameter", checking=True)
    assert value == [0.0]
    via.close()


@erratum("a parameter of `some_sensor` read from a `proxy`")
def _other_proxy(plc: Served, capsys: Capsys) -> None:
    with pytest.raises((OperationError, LocalProtocolError), match="A Sensor Parameter"):
        Proxy(plc.host, plc.port).read("A Sensor Parameter")


@erratum("`time.sleep( .1 )` only after a failure")
def _sleep(plc: Served, capsys: Capsys) -> None:
    """In the example, it stands in the outermost loop."""
    lines = (ROOT / "node/examples/poll_example.py").read_text().splitlines()
    depth = {line.strip(): len(line) - len(line.lstrip()) for line in lines}
    assert depth["time.sleep(0.1)"] == depth["while failed:"] == depth["while True:"] + 4


@erratum("`cpppo -m cpppo.server.enip.poll_test`")
def _interpreter(plc: Served, capsys: Capsys) -> None:
    for name in ("powerflex", "poll_example", "poll_example_many"):
        spec = importlib.util.find_spec(f"node.examples.{name}")
        assert spec is not None
        assert spec.origin is not None
        with tokenize.open(spec.origin) as source:
            assert source.readline().startswith(f'"""`python -m node.examples.{name}')


@erratum("`attribute[3]`, which is 4, answered as `attribute[2]: 0`")
def _element_of_a_tag(plc: Served, capsys: Capsys) -> None:
    async def talk(controller: Controller) -> None:
        controller.command("api/tags/Count/attribute[3]=4")
        answer = controller.command("api/tags/Count/attribute[3]")
        assert isinstance(answer, dict)
        assert answer["command"]["message"] == "tags.Count.attribute[3]: 4"

    serving(gateway("127.64.33.15"), talk)


@erratum("registers 40001 to 40010 written as 0, and polled as 9 and 99")
def _registers(plc: Served, capsys: Capsys) -> None:
    with modbus_devices.node() as port:
        address = f"{modbus_devices.HOST}:{port}"
        assert run(*MODBUS_POLL, "-a", address, "40001-40020=99", "--once")[0] == 0
        code, out, _ = run(*MODBUS_POLL, "-a", address, "40001-40010=0", "40001-40020", "--once", "--json")
    assert code == 0
    found = json.loads(out)
    assert [found[str(number)] for number in range(40001, 40021)] == [0] * 10 + [99] * 10


@erratum("`SCADA[0-10]` printed with 11 values and with 12")
def _how_many(plc: Served, capsys: Capsys) -> None:
    (line,) = client(plc, capsys, "SCADA[0-10]")
    assert len(json.loads(line.partition("== ")[2].partition(":")[0])) == 11


def test_every_row_has_its_test() -> None:
    assert sorted(shown for _, shown, _ in ROWS) == sorted(CHECKS)


@pytest.mark.parametrize("shown", CHECKS)
def test_what_is_right(shown: str, plc: Served, capsys: Capsys) -> None:
    CHECKS[shown](plc, capsys)
