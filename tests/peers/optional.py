"""Clients that are released as wheels for some machines only."""

from __future__ import annotations

import importlib
import platform
import sys
from types import ModuleType

import pytest


def client(module: str, package: str) -> ModuleType:
    """The module of a client; skips the tests that asked where it is not installed. The reason tells machines that
    cannot have it (pyproject.toml asks for it on 64-bit Intel Linux alone) from one that lost it, which is a failure
    in continuous integration."""
    try:
        return importlib.import_module(module)
    except ImportError:
        if sys.platform == "linux" and platform.machine() == "x86_64":
            pytest.skip(f"{package} is not installed: make test puts it into .venv", allow_module_level=True)
        pytest.skip(f"{package} is for 64-bit Intel Linux here", allow_module_level=True)
