"""The base of the expectations about a legacy database's health.

What they find is what was wrong before. Live databases differ: a table or column that is not there is no
finding, and the check says so. Source: docs/design.md section 4.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from great_expectations.render.components import LegacyDiagnosticRendererType
from great_expectations.render.renderer.renderer import renderer

from lotgate_expectations import rendering
from lotgate_expectations.once import SharedTable
from lotgate_expectations.reading import Row, found, missing_part, stream
from lotgate_expectations.rows import FoundRowsExpectation

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.execution_engine import ExecutionEngine, SqlAlchemyExecutionEngine
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration


class LegacyHealthExpectation(FoundRowsExpectation):
    """The base of the checks of a legacy database.

    A subclass names the tables and columns that it reads, and gives the rows that should not be there. Where
    a table or column is missing, the check passes, and its observed value says what is missing.
    """

    shown_columns: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """Table -> the columns that the check reads."""

    @abstractmethod
    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterable[Row]:
        """The rows that should not be there, with a value for each of ``shown_columns``."""

    def nothing_to_check(self, engine: SqlAlchemyExecutionEngine) -> str | None:
        """Why this database cannot have the fault, in words; None where it can."""
        for table, columns in self.needs().items():
            missing = missing_part(engine, table, columns)
            if missing:
                return missing
        return None

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        engine: SqlAlchemyExecutionEngine = execution_engine  # type: ignore[assignment]
        nothing = self.nothing_to_check(engine)
        if nothing:
            return {"success": True, "result": {"observed_value": nothing}}
        return self._found(self.unexpected_rows(engine))

    def _found(self, rows: Iterable[Row]) -> dict[str, Any]:
        return found(self.shown_columns, rows)

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.OBSERVED_VALUE)
    def _diagnostic_observed_value_renderer(
        cls,
        configuration: ExpectationConfiguration | None = None,
        result: ExpectationValidationResult | None = None,
        runtime_configuration: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> str:
        value = (result.result or {}).get("observed_value") if result is not None else None
        return value if isinstance(value, str) else rendering.observed_value(result)


class HealthQueryExpectation(LegacyHealthExpectation):
    """The base of those whose rows one SQL query gives; tables made once for several are in ``shared``."""

    shared: ClassVar[tuple[SharedTable, ...]] = ()

    @abstractmethod
    def query(self) -> str:
        """The SQL whose rows are unexpected; it selects ``shown_columns``."""

    def unexpected_rows(self, engine: SqlAlchemyExecutionEngine) -> Iterable[Row]:
        for table in self.shared:
            table.make(engine)
        return stream(engine, self.query())


class GroupedHealthExpectation(LegacyHealthExpectation):
    """The base of checks that find groups; the last of ``shown_columns`` is the number of a group's rows."""

    def _found(self, rows: Iterable[Row]) -> dict[str, Any]:
        groups = list(rows)
        return found(self.shown_columns, groups, sum(group[-1] for group in groups))
