"""One controller of ours for all tests of this folder that only read and write its tags."""

from collections.abc import Iterator

import pytest

from tests.client.nodes import TAGS, Served, node


@pytest.fixture(scope="package")
def controller() -> Iterator[Served]:
    """A Logix controller with the tags of `tests.client.nodes.TAGS`."""
    with node(*TAGS) as served:
        yield served
