"""What import-linter cannot see: where third-party packages come in, and imports hidden inside functions.

The contracts themselves are in pyproject.toml and run by `make check` (`lint-imports`).
"""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase

from tests.architecture.sources import ROOT, Source, sources, statements

THIRD_PARTY = {
    "typer": ("farm.cli.*",),
    "click": ("farm.cli.*",),
    "yaml": ("farm.topology.*", "farm.render.documents"),
    "pyroute2": ("farm.backends.netns*",),
    "docker": ("farm.backends.docker*", "farm.backends.swarm*"),
    "kubernetes": ("farm.backends.kubernetes*",),
    "urllib3": ("farm.backends.kubernetes_api",),
    "websocket": ("farm.backends.kubernetes_relay",),
    "flask": ("farm.dashboard.*", "node.web.app"),
    "werkzeug": ("farm.dashboard.*", "node.web.app"),
    "waitress": ("farm.dashboard.serve", "node.web.face"),
    "greenery": ("node.automata.expressions",),
    "pymodbus": ("node.client.modbus_line",),
    "serial": ("node.client.serial_channel",),
    "pyarrow": ("node.cli.history_parquet",),
}
"""Each third-party package and the modules that may import it. A new one is an entry here and in the extras."""

OPTIONAL_IN_FUNCTIONS = {"greenery", "yaml"}
"""Packages of an extra, which a function may import so that the rest works without them."""


UNNEEDED_IN_MOST_RUNS = {
    "datetime": "node.objects.wall_clock",  # a client that asks what time it is
    "difflib": "node.config.hint",  # what a mistyped word may have meant
    "importlib.metadata": "node.cli.outcome",  # --version; it brings the parser of e-mail
    "logging.handlers": "node.cli.log",  # --log; it brings pickle
    "node.cip.refusal": "node.enip.target",  # one that refuses everything on purpose
    "node.config.device_map": "node.cli.modbus",  # a whole device
    "node.config.fault_words": "node.cli.modbus",  # one that goes wrong on purpose
    "node.commands.api": "node.rooms",  # one that is asked in the words of 2016
    "node.commands.captures": "node.rooms",  # one that is captured
    "node.commands.faults": "node.rooms",  # one that goes wrong on purpose
    "node.commands.forces": "node.rooms",  # one whose tags are forced
    "node.commands.requests": "node.commands.tree",  # one that is looked at
    "node.commands.recordings": "node.rooms",  # one that is recorded
    "node.commands.replays": "node.rooms",  # one that a recording is played into
    "node.commands.tag_facts": "node.rooms",  # the same
    "node.server.closing": "node.rooms",  # the same as node.commands.api
    "node.web.door": "node.cli.web",  # one with a web interface
    "node.web.face": "node.cli.web",  # the same
    "node.exchange.printing": "node.telemetry",  # one whose writes are watched
    "node.modbus_face": "node.controller",  # a controller that speaks Modbus
    "node.served": "node.cli.serve",  # one that is part of a program
    "node.server.hook_pool": "node.controller",  # one whose tags run code of somebody's own
    "node.tag_classes": "node.controller",  # the same
    "node.server.modbus_line_tcp": "node.modbus_face",  # one that is asked as on a line
    "node.server.modbus_udp": "node.modbus_face",  # one that is asked by datagrams
    "node.server.serial_line": "node.modbus_face",  # one on a serial line
    "node.server.tls": "node.modbus_face",  # one that speaks TLS
    "node.server.doorway": "node.shard",  # nodes that share a container
    "node.server.own_address": "node.shard",  # one that an engine gave its address
    "node.objects.assembly": "node.objects.device",  # an adapter
    "node.objects.drive_parameter": "node.objects.device",  # a drive
    "node.objects.file": "node.objects.device",  # either
    "node.objects.parameter": "node.objects.device",  # a drive
    "node.objects.pccc": "node.objects.device",  # an SLC or MicroLogix
    "node.exchange.faults": "node.exchange.delay",  # one that is slow
}
"""What a function of that module may import so that the rest starts without it: a lone simulator has 0.2 s."""

GIVES_UP_NOTHING = {
    "node.server.doorway",
    "node.server.hook_pool",
    "node.server.own_address",
    "node.server.tls",
    "node.tag_classes",
}
"""Of these what a node imports that stays the user it is: certificates are the machine's, as backend process is; and
what it imports, with code of somebody's own, while it still is that user. They would cost every nursery its memory."""


def imports(source: Source, tree: ast.AST) -> Iterator[tuple[str, int]]:
    """(module, line) of every import under `tree`."""
    for item in statements(tree):
        if isinstance(item, ast.Import):
            for alias in item.names:
                yield alias.name, item.lineno
        elif isinstance(item, ast.ImportFrom) and item.module:
            yield item.module, item.lineno


def third_party(module: str) -> str | None:
    """The top package of `module` when it is neither ours nor Python's."""
    top = module.partition(".")[0]
    return None if top in {"node", "farm"} or top in sys.stdlib_module_names else top


def test_third_party_packages_come_in_where_they_are_listed() -> None:
    wrong = []
    for source in sources("node", "farm"):
        for module, line in imports(source, source.tree):
            package = third_party(module)
            if package and not any(fnmatchcase(source.module, rule) for rule in THIRD_PARTY.get(package, ())):
                wrong.append(f"{source.path}:{line}: {module}")
    assert wrong == []


def test_functions_import_nothing_but_what_most_runs_do_without() -> None:
    wrong, seen = [], set()
    for source in sources("node", "farm"):
        for item in statements(source.tree):
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                for module, line in imports(source, item):
                    if UNNEEDED_IN_MOST_RUNS.get(module) == source.module:
                        seen.add(module)
                    elif third_party(module) not in OPTIONAL_IN_FUNCTIONS:
                        wrong.append(f"{source.path}:{line}: {module}")
    assert wrong == []
    assert seen == set(UNNEEDED_IN_MOST_RUNS)


def test_what_a_node_imports_late_is_there_before_it_is_forked() -> None:
    """A node that has become another user may not be able to read its own modules any more."""
    late = [name for name, by in UNNEEDED_IN_MOST_RUNS.items() if by.startswith("node.") and ".cli." not in by]
    late = [name for name in late if name not in GIVES_UP_NOTHING]
    script = "import json, sys; from node import rehearsal; print(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [name for name in late if name not in json.loads(done.stdout)] == []


def test_value_classes_of_a_node_are_cheap_to_define() -> None:
    wrong = []
    for source in sources("node"):
        for item in statements(source.tree):
            if isinstance(item, ast.ImportFrom) and item.module == "dataclasses" and source.module != "node.record":
                wrong += [f"{source.path}:{item.lineno}" for alias in item.names if alias.name == "dataclass"]
    assert wrong == [], "from node.record import dataclass: docs/decisions/0011"
