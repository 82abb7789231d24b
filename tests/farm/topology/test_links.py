"""How good the links of nodes are: short and long forms, patterns, and who wins."""

from pathlib import Path

import pytest

from farm.topology import load_plant
from farm.topology.wiring import LinkQuality
from tests.farm.topology.plants import HEAD, headlines, load, write

NETNS = "backend: netns\n"


def links(folder: Path, text: str, **settings: str) -> dict[str, LinkQuality]:
    return dict(load(folder, NETNS + text, **settings).links)


def test_short_and_long_forms_are_the_same(tmp_path: Path) -> None:
    short = "nodes: {p: {kind: logix, latency: 40ms±10ms, loss: 2%, rate: 9.6kbit}}\n"
    long = "nodes: {p: {kind: logix, link: {delay: 40ms, jitter: 10ms, loss: 2%, rate: 9600bit}}}\n"
    mixed = "nodes: {p: {kind: logix, link: {delay: 40ms+-10ms, loss: 2%}, rate: 9600bit}}\n"
    wanted = {"p": LinkQuality(delay=0.04, jitter=0.01, loss=2.0, rate=9600)}
    assert links(tmp_path, short) == links(tmp_path, long) == links(tmp_path, mixed) == wanted


def test_a_good_link_is_not_among_them(tmp_path: Path) -> None:
    assert (
        links(tmp_path, "nodes: {p: {kind: logix, latency: 0ms, loss: 0, link: {up: true}}, q: {kind: logix}}\n") == {}
    )


def test_a_cable_that_is_out_and_a_kernel_that_must(tmp_path: Path) -> None:
    text = "nodes: {p: {kind: logix, link: {up: false}}, q: {kind: logix, link: {delay: 1ms, require: kernel}}}\n"
    assert links(tmp_path, text) == {"p": LinkQuality(up=False), "q": LinkQuality(delay=0.001, kernel=True)}


LAYERS = """
defaults: {kind: logix, latency: 1ms}
kinds: {plc: {extends: logix, latency: 2ms±1ms}}
templates: {slow: {latency: 3ms, loss: 3%}}
links:
  "g-*": {loss: 5%, rate: 5kbit}
  group:g: {rate: 6kbit}
  g-3: {delay: 7ms}
groups:
  g: {count: 4, kind: plc, use: slow, jitter: 4ms}
nodes:
  g-2: {rate: 8kbit}
  g-3: {link: {delay: null}}
  g-4: {link: null}
  single: {kind: plc, use: slow}
  other: {}
"""


def test_the_more_specific_wins_key_by_key(tmp_path: Path) -> None:
    found = links(tmp_path, LAYERS)
    common = LinkQuality(delay=0.003, jitter=0.004, loss=5.0, rate=6000)
    assert found["g-1"] == common
    assert found["g-2"] == LinkQuality(delay=0.003, jitter=0.004, loss=5.0, rate=8000)
    assert found["g-3"] == LinkQuality(jitter=0.004, loss=5.0, rate=6000)
    assert "g-4" not in found
    assert found["single"] == LinkQuality(delay=0.003, jitter=0.001, loss=3.0)
    assert found["other"] == LinkQuality(delay=0.001)


def test_a_nodes_own_word_beats_patterns(tmp_path: Path) -> None:
    text = "links: {'*': {delay: 9ms, loss: 1%}}\nnodes: {p: {kind: logix, latency: 2ms}, q: {kind: logix}}\n"
    assert links(tmp_path, text) == {"p": LinkQuality(delay=0.002, loss=1.0), "q": LinkQuality(delay=0.009, loss=1.0)}


def test_variables_in_links(tmp_path: Path) -> None:
    text = (
        "vars: {slow: 40ms±5ms, site: g}\nlinks: {'${site}-1': {loss: '${l:-2}%'}}\n"
        "groups: {g: {count: 2, kind: logix, latency: '${10 * i}ms±${i}ms'}}\n"
        "nodes: {p: {kind: logix, latency: '${slow}'}}\n"
    )
    assert links(tmp_path, text) == {
        "g-1": LinkQuality(delay=0.01, jitter=0.001, loss=2.0),
        "g-2": LinkQuality(delay=0.02, jitter=0.002),
        "p": LinkQuality(delay=0.04, jitter=0.005),
    }


def test_an_anchor_lends_its_link_and_keeps_it(tmp_path: Path) -> None:
    text = "nodes: {p: {kind: logix, link: &slow {delay: 5ms±1ms}, loss: 1%}, q: {kind: logix, link: *slow}}\n"
    assert links(tmp_path, text) == {
        "p": LinkQuality(delay=0.005, jitter=0.001, loss=1.0),
        "q": LinkQuality(delay=0.005, jitter=0.001),
    }


def test_origins_of_a_link(tmp_path: Path) -> None:
    places = load(tmp_path, NETNS + LAYERS.lstrip()).origins["g-2"]
    found = {key: place.line for key, place in places.items() if key.startswith("link.")}
    assert found == {"link.delay": 6, "link.jitter": 12, "link.loss": 8, "link.rate": 14}


def test_on_loopback_a_node_can_play_a_delay_and_no_more(tmp_path: Path) -> None:
    assert load(tmp_path, "nodes: {p: {kind: logix, latency: 40ms±1ms}}\n").links == {
        "p": LinkQuality(delay=0.04, jitter=0.001)
    }
    (found,) = headlines(tmp_path, "nodes: {p: {kind: logix, latency: 40ms, loss: 2%}}\n")
    assert found.startswith(
        "1:47: 'loss': on backend process all nodes share one link, of which only a delay can be had"
    )
    assert load(tmp_path, "nodes: {p: {kind: logix, loss: 0%}}\n").links == {}


def test_a_pattern_of_nobody_is_a_warning(tmp_path: Path) -> None:
    plant = load(tmp_path, "links: {'drv-*': {delay: 2ms}}\nnodes: {p: {kind: logix}}\n")
    assert "'links': no node is called like 'drv-*' [F067]" in plant.warnings[0]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("links: {plc: {delay: 1ms}}\nnodes: {plc1: {kind: logix}}\n", "there is no node 'plc' - did you mean 'plc1'?"),
        (
            "links: {group:mix: {delay: 1ms}}\ngroups: {mixer: {count: 1, kind: logix}}\n",
            "there is no group 'mix' - did you mean 'mixer'?",
        ),
        (
            "nodes: {p: {kind: logix, latency: 1h}}\n",
            "'latency' in node 'p' is '1h'; wanted a time such as 40ms or 40ms±10ms",
        ),
        ("nodes: {p: {kind: logix, loss: 2}}\n", "'loss' in node 'p' is '2'; wanted per cent such as 2% [F066]"),
        ("nodes: {p: {kind: logix, rate: 9600}}\n", "wanted bits a second such as 9600bit, 64kbit or 1mbit [F066]"),
        ("nodes: {p: {kind: logix, link: {speed: 1}}}\n", "unknown key 'speed' in 'link' in node 'p'"),
        ("nodes: {p: {kind: logix, link: {up: no}}}\n", "is 'no'; wanted true or false - write false"),
        ("nodes: {p: {kind: logix, latency: 1ms, link: {delay: 2ms}}}\n", "'latency' is said by 'link' as well"),
        ("nodes: {p: {kind: logix, latency: 2ms±1ms, jitter: 1ms}}\n", "'jitter' is said by the delay as well"),
        ("nodes: {p: {kind: logix, latency: 2ms, link: null}}\n", "'latency' and 'link' contradict each other"),
        ("links: {" + "x" * 65 + ": {delay: 1ms}}\nnodes: {p: {kind: logix}}\n", "a pattern of node names"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, wanted: str) -> None:
    assert any(wanted in line for line in headlines(tmp_path, HEAD + NETNS + text))


def test_a_pattern_may_name_nodes_that_are_left_out_now(tmp_path: Path) -> None:
    path = write(tmp_path, "links: {g-3: {delay: 1ms}}\ngroups: {g: {count: 3, kind: logix}}\n")
    assert load_plant(path, environ={}, counts={"g": 2}).links == {}
