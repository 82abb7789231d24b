"""The crash table on every backend that runs here; what takes half a minute does so in `make soak` alone."""

from functools import partial
from pathlib import Path

import pytest

from tests.soak import crashes, plants
from tests.soak.crashes import Crash
from tests.soak.kills import Farm

AWAY = 4.0
"""Seconds that a supervisor is away here."""
SILENCE = 3.0
"""Seconds that `farm down` waits here for a supervisor that says nothing; in `make soak` as long as for people."""
SHORTER = {
    "supervisor_suspended": partial(crashes.supervisor_suspended, seconds=AWAY),
    "down_of_a_suspended_one": partial(crashes.down_of_a_suspended_one, silence=SILENCE),
}
"""Those of the table that are so long only by a wait."""
IN_SOAK = {("down_of_a_suspended_one", "process")}
"""What the same does on namespaces; `test_daemon` has it too."""
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
    if crash.name in SHORTER:
        crash = Crash(SHORTER[crash.name], crash.backends, crash.says)
    with plants.decoys():
        farm = Farm(Path(tmp_path_factory.mktemp("c")) / "run", plants.PLANTS[backend], backend)
        said, left = crashes.suffer(crash, farm)
    assert crash.says in said
    assert "Traceback" not in said
    assert "down: exit" not in said
    assert left == []
