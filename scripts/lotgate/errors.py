"""The errors that lotgate raises on purpose.

Every one says what is wrong and what to do next, and knows the exit code of the command that it ends
(0 is done; see each class). The core raises them; only the command line catches them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

__all__ = ["EnvironmentFailed", "GateClosed", "LotgateError", "UsageError"]


class LotgateError(Exception):
    """The root of all errors that lotgate raises on purpose.

    ``message`` says what is wrong; ``hint`` says what to do next, where the message does not already.
    ``details`` is the same for programs, as JSON knows it: ``--json`` prints it beside the message.
    """

    exit_code: ClassVar[int] = 3

    def __init__(
        self, message: str, *, hint: str | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = dict(details or {})

    def __str__(self) -> str:
        return self.message


class GateClosed(LotgateError):
    """A check failed, the source changed, or the step is not allowed now: exit code 1."""

    exit_code: ClassVar[int] = 1


class UsageError(LotgateError):
    """Wrong usage or configuration; a person has to change something: exit code 2."""

    exit_code: ClassVar[int] = 2


class EnvironmentFailed(LotgateError):
    """I/O, a lock, the network or a missing tool failed; trying again may help: exit code 3."""

    exit_code: ClassVar[int] = 3
