"""What a request is answered when it is not granted: a status of HTTP, one line, and what to do about it."""

from typing import Any


class Refusal(Exception):
    """`status` of RFC 9110, section 15; `retry_after` in seconds, where asking again makes sense."""

    def __init__(
        self, status: int, error: str, hint: str = "", detail: str = "", retry_after: int | None = None
    ) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.hint = hint
        self.detail = detail
        self.retry_after = retry_after

    @property
    def body(self) -> dict[str, Any]:
        """As it goes out."""
        return {"error": self.error, "detail": self.detail, "hint": self.hint}
