"""Who may look and who may change: two tokens of 128 bits a farm, links that are good once, and cookies.

Tokens stand in `dashboard/token` and `dashboard/token.readonly`, mode 0600, of the user who runs the farm; whoever can
read them is that user. Neither links nor cookies hold a token, only what cannot be made without it (HMAC, RFC 2104),
so the process that serves pages needs to write nothing down.
"""

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

WRITE, READ = "write", "read"
"""What the bearer may: change, which includes looking, or look."""
ROLES = (WRITE, READ)

CODE_SECONDS = 900.0
"""For which a link is good, once."""

TOKEN_FILE, READONLY_FILE = "token", "token.readonly"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The two tokens of a farm."""

    write: str
    read: str

    @classmethod
    def kept_in(cls, folder: Path) -> "Tokens":
        """Those in the files of `folder`, made where there are none yet. Raises `OSError`."""
        return cls(_kept(folder / TOKEN_FILE), _kept(folder / READONLY_FILE))

    def role(self, token: str) -> str | None:
        """What its bearer may; None for one that is neither. In constant time."""
        found = None
        for role, known in ((READ, self.read), (WRITE, self.write)):
            if hmac.compare_digest(token.encode("utf-8", "replace"), known.encode()):
                found = role
        return found


def _kept(path: Path) -> str:
    try:
        token = path.read_text().strip()
    except FileNotFoundError:
        token = ""
    if len(token) >= 32:
        return token
    token = secrets.token_hex(16)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(f"{token}\n")
    try:
        os.link(fresh, path)  # whoever made one meanwhile was first
    except FileExistsError:
        token = path.read_text().strip() or token
    finally:
        fresh.unlink()
    return token


@dataclass(slots=True)
class Keys:
    """What the tokens open at one server. `instance` is another text for each start of it: a link of an earlier one is
    void. `wall` is in seconds since 1970."""

    tokens: Tokens
    instance: str
    wall: Callable[[], float] = time.time
    _used: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def code(self, role: str) -> str:
        """For a link that lets in once."""
        until = str(int(self.wall() + CODE_SECONDS))
        nonce = secrets.token_hex(8)
        return ".".join((role, until, nonce, self._seal("code", self.instance, role, until, nonce)))

    def redeem(self, code: str) -> str | None:
        """The role of a code that is good, which it is no more after; None of any other."""
        role, until, nonce, seal = _split(code, 4)
        if not hmac.compare_digest(seal, self._seal("code", self.instance, role, until, nonce)):
            return None
        now = self.wall()
        with self._lock:
            self._used = {used: end for used, end in self._used.items() if end > now}
            if now > float(until) or nonce in self._used:
                return None
            self._used[nonce] = float(until)
        return role

    def session(self, role: str) -> str:
        """For the cookie of a browser that was let in; good for as long as the token is."""
        nonce = secrets.token_hex(8)
        return ".".join((role, nonce, self._seal("session", role, nonce)))

    def session_role(self, session: str) -> str | None:
        """The role of a cookie; None of one that we did not set."""
        role, nonce, seal = _split(session, 3)
        return role if hmac.compare_digest(seal, self._seal("session", role, nonce)) else None

    def _seal(self, *words: str) -> str:
        text = ":".join(words).encode("utf-8", "replace")
        return hmac.new(self.tokens.write.encode(), text, hashlib.sha256).hexdigest()


def _split(text: str, count: int) -> list[str]:
    """The words of it; as many that fit nothing where there are more or fewer, or where they are no plain text."""
    words = text.split(".")
    return words if len(words) == count and text.isascii() else [""] * count
