"""Requests that are not granted, as at a node's own web interface."""

from node.web.refusal import Refusal

__all__ = ["Refusal", "bad_request"]


def bad_request(error: str, hint: str = "") -> Refusal:
    """Something asked for in a way that makes no sense."""
    return Refusal(400, error, hint)
