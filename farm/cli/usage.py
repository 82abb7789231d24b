"""The difference between "it failed" (exit code 1) and "that is not how it is asked for" (exit code 2)."""

from farm.errors import FarmError


class UsageError(FarmError):
    """Arguments that make no sense, whatever runs; exit code 2."""
