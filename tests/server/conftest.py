"""What nodes serve on is what is tested: `asyncio.run` makes the loop that they have, not asyncio's own."""

import pytest

from node.server.loop import new_loop


@pytest.fixture(autouse=True)
def loop_of_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has `asyncio.run` make it."""
    monkeypatch.setattr("asyncio.events.new_event_loop", new_loop)
