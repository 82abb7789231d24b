"""Five seconds of what `make soak ARGS=line` does for a minute."""

import pytest

from tests.soak.corrupted import corrupt


@pytest.mark.net
@pytest.mark.slow
def test_no_wrong_value_is_accepted_from_a_line_that_spoils_bytes() -> None:
    outcome = corrupt(5.0, seed=20161122)
    assert outcome.wrong == []
    assert outcome.spoilt > 10, outcome
    assert outcome.answered > outcome.unanswered > 0, outcome
