"""The charts of a page, each with the figures that stand in a table below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from lotgate.review.charts import draw_units
from lotgate.review.daily_units import Units, by_period, days_around_changes

__all__ = ["Chart", "charts_of"]


@dataclass(frozen=True)
class Chart:
    """A drawing, and what it draws: units per ``period``."""

    title: str
    period: str
    units: Sequence[Units]
    svg: Markup


def charts_of(days: Sequence[Units], *, which: str = "days with shipments") -> list[Chart]:
    """All days where they fit on a line, else the whole time by longer periods and the days that change."""
    if not days:
        return []
    around = days_around_changes(days)
    if len(around) == len(days):
        what = f"all {len(days)} {which}" if len(days) > 1 else days[0].label
        return [_chart(f"Units per day: {what}", "day", around)]
    period, whole = by_period(days)
    return [
        _chart(f"Units per {period}: the whole time, {days[0].label} to {days[-1].label}", period, whole),
        _chart(
            f"Units per day: the days that change most, with their neighbours ({len(around)} of {len(days)})",
            "day",
            around,
        ),
    ]


def _chart(title: str, period: str, units: Sequence[Units]) -> Chart:
    label = f"{title}. A bar chart; the same figures stand in the table below it."
    return Chart(title, period, units, draw_units(units, label, period=period))
