"""A plant that is up, for one test, to be asked and changed by the command."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import Outcome

Run = Callable[..., Outcome]


@pytest.fixture
def running(request: pytest.FixtureRequest, farm: Run, tmp_path: Path) -> Iterator[Run]:
    """The command, with the plant of the module's `FILE` up."""
    (tmp_path / "plant.yaml").write_text(request.module.FILE)
    outcome = farm("up", cwd=tmp_path)
    assert outcome.rc == 0, outcome.err
    yield farm
    assert farm("down").rc == 0
