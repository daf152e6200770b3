"""The date guard: which ship dates are believed (docs/sync.md, "The date guard")."""

from __future__ import annotations

from datetime import date, timedelta

from lotgate.parser import is_real_day
from lotgate.sync.model import GuardReason, Rules

__all__ = ["judge_date"]


def judge_date(ship_date: str | None, ordered_on: str | None, rules: Rules) -> tuple[GuardReason, str] | None:
    """Why a ship date is refused, with the figures; None where it is believed.

    ``ordered_on`` is the day of the order, None where nobody knows it. A future day is only refused for now:
    a label may be printed for tomorrow, and has not shipped before then.
    """
    if not is_real_day(ship_date):
        return "invalid_ship_date", f"{ship_date!r} is no real day"
    if ship_date > rules.today:
        return "future_ship_date", f"ships on {ship_date}, and today is {rules.today}"
    if ordered_on is not None and ship_date < ordered_on:
        return "before_order_date", f"shipped on {ship_date}, ordered on {ordered_on}"
    if rules.guard_days is not None:
        oldest = (date.fromisoformat(rules.today) - timedelta(days=rules.guard_days)).isoformat()
        if ship_date < oldest:
            return "too_old", f"shipped on {ship_date}, before {oldest}; --backfill lets it through"
    return None
