"""Sizes that people type: every form that any option has taken, and one line for what is none."""

import pytest

from node.config.byte_size import parse_size
from node.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("20000", 20_000),
        ("10MB", 10**7),
        ("500kB", 500_000),
        ("1.5M", 1_500_000),
        ("1.5 GB", 1_500_000_000),
        ("500  k", 500_000),
        ("1.0009k", 1000),
        ("0.29M", 290_000),
        ("10B", 10),
    ],
)
def test_every_form_is_exact(text: str, size: int) -> None:
    assert parse_size(text, "--size") == size


@pytest.mark.parametrize("text", ["", "much", "-5MB", "10mb", "1e3", ".5M", "5x", "٣", "9" * 5000])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--rotate: .*; wanted bytes, as 500kB or 10MB$"):
        parse_size(text, "--rotate")
