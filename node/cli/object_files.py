"""The `cpppo.cfg` files of this machine: which there are, and what is in them."""

import os
import sys

from node.config.model import ObjectSetting
from node.config.object_files import load_object_files, object_file_places
from node.errors import ConfigError, NodeError


def read_object_files(extra: str | None, profile: str) -> tuple[tuple[ObjectSetting, ...], list[str]]:
    """The settings of all files for a device of `profile`, those of the file `extra` last, and the files' names.

    Raises `NodeError` for a file that cannot be read, `ConfigError` for what is wrong in one.
    """
    if extra is not None and not os.path.exists(extra):  # noqa: PTH110 - pathlib is 5 ms of a start
        raise NodeError(f"{extra}: there is no such file")
    places = object_file_places(os.environ, sys.platform == "win32", () if extra is None else (extra,))
    settings, names = load_object_files(places, _text, profile)
    return settings, list(names)


def _text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as exc:
        raise NodeError(f"{path}: {exc.strerror}") from exc
    except ValueError as exc:
        raise ConfigError(path, 0, f"this is no text: {exc}") from exc
