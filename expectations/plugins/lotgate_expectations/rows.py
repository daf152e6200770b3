"""The base of the expectations that look for rows that should not be there, by SQL."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from great_expectations.expectations.expectation import BatchExpectation, render_suite_parameter_string
from great_expectations.render.components import (
    LegacyDiagnosticRendererType,
    LegacyRendererType,
    RenderedStringTemplateContent,
)
from great_expectations.render.renderer.renderer import renderer

from lotgate_expectations import rendering
from lotgate_expectations.attaching import attached
from lotgate_expectations.once import SharedTable

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.execution_engine import ExecutionEngine, SqlAlchemyExecutionEngine
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration


class FoundRowsExpectation(BatchExpectation):
    """The base of expectations whose finding is a list of rows; it renders them, chosen columns only.

    A subclass fills ``_validate`` with ``rendering.found``. The sentence in Data Docs is the expectation's
    ``description``.
    """

    metric_dependencies: ClassVar[tuple[str, ...]] = ()
    domain_keys: ClassVar[tuple[str, ...]] = ("batch_id",)

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    @render_suite_parameter_string
    def _prescriptive_renderer(
        cls,
        configuration: ExpectationConfiguration | None = None,
        result: ExpectationValidationResult | None = None,
        runtime_configuration: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> list[RenderedStringTemplateContent]:
        configuration = configuration or (result.expectation_config if result else None)
        text = (configuration.description if configuration else None) or cls.__name__
        return [
            RenderedStringTemplateContent(
                content_block_type="string_template",
                string_template={"template": "$description", "params": {"description": text}},
            )
        ]

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.OBSERVED_VALUE)
    def _diagnostic_observed_value_renderer(
        cls,
        configuration: ExpectationConfiguration | None = None,
        result: ExpectationValidationResult | None = None,
        runtime_configuration: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> str:
        return rendering.observed_value(result)

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.UNEXPECTED_TABLE)
    def _diagnostic_unexpected_table_renderer(
        cls,
        configuration: ExpectationConfiguration | None = None,
        result: ExpectationValidationResult | None = None,
        runtime_configuration: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> list[Any] | None:
        return rendering.unexpected_table(result)


class NoRowsExpectation(FoundRowsExpectation):
    """The base of expectations that one SQL query expresses: every row that it returns is unexpected.

    A subclass gives ``query``, from its fields; what the query selects is what Data Docs show, so it selects
    ids, codes, days and units only. Names that come from fields go through ``identifier``. A query that also
    reads other data sources names them in ``others``; their tables are then ``name.table``. Tables
    that several checks need, and that are made once, are in ``shared``.
    """

    others: ClassVar[tuple[str, ...]] = ()
    shared: ClassVar[tuple[SharedTable, ...]] = ()

    @abstractmethod
    def query(self) -> str:
        """The SQL whose rows are unexpected."""

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: dict[str, Any] | None = None,
        execution_engine: ExecutionEngine | None = None,
    ) -> dict[str, Any]:
        for table in self.shared:
            table.make(execution_engine)  # type: ignore[arg-type]
        return find_rows(execution_engine, self.query(), self.others)  # type: ignore[arg-type]


def find_rows(engine: SqlAlchemyExecutionEngine, query: str, others: Sequence[str] = ()) -> dict[str, Any]:
    """Runs a query for unexpected rows once, keeps the first few and counts all of them.

    ``others`` are the data sources whose tables the query reads beside this one's, as ``name.table``.
    """
    with (
        attached(engine, others) as connection,
        closing(connection.execution_options(stream_results=True).execute(as_text(query))) as result,
    ):
        columns = list(result.keys())
        rows = result.fetchmany(rendering.SHOWN_ROWS)
        count = len(rows)
        while chunk := result.fetchmany(10_000):
            count += len(chunk)
    return rendering.found(columns, rows, count)


def as_text(query: str) -> sa.TextClause:
    """SQL as it stands: a colon in it is no bind parameter."""
    return sa.text(query.replace(":", r"\:"))


def identifier(name: str) -> str:
    """A table's or column's name, quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text, quoted for SQL."""
    return "'" + text.replace("'", "''") + "'"
