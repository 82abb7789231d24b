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


def lazy_names(
    package: str, homes: typing.Mapping[str, str]
) -> tuple[typing.Callable[[str], typing.Any], typing.Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` (PEP 562) of `package`, whose public names live in its modules `homes` and are
    imported when they are asked for. Each time, so that a name is what it names where a module is called so, too."""

    def get(name: str) -> typing.Any:
        module = homes.get(name)
        if module is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{module}"), name)

    def names() -> list[str]:
        return sorted([*vars(importlib.import_module(package)), *homes])

    return get, names


__getattr__, __dir__ = lazy_names(__name__, _HOMES)
