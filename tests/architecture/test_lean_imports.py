"""What a node carries for life: hundreds of them are forked from one process, so it must have imported nothing that
only a command line, a web page or another client needs. Seen in a fresh interpreter, for this one has everything."""

import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT

HEAVY = {
    "click",
    "decimal",
    "docker",
    "email",
    "flask",
    "greenery",
    "http",
    "kubernetes",
    "multiprocessing",
    "numpy",
    "pymodbus",
    "pyroute2",
    "rich",
    "statistics",
    "typer",
    "unittest",
    "werkzeug",
    "xml",
    "yaml",
    "zoneinfo",
}


def imported_with(module: str) -> set[str]:
    """The top packages there after `import module`."""
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        "node.nursery",
        "node.controller",
        "node.automata.encapsulation",
        "node.automata.expressions",
        "node.client",
        "node.client.aio",
        "node.client.connector",
        "node.client.modbus_aio",
        "node.client.poll",
        "node.config.schema",
    ],
)
def test_it_carries_nothing_heavy(module: str) -> None:
    assert imported_with(module) & HEAVY == set()


@pytest.mark.parametrize("module", ["node.nursery", "node.rehearsal", "node.cli.modbus", "node.cli.enip"])
def test_no_node_carries_tls_unless_it_speaks_it(module: str) -> None:
    """As a node starts: asyncio would bring it."""
    start = "from node.__main__ import _import_asyncio; _import_asyncio()"
    code = f"import sys; {start}; import {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert {"ssl", "_ssl"} & set(done.stdout.split()) == set()


@pytest.mark.parametrize("module", ["node.config.schema", "node.config.load", "node.client.aio"])
def test_what_a_farm_takes_of_a_node_brings_no_server(module: str) -> None:
    code = f"import sys, {module}; print(*(name for name in sys.modules if name.startswith('node.')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    found = done.stdout.split()
    assert module in found
    assert [name for name in found if name.startswith(("node.server", "node.controller", "node.shard"))] == []


def test_the_client_s_names_load_what_they_need_alone() -> None:
    code = "import sys, node.client; print(*sys.modules); node.client.parse_operations; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    before, after = (set(line.split()) for line in done.stdout.splitlines())
    assert [name for name in before if name.startswith("node.")] == ["node.client"]
    assert "node.client.operations" in after
    assert {"socket", "asyncio", "node.client.connector"} & after == set()


def test_a_farm_command_does_not_bring_pydantic() -> None:
    """Which would make each, and each supervisor, start half a second later on a slow machine."""
    code = "import sys; from farm.cli import app; app.run(['version']); print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split()[-1:]) == (0, ["False"]), done.stderr


def test_an_interpreter_starts_without_a_finder_of_editable_installations() -> None:
    """Tests start thousands of them, and every node is one."""
    code = "import sys; print(*(name for name in sys.modules if name.startswith('__editable__')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split()) == (0, [])
