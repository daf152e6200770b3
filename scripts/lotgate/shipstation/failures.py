"""What can go wrong with ShipStation's answers, as errors that callers tell apart."""

from __future__ import annotations

from lotgate.errors import EnvironmentFailed, GateClosed

__all__ = ["CredentialsRefused", "FetchIncomplete", "RequestFailed", "WrongAnswer"]


class FetchIncomplete(EnvironmentFailed):
    """A list did not arrive completely. What was read of it counts for nothing."""


class WrongAnswer(GateClosed):
    """The answer is about something else than what was asked for, so that nothing in it is used."""


class CredentialsRefused(EnvironmentFailed):
    """ShipStation does not accept key and secret."""


class RequestFailed(EnvironmentFailed):
    """A request got no usable answer, however often it was sent.

    ``page_may_be_at_fault`` says that the server was reached, so that a smaller page may succeed.
    """

    def __init__(self, message: str, *, hint: str | None = None, page_may_be_at_fault: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.page_may_be_at_fault = page_may_be_at_fault
