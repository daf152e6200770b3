"""What the template of the weekly page is given."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from lotgate.review import weekly
from lotgate.review.candidate import attempt
from lotgate.review.weekly_charts import most_shipped, week_charts
from lotgate.review.words import ALERT_LEVELS, BALANCES

__all__ = ["weekly_content"]

SHOWN_CHARTS = 24
SHOWN_LOTS = 300


def weekly_content(
    read: Callable[[Callable[[sqlite3.Connection], Any], str], Any], problems: list[str]
) -> dict[str, Any]:
    """The page's content. ``read`` reads from the candidate, or says in ``problems`` what cannot be read.

    With hundreds of SKUs, charts are drawn of those that ship most; the table has all of them.
    """
    period: weekly.Period | None = read(weekly.read_period, "The days of the report")
    lines: tuple[weekly.SkuLine, ...] = read(weekly.read_sku_lines, "The SKUs of the report") or ()
    weeks: dict[str, list[weekly.Week]] = read(weekly.read_weeks, "The weeks") or {}
    lots: tuple[weekly.LotLine, ...] | None = read(weekly.read_lots_in_use, "The lots")
    charges: tuple[weekly.ChargeDay, ...] | None = read(weekly.read_charge_week, "The charges")
    charts = attempt(
        lambda: week_charts(most_shipped(lines, SHOWN_CHARTS), weeks), "The weeks of the charts", problems
    )
    return {
        "period": period,
        "lines": lines,
        "charts": charts or (),
        "more_charts": len(lines) - len(charts or ()),
        "lots": None if lots is None else lots[:SHOWN_LOTS],
        "more_lots": max(0, len(lots or ()) - SHOWN_LOTS),
        "charges": charges,
        "total": weekly.charge_totals(charges or ()),
        "levels": ALERT_LEVELS,
        "balances": BALANCES,
    }
