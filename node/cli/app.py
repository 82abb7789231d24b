"""`python -m node VERB`: every command of a node under one roof. The console scripts are shorter names for some."""

from collections.abc import Sequence

from node.cli import enip, modbus, run
from node.cli.command_line import new_app, run_app

PROGRAM = "python -m node"


def main(arguments: Sequence[str]) -> int:
    """Runs the verb; the exit code."""
    app = new_app("Simulated controllers, one at a time. `farm` runs many.")
    app.command("enip")(enip.serve_tags)
    app.command("modbus")(modbus.serve_registers)
    app.command("run")(run.run_file)
    return run_app(app, PROGRAM, arguments)
