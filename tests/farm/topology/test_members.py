"""Members of structured tags, programs, aliases and rights in a plant file."""

import math
from pathlib import Path

import pytest

from node.config.model import NodeConfig, PartConfig, SignalConfig, TagConfig
from node.config.schema import problems as config_problems
from tests.farm.topology.plants import headlines, load, node

HEAD = 'types: {Motor: {Speed: REAL, Run: BOOL, Hours: "DINT[4]", Label: S8, Bits: "BOOL[40]"}, S8: {string: 8}}\n'


def plc(folder: Path, tags: str, more: str = "") -> NodeConfig:
    found = node(folder, f"{HEAD}nodes: {{p: {{kind: logix, tags: {{{tags}}}{more}}}}}\n")
    assert config_problems(found) == []
    return found


def tags(config: NodeConfig) -> dict[str, TagConfig]:
    return {tag.name: tag for tag in config.tags}


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("{Speed: 5}", (PartConfig("Speed", 5.0),)),
        ("{Label: P-1, speed: {init: 7}}", (PartConfig("Label", "P-1"), PartConfig("speed", 7.0))),
        ("{Label: 101}", (PartConfig("Label", "101"),)),
        ("{'Hours[2]': 7}", (PartConfig("Hours[2]", 7),)),
        ("{Hours: [1, 2, 3, 4]}", (PartConfig("Hours", (1, 2, 3, 4)),)),
        ("{Run: 1, 'Bits[39]': true}", (PartConfig("Run", True), PartConfig("Bits[39]", True))),
        (
            "{Speed: {signal: sine, on_write: hold}}",
            (PartConfig("Speed", None, SignalConfig("sine", on_write="hold")),),
        ),
        (
            "{Speed: {init: 3, signal: {ramp: {max: 9}}}}",
            (PartConfig("Speed", 3.0, SignalConfig("ramp", (("max", 9.0),))),),
        ),
    ],
)
def test_what_members_start_with(tmp_path: Path, body: str, parts: tuple[PartConfig, ...]) -> None:
    assert plc(tmp_path, f"T: {{type: Motor, members: {body}}}").tags[0].parts == parts


def test_elements_of_arrays_and_bits(tmp_path: Path) -> None:
    found = tags(
        plc(
            tmp_path,
            "T: {type: 'Motor[2,3]', members: {'[1,2].Speed': 5, '[5].Label': x, Run: true}},"
            " R: {type: 'REAL[4]', members: {'[3]': 2}}, W: {type: DINT, members: {'3': {signal: square}}}",
        )
    )
    assert [part.path for part in found["T"].parts] == ["[1,2].Speed", "[5].Label", "Run"]
    assert found["R"].parts == (PartConfig("[3]", 2.0),)
    assert found["W"].parts == (PartConfig("3", None, SignalConfig("square")),)


def test_texts_of_ones_own_length(tmp_path: Path) -> None:
    found = tags(plc(tmp_path, "A: {type: S8, init: 12345678}, B: {type: 'S8[2]', init: [a, b]}"))
    assert (found["A"].initial, found["B"].initial) == ("12345678", ("a", "b"))


def test_members_are_inherited_one_by_one(tmp_path: Path) -> None:
    text = (
        f"{HEAD}templates: {{t: {{tags: {{T: {{type: Motor, members: {{Speed: {{signal: sine}}, Label: a}}}}}}}}}}\n"
        "groups: {g: {count: 2, kind: logix, use: t}}\n"
        "nodes: {g-2: {tags: {T: {members: {Speed: {signal: null, init: 4}, Run: true}}}}}\n"
    )
    first, second = load(tmp_path, text).nodes
    assert first.tags[0].parts == (PartConfig("Speed", None, SignalConfig("sine")), PartConfig("Label", "a"))
    assert second.tags[0].parts == (PartConfig("Speed", 4.0), PartConfig("Label", "a"), PartConfig("Run", True))


def test_seeds_of_members_are_their_own_and_always_the_same(tmp_path: Path) -> None:
    body = "{type: Motor, members: {Speed: {signal: noise}, 'Hours[1]': {signal: random_walk}}}"
    group = f"{HEAD}groups: {{g: {{count: 2, kind: logix, tags: {{A: {body}, B: {body}}}}}}}\n"

    def seeds(head: str = "") -> list[int]:
        parts = [part for each in load(tmp_path, head + group).nodes for tag in each.tags for part in tag.parts]
        return [part.signal.seed for part in parts if part.signal]

    first = seeds()
    assert first == seeds() != seeds("seed: 1\n")
    assert len({*first}) == 8
    given = "T: {type: Motor, members: {Speed: {signal: {noise: {seed: 42}}}}}"
    (part,) = plc(tmp_path, given).tags[0].parts
    assert part.signal is not None and part.signal.seed == 42


def test_programs(tmp_path: Path) -> None:
    programs = "programs: {Main: {tags: {T: TIMER, X: {type: Motor, members: {Speed: 1}}}}, Empty: null, Idle: {}}"
    found = plc(tmp_path, "A: REAL", f", {programs}")
    assert [tag.name for tag in found.tags] == ["A", "Program:Main.T", "Program:Main.X"]
    assert found.programs == ("Main", "Idle")
    assert found.types and found.tags[2].parts == (PartConfig("Speed", 1.0),)
    inherited = (
        "defaults: {programs: {Main: {tags: {A: INT}}}}\n"
        "nodes: {p: {kind: logix, programs: {Main: {tags: {B: INT}}}}}\n"
    )
    assert [tag.name for tag in node(tmp_path, inherited).tags] == ["Program:Main.A", "Program:Main.B"]


@pytest.mark.parametrize(
    ("alias", "wanted"),
    [
        ("T", TagConfig("A", "Motor", (3,), alias="T")),
        ("'t[1]'", TagConfig("A", "Motor", alias="t[1]")),
        ("'T[1].Speed'", TagConfig("A", "REAL", alias="T[1].Speed")),
        ("'T[1].Hours'", TagConfig("A", "DINT", (4,), alias="T[1].Hours")),
        ("'T[1].Bits'", TagConfig("A", "BOOL", (40,), packed=True, alias="T[1].Bits")),
        ("'T[1].Label'", TagConfig("A", "S8", alias="T[1].Label")),
        ("W.3", TagConfig("A", "BOOL", alias="W.3")),
        ("'G[1,2]'", TagConfig("A", "INT", alias="G[1,2]")),
        ("F", TagConfig("A", "BOOL", (33,), packed=True, alias="F")),
        ("'F[32]'", TagConfig("A", "BOOL", alias="F[32]")),
        ("B", TagConfig("A", "REAL", alias="B")),
        ("Program:Main.X", TagConfig("A", "LINT", alias="Program:Main.X")),
    ],
)
def test_an_alias_is_what_it_names(tmp_path: Path, alias: str, wanted: TagConfig) -> None:
    body = f"A: {{alias: {alias}}}, T: 'Motor[3]', W: DINT, G: 'INT[2,3]', F: 'BOOL[33]', B: {{alias: 'T[0].Speed'}}"
    assert tags(plc(tmp_path, body, ", programs: {Main: {tags: {X: LINT}}}"))["A"] == wanted


def test_in_a_program_its_own_tags_come_first(tmp_path: Path) -> None:
    programs = "programs: {Main: {tags: {X: LINT, A: {alias: X.3}, B: {alias: Y, unit: m}}}}"
    found = tags(plc(tmp_path, "X: REAL, Y: INT", f", {programs}"))
    assert (found["Program:Main.A"].alias, found["Program:Main.A"].type) == ("Program:Main.X.3", "BOOL")
    assert (found["Program:Main.B"].alias, found["Program:Main.B"].unit) == ("Y", "m")


@pytest.mark.parametrize(
    ("keys", "access", "constant", "writable"),
    [
        ("", "read/write", False, True),
        ("access: read only", "read only", False, False),
        ("access: NONE", "none", False, False),
        ("writable: false", "read only", False, False),
        ("writable: true", "read/write", False, True),
        ("constant: true", "read/write", True, False),
        ("constant: true, access: none, writable: false", "none", True, False),
    ],
)
def test_rights(tmp_path: Path, keys: str, access: str, constant: bool, writable: bool) -> None:
    (tag,) = plc(tmp_path, f"T: {{type: INT, {keys}}}").tags
    assert (tag.access, tag.constant, tag.writable) == (access, constant, writable)


def test_bool_arrays_are_packed_where_the_profile_packs_them(tmp_path: Path) -> None:
    found = tags(plc(tmp_path, "A: 'BOOL[8]', B: BOOL, C: 'BOOL[2,3]', D: 'INT[8]'"))
    assert [name for name, tag in found.items() if tag.packed] == ["A"]
    meter = node(tmp_path, "nodes: {m: {kind: modbus, tags: {A: 'BOOL[8]'}, coils: {'00001-00008': {tag: A}}}}\n")
    assert not meter.tags[0].packed
    both = node(tmp_path, "nodes: {g: {kind: gateway, coils: {'00001-00008': true}}}\n")
    assert both.tags[0] == TagConfig("CO00001", "BOOL", (8,), True, packed=True)


@pytest.mark.parametrize(
    ("delay", "wanted"),
    [
        ("20ms", (0.02, 0.02)),
        ("0.1", (0.1, 0.1)),
        ("5ms..20ms", (0.005, 0.02)),
        ("0.1 .. 0.5", (0.1, 0.5)),
        ("0", (0, 0)),
    ],
)
def test_delays(tmp_path: Path, delay: str, wanted: tuple[float, float]) -> None:
    assert all(map(math.isclose, plc(tmp_path, "T: INT", f", delay: {delay}").delay, wanted))


def test_a_typical_delay_is_the_profiles(tmp_path: Path) -> None:
    text = "defaults: {delay: typical}\nnodes: {a: {kind: logix}, b: {kind: modbus}, c: {kind: logix, delay: null}}\n"
    logix, modbus, plain = load(tmp_path, text).nodes
    assert 0 < logix.delay[0] < logix.delay[1] and 0 < modbus.delay[0] < modbus.delay[1]
    assert plain.delay == (0.0, 0.0)


def test_routes_onward_and_objects(tmp_path: Path) -> None:
    more = ", enip: {onward: 127.64.0.0/10}, objects: {TCPIP: {Host Name: intake, TTL: 7}}"
    found = plc(tmp_path, "T: INT", more).enip
    assert found is not None and found.onward == "127.64.0.0/10"
    assert [(each.section, each.name, each.value) for each in found.objects] == [
        ("TCPIP", "Host Name", '"intake"'),
        ("TCPIP", "TTL", "7"),
    ]


@pytest.mark.parametrize(
    ("tag", "wanted"),
    [
        ("T: {type: Motor, members: {Sped: 5}}", "'Sped': Motor has no member 'Sped'; did you mean Speed? [F056]"),
        ("T: {type: Motor, members: {Nothing: 5}}", "it has Speed, Run, Hours, Label, Bits [F056]"),
        ("T: {type: Motor, members: {'Hours[4]': 5}}", "[4] is past the end; elements are 0 to 3 [F056]"),
        ("T: {type: Motor, members: {'Hours[x]': 5}}", "wanted indices as [3] or [1,2,3], closed by ] [F056]"),
        ("T: {type: Motor, members: {'Speed[1]': 5}}", "Speed is no array [F056]"),
        ("T: {type: Motor, members: {Speed: 1, speed: 2}}", "tag 'T': Speed is there already [F056]"),
        (
            "T: {type: Motor, members: {Speed: fast}}",
            "tag 'T', 'Speed': 'fast' does not fit REAL; wanted a number [F052]",
        ),
        ("T: {type: Motor, members: {Label: too long for it}}", "a text of at most 8 ISO-8859-1 characters [F052]"),
        ("T: {type: Motor, members: {Hours: [1, 2]}}", "2 values for 4 elements [F052]"),
        ("T: {type: Motor, members: {Label: {signal: sine}}}", "a signal is a number and the type is S8 [F051]"),
        ("T: {type: Motor, members: {Speed: {signal: {sine: {min: 5, max: 1}}}}}", "min 5 is above max 1 [F051]"),
        (
            "T: {type: Motor, members: {Speed: {type: INT}}}",
            "unknown key 'type' in member 'Speed' - known: init, signal, on_write [F010]",
        ),
        ("T: {type: Motor, init: 5}", "5 does not fit Motor; wanted a value for each member by itself [F052]"),
        ("T: {type: Motor, signal: sine}", "a signal is a number and the type is Motor [F051]"),
        ("T: {type: INT, members: {X: 5}}", "'X': INT has no members [F056]"),
        ("T: {type: INT, members: {'16': true}}", "INT has bits 0 to 15 [F056]"),
        ("T: {type: REAL, members: {'1': true}}", "REAL has no bits [F056]"),
        (
            "T: {type: 'Motor[2]', members: {Speed: {signal: sine}, '[1].Speed': {signal: ramp}}}",
            "the signals of [0].Speed and [1].Speed move the same [F056]",
        ),
        (
            "T: {type: 'INT[4]', signal: sine, members: {'[1]': {signal: ramp}}}",
            "none of its parts can have a signal too",
        ),
        ("T: {type: 'Motor[20000]', members: {Speed: 5}}", "means 20000 elements; wanted at most 10000 [F056]"),
        ("T: {type: 'Motor[4000000]'}", "bytes; wanted at most 33554432 [F050]"),
        ("T: {alias: X}", "alias 'T': there is no tag 'X' [F054]"),
        ("T: REAL, t: {alias: X}", "tag 't' is there already"),
        ("T: {alias: T}", "aliases name each other in a circle: T -> T [F054]"),
        ("T: {alias: U}, U: {alias: T}", "in a circle: U -> T -> U [F054]"),
        ("T: {alias: U.Sped}, U: Motor", "alias 'T': Motor has no member 'Sped'; did you mean Speed? [F054]"),
        ("T: {alias: U.Speed}, U: 'Motor[2]'", "an index is missing, as in Line[3].Motor.Run [F054]"),
        (
            "T: {alias: U, type: INT}, U: INT",
            "'type' is the business of what alias 'T' names - leave it out here [F055]",
        ),
        ("T: {alias: U, members: {X: 1}}, U: INT", "'members' is the business of what alias 'T' names"),
        ("T: {alias: U, access: none}, U: INT", "'access' is the business"),
        ("T: {type: INT, access: never}", "wanted one of read/write, read only, none"),
        ("T: {type: INT, writable: true, access: none}", "'writable: true' and 'access: none' contradict each other"),
        ("T: {type: INT, constant: 1}", "wanted true or false"),
    ],
)
def test_what_a_tag_cannot_be(tmp_path: Path, tag: str, wanted: str) -> None:
    text = f"{HEAD}nodes: {{p: {{kind: logix, tags: {{{tag}}}}}}}\n"
    found = [line.replace(" (in 'p')", "") for line in headlines(tmp_path, text)]
    assert any(wanted in line for line in found), found
    assert all(line.startswith("2:") for line in found)


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("programs: {9Main: {tags: {X: INT}}}", "'9Main' is no name for a program"),
        ("programs: {Main: {}, main: {}}", "program 'main' is there already: case makes no difference [F016]"),
        ("programs: {Main: {tag: {X: INT}}}", "unknown key 'tag' in program 'Main' - did you mean 'tags'? [F010]"),
        ("programs: {Main: {tags: {X: INT, x: INT}}}", "tag 'Program:Main.x' is there already"),
        ("programs: [Main]", "wanted a map: program to a map"),
        ("delay: soon", "'delay' in node 'p' is 'soon'; wanted a time such as 20ms"),
        ("delay: typicl", "did you mean 'typical'?"),
        ("delay: 20ms..5ms", "'20ms..5ms' runs backwards - write the shorter one first [F013]"),
        ("delay: 1h", "wanted at most 60 s [F013]"),
        ("enip: {onward: 127.64.0.1/10}", "did you mean 127.64.0.0/10? [F040]"),
        ("objects: {TCPIP: 5}", "wanted a map: attribute to a value"),
        ("objects: {TCP-IP-: {Host: 5}}", "[F065]"),
        ("objects: {TCPIP: {Host Nmae: x}}", "[F065]"),
        ("objects: {TCPIP: {Host Name: 5}}", "[F065]"),
    ],
)
def test_what_a_node_cannot_have(tmp_path: Path, body: str, wanted: str) -> None:
    found = [line.replace(" (in 'p')", "") for line in headlines(tmp_path, f"nodes: {{p: {{kind: logix, {body}}}}}\n")]
    assert any(wanted in line for line in found), found


@pytest.mark.parametrize("key", ["programs: {Main: {}}", "objects: {TCPIP: {TTL: 1}}", "enip: {onward: 127.64.0.0/10}"])
def test_what_a_meter_cannot_have(tmp_path: Path, key: str) -> None:
    (found,) = headlines(tmp_path, f"nodes: {{m: {{kind: modbus, {key}}}}}\n")
    assert "is of no use: kind modbus speaks Modbus only" in found and "[F038]" in found


@pytest.mark.parametrize(
    ("profile", "tag", "wanted"),
    [
        ("1766-L32BXB", "N7: REAL", "tag 'N7': is REAL; a data file N is"),
        ("1766-L32BXB", "T9: 'INT[4]'", "tag 'T9'"),
        ("1756-L61", "T4: SLC_TIMER", "tag 'T4': SLC_TIMER is a type of SLC and MicroLogix data files"),
    ],
)
def test_tags_that_a_device_cannot_have(tmp_path: Path, profile: str, tag: str, wanted: str) -> None:
    text = f"nodes:\n  p:\n    kind: logix\n    profile: {profile}\n    tags:\n      {tag}\n"
    (found,) = headlines(tmp_path, text)
    assert found.startswith("6:7: ") and wanted in found and "[F058]" in found


def test_data_files_are_tags(tmp_path: Path) -> None:
    text = (
        "nodes: {p: {kind: logix, profile: 1766-L32BXB, tags: {N7: 'INT[100]', F8: 'REAL[5]', T4: 'SLC_TIMER[8]'}}}\n"
    )
    config = node(tmp_path, text)
    assert config_problems(config) == []
    assert [(tag.name, tag.type) for tag in config.tags] == [("N7", "INT"), ("F8", "REAL"), ("T4", "SLC_TIMER")]


def test_programs_of_the_defaults_are_no_business_of_a_meter(tmp_path: Path) -> None:
    text = "defaults: {programs: {Main: {tags: {A: INT}}}}\nnodes: {p: {kind: logix}, m: {kind: modbus}}\n"
    plc, meter = load(tmp_path, text).nodes
    assert (len(plc.tags), plc.programs, meter.tags, meter.programs) == (1, ("Main",), (), ())


def test_registers_show_what_is_within_a_tag(tmp_path: Path) -> None:
    text = (
        f"{HEAD}nodes: {{g: {{kind: gateway, tags: {{T: 'Motor[2]', W: DINT}},"
        " holding: {'40001': {tag: 't[1].hours'}, '40020': {tag: 'T[0].Speed'}},"
        " coils: {'00001': {tag: 'T[1].Bits'}, '00100': {tag: W.3}}}}\n"
    )
    config = node(tmp_path, text)
    assert config_problems(config) == [] and config.modbus is not None
    shown = [(block.tag, block.start, block.count) for block in config.modbus.units[0].blocks]
    assert shown == [("T[1].Bits", 0, 40), ("W.3", 99, 1), ("T[1].Hours", 0, 8), ("T[0].Speed", 19, 2)]


@pytest.mark.parametrize(
    ("block", "wanted"),
    [
        ("{tag: T}", "tag 'T' is Motor, which cannot be shown as registers [F062]"),
        ("{tag: T.Label}", "tag 'T.Label' is S8, which cannot be shown as registers [F062]"),
        ("{tag: T.Sped}", "tag 'T.Sped': Motor has no member 'Sped'; did you mean Speed? [F062]"),
        ("{tag: Motor.Speed}", "there is no tag 'Motor.Speed'"),
    ],
)
def test_registers_that_show_nothing(tmp_path: Path, block: str, wanted: str) -> None:
    text = f"{HEAD}nodes: {{g: {{kind: gateway, tags: {{T: Motor}}, holding: {{'40001': {block}}}}}}}\n"
    (found,) = headlines(tmp_path, text)
    assert wanted in found.replace(" (in 'g')", "")


def test_where_they_come_from(tmp_path: Path) -> None:
    text = (
        "types:\n  Motor:\n    Speed: REAL\n"
        "nodes:\n  p:\n    kind: logix\n    delay: typical\n    objects: {TCPIP: {TTL: 5}}\n"
        "    tags:\n      T: {type: Motor, access: read only, members: {Speed: {signal: sine}}}\n"
        "      A: {alias: T.Speed}\n    programs:\n      Main: {tags: {X: INT}}\n"
    )
    places = {path: place.line - 2 for path, place in load(tmp_path, text).origins["p"].items()}
    wanted = {
        "types.Motor": 2,
        "types.Motor.members.Speed": 3,
        "delay": 7,
        "enip.objects.TCPIP.TTL": 8,
        "tags.T.access": 10,
        "tags.T.parts.Speed": 10,
        "tags.T.parts.Speed.signal": 10,
        "tags.A.alias": 11,
        "tags.A.type": 11,
        "programs": 13,
        "tags.Program:Main.X": 13,
        "tags.Program:Main.X.type": 13,
    }
    assert {path: places.get(path) for path in wanted} == wanted
