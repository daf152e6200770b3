"""The chart of units before, after and by ShipStation, as SVG that stands in the page.

altair describes it and vl-convert draws it, without a browser and without the network. Colours are the
page's own CSS variables, so that one drawing does for light, dark and paper; widths tell the series apart
where colours cannot.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from markupsafe import Markup

from lotgate.review.daily_units import Units
from lotgate.review.texts import signed

if TYPE_CHECKING:
    import altair as alt

__all__ = ["draw_units", "svg_of"]

WIDTH = 1180
HEIGHT = 230
GAPS = {"day": 7, "week": 7, "month": 31, "year": 366, "decade": 3653}
"""More days between two bars than these, and the axis says that time is left out."""

FEW = 12
"""Fewer bars than these do not fill the width."""
DIGIT = 7.5
"""Pixels of a digit over a bar, where there is room for them: how many units more or fewer."""

# What Vega writes for screen readers describes marks, not figures; the page's own label and table do that.
ARIA = re.compile(r' (?:role|aria-roledescription|aria-label|aria-hidden|class)="[^"]*"')
HEAD = re.compile(r'<svg [^>]*?width="([\d.]+)" height="([\d.]+)"[^>]*>')


def draw_units(units: Sequence[Units], label: str, *, period: str = "day") -> Markup:
    """An SVG element: a wide bar before, a narrow one after, a line for ShipStation; ``label`` is its name.

    Labels of ``units`` are days or periods, in order. Everything in it comes from numbers and days, so no
    text of the database gets into the markup.
    """
    import altair as alt

    places = _with_gaps([row.label for row in units], period)
    values = [
        {
            "x": row.label,
            "before": row.before,
            "after": row.after,
            "shipstation": row.shipstation,
            "top": max(row.before, row.after, row.shipstation or 0),
            "label": signed(row.change) if row.change else "",
        }
        for row in units
    ]
    step = WIDTH / max(len(places), FEW)
    base = alt.Chart(alt.InlineData(values=values)).encode(
        x=alt.X(
            "x:O",
            scale=alt.Scale(domain=places, paddingInner=0, paddingOuter=0.3),
            axis=alt.Axis(
                title=None,
                labelAngle=-90 if len(places) > 9 else 0,
                labelExpr="substring(datum.value, 0, 3) === 'gap' ? '⋯' : datum.value",
                labelOverlap=False,
                ticks=False,
                domainColor="var(--line)",
            ),
        )
    )

    def width(share: float) -> float:
        return max(1.0, min(step, 60) * share)

    axis = alt.Axis(tickCount=5, format=",d")
    layers = [
        base.mark_bar(color=f"var(--{field})", width=width(share)).encode(
            y=alt.Y(f"{field}:Q", title="units", axis=axis)
        )
        for field, share in (("before", 0.78), ("after", 0.36))
    ]
    if any(row.shipstation is not None for row in units):
        line = base.mark_tick(color="var(--shipstation)", orient="horizontal", thickness=3, width=width(0.9))
        layers.append(line.encode(y=alt.Y("shipstation:Q")))
    if max((len(signed(row.change)) for row in units), default=0) * DIGIT < step:
        over = base.mark_text(dy=-9, fontSize=11, color="var(--ink)")
        layers.append(over.encode(y=alt.Y("top:Q"), text=alt.Text("label:N")))
    chart = alt.layer(*layers).properties(width=alt.Step(step) if len(places) < FEW else WIDTH, height=HEIGHT)
    # drawn as large as it is, not as wide as the page
    return svg_of(chart, label, look="few" if len(places) < FEW else "")


def svg_of(chart: alt.LayerChart | alt.FacetChart, label: str, *, look: str = "") -> Markup:
    """A chart as an SVG element that is named ``label``, in the page's own colours and type.

    ``look`` is its class, for the style sheet.
    """
    import vl_convert

    styled = (
        chart.configure(background="transparent", font="inherit", aria=False, padding=2)
        .configure_view(stroke="transparent")
        .configure_axis(
            labelColor="var(--muted)",
            titleColor="var(--muted)",
            gridColor="var(--line)",
            tickColor="var(--line)",
            domainColor="var(--line)",
            labelFontSize=11,
            titleFontSize=11,
            titleFontWeight="normal",
        )
    )
    named = f' class="{look}"' if look else ""
    svg = ARIA.sub("", vl_convert.vegalite_to_svg(styled.to_dict(validate=False)))
    return Markup(
        HEAD.sub(
            lambda size: (
                f'<svg xmlns="http://www.w3.org/2000/svg"{named} role="img"'
                f' aria-label="{Markup.escape(label)}"'
                f' viewBox="0 0 {size[1]} {size[2]}" width="{size[1]}" height="{size[2]}">'
            ),
            svg,
            count=1,
        )
    )


def _with_gaps(labels: Sequence[str], period: str) -> list[str]:
    """The labels, with a place between two that lie far apart."""
    places: list[str] = []
    before: date | None = None
    for label in labels:
        year, month, day = [*(int(part.rstrip("s")) for part in label.split("-")), 1, 1][:3]
        begins = date(max(year, 1), month, day)
        if before and (begins - before).days > GAPS[period]:
            places.append(f"gap {len(places)}")
        places.append(label)
        before = begins
    return places
