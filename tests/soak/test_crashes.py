"""The crash table on every backend that runs here; what takes half a minute does so in `make soak` alone."""

from functools import partial
from pathlib import Path

import pytest

from tests.soak import crashes, plants
from tests.soak.crashes import Crash
from tests.soak.kills import Farm

AWAY = 4.0
"""Seconds that a supervisor is away here."""
IN_SOAK = {("down_of_a_suspended_one", "process")}
"""What waits a quarter of a minute for a supervisor, as the same does on namespaces; `test_daemon` waits for less."""
ROWS = [
    (crash, backend)
    for crash in crashes.TABLE
    for backend in crash.backends
    if backend != "docker" and (crash.name, backend) not in IN_SOAK
]


@pytest.mark.net
@pytest.mark.timeout(180)
@pytest.mark.parametrize(("crash", "backend"), ROWS, ids=lambda each: getattr(each, "name", each))
def test_a_misfortune_is_told_and_leaves_nothing(
    tmp_path_factory: pytest.TempPathFactory, crash: Crash, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reason = plants.runs_here(backend) or plants.runs_here("netns") * (crash.name == "disk_full")
    if reason:
        pytest.skip(reason)
    if crash.name == "supervisor_suspended":
        brief = partial(crashes.supervisor_suspended, seconds=AWAY)
        crash = Crash(brief, crash.backends, crash.says)
    with plants.decoys():
        farm = Farm(Path(tmp_path_factory.mktemp("c")) / "run", plants.PLANTS[backend], backend)
        said, left = crashes.suffer(crash, farm)
    assert crash.says in said
    assert "Traceback" not in said
    assert "down: exit" not in said
    assert left == []
