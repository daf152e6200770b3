"""Expectations that compare what the legacy services stored with what the reports make of the new tables.

A difference may be right: the stored figure was made before the migration, often from other rows. So both
figures are shown, and the one that the legacy rows give. Nothing stored is no finding. Source:
docs/reporting.md.
"""

from __future__ import annotations

from lotgate_expectations.rows import NoRowsExpectation


class ExpectStoredWeeksToMatchReport(NoRowsExpectation):
    """Expect the weeks of weekly_shipped_history to have the units of the weekly report.

    Only weeks since the records began are compared: before, the stored week is the report. Missing weeks are
    another check's. Shown are the SKU, the Monday, the stored units, those of the legacy rows, and those
    after the migration.

    Source: docs/reporting.md (stored weeks).
    """

    def query(self) -> str:
        return """
            select sku_code, week_start, stored_units, legacy_units, units
            from report_weekly_shipped
            where units_from = 'shipped_items' and stored_units <> units
            order by week_start, sku_code
        """


class ExpectStoredStockToMatchReport(NoRowsExpectation):
    """Expect current_quantity of inventory_current to be the stock that the new tables give.

    SKUs without a stored quantity or without a baseline are left out. Shown are the SKU, the stored units,
    those by the legacy rows, and those after the migration, both at the end of the report's day, with
    the movements and the shipped units dated after it, which neither has. Stored stock has no day, so it is
    not compared where report_date is before what the data know.

    Source: docs/reporting.md (units on hand).
    """

    def query(self) -> str:
        return """
            select sku_code, stored_on_hand, legacy_on_hand, on_hand_units, later_movements,
                later_shipped_units
            from report_skus
            where stored_on_hand <> on_hand_units
                and (select as_of_date < last_known_date from report_period) is not true
            order by sku_code
        """


class ExpectStoredAveragesToMatchReport(NoRowsExpectation):
    """Expect the stored weekly average to be near the report's, in hundredths or in whole units.

    weekly_avg_cents changed its unit in October 2025, so either reading does, within one unit a week. Shown
    are the SKU, the stored value, the report's average in hundredths, and the weeks that it is made of.

    Source: docs/reporting.md (weekly average).
    """

    def query(self) -> str:
        return """
            select sku_code, stored_average, average_hundredths, weeks_known
            from report_skus
            where
                stored_average is not null and average_hundredths is not null
                and stored_average_unit is null
            order by sku_code
        """
