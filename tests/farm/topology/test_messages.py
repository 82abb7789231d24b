"""Messages: all at once, in order of place, with the line and a caret; and an example for every code there is."""

from pathlib import Path

import pytest

from farm.errors import FarmError, TopologyError
from farm.topology import TopologyProblems, load_plant
from farm.topology.document import Source
from farm.topology.problem import CODES, MAX_PROBLEMS, Place, Problem, Report, TooManyError, suggestion
from tests.farm.topology.plants import HEAD, load, problems, write

PLC = "nodes: {p: {kind: logix}}\n"

WIRED = "backend: netns\nnetworks: {default: {subnet: 10.1.0.0/16}, super: {subnet: 10.2.0.0/16}}\n"
"""What gateways need."""

EXAMPLES: dict[str, str] = {
    "F002": "nodes: {p: {kind: ${k}}}\n",
    "F003": f"seed: {'[' * 30}\n",
    "F004": f"{PLC}{PLC}",
    "F005": f"seed: !!int 5\n{PLC}",
    "F006": f"include: ../other.yaml\n{PLC}",
    "F010": f"node: 1\n{PLC}",
    "F011": "groups: {g: {kind: logix}}\n",
    "F012": f"seed: high\n{PLC}",
    "F013": f"seed: -1\n{PLC}",
    "F014": f"dashboard: {{listen: 127.0.0.1:8080}}\n{PLC}",
    "F015": f"farm: 2\nname: x\n{PLC}",
    "F016": "nodes: {p q: {kind: logix}}\n",
    "F068": "groups: {g: {count: 2, kind: modbus, modbus: {serial: {device: /dev/ttyS0}}}}\n",
    "F069": "nodes: {p: {kind: modbus, modbus: {framing: rtu, udp: true}}}\n",
    "F020": 'nodes: {"p${1 +}": {kind: logix}}\n',
    "F021": 'nodes: {"p${NIX}": {kind: logix}}\n',
    "F023": 'vars: {a: "${b}", b: "${a}"}\nnodes: {"p${a}": {kind: logix}}\n',
    "F030": "nodes: {p: {kind: logics}}\n",
    "F031": f"kinds: {{a: {{extends: a}}}}\n{PLC}",
    "F032": "nodes: {p: {kind: logix, use: tank}}\n",
    "F033": "nodes: {p: {kind: logix, network: cell}}\n",
    "F034": "nodes: {p: {kind: logix, profile: S7}}\n",
    "F035": "nodes: {p: {}}\n",
    "F036": "groups: {g: {count: 2, name: a, kind: logix}}\n",
    "F037": "groups: {g: {count: 20000, kind: logix}}\n",
    "F038": "nodes: {p: {kind: logix, coils: {'00001': 1}}}\n",
    "F040": f"networks: {{default: {{subnet: 240.0.0.0/8}}}}\n{PLC}",
    "F041": "nodes: {p: {kind: logix, address: 127.0.0.1}}\n",
    "F042": "groups: {g: {count: 2, kind: logix, address: 127.64.0.1}}\n",
    "F043": "networks: {default: {subnet: 127.64.0.0/30}}\ngroups: {g: {count: 3, kind: logix}}\n",
    "F045": f"{WIRED}gateways: {{fw: {{between: [default, super, super]}}}}\n{PLC}",
    "F046": f"networks: {{default: {{subnet: 127.70.0.0/16, driver: macvlan}}}}\n{PLC}",
    "F047": "nodes: {p: {kind: logix, mac: '00:00:bc:00:00:01'}}\n",
    "F048": f"{WIRED}gateways: {{fw: {{between: [default, super]}}}}\nnodes: {{p: {{kind: logix, gateway: fx}}}}\n",
    "F049": f"{WIRED}gateways: {{fw: {{between: [default, super], allow: x -> super any}}}}\n{PLC}",
    "F050": "nodes: {p: {kind: logix, tags: {A: FLOAT}}}\n",
    "F051": "nodes: {p: {kind: logix, tags: {A: {type: REAL, signal: sinus}}}}\n",
    "F052": "nodes: {p: {kind: logix, tags: {A: {type: REAL, init: x}}}}\n",
    "F053": "nodes: {p: {kind: logix, tags: {A: REAL, a: REAL}}}\n",
    "F054": "nodes: {p: {kind: logix, tags: {A: {alias: B}}}}\n",
    "F055": "nodes: {p: {kind: logix, tags: {A: {type: REAL, writable: false, access: read/write}}}}\n",
    "F056": "nodes: {p: {kind: logix, tags: {A: {type: TIMER, members: {PER: 5}}}}}\n",
    "F057": f"types: {{A: {{B: A}}}}\n{PLC}",
    "F058": "nodes: {p: {kind: logix, profile: 1766-L32BXB, tags: {N7: REAL}}}\n",
    "F060": "nodes: {p: {kind: modbus, holding: {'0': 1}}}\n",
    "F061": "nodes: {p: {kind: modbus, holding: {'40001': REAL, '40002': 1}}}\n",
    "F062": "nodes: {p: {kind: modbus, holding: {'40001': STRING}}}\n",
    "F063": "nodes: {p: {kind: modbus, units: {1..2: {}, 2: {}}}}\n",
    "F064": "groups: {g: {count: 2, kind: logix, identity: {serial: 1}}}\n",
    "F065": "nodes: {p: {kind: logix, objects: {TCPIP: {Host Name: 5}}}}\n",
    "F066": "nodes: {p: {kind: logix, loss: 2}}\n",
    "F067": f"links: {{q: {{delay: 2ms}}}}\n{PLC}",
    "F073": "nodes: {p: {kind: modbus, registers: ../meter.csv}}\n",
    "F075": "hosts: {a: 'unix:///a'}\nnodes: {p: {kind: logix, host: b}}\n",
    "F076": f"hosts: {{a: {{tls: certs}}}}\n{PLC}",
    "F071": f"gateways: {{fw: {{between: [default, super]}}}}\n{PLC}",
}

ELSEWHERE = {"F001", "F022", "F044", "F070", "F072", "F074"}
"""Codes whose examples need more than a plant file: tests of reading, settings, the lock, warnings, scaling and code
have them."""


@pytest.mark.parametrize("code", EXAMPLES)
def test_every_code_has_an_example(tmp_path: Path, code: str) -> None:
    text = EXAMPLES[code]
    found = problems(tmp_path, text)
    assert [problem.code for problem in found] == [code]
    problem = found[0]
    lines = (text if text.startswith("farm:") else HEAD + text).splitlines()
    assert 0 < problem.line <= len(lines) and problem.file == str(tmp_path / "plant.yaml")
    source, caret = problem.excerpt.split("\n")
    pointed = caret.index("^")
    assert source[pointed] == lines[problem.line - 1][problem.column - 1]


def test_no_code_is_without_an_example() -> None:
    assert set(EXAMPLES) | ELSEWHERE == set(CODES)


def test_one_message_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "groups:\n  mixer:\n    count: 400\n    kind: logix\n    tag: {Level: REAL}\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TopologyProblems) as caught:
        load_plant(Path("plant.yaml"))
    assert str(caught.value) == (
        "plant.yaml:7:5: error: unknown key 'tag' in group 'mixer' - did you mean 'tags'? [F010]\n"
        "    7 |     tag: {Level: REAL}\n"
        "      |     ^~~\n"
        "1 error"
    )
    assert isinstance(caught.value, TopologyError) and isinstance(caught.value, FarmError)


def test_all_at_once_in_order_of_place_with_warnings_among_them(tmp_path: Path) -> None:
    text = (
        "sed: 1\nnetworks: {cell: {subnet: 127.70.0.0/16}}\ntemplates: {t: {tags: {A: FLOAT}}}\n"
        "nodes:\n  b: {kind: logics}\n  a: {kind: logix, use: [t, u], address: 127.0.0.1}\n"
    )
    found = problems(tmp_path, text)
    assert [(problem.line, problem.severity, problem.code) for problem in found] == [
        (3, "error", "F010"),
        (4, "warning", "F070"),
        (5, "error", "F050"),
        (7, "error", "F030"),
        (8, "error", "F032"),
        (8, "error", "F041"),
    ]
    assert str(TopologyProblems(found)).endswith("5 errors, 1 warning")


def test_one_fault_in_many_members_is_told_once(tmp_path: Path) -> None:
    text = "templates: {t: {tags: {A: {type: REAL, init: x}}}}\ngroups: {g: {count: 400, kind: logix, use: t}}\n"
    (found,) = problems(tmp_path, text)
    assert found.message == "tag 'A': 'x' does not fit REAL; wanted a number (in 'g-1' and 399 more)"
    assert found.line == 3


def test_a_file_that_is_not_there_is_a_problem_too(tmp_path: Path) -> None:
    with pytest.raises(TopologyProblems) as caught:
        load_plant(tmp_path / "none.yaml")
    assert caught.value.problems == [
        Problem(str(tmp_path / "none.yaml"), 0, 0, "error", "F001", "cannot be read: No such file or directory")
    ]


def test_required_keys_are_named(tmp_path: Path) -> None:
    found = problems(tmp_path, "\nnodes: {p: {kind: logix}}\n")
    assert [problem.message for problem in found] == ["the plant file has no 'farm'", "the plant file has no 'name'"]


def test_a_newer_version_is_not_guessed_at(tmp_path: Path) -> None:
    found = problems(tmp_path, "farm: 2\nname: demo\nnodes: {p: {kind: logix}}\n")
    assert found[0].headline.endswith("does not know version 2 of plant files - a newer plcfarm may [F015]")


def test_control_characters_and_long_lines_are_tamed(tmp_path: Path) -> None:
    found = problems(tmp_path, 'nodes: {p: {kind: "\\e[31m' + "x" * 5000 + '"}}\n')
    assert {problem.code for problem in found} == {"F012", "F030"}
    assert all("\x1b" not in str(problem) and len(str(problem)) < 800 for problem in found)


def test_a_report_stops_at_its_limit() -> None:
    report = Report()
    source = Source("plant.yaml", ["x"] * 1000)
    with pytest.raises(TooManyError):
        for line in range(1, 1000):
            report.error("F010", Place(source, line, 1), "unknown")
    assert len(report.problems()) == MAX_PROBLEMS


def test_only_known_codes_are_given() -> None:
    with pytest.raises(KeyError):
        Report().error("F999", Place(Source("plant.yaml")), "what?")


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("tag", "did you mean 'tags'?"),
        ("TAGS", "did you mean 'tags'?"),
        ("name", "did you mean 'product_name'?"),
        ("zzz", ""),
    ],
)
def test_suggestions(word: str, wanted: str) -> None:
    assert suggestion(word, ["tags", "kind", "product_name"]) == wanted


def test_no_message_for_a_plant_without_faults(tmp_path: Path) -> None:
    assert load(tmp_path, PLC).warnings == ()
