"""How our expectations show in Data Docs what they found: chosen columns of a few rows, always escaped."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from great_expectations.core import ExpectationValidationResult
from great_expectations.render import RenderedTableContent

SHOWN_ROWS = 20
"""Rows that Data Docs and results show of those that were found; the count is always that of all."""

SHOWN_CHARACTERS = 120


def found(columns: Sequence[str], rows: Sequence[Sequence[Any]], count: int) -> dict[str, Any]:
    """The result of an expectation that looks for rows that should not be there.

    ``count`` is the number of all of them, ``rows`` the first ``SHOWN_ROWS``.
    """
    return {
        "success": count == 0,
        "result": {
            "observed_value": count,
            "details": {
                "columns": list(columns),
                "rows": [[_shown(value) for value in row] for row in rows[:SHOWN_ROWS]],
            },
        },
    }


def observed_value(result: ExpectationValidationResult | None) -> str:
    """How many rows were found, in words."""
    count = (result.result or {}).get("observed_value") if result is not None else None
    if count is None:
        return "--"
    return "no such rows" if count == 0 else f"{count:,} row{'' if count == 1 else 's'}"


def unexpected_table(result: ExpectationValidationResult | None) -> list[RenderedTableContent] | None:
    """The found rows as a table; None where there are none."""
    details = (result.result or {}).get("details") if result is not None else None
    if not details or not details.get("rows"):
        return None
    return [
        RenderedTableContent(
            content_block_type="table",
            table=[[html.escape(value) for value in row] for row in details["rows"]],
            header_row=[html.escape(column) for column in details["columns"]],
            styling={"body": {"classes": ["table-bordered", "table-sm", "mt-3"]}},
        )
    ]


def _shown(value: Any) -> str:
    if value is None:
        return "(none)"
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
