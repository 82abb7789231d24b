"""`farm validate`: every fault of a plant file at once, each with its line; for people, editors and CI."""

from dataclasses import asdict

import typer

from farm.cli import options, plants
from farm.cli.terminal import node_count, note, say, say_json
from farm.cli.usage import UsageError
from farm.topology.problem import TopologyProblems


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
    except TopologyProblems as exc:
        if not machine:
            raise
        say_json([asdict(problem) for problem in exc.problems])
        raise typer.Exit(1) from exc
    if machine:
        say_json([])
        return
    for warning in plant.warnings:
        note(warning)
    say(f"{plant.file}: {node_count(len(plant.nodes))}, no errors")
