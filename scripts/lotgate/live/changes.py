"""A row of a new table that changed since the swap, and what of it the legacy schema cannot express."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Change", "NotCarried", "Row"]

Row = Mapping[str, object]


@dataclass(frozen=True)
class Change:
    """A row as it was at the swap (None where it was added since) and as it is (None where it was
    deleted)."""

    row_id: int
    before: Row | None
    after: Row | None

    @property
    def rows(self) -> tuple[Row | None, Row | None]:
        """Both."""
        return self.before, self.after


@dataclass(frozen=True)
class NotCarried:
    """Something that a rollback cannot put into the legacy tables, or not just as it was, and why.

    ``detail`` says that no row and no unit is lost or moved by it: the legacy tables have no place for a
    value.
    """

    table: str
    row_id: int
    reason: str
    before: Row | None
    after: Row | None
    detail: bool = False
