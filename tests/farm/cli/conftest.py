"""A plant that is up, for the tests of a module, to be asked and changed by the command."""

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Outcome, emptied_root, farm_of
from tests.farm_command import OWN_PROCESS, here

Run = Callable[..., Outcome]


def verb(*arguments: str) -> Outcome:
    """`farm ARGUMENTS…` in this process."""
    return Outcome(*here(*arguments))


def said(farm: Run) -> Run:
    """The command: in this process where that is the same, else in its own, as `farm` has it."""

    def run(*arguments: str, **how: object) -> Outcome:
        own = bool(how) or arguments[0] in OWN_PROCESS
        return farm(*arguments, **how) if own else verb(*arguments)

    return run


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The command, with the plant of the module's `FILE` up, for tests that leave it as it was."""
    folder = tmp_path_factory.mktemp("plant")
    (folder / "plant.yaml").write_text(request.module.FILE)
    with emptied_root() as root:
        farm = farm_of(root)
        outcome = farm("up", cwd=folder)
        assert outcome.rc == 0, outcome.err
        yield said(farm)
        assert farm("down").rc == 0
