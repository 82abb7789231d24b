"""Modules that much of Python imports and few runs look into: they are there by name, and are loaded when something in
them is first asked for. `importlib.util.LazyLoader` is meant for this, but in Python 3.11 a mere `import` counts as
asking there.

Not for a process that gives up its rights: it may not be able to read the library any more.
"""

import sys
from collections.abc import Iterable
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

SELDOM = ("inspect", "linecache", "locale", "textwrap", "tokenize")
"""What asyncio, logging, subprocess and dataclasses import, for the sake of tracebacks, signatures and shells: with
what these import in turn, a twelfth of a start."""


def import_later(names: Iterable[str]) -> None:
    """Has every later `import` of these find a module that loads itself; those that are there already stay."""
    for name in names:
        spec = find_spec(name) if name not in sys.modules else None
        if spec is not None:
            module = module_from_spec(spec)
            module.__class__ = _Later
            if name == "inspect" and sys.version_info < (3, 14):
                module.__dict__["get_annotations"] = _annotations
            sys.modules[name] = module


def load_now() -> None:
    """Loads what is still to load itself: before there is a second thread, which could find it half loaded."""
    for module in [*sys.modules.values()]:
        if type(module) is _Later:
            module.load()


def _annotations(of: Any, **options: Any) -> dict[str, Any]:
    """What `inspect.get_annotations` says, without it where a class is meant: dataclasses ask so since Python 3.12, and
    nothing else of it."""
    if isinstance(of, type) and not options:
        return dict(vars(of).get("__annotations__", {}))
    inspect = sys.modules["inspect"]
    if isinstance(inspect, _Later):
        inspect.load()
    found: dict[str, Any] = inspect.get_annotations(of, **options)
    return found


class _Later(ModuleType):
    """A module that holds nothing yet but what the import system writes on it."""

    def __getattr__(self, name: str) -> Any:
        self.load()
        return getattr(self, name)

    def load(self) -> None:
        """Becomes what it stands for."""
        spec = self.__spec__
        self.__class__ = ModuleType  # type: ignore[assignment]
        assert spec is not None
        assert spec.loader is not None
        spec.loader.exec_module(self)
