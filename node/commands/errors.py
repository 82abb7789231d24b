"""What a command says when it cannot be done."""

from node.errors import NodeError


class CommandError(NodeError):
    """A command that names nothing, or whose value cannot be taken: one line for the one who gave it."""
