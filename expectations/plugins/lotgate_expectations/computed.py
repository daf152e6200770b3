"""The base of the expectations whose unexpected rows a program finds, since one SQL query cannot."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from lotgate_expectations.reading import Row, found
from lotgate_expectations.rows import FoundRowsExpectation

if TYPE_CHECKING:
    from great_expectations.execution_engine import ExecutionEngine, SqlAlchemyExecutionEngine


class ComputedRowsExpectation(FoundRowsExpectation):
    """The base of expectations that compute the rows that should not be there.

    A subclass gives ``shown_columns`` and ``unexpected_rows``. What it yields is what Data Docs show, so it
    yields ids, codes, days and units only.
    """

    shown_columns: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterable[Row]:
        """The rows that should not be there, with a value for each of ``shown_columns``."""

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        return found(self.shown_columns, self.unexpected_rows(execution_engine))  # type: ignore[arg-type]
