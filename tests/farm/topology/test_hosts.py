"""Hosts of a plant, and which of them a node may be on: as read, what is refused, and over the wire."""

from pathlib import Path

import pytest

from farm.errors import FarmError
from farm.supervisor.wire import decode_plant, encode_plant
from farm.topology.placement import ENGINE, STATIC, HostSpec, Placement, decode_placement
from tests.farm.topology.plants import load, problems

PLANT = """backend: swarm
hosts:
  a: unix:///run/a.sock
  b: ssh://root@10.0.0.2:2222
  c: {url: "tcp://10.0.0.3:2376", tls: certs/c}
  d: {context: plant-4}
  e: ssh://me@Plant-5/run/user/1000/docker.sock
defaults: {kind: logix}
groups:
  g: {count: 3, host: "${i > 1 ? 'a' : 'b'}"}
nodes:
  free: {}
  tied: {host: [c, d, c]}
"""


def test_every_way_to_name_a_host(tmp_path: Path) -> None:
    plant = load(tmp_path, PLANT.replace("\"${i > 1 ? 'a' : 'b'}\"", "a"))
    assert plant.placement == Placement(
        STATIC,
        (
            HostSpec("a", "unix:///run/a.sock"),
            HostSpec("b", "ssh://root@10.0.0.2:2222"),
            HostSpec("c", "tcp://10.0.0.3:2376", str(tmp_path / "certs" / "c")),
            HostSpec("d", context="plant-4"),
            HostSpec("e", "ssh://me@Plant-5/run/user/1000/docker.sock"),
        ),
        {"g-1": ("a",), "g-2": ("a",), "g-3": ("a",), "tied": ("c", "d")},
    )
    assert decode_plant(encode_plant(plant)) == plant


def test_a_group_says_it_by_its_variables_and_defaults_are_inherited(tmp_path: Path) -> None:
    plant = load(
        tmp_path,
        "hosts: {h1: 'unix:///1', h2: 'unix:///2'}\nplacement: engine\nimage: works/node:3\n"
        "defaults: {kind: logix, host: h2}\ngroups: {g: {count: 2, host: 'h${i}'}}\nnodes: {p: {}}\n",
    )
    assert plant.placement.homes == {"g-1": ("h1",), "g-2": ("h2",), "p": ("h2",)}
    assert (plant.placement.kind, plant.placement.image) == (ENGINE, "works/node:3")
    assert [plant.placement.allows("g-1", host) for host in ("h1", "h2", "h3")] == [True, False, False]


def test_without_hosts_any_will_do(tmp_path: Path) -> None:
    placement = load(tmp_path, "nodes: {p: {kind: logix}}\n").placement
    assert placement == Placement()
    assert placement.allows("p", "anything")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "hosts: {north: 'unix:///a'}\nnodes: {p: {kind: logix, host: nort}}\n",
            "host 'nort' is unknown (in 'p') - did you mean 'north'?",
        ),
        ("nodes: {p: {kind: logix, host: a}}\n", "host 'a' is unknown (in 'p') - 'hosts' names none"),
        (
            "hosts: {a: 'http://x'}\nnodes: {p: {kind: logix}}\n",
            "host 'a' is 'http://x'; wanted an engine's address: unix:///PATH, ssh://USER@HOST or tcp://HOST:PORT",
        ),
        ("hosts: {a: 'ssh://-oProxyCommand=x'}\nnodes: {p: {kind: logix}}\n", "wanted an engine's address"),
        ("hosts: {a: 'ssh://@-x'}\nnodes: {p: {kind: logix}}\n", "wanted an engine's address"),
        ("hosts: {a: 'ssh://b:99999'}\nnodes: {p: {kind: logix}}\n", "wanted an engine's address"),
        ("hosts: {a: 'tcp://b:65536'}\nnodes: {p: {kind: logix}}\n", "wanted an engine's address"),
        ("hosts: {a: {}}\nnodes: {p: {kind: logix}}\n", "host 'a' has neither 'url' nor 'context'"),
        (
            "hosts: {a: {url: 'unix:///a', context: b}}\nnodes: {p: {kind: logix}}\n",
            "host 'a' has both 'url' and 'context'",
        ),
        ("hosts: {a: {url: 'ssh://b', tls: c}}\nnodes: {p: {kind: logix}}\n", "'tls' is for an engine at tcp://"),
        ("placement: somewhere\nnodes: {p: {kind: logix}}\n", "'placement'"),
    ],
)
def test_what_cannot_be_is_told_with_its_line_on_every_backend(tmp_path: Path, text: str, message: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert message in problem.headline
    assert problem.line


@pytest.mark.parametrize("key", ["gateways", "uplink"])
def test_what_spans_no_hosts_is_refused_on_swarm(tmp_path: Path, key: str) -> None:
    more = "gateways: {fw: {between: [default, b]}}\n" if key == "gateways" else ""
    uplink = ", uplink: eth1" if key == "uplink" else ""
    text = f"backend: swarm\nnetworks: {{default: {{subnet: 10.1.0.0/16{uplink}}}, b: {{subnet: 10.2.0.0/16}}}}\n{more}"
    (problem,) = [
        each for each in problems(tmp_path, f"{text}nodes: {{p: {{kind: logix}}}}\n") if each.severity == "error"
    ]
    assert problem.code == "F071"
    assert "backend swarm" in problem.message


def test_a_placement_that_is_none_is_refused() -> None:
    for body in ({}, {"kind": "static", "hosts": [{"nome": "a"}], "homes": {}, "image": ""}):
        with pytest.raises(FarmError, match="not a placement"):
            decode_placement(body)
