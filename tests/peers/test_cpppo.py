"""cpppo's client, a separate program, in the ways that its manual shows: reads, writes, casts, fragments, pipelines and
bundles, routed and not, and what it lists."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.peers.conftest import Running

pytestmark = pytest.mark.net

Client = Callable[..., list[str]]


@pytest.fixture
def client(controller: Running, cpppo: Client) -> Client:
    """The client, told where the controller is."""
    where = f"{controller.address('controller')}:{controller.port('controller', 'enip')}"
    return lambda *arguments, code=0: cpppo("-a", where, "--print", *arguments, code=code)


@pytest.mark.parametrize(
    ("kind", "tag", "text", "shown"),
    [
        ("SINT", "I8", "-7", "[-7]"),
        ("INT", "I16", "-300", "[-300]"),
        ("DINT", "I32", "70000", "[70000]"),
        ("LINT", "I64", "-5000000000", "[-5000000000]"),
        ("REAL", "F32", "1.5", "[1.5]"),
        ("BOOL", "B", "1", "[True]"),
    ],
)
def test_writes_and_reads(client: Client, kind: str, tag: str, text: str, shown: str) -> None:
    lines = client(f"{tag}=({kind}){text}", tag)
    assert shown in lines[-1]
    assert "'OK'" in lines[-1]


def test_reads_a_range_in_fragments(client: Client) -> None:
    lines = client("DINTS[0-4]=(DINT)1,2,3,4,5", "DINTS[0-4]")
    assert "[1, 2, 3, 4, 5]" in lines[-1]


@pytest.mark.parametrize("way", [(), ("-f",), ("-m",), ("-m", "-f"), ("-S",), ("-S", "-f"), ("-S", "-m")])
def test_reads_and_writes_in_every_way(client: Client, way: tuple[str, ...]) -> None:
    """By Read and Write Tag, fragmented or not, bundled or not, routed or not."""
    lines = client(
        *way, "DINTS[1]=(DINT)99", "DINTS[0-10]", "F32=-2.5", "F32", 'SHORT[0-1]=(SSTRING)"on","off"', "SHORT[0-3]"
    )
    assert len(lines) == 6
    assert all("'OK'" in line for line in lines)
    assert "99" in lines[1]
    assert "[-2.5]" in lines[3]
    assert "['on', 'off'" in lines[5]


def test_guesses_the_type_of_what_it_writes(client: Client) -> None:
    lines = client("I16=-12", "I16", "F32=9.5", "F32", "NUMBERED[0-2]=1,2,3", "NUMBERED[0-2]")
    assert [value in line for line, value in zip(lines[1::2], ("[-12]", "[9.5]", "[1, 2, 3]"), strict=True)] == [
        True
    ] * 3


def test_refuses_another_type(client: Client) -> None:
    lines = client("I32=(DINT)7", "I32=(REAL)1.5", "I32")
    assert "Status 255 [8455]" in lines[-2]
    assert "[7]" in lines[-1]


def test_starts_at_a_byte(client: Client) -> None:
    client("DINTS[0-9]=(DINT)0,0,0,0,0,0,0,0,0,0")
    lines = client("DINTS[0-9]+16=(DINT)4,5,6,7,8,9", "DINTS[3-5]", "DINTS[0-9]+32")
    assert "[0, 4, 5]" in lines[-2]
    assert "[8, 9]" in lines[-1]


def test_goes_on_where_a_reply_ended(client: Client) -> None:
    """cpppo shows what came, with the status of a partial transfer, and leaves it to its user to ask for the rest."""
    partial = client("-f", "BIG[0-999]")[-1]
    assert len(partial.partition("==")[2].split(",")) == 124
    rest = client("-f", "BIG[0-999]+3968")[-1]
    assert len(rest.partition("==")[2].split(",")) == 8


def test_repeats(client: Client) -> None:
    client("I16=(INT)5")
    assert len([line for line in client("-r", "10", "I16", "DINTS[0-10]") if "'OK'" in line]) == 20


@pytest.mark.parametrize(
    "way",
    [
        ("--route-path", '[{"link": 0, "port": 1}]'),
        ("--route-path", "1/0"),
        ("--route-path", "[]"),
        ("--send-path", "", "--route-path", "[]"),
        ("-S",),
    ],
)
def test_takes_its_routes(client: Client, way: tuple[str, ...]) -> None:
    lines = client(*way, "I32=(DINT)45", "I32")
    assert "[45]" in lines[-1]


def test_pipelines(client: Client) -> None:
    client("I32=(DINT)41")
    lines = client("--depth", "20", *["I32"] * 100)
    assert len([line for line in lines if "[41]" in line and "'OK'" in line]) == 100


def test_bundles(client: Client) -> None:
    client("I32=(DINT)42")
    lines = client("--multiple", "--depth", "5", *["I32"] * 100)
    assert len([line for line in lines if "[42]" in line and "'OK'" in line]) == 100


def test_reads_without_routing(client: Client) -> None:
    client("I32=(DINT)43")
    lines = client("-S", "I32")
    assert "[43]" in lines[-1]


def test_reads_a_tag_by_number(client: Client) -> None:
    client("NUMBERED[0-2]=(INT)7,8,9")
    assert "[7, 8, 9]" in client("@22/1/1[0-2]")[-1]


def test_writes_a_tag_by_number(client: Client) -> None:
    lines = client("@0x16/1/1[3-4]=(INT)-1,-2", "@22/0x01/1[2-5]", "NUMBERED[3-4]", '@{"class":22}/1/1[4]')
    assert all("'OK'" in line for line in lines)
    assert "-1, -2" in lines[1]
    assert "[-1, -2]" in lines[2]
    assert "[-2]" in lines[3]


def test_hears_that_an_object_is_no_tag(client: Client) -> None:
    """Read Tag is no service of the Identity, and there is no class 0x99."""
    lines = client("@1/1/7", "@0x99/1/1", "I32", code=1)
    assert [line.rpartition(": ")[2].strip("'") for line in lines[-3:]] == ["Status 8 ", "Status 5 ", "OK"]


def test_reads_and_writes_short_strings(client: Client) -> None:
    lines = client('SHORT[1]=(SSTRING)"pump"', "SHORT[1]")
    assert "pump" in lines[-1]


def test_hears_of_an_unknown_tag_and_goes_on(client: Client) -> None:
    client("I32=(DINT)44")
    lines = client("NOWHERE", "I32", "NOWHERE", "I32", code=1)
    assert [("[44]" in line, "Status 4" in line) for line in lines[-4:]] == [(False, True), (True, False)] * 2


@pytest.mark.parametrize("way", [(), ("--udp",)])
def test_lists_identity_services_and_interfaces(client: Client, controller: Running, way: tuple[str, ...]) -> None:
    text = "\n".join(client(*way, "-i", "-s", "-I", "-L", "0x0001"))
    host = controller.address("controller")
    assert "1756-L61/B LOGIX5561" in text
    assert f"identity_object.sin_addr': '{host}'" in text
    assert "'item[0].communications_service.service_name': 'Communications'" in text
    assert re.search(r"List Interfaces +0 from .*{\s+'count': +0,", text)
    assert f"legacy_CPF_0x0001.ip_address': '{host}'" in text


def test_lists_and_goes_on(client: Client) -> None:
    lines = client("--list-identity", "--list-services", "--list-interfaces", "I32")
    assert "'OK'" in lines[-1]


@pytest.mark.parametrize(
    ("way", "requests"), [((), 50), (("--depth", "20"), 50), (("--depth", "20", "--multiple", "250"), 5)]
)
def test_throughput(controller: Running, cpppo: Client, way: tuple[str, ...], requests: int) -> None:
    host = controller.address("controller")
    lines = cpppo("-a", host, "I32", "F32", "--repeat", "25", *way, module="thruput")
    counted = re.search(r"50 operations using +(\d+) requests", lines[-1])
    assert counted is not None, lines[-1]
    assert requests <= int(counted[1]) <= requests + 2


@pytest.mark.parametrize("way", [("--depth", "3"), ("--depth", "3", "-m"), ("-S",), ("-S", "-m")])
def test_gets_and_sets_attributes(controller: Running, cpppo: Client, way: tuple[str, ...]) -> None:
    where = f"{controller.address('controller')}:{controller.port('controller', 'enip')}"
    values = "1,2,3,4,5,6,7,8,9,-1"
    paths = ("@1/1", "@1/1/7", f"@22/1/1=(INT){values}", "@0x16/1/1", "@0xF5/1/5")
    lines = cpppo("-a", where, "-v", *way, *paths, module="get_attribute")
    shown = [line.partition("==")[2].strip() for line in lines if "==" in line]
    name = [ord(letter) for letter in "1756-L61/B LOGIX5561"]
    assert shown[0].startswith("[1, 0, 14, 0, 54, 0,")
    assert shown[1] == str([len(name), *name])
    assert shown[2] == "True"
    assert shown[3] == str(
        [byte for value in values.split(",") for byte in int(value).to_bytes(2, "little", signed=True)]
    )
    assert shown[4].startswith(str([*reversed([int(part) for part in where.split(":")[0].split(".")])])[:-1])


def test_hears_of_an_attribute_that_is_not(controller: Running, cpppo: Client) -> None:
    where = f"{controller.address('controller')}:{controller.port('controller', 'enip')}"
    lines = cpppo("-a", where, "-v", "@1/1/99", "@0x139/1", "@1/1/1", code=1, module="get_attribute")
    assert [line.partition("==")[2].strip() for line in lines if "==" in line] == ["None", "None", "[1, 0]"]
