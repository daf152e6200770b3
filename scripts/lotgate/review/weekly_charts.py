"""The small charts of the weekly page: one SKU's complete weeks of the average, and the average.

Bars in full colour are counted from shipped_items, pale ones are stored weeks from before the records began.
A week that is unknown has no bar, and a dot where a zero is a zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from lotgate.review.charts import svg_of
from lotgate.review.texts import number, visible
from lotgate.review.weekly import SkuLine, Week

__all__ = ["WeekChart", "draw_weeks", "most_shipped", "week_charts"]

WIDTH = 400
HEIGHT = 84
BAR = 0.72
"""The share of a week's place that its bar fills."""


@dataclass(frozen=True)
class WeekChart:
    """A SKU with its drawing, and the weeks that are drawn."""

    line: SkuLine
    weeks: Sequence[Week]
    svg: Markup


def most_shipped(lines: Sequence[SkuLine], most: int) -> list[SkuLine]:
    """At most so many SKUs, in order: those that ship most on average."""
    by_weight = sorted(lines, key=lambda line: (-(line.average or 0), line.sku_code))
    chosen = {line.sku_code for line in by_weight[:most]}
    return [line for line in lines if line.sku_code in chosen]


def week_charts(lines: Sequence[SkuLine], weeks: Mapping[str, Sequence[Week]]) -> list[WeekChart]:
    """A chart for each of the SKUs of which a week is known."""
    return [
        WeekChart(line, weeks[line.sku_code], draw_weeks(line, weeks[line.sku_code]))
        for line in lines
        if any(week.units is not None for week in weeks.get(line.sku_code, ()))
    ]


def draw_weeks(line: SkuLine, weeks: Sequence[Week]) -> Markup:
    """An SVG element with a bar for each known week and a line for the average.

    Its name says the SKU and the range of its weeks. All that is drawn comes from numbers and days.
    """
    import altair as alt

    known = [week for week in weeks if week.units is not None]
    values = [{"week": week.monday, "units": week.units, "source": week.source} for week in known]
    places = [week.monday for week in weeks]
    shown = [places[0], places[len(places) // 2], places[-1]]
    step = WIDTH / max(len(places), 12)
    x = alt.X(
        "week:O",
        scale=alt.Scale(domain=places, paddingInner=0, paddingOuter=0.2),
        axis=alt.Axis(
            title=None, values=shown, labelAngle=0, ticks=False, labelFlush=True, labelOverlap=False
        ),
    )
    y = alt.Y("units:Q", title=None, axis=alt.Axis(tickCount=3, format=",d"), scale=alt.Scale(domainMin=0))
    base = alt.Chart(alt.InlineData(values=values)).encode(x=x)
    layers: list[alt.Chart] = [
        base.transform_filter(f"datum.source === '{source}'")
        .mark_bar(color=f"var(--{colour})", width=step * BAR)
        .encode(y=y)
        for source, colour in (("weekly_shipped_history", "before"), ("shipped_items", "after"))
    ]
    zeros = base.transform_filter("datum.units === 0")
    layers.append(zeros.mark_circle(color="var(--muted)", size=9, opacity=1).encode(y=y))
    if line.average is not None:
        mean = alt.Chart(alt.InlineData(values=[{"units": line.average / 100}]))
        layers.append(mean.mark_rule(color="var(--ink)", strokeDash=[4, 3], strokeWidth=1).encode(y=y))
    chart = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    units = [week.units or 0 for week in known]
    label = (
        f"{visible(line.sku_code)}: {number(min(units))} to {number(max(units))} units a week,"
        f" {known[0].monday} to {known[-1].monday}."
        " A bar chart; the same figures stand in the table below it."
    )
    return svg_of(chart, label, look="weeks")
