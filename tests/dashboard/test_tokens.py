"""Tokens on disk, links that are good once, cookies that cannot be made up."""

import os
import stat
from pathlib import Path

import pytest

from farm.dashboard.tokens import CODE_SECONDS, READ, WRITE, Keys, Tokens

TOKENS = Tokens("a" * 32, "b" * 32)


class Wall:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_they_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    tokens = Tokens.kept_in(tmp_path)
    assert Tokens.kept_in(tmp_path) == tokens
    assert tokens.write != tokens.read
    assert len(bytes.fromhex(tokens.write)) == len(bytes.fromhex(tokens.read)) == 16
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"token": 0o600, "token.readonly": 0o600}
    assert {path.stat().st_uid for path in tmp_path.iterdir()} == {os.getuid()}


@pytest.mark.parametrize(
    ("token", "role"),
    [("a" * 32, WRITE), ("b" * 32, READ), *((token, None) for token in ("", "c" * 32, "a" * 31, "ä" * 32, "\ud800"))],
)
def test_what_a_token_may(token: str, role: str | None) -> None:
    assert TOKENS.role(token) == role


def test_a_link_lets_in_once() -> None:
    keys = Keys(TOKENS, "one", Wall())
    code = keys.code(WRITE)
    assert keys.redeem(code) == WRITE
    assert keys.redeem(code) is None
    assert keys.redeem(keys.code(READ)) == READ


def test_a_link_is_for_one_server_and_a_while() -> None:
    wall = Wall()
    keys = Keys(TOKENS, "one", wall)
    code = keys.code(WRITE)
    assert Keys(TOKENS, "two", wall).redeem(code) is None
    assert Keys(Tokens("c" * 32, "b" * 32), "one", wall).redeem(code) is None
    wall.now += CODE_SECONDS + 1
    assert keys.redeem(code) is None


@pytest.mark.parametrize("role", [WRITE, READ])
def test_a_cookie_outlives_the_server(role: str) -> None:
    session = Keys(TOKENS, "one").session(role)
    assert Keys(TOKENS, "two").session_role(session) == role
    assert Keys(Tokens("c" * 32, "b" * 32), "one").session_role(session) is None


def test_neither_can_be_made_up() -> None:
    keys = Keys(TOKENS, "one", Wall())
    reader, code = keys.session(READ), keys.code(READ)
    for made in ("", ".", "...", "write", "write.1", "write.1.2", "ä.b.c", reader.replace(READ, WRITE), reader + "0"):
        assert keys.session_role(made) is None
    for made in ("", "...", "write.x.1.2", code.replace(READ, WRITE), code + "0", "ä.b.c.d", reader):
        assert keys.redeem(made) is None
    assert TOKENS.write not in code + reader
