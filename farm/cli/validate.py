"""`farm validate`: every fault of a plant file at once, each with its line; for people, editors and CI."""

from dataclasses import asdict, is_dataclass
from typing import Any

import typer

from farm.cli import options, plants
from farm.cli.terminal import note, say, say_json
from farm.cli.usage import UsageError
from farm.errors import TopologyError


def validate(
    plant_file: options.PlantFile = None,
    settings: options.Settings = None,
    output: options.Output = None,
    as_json: options.AsJson = False,
) -> None:
    """Check a plant file; start nothing."""
    if output not in (None, "json"):
        raise UsageError(f"--output {output}: there is json")
    machine = as_json or output == "json"
    try:
        plant = plants.load(plant_file, settings=settings or ())
    except TopologyError as exc:
        if not machine or not hasattr(exc, "problems"):
            raise
        say_json([problem(found) for found in exc.problems])
        raise typer.Exit(1) from exc
    if machine:
        say_json([])
        return
    for warning in plant.warnings:
        note(warning)
    say(f"{plant.file}: {len(plant.nodes)} nodes, no errors")


def problem(found: Any) -> dict[str, Any]:
    """One fault as plain JSON: file, line, column, severity, code, message, hint, excerpt."""
    return asdict(found) if is_dataclass(found) and not isinstance(found, type) else {"message": str(found)}
