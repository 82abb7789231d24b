"""One plant for all tests that only look or put back what they changed."""

from collections.abc import Iterator

import pytest

from tests.dashboard.served import Served, a_served_plant


@pytest.fixture(scope="package")
def served() -> Iterator[Served]:
    """Fifteen nodes with a dashboard, for whoever leaves them as they were. They end with the last test of this folder:
    others may want their addresses."""
    with a_served_plant() as served:
        yield served
