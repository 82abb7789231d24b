"""One exchange in a line for people. What came from a wire is bounded, and shows its control characters as escapes."""

from collections.abc import Iterable

from node.record import dataclass

LIMIT = 200
"""Characters of each text at most."""
SHOWN = 8
"""Values of an array that are shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """`request` and `reply` in words. `status` is what the reply complains of, "" where it does not; `missing` names
    what was asked for and is not there."""

    request: str
    reply: str = ""
    status: str = ""
    missing: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the request was served."""
        return not self.status


def plain(text: str) -> str:
    """`text` with its control characters escaped, and no longer than `LIMIT`."""
    shown = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text[: LIMIT + 1])
    return shown if len(shown) <= LIMIT else f"{shown[: LIMIT - 1]}…"


def line(request: str, reply: str = "", status: str = "", missing: Iterable[str] = ()) -> Line:
    """A line of texts that may hold anything."""
    return Line(plain(request), plain(reply), plain(status), tuple(plain(name) for name in missing))


def listed(values: Iterable[object], count: int) -> str:
    """`count` values, of which the first few are shown."""
    shown = [_short(value) for _, value in zip(range(SHOWN), values, strict=False)]
    return ", ".join(shown) + (f", … ({count} values)" if count > len(shown) else "")


def _short(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
