"""`--web [INTERFACE][:PORT]`: the web interface of a lone simulator, as it is asked for."""

from typing import TYPE_CHECKING

from node.cli.command_line import Parser
from node.cli.serve import resolve
from node.config.address import parse_address
from node.errors import ConfigError, NodeError

if TYPE_CHECKING:
    from node.web.face import WebFace

PORT = 80
LOOPBACK = "127.0.0.1"
DEFAULTS = "."


def add_web_option(parser: Parser) -> None:
    """The option."""
    parser.add_argument(
        "-w",
        "--web",
        metavar="[INTERFACE][:PORT]",
        help=f"Serve a page and the API of 2016 there too, as :8080; {DEFAULTS} for port {PORT}. On the interface of "
        f"--address, {LOOPBACK} where it names none.",
    )


def open_face(text: str | None, address: str) -> "WebFace | None":
    """The web interface that `text` asks for, None where it is None. A missing interface is that of `address`. Raises
    `ConfigError` for what was typed wrong, `NodeError` where it cannot be had."""
    if text is None:
        return None
    host, port = place(text, address)
    try:
        from node.web.door import door_at
        from node.web.face import WebFace
    except ModuleNotFoundError as exc:
        if exc.name not in ("flask", "waitress"):
            raise
        raise NodeError(f"{exc.name} is missing, --web stands on it: pip install 'plcfarm[web]'") from exc
    return WebFace(door_at(host, resolve(host), port))


def place(text: str, address: str) -> tuple[str, int]:
    """(host, port) of `--web text` beside `--address address`. Raises `ConfigError`."""
    if text.isdecimal():
        raise ConfigError("--web", 0, f"got {text!r}: a port is typed as :{text}")
    try:
        host, port = parse_address("" if text == DEFAULTS else text, PORT)
    except ConfigError as exc:
        raise ConfigError("--web", 0, exc.message) from exc
    return host or parse_address(address, 0)[0] or LOOPBACK, port
