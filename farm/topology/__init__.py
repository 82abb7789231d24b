"""Plant files: one YAML file to every node of a farm."""

from farm.topology.find import find_plant
from farm.topology.plant import Origin, Plant
from farm.topology.plant_file import load_plant
from farm.topology.problem import Problem, TopologyProblems
from farm.topology.schema import schema

__all__ = ["Origin", "Plant", "Problem", "TopologyProblems", "find_plant", "load_plant", "schema"]
