"""`enip_server SCADA=INT[1000] TEXT=SSTRING[100]`: a lone EtherNet/IP controller."""

import argparse
import logging
import socket
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from node.cip.path_text import parse_route
from node.cli.column import located
from node.cli.command_line import Parser, add_serving_options, run_command
from node.cli.enip_help import lesson
from node.cli.log import set_up_log
from node.cli.object_files import read_object_files
from node.cli.serve import Started, read_delay, resolve, serve
from node.cli.web import add_web_option, open_face
from node.config.address import parse_address
from node.config.check import problems
from node.config.identity import identity, lone_serial
from node.config.model import EnipConfig, NodeConfig, TagConfig
from node.config.tagspec import parse_tag
from node.errors import ConfigError, NodeError
from node.exchange.exchange import Interceptor
from node.objects.profiles import DEFAULT_PROFILE, PROFILES
from node.tag_memory import OwnClasses, class_by_tag

PROGRAM = "enip_server"
PORT = 44818
TYPICAL = "typical"
"""A delay: as long as the device of the profile takes."""

Route = tuple[tuple[int, int | str], ...] | None

log = logging.getLogger(__name__)


def build_config(
    tags: Sequence[str],
    address: str = "",
    profile: str = DEFAULT_PROFILE,
    route_path: Route = None,
    delay: str = "",
    onward: str = "",
) -> NodeConfig:
    """The configuration of a lone controller. Raises `ConfigError` for what was typed wrong."""
    host, port = parse_address(address, PORT)
    numeric = resolve(host)
    found = identity(profile, lone_serial(numeric or socket.gethostname(), port))
    route = route_path if route_path is not None or PROFILES[profile].routes else ()
    config = NodeConfig(
        name=PROGRAM,
        kind="logix",
        profile=profile,
        address=numeric,
        tags=tuple(_tag(text) for text in tags),
        enip=EnipConfig(found, port, route, onward),
        delay=PROFILES[profile].response if delay == TYPICAL else read_delay(delay),
    )
    for problem in problems(config):
        raise ConfigError(problem.path, 0, problem.message)
    return config


def parser(program: str = PROGRAM) -> Parser:
    """What may be typed."""
    made = Parser(program, "Serve tags over EtherNet/IP (TCP and UDP) as a controller does, until Ctrl-C.", lesson)
    made.add_argument(
        "tags",
        nargs="*",
        metavar="TAG=TYPE[LENGTH]",
        help="Tags to serve, as SCADA=INT[1000], TEXT=SSTRING[100] or TAG@22/1/1=DINT.",
    )
    add_serving_options(made, PORT, "a tag", f", or `{TYPICAL}`: as long as the device takes")
    add_web_option(made)
    made.add_argument(
        "-S", "--simple", action="store_true", help="A device that routes nothing: only an empty route path is taken."
    )
    made.add_argument(
        "--route-path",
        metavar="JSON",
        help='The one route path that is taken, as \'[{"port": 1, "link": 0}]\'; false or 0 for an empty one. '
        "By default any is.",
    )
    made.add_argument(
        "--onward",
        metavar="SUBNET",
        default="",
        help="Send messages on whose route names an address in there, as 127.64.0.0/10. By default none are.",
    )
    made.add_argument(
        "--profile",
        metavar="DEVICE",
        default=DEFAULT_PROFILE,
        help="The device it says it is, out of those below; %(default)s by default.",
    )
    made.add_argument(
        "--config",
        metavar="FILE",
        help="Attributes of its objects, in the format of cpppo.cfg; wins over every other such file.",
    )
    return made


def serve_tags(
    arguments: argparse.Namespace,
    attribute_class: OwnClasses | None = None,
    started: Started | None = None,
    recorder: Interceptor | None = None,
) -> None:
    """Does what was typed; `attribute_class` and `started` as for `main`, and `recorder` sees every request. Raises
    `ConfigError`, and `NodeError` when it cannot be done."""
    if arguments.simple and arguments.route_path is not None:
        raise ConfigError("--simple", 0, "it means --route-path false; give one of the two")
    route = () if arguments.simple else _route(arguments.route_path)
    config = build_config(
        arguments.tags, arguments.address, arguments.profile, route, arguments.delay, arguments.onward
    )
    settings, files = read_object_files(arguments.config, config.profile)
    set_up_log(arguments.verbose, arguments.log)
    if files:
        log.info("Loaded config files: %r", files)
    if settings and config.enip is not None:
        config = replace(config, enip=replace(config.enip, objects=settings))
    own = None if attribute_class is None else class_by_tag(attribute_class, [tag.name for tag in config.tags])
    web = open_face(arguments.web, arguments.address)
    serve(config, printing=arguments.printing, own_class=own, started=started, web=web, recorder=recorder)


def _route(text: str | None) -> Route:
    if text is None:
        return None
    try:
        return parse_route(text)
    except NodeError as exc:
        raise ConfigError("--route-path", 0, located(str(exc), "route", text)) from exc


def _tag(text: str) -> TagConfig:
    try:
        return parse_tag(text)
    except ConfigError as exc:
        said = located(str(exc), "tag", text).removeprefix(f"{exc.source}: ")
        raise ConfigError(exc.source, exc.line, said) from exc


def main(
    arguments: Sequence[str] | None = None,
    program: str = PROGRAM,
    *,
    attribute_class: OwnClasses | None = None,
    started: Started | None = None,
) -> int:
    """The command; its exit code. `attribute_class` is a class whose hooks every tag has, or names of tags to such
    classes. It may run in any thread: `started` is called with the controller once it serves, whose `stop` ends it as
    a signal does in the main thread."""
    return run_command(
        parser(program), partial(serve_tags, attribute_class=attribute_class, started=started), arguments
    )
