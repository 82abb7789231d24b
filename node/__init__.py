"""A simulated EtherNet/IP and Modbus controller, and the clients that talk to one.

What programs use of it (`docs/embedding.md`) is imported when it is asked for.
"""

import importlib
import typing

if typing.TYPE_CHECKING:
    from node.cip.status import CipError as CipError
    from node.cli.enip import main as main
    from node.embedded import Accessed as Accessed
    from node.embedded import Connected as Connected
    from node.embedded import Controller as Controller
    from node.memory.attribute import Attribute as Attribute

__version__ = "0.1.0"

__all__ = ["Accessed", "Attribute", "CipError", "Connected", "Controller", "main"]

_HOMES = {
    "Accessed": "embedded",
    "Attribute": "memory.attribute",
    "CipError": "cip.status",
    "Connected": "embedded",
    "Controller": "embedded",
    "main": "cli.enip",
}
"""Public name to the module it is in."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found
