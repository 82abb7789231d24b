"""Classes of tags by name: found beside a plant file, and what is said of those that cannot be had."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.config.model import NodeConfig, TagConfig
from node.errors import ConfigError
from node.tag_classes import configured_class

GOOD = """
from node import Attribute

class Own(Attribute):
    pass

number = 5
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One for all: a module that was imported stays where it was found."""
    tmp_path = tmp_path_factory.mktemp("plant")
    (tmp_path / "own_code_good.py").write_text(GOOD)
    (tmp_path / "own_code_broken.py").write_text("def f(:\n")
    (tmp_path / "own_code_failing.py").write_text("x = 1\nraise RuntimeError('no server')\n")
    (tmp_path / "own_code_leaving.py").write_text("import sys\nsys.exit(3)\n")
    (tmp_path / "own_code_lacking.py").write_text("import own_code_nowhere\n")
    yield tmp_path
    sys.path.remove(str(tmp_path))


def find(folder: Path, name: str) -> type | None:
    tag = TagConfig("Level", "REAL", code=name)
    config = NodeConfig("plc", "logix", "1756-L61", "", (tag,), code_folder=str(folder))
    return configured_class(config)(tag)


def test_it_is_found_beside_the_plant_file(folder: Path) -> None:
    found = find(folder, "own_code_good:Own")
    assert found is not None
    assert (found.__name__, found.__module__) == ("Own", "own_code_good")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("own_code_missing:Own", "there is no module 'own_code_missing' (sought where Python looks, then in {folder})"),
        ("own_code_lacking:Own", "there is no module 'own_code_nowhere' (sought where Python looks, then in {folder})"),
        ("own_code_good:Other", "module 'own_code_good' ({folder}/own_code_good.py) has no such name"),
        (
            "own_code_good:number",
            "module 'own_code_good' ({folder}/own_code_good.py) has 'number', which is no subclass of node.Attribute",
        ),
        (
            "own_code_failing:Own",
            "module 'own_code_failing' cannot be imported: RuntimeError: no server "
            "({folder}/own_code_failing.py, line 2)",
        ),
        ("own_code_leaving:Own", "module 'own_code_leaving' cannot be imported: SystemExit: 3"),
        ("own_code_broken:Own", "module 'own_code_broken' cannot be imported: SyntaxError: invalid syntax"),
    ],
)
def test_what_is_wrong_is_a_line_that_names_the_tag(folder: Path, name: str, words: str) -> None:
    with pytest.raises(ConfigError) as failed:
        find(folder, name)
    said = str(failed.value)
    assert said.startswith(f"tag 'Level', class {name}: {words.format(folder=folder)}")
    assert "\n" not in said
