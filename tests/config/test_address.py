"""Addresses as they are typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.config.address import parse_address
from node.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("", "", 44818),
        (":502", "", 502),
        (":0", "", 0),
        ("127.0.0.1", "127.0.0.1", 44818),
        ("127.0.0.1:1502", "127.0.0.1", 1502),
        ("plc.local:5", "plc.local", 5),
        ("[::1]:5", "::1", 5),
        ("[::1]", "::1", 44818),
    ],
)
def test_parse_address(text: str, host: str, port: int) -> None:
    assert parse_address(text, 44818) == (host, port)


@pytest.mark.parametrize("text", ["a:b", "a:", ":65536", ":-1", "::1", "[::1", "[::1]5", "a b:1", "a/b", ":\u0663"])
def test_what_was_typed_wrong_is_quoted(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_address(text, 44818)
    assert repr(text) in str(caught.value)
    assert "wanted [INTERFACE][:PORT]" in str(caught.value)


@given(st.text(max_size=20))
def test_any_text_is_an_address_or_a_config_error(text: str) -> None:
    try:
        _, port = parse_address(text, 44818)
    except ConfigError:
        return
    assert 0 <= port <= 65535
