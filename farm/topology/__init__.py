"""Plant files: one YAML file to every node of a farm.

Names come in when they are asked for: a supervisor needs `farm.topology.plant` and neither the loader nor PyYAML, which
is an extra; `farm ps` and `farm down` work without it.
"""

import importlib
import typing

from farm.errors import TopologyError

if typing.TYPE_CHECKING:
    from farm.topology.find import find_plant
    from farm.topology.json_schema import schema
    from farm.topology.plant import Origin, Plant
    from farm.topology.plant_file import load_plant
    from farm.topology.problem import Problem, TopologyProblems

__all__ = ["Origin", "Plant", "Problem", "TopologyProblems", "find_plant", "load_plant", "schema"]

_HOMES = {
    "Origin": "plant",
    "Plant": "plant",
    "Problem": "problem",
    "TopologyProblems": "problem",
    "find_plant": "find",
    "load_plant": "plant_file",
    "schema": "json_schema",
}
"""Public name to the module it is in."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = f"{__name__}.{_HOMES[name]}"
    try:
        found: object = getattr(importlib.import_module(home), name)
    except ModuleNotFoundError as exc:
        if exc.name != "yaml":
            raise
        raise TopologyError('farm needs PyYAML to read plant files: pip install "plcfarm[farm]"') from exc
    globals()[name] = found
    return found
