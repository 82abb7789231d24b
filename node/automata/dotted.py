"""A dict whose keys lead into it: `reply["enip.CIP.send_data.CPF.item[1].length"]`, or the same as attributes.

Nested mappings are dotdicts and nested lists keep their place: `items`, `keys` and `len` tell every leaf by its whole
path, `item[0].length` for an element. What is an attribute of `dict` is an item only: `reply["items"]`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any


class dotdict(dict[str, Any]):
    """A tree of mappings and lists. A key may be a path: names by dots, an index in brackets behind a name.

    `d["a.b"]` and `d.a.b` raise `KeyError` and `AttributeError` where nothing is; setting makes what is missing on the
    way, and the next element of a list. A mapping without anything in it is a leaf.
    """

    __slots__ = ()

    def __init__(self, content: Mapping[str, Any] | Iterable[tuple[str, Any]] = (), **named: Any) -> None:
        super().__init__()
        if content or named:
            self.update(content, **named)

    def __getitem__(self, key: str) -> Any:
        found: Any = self._top()
        for step in _steps(key):
            try:
                found = dict.__getitem__(found, step) if isinstance(found, dict) else found[step]
            except (KeyError, IndexError, TypeError) as exc:
                raise KeyError(key) from exc
        return found

    def __setitem__(self, key: str, value: Any) -> None:
        at: Any = self._top()
        steps = _steps(key)
        for step, then in pairwise(steps):
            if _get(at, step) is None:
                _put(at, step, [] if isinstance(then, int) else dotdict(), key)
            at = _get(at, step)
        _put(at, steps[-1], _planted(value), key)

    def __delitem__(self, key: str) -> None:
        steps = _steps(key)
        at: Any = self._top()
        for step in steps[:-1]:
            at = _get(at, step)
        if not isinstance(at, dict) or not dict.__contains__(at, steps[-1]):
            raise KeyError(key)
        dict.__delitem__(at, steps[-1])

    def __contains__(self, key: object) -> bool:
        try:
            self[key]  # type: ignore[index]
        except KeyError:
            return False
        return True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError as exc:
            raise AttributeError(name) from exc

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError as exc:
            raise AttributeError(name) from exc

    def get(self, key: str, default: Any = None) -> Any:
        """The value at a path, or `default`."""
        try:
            return self[key]
        except KeyError:
            return default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value at a path, which is `default` from now on if there was none."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str, *default: Any) -> Any:
        """The value at a path, taken out."""
        if key not in self and default:
            return default[0]
        value = self[key]
        del self[key]
        return value

    def update(self, content: Any = (), /, **named: Any) -> None:
        """Takes what another mapping, or pairs, hold; keys may be paths."""
        pairs = dict.items(content._top()) if isinstance(content, dotdict) else dict(content).items()
        for key, value in (*pairs, *named.items()):
            self[key] = value

    def items(self) -> Any:
        """(path, leaf) of every leaf."""
        return list(_leaves(self._top(), ""))

    def keys(self) -> Any:
        """The path of every leaf."""
        return [key for key, _ in self.items()]

    def values(self) -> Any:
        """Every leaf."""
        return [value for _, value in self.items()]

    def branches(self) -> list[tuple[str, Any]]:
        """(name, value) of what is at the top, as it is nested."""
        return list(dict.items(self._top()))

    def copy(self) -> dotdict:
        """A tree of its own, with the same leaves."""
        return dotdict(self)

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.items())

    def __bool__(self) -> bool:
        return bool(dict.__len__(self._top()))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, dotdict):
            return bool(dict.__eq__(self._top(), other._top()))
        return isinstance(other, Mapping) and self == dotdict(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # it changes

    def __repr__(self) -> str:
        return f"{type(self).__name__}({{{', '.join(f'{key!r}: {value!r}' for key, value in self.items())}}})"

    def _top(self) -> dotdict:
        """Where its own content lies: a subclass may make it when this is first asked."""
        return self


def _steps(key: object) -> list[str | int]:
    """`a.b[0].c` as names and indices. Raises `KeyError` when it is none of them."""
    if not isinstance(key, str):
        raise KeyError(key)
    if "." not in key and "[" not in key:
        return [key]
    steps: list[str | int] = []
    for part in key.split("."):
        name, bracket, rest = part.partition("[")
        steps.append(name)
        while bracket:
            index, closed, rest = rest.partition("]")
            if not closed or not index.isdigit():
                raise KeyError(key)
            steps.append(int(index))
            _, bracket, rest = rest.partition("[")
    return steps


def _get(at: Any, step: str | int) -> Any:
    """Without looking for a path in `step`; None when there is nothing."""
    if isinstance(step, int):
        return at[step] if isinstance(at, list) and step < len(at) else None
    return dict.get(at, step) if isinstance(at, dict) else None


def _put(at: Any, step: str | int, value: Any, key: str) -> None:
    """Without looking for a path in `step`; an element may be a list's next. Raises `KeyError` for `key`."""
    if isinstance(step, int) and isinstance(at, list) and step <= len(at):
        at[step : step + 1] = [value]
    elif isinstance(step, str) and isinstance(at, dict):
        dict.__setitem__(at, step, value)
    else:
        raise KeyError(key)


def _planted(value: Any) -> Any:
    """Mappings as dotdicts, and those within lists."""
    if isinstance(value, dotdict) or not isinstance(value, dict | list):
        return value
    if isinstance(value, dict):
        return dotdict(value)
    return [_planted(item) for item in value] if any(isinstance(item, dict) for item in value) else value


def _leaves(at: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, value in dict.items(at):
        here = f"{path}.{name}" if path else name
        if isinstance(value, dotdict) and value:
            yield from _leaves(value._top(), here)
        elif isinstance(value, list) and value and all(isinstance(item, dotdict) for item in value):
            for index, item in enumerate(value):
                if item:
                    yield from _leaves(item._top(), f"{here}[{index}]")
                else:
                    yield f"{here}[{index}]", item
        else:
            yield here, value
