"""`python -m node.examples.powerflex`: a simulated PowerFlex 755 whose parameters stand still, for the polls beside it.

Stop it and start it again, and see how they fare.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from node.cli.command_line import Parser, run_command
from node.cli.enip import PORT, build_config
from node.cli.serve import serve
from node.config.model import NodeConfig, ObjectSetting

PROGRAM = "python -m node.examples.powerflex"
PROFILE = "PowerFlex-755"

VALUES = {
    1: "456.78",  # Output Frequency
    3: "789.01",  # Motor Velocity
    7: "123.45",  # Output Current
    14: "987.65",  # Elapsed kWh
    300: "1",  # Speed Units
}
"""Parameters by their numbers; all others move as those of a drive that runs."""


def build(address: str) -> NodeConfig:
    """The drive at `[INTERFACE][:PORT]`. Raises `ConfigError` for what is no address."""
    config = build_config((), address, PROFILE)
    assert config.enip is not None
    settings = tuple(ObjectSetting(f"DPI Parameter {number}", "value", value) for number, value in VALUES.items())
    return replace(config, enip=replace(config.enip, objects=settings))


def ready_line(config: NodeConfig, ports: dict[str, int], lines: tuple[str, ...] = ()) -> str:
    """What is said once it can be asked: `PowerFlex 755 on 0.0.0.0:44818; PID 4711; Ctrl-C ends it`."""
    assert config.enip is not None
    name = config.enip.identity.product_name.strip()
    return f"{name} on {config.address or '0.0.0.0'}:{ports['enip']}; PID {os.getpid()}; Ctrl-C ends it"


def simulate(arguments: argparse.Namespace) -> None:
    """Serves until it is told to end."""
    serve(build(arguments.address), announce=ready_line)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    made = Parser(PROGRAM, "Simulate a PowerFlex 755 with parameters that stand still, until Ctrl-C.")
    made.add_argument(
        "-a", "--address", metavar="[INTERFACE][:PORT]", default=f":{PORT}", help=f"Listen there; :{PORT} by default."
    )
    return run_command(made, simulate, arguments)


if __name__ == "__main__":
    sys.exit(main())
