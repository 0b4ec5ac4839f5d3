"""What the tool says when it cannot go on: one clear line, and a number for scripts."""

from __future__ import annotations

FAILED, NOT_FOUND, REFUSED = 1, 3, 4


class Trouble(Exception):
    """A line for a person, and the exit code: 1 failed, 3 there is no such thing, 4 not allowed (2 is a usage error, typer's own)."""

    def __init__(self, line: str, code: int = FAILED, status: int | None = None) -> None:
        super().__init__(line)
        self.code = code
        self.status = status  # what the server answered; 0 when it did not

    @property
    def passes(self) -> bool:
        """Whether the same may well be answered a little later."""
        return self.status is not None and (self.status in (0, 429) or self.status >= 500)
