"""What a view is to the guards that run before it (`app`)."""

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])

FREE = "free"
"""Says nothing about the farm, to everybody: the page's own files, whether this server lives."""
NEEDS_NO_TOKEN = "needs no token"
"""Changes who the caller is, not the farm."""
OWN_CHECK = "own check"
"""May look or change, which the path says: it checks by itself."""

_MARK = "dashboard_mark"


def marked(mark: str) -> Callable[[View], View]:
    """A decorator that gives a view its mark."""

    def give(view: View) -> View:
        setattr(view, _MARK, mark)
        return view

    return give


def mark_of(view: Callable[..., Any] | None) -> str:
    """The mark of a view, "" where it has none."""
    return str(getattr(view, _MARK, ""))
