"""Files made to hurt: each refused with an error, in under a second of computing and 200 MB, all in one process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HEAD = "farm: 1\nname: x\n"
SECONDS = 1.0
TIMES = 7
"""On a machine where a second is short: times what the parser alone takes for as many values as a file may have."""
MEGABYTES = 200
PARSER = ""
"""The row of the parser alone."""

PROBE = """
import json, re, sys, time, yaml
from pathlib import Path
from farm.topology import TopologyProblems, load_plant
from farm.topology.load import MAX_VALUES

text = "".join(f"k{number}: 1\\n" for number in range(MAX_VALUES // 2))
start = time.process_time()
parsed = sum(1 for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
print(json.dumps(["", [], parsed, time.process_time() - start, 0]), flush=True)

for path in sorted(Path(sys.argv[1]).glob("*.yaml")):
    start, codes = time.process_time(), []
    try:
        load_plant(path)
    except TopologyProblems as exc:
        codes = sorted({problem.code for problem in exc.problems})
        size = len(str(exc))
    # not ru_maxrss: that one starts at what the parent had when it forked
    memory = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024
    print(json.dumps([path.stem, codes, size if codes else 0, time.process_time() - start, memory]), flush=True)
"""


def laughs() -> str:
    rows = [f"  {c}: &{c} [{','.join(['*' + p] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)]
    return f"{HEAD}vars:\n  a: &a [1,2,3,4,5,6,7,8,9]\n{''.join(rows)}"


def group(text: str) -> str:
    return f"{HEAD}groups: {{g: {{{text}}}}}\n"


def many(count: int, line: str) -> str:
    return "".join(line.replace("#", str(number)) for number in range(count))


PLC = "nodes: {p: {kind: logix}}\n"

NETNS = f"{HEAD}backend: netns\n"


def zones(count: int) -> str:
    """So many networks."""
    rows = [f"  n{n}: {{subnet: 10.{n // 250}.{n % 250}.0/24}}\n" for n in range(count)]
    return f"networks:\n{''.join(rows)}"


def wide(count: int, networks: int) -> str:
    """So many gateways, each on all of the networks."""
    between = ", ".join(f"n{n}" for n in range(networks))
    return "".join(f"  g{n}: {{between: [{between}]}}\n" for n in range(count))


WIDE = ", ".join(f"t{number}: REAL" for number in range(20000))

CASES: dict[str, tuple[str, str]] = {
    "alias-bomb": (laughs(), "F003"),
    "many-aliases": (f"{HEAD}vars:\n  a: &a 1\n{many(300, '  k#: *a')}".replace("*a", "*a\n"), "F003"),
    "deep-flow": (f"{HEAD}vars: {'[' * 100000}", "F003"),
    "deep-block": ("".join(" " * level + "a:\n" for level in range(2000)), "F003"),
    "huge-scalar": (f"{HEAD}seed: {'9' * 4_900_000}", "F003"),
    "huge-file": (f"{HEAD}seed: {'9' * 5_100_000}", "F003"),
    "many-values": (HEAD + many(400_000, "k#: 1\n"), "F003"),
    "many-twins": (f"{HEAD}nodes:\n{'  a: 1' * 1}\n" + "  a: 1\n" * 90_000, "F004"),
    "many-unknown": (f"{HEAD}nodes:\n" + many(20_000, "  a#: {kind: logix, tagz: 1}\n"), "F010"),
    "many-names": (f"{HEAD}nodes:\n" + many(20_000, f"  '{'n' * 100}#': {{kind: logix}}\n"), "F016"),
    "power": (group('count: 3, kind: logix, name: "n${9**9**9}"'), "F020"),
    "product": (group('count: 3, kind: logix, name: "n${' + "*".join(["9" * 18] * 8) + '}"'), "F020"),
    "long-sum": (group('count: 3, kind: logix, name: "n${' + "+".join(["1"] * 20000) + '}"'), "F020"),
    "brackets": (group('count: 3, kind: logix, name: "n${' + "(" * 90 + "1" + ")" * 90 + '}"'), "F020"),
    "count": (group("count: 1000000000, kind: logix"), "F013"),
    "product-of-ranges": (group("for: {a: 1..9000, b: 1..9000, c: 1..9000}, kind: logix"), "F037"),
    "million-tags": (group(f"count: 9000, kind: logix, tags: {{{WIDE}}}"), "F037"),
    "million-blocks": (
        group("count: 9000, kind: modbus, units: {0..255: {holding: {'@0-9': 1, '@10-19': 1}}}"),
        "F037",
    ),
    "million-fills": (
        group("count: 9000, kind: logix, tags: {t: {type: 'REAL[20000]', init: [" + '"${i}",' * 20000 + "]}}"),
        "F037",
    ),
    "million-merges": (
        f"{HEAD}templates: {{t: {{tags: {{{WIDE}}}}}}}\ngroups:\n"
        + many(1000, f"  g#: {{count: 1, kind: logix, use: [{','.join(['t'] * 45)}]}}\n"),
        "F037",
    ),
    "many-templates": (
        f"{HEAD}templates: {{t: {{tags: {{A: REAL}}}}}}\n"
        f"groups: {{g: {{count: 9000, kind: logix, use: [{','.join(['t'] * 20000)}]}}}}\n",
        "F037",
    ),
    "huge-array": (f"{HEAD}nodes: {{g: {{kind: logix, tags: {{a: 'REAL[99999999999]'}}}}}}\n", "F050"),
    "huge-number": (f"{HEAD}nodes: {{g: {{kind: logix, tags: {{a: {{type: DINT, init: {'9' * 60000}}}}}}}}}\n", "F052"),
    "one-address": (group("count: 9000, kind: logix, address: 127.64.0.1"), "F042"),
    "one-name": (group("count: 9000, kind: logix, name: a"), "F036"),
    "circle": (f"{HEAD}vars: {{a: '${{b}}', b: '${{a}}'}}\nnodes: {{'${{a}}': {{kind: logix}}}}\n", "F023"),
    "long-chain": (
        f"{HEAD}vars:\n{many(20000, '  v#: ${v#1}')}".replace("}  v", "}\n  v") + "\nnodes: {'${v0}': {kind: logix}}\n",
        "F021",
    ),
    "growing-text": (
        f"{HEAD}vars:\n  v0: xxxxxxxxxx\n"
        + "".join(f"  v{n + 1}: ${{v{n}}}${{v{n}}}\n" for n in range(15))
        + "nodes: {'${v15}': {kind: logix}}\n",
        "F020",
    ),
    "kinds-chain": (
        f"{HEAD}kinds:\n" + "".join(f"  k{n}: {{extends: k{n + 1}}}\n" for n in range(15000)) + "  z: {extends: k0}\n",
        "F031",
    ),
    "many-types": (f"{HEAD}types:\n" + many(20_000, "  T#: {X: INT}\n") + PLC, "F037"),
    "types-chain": (f"{HEAD}types:\n" + "".join(f"  T{n}: {{X: T{n + 1}}}\n" for n in range(2000)) + PLC, "F057"),
    "types-circle": (f"{HEAD}types: {{A: {{X: B}}, B: {{X: 'A[60000]'}}}}\n{PLC}", "F057"),
    "types-wide": (
        f"{HEAD}types:\n"
        + "".join(f"  T{n}: {{{', '.join(f'X{m}: T{n + 1}' for m in range(20))}}}\n" for n in range(20))
        + f"  T20: {{X: INT}}\n{PLC}",
        "F057",
    ),
    "types-huge": (
        f"{HEAD}types: {{A: {{X: 'B[65535]'}}, B: {{X: 'C[65535]'}}, C: {{X: 'LINT[65535]'}}}}\n{PLC}",
        "F057",
    ),
    "types-many-members": (
        f"{HEAD}types:\n"
        + "".join(f"  T{n}: {{{', '.join(f'X{m}: INT' for m in range(500))}}}\n" for n in range(40))
        + "".join(f"  U{n}: {{{', '.join(f'X{m}: T{m}' for m in range(8))}}}\n" for n in range(10))
        + PLC,
        "F057",
    ),
    "million-members": (group(f"count: 9000, kind: logix, tags: {{t: {{type: TIMER, members: {{{WIDE}}}}}}}"), "F037"),
    "many-elements": (
        group(
            "count: 1, kind: logix, tags: {"
            + many(3000, "t#: {type: 'TIMER[10000]', members: {ACC: {signal: sine}, '[5].ACC': {signal: sine}}}, ")
            + "}"
        ),
        "F056",
    ),
    "many-indices": (
        group(
            "count: 1, kind: logix, tags: {t: {type: 'TIMER[60000]', members: {"
            + many(5_000, "'[#].ACC': {signal: sine}, ")
            + "ACC: {signal: sine}}}}"
        ),
        "F056",
    ),
    "alias-chain": (
        group("count: 1, kind: logix, tags: {" + "".join(f"t{n}: {{alias: t{n + 1}}}, " for n in range(10_000)) + "}"),
        "F054",
    ),
    "alias-circle": (
        group(
            "count: 1, kind: logix, tags: {"
            + "".join(f"t{n}: {{alias: t{(n + 1) % 3000}}}, " for n in range(3000))
            + "}"
        ),
        "F054",
    ),
    "million-programs": (
        group(f"count: 9000, kind: logix, programs: {{P: {{tags: {{{WIDE}}}}}}}"),
        "F037",
    ),
    "deep-object": (group("count: 1, kind: logix, objects: {TCPIP: {Host Name: " + "[" * 15 + "]" * 15 + "}}"), "F065"),
    "many-networks": (
        f"{HEAD}networks:\n" + many(10_000, "  n#: {subnet: 10.0.0.0/8}\n") + PLC,
        "F040",
    ),
    "many-apart": (
        f"{HEAD}networks:\n"
        + "".join(f"  n{n}: {{subnet: 10.{n // 250}.{n % 250}.0/24}}\n" for n in range(5000))
        + PLC,
        "F037",
    ),
    "many-gateways": (
        f"{NETNS}networks: {{a: {{subnet: 10.1.0.0/16}}, b: {{subnet: 10.2.0.0/16}}}}\ngateways:\n"
        + many(9000, "  g#: {between: [a, b]}\n")
        + PLC,
        "F037",
    ),
    "wide-gateways": (f"{NETNS}{zones(400)}gateways:\n{wide(40, 400)}{PLC}", "F037"),
    "ways-without-end": (
        f"{NETNS}{zones(300)}gateways:\n{wide(13, 300)}groups: {{g: {{for: {{x: 1..45, y: 100..145}}, kind: logix, "
        "network: 'n${x}', interfaces: {'n${y}': {}}}}\n",
        "F037",
    ),
    "many-interfaces": (
        f"{NETNS}{zones(300)}groups: {{g: {{count: 9000, kind: logix, network: n0, "
        f"interfaces: {{{', '.join(f'n{n}: {{}}' for n in range(1, 300))}}}}}}}\n",
        "F037",
    ),
    "rules-of-pairs": (
        f"{NETNS}{zones(2)}gateways: {{fw: {{between: [n0, n1], allow: ['a -> b tcp', 'b -> a tcp']}}}}\n"
        "groups: {a: {count: 120, kind: logix, network: n0, address: '10.0.0.${2 * i}'},"
        " b: {count: 120, kind: logix, network: n0, address: '10.0.0.${2 * i - 1}'},"
        " c: {count: 1, kind: logix, network: n1}}\n" + "".join("" for _ in range(1)),
        "F037",
    ),
    "many-rules": (
        f"{NETNS}{zones(2)}gateways: {{fw: {{between: [n0, n1], allow: [{'n0 -> n1 any,' * 2000}]}}}}\n{PLC}",
        "F037",
    ),
    "long-rule": (
        f"{NETNS}{zones(2)}gateways: {{fw: {{between: [n0, n1], allow: 'n0 -> {'n' * 60_000} any'}}}}\n{PLC}",
        "F049",
    ),
    "rule-of-ports": (
        f"{NETNS}{zones(2)}gateways: {{fw: {{between: [n0, n1], allow: 'n0 -> n1 tcp {'1, ' * 20_000}'}}}}\n{PLC}",
        "F049",
    ),
    "many-patterns": (
        f"{HEAD}links:\n" + many(3000, "  '*#*': {delay: 1ms}\n") + "groups: {g: {count: 4000, kind: logix}}\n",
        "F037",
    ),
    "stars": (
        f"{HEAD}links: {{'{'*g' * 31}x': {{delay: 1ms}}, '{'*' * 64}': {{loss: 1%}}}}\n"
        "groups: {g: {count: 9000, kind: logix}}\n",
        "F071",
    ),
    "many-nobodies": (
        f"{HEAD}links:\n" + many(5_000, "  q#: {delay: 1ms}\n") + "groups: {g: {count: 2000, kind: logix}}\n",
        "F067",
    ),
    "many-onward": (
        f"{HEAD}{zones(2000)}groups: {{g: {{for: {{x: 1..30, y: 1..100}}, kind: logix, network: n0,"
        " enip: {onward: '10.${x}.${y}.0/24', route_path: '2/10.${x}.${y}.1'}, hostname: '-'}}\n",
        "F016",
    ),
    "one-mac": (
        f"{NETNS}groups: {{g: {{count: 9000, kind: logix, mac: '02:fa:00:00:00:01'}}}}\n",
        "F047",
    ),
    "long-mac": (f"{NETNS}nodes: {{p: {{kind: logix, mac: '{'02:' * 20_000}'}}}}\n", "F047"),
    "long-rate": (f"{HEAD}nodes: {{p: {{kind: logix, rate: {'9' * 60_000}bit}}}}\n", "F066"),
    "long-delay": (f"{HEAD}nodes: {{p: {{kind: logix, latency: '{'1ms±' * 15_000}'}}}}\n", "F066"),
    "interface-of-a-shell": (
        f"{NETNS}networks: {{default: {{subnet: 10.1.0.0/16, uplink: '$(reboot)'}}}}\n{PLC}",
        "F016",
    ),
    "interface-above": (f"{NETNS}networks: {{default: {{subnet: 10.1.0.0/16, uplink: '../../x'}}}}\n{PLC}", "F016"),
    "host-name-of-a-shell": (f"{NETNS}nodes: {{p: {{kind: logix, hostname: 'a; rm -rf /'}}}}\n", "F016"),
    "subnet-of-all": (f"{NETNS}networks: {{default: {{subnet: 0.0.0.0/8}}}}\n{PLC}", "F040"),
    "python-object": (f"{HEAD}seed: !!python/object/apply:os.system ['true']\n", "F005"),
    "include-above": (f"{HEAD}include: ../../etc/passwd\n", "F006"),
    "include-absolute": (f"{HEAD}include: /etc/passwd\n", "F006"),
    "include-tree": (f"{HEAD}include: '**/*'\n", "F006"),
    "include-device": (f"{HEAD}include: zero.inc\n", "F006"),
    "include-link": (f"{HEAD}include: passwd.inc\n", "F006"),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[str], int, float, int]]:
    """Case to codes, characters of the message, seconds of computing, and megabytes of the process so far."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "zero.inc").symlink_to("/dev/zero")
    (folder / "passwd.inc").symlink_to("/etc/passwd")
    for name, (text, _) in CASES.items():
        (folder / f"{name}.yaml").write_text(text)
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    return {name: (codes, size, seconds, memory) for name, codes, size, seconds, memory in rows}


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_file_is_refused_at_once(answers: dict[str, tuple[list[str], int, float, int]], case: str) -> None:
    codes, size, seconds, memory = answers[case]
    assert CASES[case][1] in codes
    assert size < 200_000
    assert seconds < max(SECONDS, TIMES * answers[PARSER][2])
    assert memory < MEGABYTES


def test_nothing_was_run(answers: dict[str, tuple[list[str], int, float, int]]) -> None:
    assert set(answers) == {*CASES, PARSER}
