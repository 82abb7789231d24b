"""The errors of a farm. Each becomes one line on stderr and an exit code in `farm.cli`, and nowhere else."""


class FarmError(Exception):
    """Whatever this package raises on purpose; exit code 1. `hint` says what to do about it, "" where the line does."""

    def __init__(self, message: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


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
