"""Which class of somebody's own a tag has: found by its name, `package.module:Class`.

Imported by a node that has such tags alone. Whatever is wrong with what somebody wrote is one line that names the tag.
"""

import importlib
import sys
from functools import cache

from node.config.model import NodeConfig, TagConfig
from node.errors import ConfigError
from node.memory.attribute import Attribute
from node.tag_memory import OwnClass


def configured_class(config: NodeConfig) -> OwnClass:
    """What gives the class that the configuration of a tag names. Its module is sought where Python looks, then in
    `config.code_folder`, so that nothing there takes the place of a module that the node has. What it gives raises
    `ConfigError`."""
    folder = config.code_folder
    if folder and folder not in sys.path:
        sys.path.append(folder)

    def find(tag: TagConfig) -> type[Attribute] | None:
        return load_class(tag.code, tag.name, folder) if tag.code else None

    return find


def load_class(text: str, tag: str, folder: str = "") -> type[Attribute]:
    """The class that `text` names. Raises `ConfigError` naming the `tag`."""
    try:
        found = _find(text)
    except ConfigError as exc:
        where = f" (sought where Python looks, then in {folder})" if folder else " (sought where Python looks)"
        message = exc.message + where if exc.source == "import" else exc.message
        raise ConfigError(f"tag {tag!r}, class {text}", 0, message) from exc
    return found


@cache
def _find(text: str) -> type[Attribute]:
    name, _, attribute = text.partition(":")
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as exc:
        raise ConfigError("import", 0, f"there is no module {exc.name!r}") from exc
    except (Exception, SystemExit) as exc:
        line = _line_of(exc, name)
        raise ConfigError("", 0, f"module {name!r} cannot be imported: {type(exc).__name__}: {exc}{line}") from exc
    found = getattr(module, attribute, None)
    if not (isinstance(found, type) and issubclass(found, Attribute)):
        what = "has no such name" if found is None else f"has {attribute!r}, which is no subclass of node.Attribute"
        raise ConfigError("", 0, f"module {name!r} ({module.__file__}) {what}")
    return found


def _line_of(exc: BaseException, name: str) -> str:
    """Where in the module it happened."""
    if isinstance(exc, SyntaxError):
        return ""  # its own words say so
    trace, found = exc.__traceback__, ""
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") == name:
            found = f" ({trace.tb_frame.f_code.co_filename}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return found
