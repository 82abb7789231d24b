"""`python -m node VERB`: every command of a node under one roof. The console scripts are shorter names for some."""

import sys
from collections.abc import Sequence
from importlib import import_module

from node.cli.outcome import USAGE, complain, version_line

PROGRAM = "python -m node"

VERBS = {
    "enip": "a lone EtherNet/IP controller with tags (also: enip_server)",
    "modbus": "a lone Modbus/TCP device with registers (also: modbus_sim)",
    "modbus-poll": "writes and polls registers of a Modbus device (also: modbus_poll)",
    "enip-client": "reads and writes tags of an EtherNet/IP device (also: enip_client)",
    "get-attribute": "reads attributes of objects of an EtherNet/IP device",
    "list-services": "lists services and identities of EtherNet/IP devices",
    "throughput": "measures how many operations an EtherNet/IP device does in a second",
    "poll": "reads parameters, tags and attributes of an EtherNet/IP device over and over",
    "browse": "lists the tags of a controller",
    "historize": "a lone EtherNet/IP controller that records every access to its tags",
    "history": "shows histories, and makes tables and drawings of them",
    "dissect": "shows a frame's parts, and the byte where it goes wrong",
    "run": "a node from its configuration file",
    "shard": "what a farm has its containers do",
    "health": "asks the nodes of a shard file, in the container that serves them",
    "relay": "what a farm has one container of a swarm do: it leads to the others",
}
"""Each has a module of its name beside this one (`_` where it has `-`), imported when it is asked for."""


def main(arguments: Sequence[str]) -> int:
    """Runs the verb; the exit code."""
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("", ())
    if verb in VERBS:
        code: int = import_module(f"node.cli.{verb.replace('-', '_')}").main(rest, f"{PROGRAM} {verb}")
        return code
    if verb in ("-h", "--help"):
        print(help_text())
        return 0
    if verb == "--version":
        print(version_line())
        return 0
    if not verb:
        print(help_text(), file=sys.stderr)
        return USAGE
    return complain(PROGRAM, f"there is no verb {verb!r}; known: {', '.join(VERBS)} (--help says more)", USAGE)


def help_text() -> str:
    """What there is."""
    verbs = "\n".join(f"  {verb:13} {what}" for verb, what in VERBS.items())
    return (
        f"usage: {PROGRAM} VERB [--help] ...\n\n"
        f"Simulated controllers, one at a time, and what asks them. `farm` runs many.\n\n{verbs}\n\n"
        f"  --version  say which version this is"
    )
