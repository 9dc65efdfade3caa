"""The one error of this package: a stable code to decide by, and what to do next for people."""

from __future__ import annotations


class MillraceError(Exception):
    """`code` is stable and the same as the command line's; `next` is one sentence that says what to do."""

    def __init__(self, message: str, *, code: str, next: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.next = next

    def __str__(self) -> str:
        hint = "" if self.next is None else f"\n{self.next}"
        return f"{self.message} ({self.code}){hint}"
