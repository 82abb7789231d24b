"""The errors of a farm. Each becomes one line on stderr and an exit code in `farm.cli`, and nowhere else."""


class FarmError(Exception):
    """Whatever this package raises on purpose; exit code 1."""


class TopologyError(FarmError):
    """A plant file that cannot be used: every fault found in it, in order of place."""


class PlanError(FarmError):
    """A wanted state that cannot be reached from what runs now."""


class BackendError(FarmError):
    """A platform that refused `operation` on `node` (a node's, shard's or network's name)."""

    def __init__(self, node: str, operation: str, message: str) -> None:
        super().__init__(f"{node}: {operation}: {message}")
        self.node = node
        self.operation = operation
        self.message = message
