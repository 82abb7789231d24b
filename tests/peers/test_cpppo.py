"""cpppo's client, a separate program: reads, writes, pipelines and bundles, routed and not."""

from __future__ import annotations

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
    ],
)
def test_writes_and_reads(client: Client, kind: str, tag: str, text: str, shown: str) -> None:
    lines = client(f"{tag}=({kind}){text}", tag)
    assert shown in lines[-1]
    assert "'OK'" in lines[-1]


def test_reads_a_range_in_fragments(client: Client) -> None:
    lines = client("DINTS[0-4]=(DINT)1,2,3,4,5", "DINTS[0-4]")
    assert "[1, 2, 3, 4, 5]" in lines[-1]


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


def test_reads_and_writes_short_strings(client: Client) -> None:
    lines = client('SHORT[1]=(SSTRING)"pump"', "SHORT[1]")
    assert "pump" in lines[-1]


def test_hears_of_an_unknown_tag_and_goes_on(client: Client) -> None:
    client("I32=(DINT)44")
    lines = client("NOWHERE", "I32", "NOWHERE", "I32", code=1)
    assert [("[44]" in line, "Status 4" in line) for line in lines[-4:]] == [(False, True), (True, False)] * 2


def test_lists_identity_services_and_interfaces(client: Client) -> None:
    text = "\n".join(client("--list-identity", "--list-services", "--list-interfaces", "I32"))
    assert "1756-L61/B LOGIX5561" in text
    assert "Communications" in text
