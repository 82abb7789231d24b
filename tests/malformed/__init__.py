"""Requests that are wrong, and the exact answer that each must get from a live node."""

import pytest

pytest.register_assert_rewrite("tests.malformed.live")
