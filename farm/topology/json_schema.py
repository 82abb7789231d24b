"""The JSON Schema (2020-12) of a plant file, for editors: made of the very tables the loader checks with."""

from farm.topology.keys import PLANT
from farm.topology.scalars import JsonSchema
from farm.topology.shapes import sections


def schema() -> JsonSchema:
    """The schema of plant files, as values that `json.dumps` takes."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "plcfarm plant file",
        "$ref": f"#/$defs/{PLANT.name}",
        "$defs": {section.name: section.definition() for section in sections(PLANT)},
    }
