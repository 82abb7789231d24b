"""Where a command's log goes, set up once: stderr, or a file that cannot fill the disk."""

import logging

from node.errors import NodeError

FILE_SIZE = 10 * 1024 * 1024
"""Bytes of a log file before the next one is begun."""

COPIES = 5
"""Older files that are kept."""

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


def set_up_log(verbosity: int, path: str | None = None) -> None:
    """Warnings and worse for verbosity 0, what happens for 1, everything from 2 on; to the file `path` when given.

    Raises `NodeError` when the file cannot be written.
    """
    handler: logging.Handler = logging.StreamHandler() if path is None else _file_handler(path)
    handler.setFormatter(logging.Formatter(_FORMAT))
    root = logging.getLogger()
    root.setLevel(_LEVELS[min(verbosity, len(_LEVELS) - 1)])
    root.addHandler(handler)


def _file_handler(path: str) -> logging.Handler:
    from logging.handlers import RotatingFileHandler

    try:
        return RotatingFileHandler(path, maxBytes=FILE_SIZE, backupCount=COPIES, encoding="utf-8")
    except OSError as exc:
        raise NodeError(f"{path}: the log cannot be written: {exc.strerror}") from exc
