"""Which commands to a node are worth an event, of which kind, and how it reads."""

from collections.abc import Sequence
from typing import Any

from farm.supervisor.events import CLIENT, COMMAND, FAULT, WRITE

ACTS = frozenset({"start", "stop", "eof", "clear", "release"})
"""Last words of paths that do something without a value."""
API_WORDS = 3
"""Words behind `api/` that only look, at most: group, match and command (`node.commands.api`)."""
LONGEST = 200


def changes(path: str, value: Any) -> str:
    """The kind of event that the command is, "" for one that only asks."""
    words = path.strip("/").split("/")
    if words[0] in ("watch", "capture", "record"):
        return ""
    if value is None and not (_puts(words[1:]) if words[0] == "api" else words[-1] in ACTS):
        return ""
    group = words[1] if words[0] == "api" and len(words) > 1 else words[0]
    return {"tags": WRITE, "connections": CLIENT, "faults": FAULT}.get(group, COMMAND)


def _puts(words: Sequence[str]) -> bool:
    """Whether a path of the web interface of 2016 has a value in it; connections may do without a match."""
    short = len(words) == API_WORDS and words[:2] == ["connections", "eof"]
    return short or len(words) > API_WORDS or any("=" in word for word in words)


def change_text(path: str, value: Any) -> str:
    """`Level = 3.5 (forced)`, `10.0.0.5:4711 was disconnected`, or the command as it was given."""
    words = path.strip("/").split("/")
    said = f"{value!r:.{LONGEST}}" if isinstance(value, str) else f"{value!s:.{LONGEST}}"
    if words[0] == "tags" and len(words) == 2 and value is not None:
        return f"{words[1]} = {said}"
    if words[0] == "tags" and words[-1] == "force":
        return f"{words[1]} = {said} (forced)"
    if words[0] == "tags" and words[-1] == "error":
        return f"{words[1]} answers with status {said}" if value else f"{words[1]} answers again"
    if words[0] == "tags" and words[-1] == "release":
        return f"{words[1]} released" if len(words) > 2 else "every tag released"
    if words[0] == "server":
        return "told to stop serving" if words[-1] == "stop" else "told to serve again"
    if words[0] == "connections" and words[-1] == "eof":
        return f"{words[1]} was disconnected"
    return path if value is None else f"{path} = {said}"
