"""`python -m node VERB`, and the console scripts: where the lone programs and the nursery begin.

Only the verb that was asked for is imported. A lone simulator should be there at once, and what the nursery imports,
every node it forks carries for life.
"""

import gc
import sys
from collections.abc import Sequence
from importlib import import_module

from node.later import SELDOM, import_later
from node.pack import use_pack

NURSERY, NURSERY_MODULE = "nursery", "node.nursery"

CLIENTS = (
    "enip-client",
    "get-attribute",
    "list-services",
    "throughput",
    "browse",
    "poll",
    "history",
    "dissect",
    "health",
)
"""Verbs that ask a device over plain sockets, or read files, or do neither, and end."""


def main(arguments: Sequence[str]) -> int:
    """Runs `python -m node ARGUMENTS`; the exit code."""
    if list(arguments[:1]) == [NURSERY]:
        return _run(NURSERY_MODULE, arguments[1:])
    if arguments and arguments[0] in CLIENTS:
        return _ask("node.cli.app", arguments)
    return _run("node.cli.app", arguments)


def enip_server() -> None:
    """The console script."""
    sys.exit(_run("node.cli.enip", sys.argv[1:]))


def enip_client() -> None:
    """The console script."""
    sys.exit(_ask("node.cli.enip_client", sys.argv[1:]))


def modbus_sim() -> None:
    """The console script."""
    sys.exit(_run("node.cli.modbus", sys.argv[1:]))


def modbus_poll() -> None:
    """The console script. It serves nothing, and pymodbus wants Python as it is."""
    sys.exit(import_module("node.cli.modbus_poll").main(sys.argv[1:]))


def _run(module: str, arguments: Sequence[str]) -> int:
    gc.disable()  # until it serves: all that is imported stays
    use_pack()
    if module != NURSERY_MODULE:  # its children cannot read a module once they have no rights left
        import_later(SELDOM)
    _import_asyncio()
    code: int = import_module(module).main(arguments)
    return code


def _ask(module: str, arguments: Sequence[str]) -> int:
    """As `_run`, for what asks and ends: it needs no loop, and all that it imports it has at once, but for what few
    questions take."""
    gc.disable()
    use_pack()
    import_later((*SELDOM, "json"))
    run = import_module(module).main
    gc.freeze()
    gc.enable()
    code: int = run(arguments)
    return code


def _import_asyncio() -> None:
    """Without TLS, which few nodes speak (`node.server.tls` brings it then): asyncio does without where Python was
    built without, and it is a tenth of a start and a quarter of the memory. What comes later may import it as ever."""
    if "asyncio" in sys.modules or "ssl" in sys.modules:
        return
    sys.modules["ssl"] = None  # type: ignore[assignment]  # so an import of it fails, by Python's own rules
    try:
        import_module("asyncio")
    finally:
        del sys.modules["ssl"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
