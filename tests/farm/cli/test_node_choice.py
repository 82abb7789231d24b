"""Names, patterns and fields pick nodes, in the order of the farm, and say what they do not find."""

import pytest

from farm.cli.node_choice import choose, parse_where, where
from farm.cli.usage import UsageError
from farm.errors import FarmError

ROWS = [
    {"name": "drv-1", "kind": "logix", "state": "up", "pid": 7, "networks": ["L1"]},
    {"name": "drv-2", "kind": "logix", "state": "down", "pid": None, "networks": ["L1", "L2"], "link": "loss 2 %"},
    {"name": "rtu-1", "kind": "modbus", "state": "up", "pid": 8},
]


def chosen(*texts: str) -> list[str]:
    return [str(row["name"]) for row in where(ROWS, parse_where(texts))]


def test_names_and_patterns() -> None:
    assert choose(ROWS, ["rtu-1", "drv-*", "drv-1"], "works") == ["drv-1", "drv-2", "rtu-1"]
    assert choose(ROWS, ["drv-[2-9]"], "works") == ["drv-2"]
    with pytest.raises(FarmError, match=r"there is no node 'drv-3' in works; `farm ps` lists them"):
        choose(ROWS, ["drv-1", "drv-3"], "works")
    with pytest.raises(FarmError, match=r"there is no node that matches 'x\*' in works"):
        choose(ROWS, ["x*"], "works")


def test_fields() -> None:
    assert chosen("kind=logix,state=up") == ["drv-1"]
    assert chosen("kind=logix", "state=down", "state=up") == ["drv-1", "drv-2"]
    assert chosen("network=L2") == ["drv-2"]
    assert chosen("name=*-1") == ["drv-1", "rtu-1"]
    assert chosen("link=loss*") == ["drv-2"]
    assert chosen("pid=*") == ["drv-1", "rtu-1"]
    for wrong in ("colour=red", "state", "=up"):
        with pytest.raises(UsageError, match="wanted FIELD=VALUE, with a field of name, kind"):
            parse_where([wrong])
