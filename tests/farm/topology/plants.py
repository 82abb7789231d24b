"""Plant files in a folder of a test's own, and what the loader says of them."""

from pathlib import Path

import pytest

from farm.topology import Plant, Problem, TopologyProblems, load_plant
from node.config.model import NodeConfig

HEAD = "farm: 1\nname: demo\n"


def write(folder: Path, text: str, files: dict[str, str] | None = None) -> Path:
    """`text` as plant.yaml in `folder`, with other files beside it; `HEAD` in front unless it has its own."""
    for name, content in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    path = folder / "plant.yaml"
    path.write_text(text if text.startswith(("farm:", "\n")) else HEAD + text)
    return path


def load(folder: Path, text: str, files: dict[str, str] | None = None, **settings: str) -> Plant:
    """The plant of `text`, with `settings` as by --set and an empty environment."""
    return load_plant(write(folder, text, files), settings=settings, environ={})


def node(folder: Path, text: str, name: str = "") -> NodeConfig:
    """One node of the plant of `text`: the one called `name`, else the first."""
    plant = load(folder, text)
    return next(each for each in plant.nodes if each.name == name or not name)


def problems(folder: Path, text: str, files: dict[str, str] | None = None, **settings: str) -> list[Problem]:
    """What is wrong with `text`, by order of place; fails when nothing is."""
    with pytest.raises(TopologyProblems) as caught:
        load(folder, text, files, **settings)
    return caught.value.problems


def headlines(folder: Path, text: str) -> list[str]:
    """`line:column: message - hint [code]` of each fault of `text`, lines counted without `HEAD`."""
    shift = 0 if text.startswith("farm:") else 2
    found = []
    for problem in problems(folder, text):
        place = f"{problem.line - shift}:{problem.column}: "
        found.append(place + problem.headline.partition(f"{problem.severity}: ")[2])
    return found
