"""`enip_server SCADA=INT[1000] TEXT=SSTRING[100]`: a lone EtherNet/IP controller."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from node.cip.path_text import parse_route
from node.cli.command_line import new_app, run_app, show_version
from node.cli.log import set_up_log
from node.cli.run import read_delay, resolve, serve
from node.config.address import parse_address
from node.config.check import problems
from node.config.model import EnipConfig, NodeConfig
from node.config.schema import DEFAULT_PROFILES, PROFILES, identity, stable_serial
from node.config.tagspec import parse_tag
from node.errors import ConfigError, NodeError

PROGRAM = "enip_server"
PORT = 44818

Route = tuple[tuple[int, int | str], ...] | None


def build_config(
    tags: Sequence[str], address: str = "", profile: str = DEFAULT_PROFILES["logix"], route_path: Route = None
) -> NodeConfig:
    """The configuration of a lone controller. Raises `ConfigError` for what was typed wrong."""
    host, port = parse_address(address, PORT)
    numeric = resolve(host)
    serial = stable_serial(PROGRAM, numeric, str(port))
    found = identity(profile, serial)
    route = route_path if route_path is not None or PROFILES[profile].routes else ()
    config = NodeConfig(
        name=PROGRAM,
        kind="logix",
        profile=profile,
        address=numeric,
        tags=tuple(parse_tag(text) for text in tags),
        enip=EnipConfig(found, port, route),
    )
    for problem in problems(config):
        raise ConfigError(PROGRAM, 0, str(problem))
    return config


def serve_tags(
    tags: Annotated[
        list[str],
        typer.Argument(
            metavar="TAG=TYPE[LENGTH]...",
            help="Tags to serve, as SCADA=INT[1000], TEXT=SSTRING[100] or TAG@22/1/1=DINT.",
        ),
    ],
    address: Annotated[
        str, typer.Option("-a", "--address", metavar="[INTERFACE][:PORT]", help="Listen there.")
    ] = f":{PORT}",
    verbose: Annotated[int, typer.Option("-v", "--verbose", count=True, help="Say more; twice for everything.")] = 0,
    log: Annotated[
        str | None,
        typer.Option("-l", "--log", metavar="FILE", help="Log there, 10 MB and 5 copies, and not to stderr."),
    ] = None,
    printing: Annotated[bool, typer.Option("-p", "--print", help="Show every access to a tag.")] = False,
    delay: Annotated[
        str, typer.Option("-d", "--delay", metavar="#.#[-#.#]", help="Seconds that each reply waits.")
    ] = "0",
    simple: Annotated[
        bool, typer.Option("-S", "--simple", help="A device that routes nothing: only an empty route path is taken.")
    ] = False,
    route_path: Annotated[
        str | None,
        typer.Option(
            metavar="JSON",
            help='The one route path that is taken, as \'[{"port": 1, "link": 0}]\'; false for an empty one. '
            "By default any is.",
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option(metavar="DEVICE", help=f"The device it says it is: {', '.join(PROFILES)}.")
    ] = DEFAULT_PROFILES["logix"],
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Serve tags over EtherNet/IP (TCP and UDP) as a Logix controller does, until Ctrl-C."""
    if simple and route_path is not None:
        raise ConfigError("--simple", 0, "it means --route-path false; give one of the two")
    config = build_config(tags, address, profile, () if simple else _route(route_path))
    set_up_log(verbose, log)
    serve(config, delay=read_delay(delay), printing=printing)


def _route(text: str | None) -> Route:
    if text is None:
        return None
    try:
        return parse_route(text)
    except NodeError as exc:
        raise ConfigError("--route-path", 0, str(exc)) from exc


def main() -> None:
    """The console script."""
    app = new_app("")
    app.command()(serve_tags)
    sys.exit(run_app(app, PROGRAM))
