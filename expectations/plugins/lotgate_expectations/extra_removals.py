"""An expectation about the rows that leave without another that stands for them.

Nothing else speaks against a sound row that is removed: ledger, balance and candidate agree about it.
"""

from __future__ import annotations

from typing import ClassVar

from lotgate_expectations.dates import ORDER_DAYS, wrong_dates
from lotgate_expectations.expressions import is_real_day, trimmed, trimmed_or_null
from lotgate_expectations.once import SharedTable
from lotgate_expectations.order_numbers import SPELLED_ROWS, rows_with_numbers
from lotgate_expectations.rows import NoRowsExpectation


class ExpectRemovalsToFitTheirReason(NoRowsExpectation):
    """Expect every row that the rules remove to be one that its reason allows, by the snapshot's own tables.

    ``cancelled_never_shipped``: the row's date is before its order's or an incident's wrong one, the inbox
    says that the order is cancelled, and no tracking number, no sound date of the header and no shipment of
    ShipStation says otherwise. ``historical_resync``: the row has an incident's wrong date and was created
    inside its window, and neither the inbox nor another row, the header or ShipStation says that its order is
    newer. Of several headers with one number the exact one counts, else the first; of several entries of the
    inbox the last. Unexpected is any other row; shown are its id, its reason and what speaks against it.

    Example:
        {}

    Source: docs/rules.md section 4, rules 6 and 7.
    """

    others: ClassVar[tuple[str, ...]] = ("legacy",)
    shared: ClassVar[tuple[SharedTable, ...]] = (ORDER_DAYS, SPELLED_ROWS)

    def query(self) -> str:
        day, tracking_number = trimmed("items.ship_date"), trimmed_or_null("items.tracking_number")
        rows_of_orders = rows_with_numbers(
            f"numbers.number as order_number, {day} as day, {tracking_number} as tracking_number",
            "numbers",
            "legacy.shipped_items",
            SPELLED_ROWS,
        )
        return f"""
            with removed as materialized (
                select
                    legacy_id,
                    reason,
                    {trimmed("ship_date")} as day,
                    {trimmed_or_null("order_number")} as order_number,
                    {_moment("created_at")} as created_at
                from audit_row_ledger
                where disposition = 'remove'
                    and reason in ('cancelled_never_shipped', 'historical_resync')
            ),
            numbers as materialized (
                select distinct order_number as number from removed where order_number is not null
            ),
            rows_of_orders as materialized ({rows_of_orders}),
            latest_days as materialized (
                select order_number, max(day) as day from rows_of_orders
                where {is_real_day("day")}
                group by order_number
            ),
            headers as materialized (
                select order_number, day, row_number() over (
                    partition by order_number order by written <> order_number, id
                ) as place
                from (
                    select
                        id,
                        cast(order_number as text) as written,
                        {trimmed_or_null("order_number")} as order_number,
                        {trimmed("ship_date")} as day
                    from legacy.shipped_orders
                )
                where order_number in (select order_number from removed)
            ),
            wrong_dates as materialized ({wrong_dates()}),
            known as materialized (
                select removed.*,
                    order_days.id is not null as is_in_inbox,
                    order_days.order_date,
                    lower({trimmed("inbox.status")}) as status,
                    case when {is_real_day("headers.day")} then headers.day end as header_day,
                    latest_days.day as latest_day,
                    removed.order_number in (
                        select order_number from rows_of_orders where tracking_number is not null
                    ) as is_tracked,
                    removed.day in (select * from wrong_dates) as is_on_wrong_date,
                    removed.order_number in (
                        select order_number from int_shipstation_shipments
                        where not_counted_because is null and order_number is not null
                    ) as is_shipped
                from removed
                left join {ORDER_DAYS.name} as order_days on order_days.number = removed.order_number
                left join legacy.orders_inbox as inbox on inbox.id = order_days.id
                left join latest_days on latest_days.order_number = removed.order_number
                left join headers on headers.order_number = removed.order_number and headers.place = 1
            ),
            judged as (
                select legacy_id, reason, case
                    when order_number is null then 'it has no order'
                    when is_shipped then 'ShipStation shipped its order'
                    when reason = 'cancelled_never_shipped' then {_NOT_CANCELLED}
                    else {_NOT_RESYNCED}
                end as problem
                from known
            )
            select legacy_id, reason, problem from judged where problem is not null order by legacy_id
        """


def _moment(value: str) -> str:
    """A time to the second, with a blank between day and time (docs/rules.md section 1)."""
    return f"replace(substr({trimmed(value)}, 1, 19), 'T', ' ')"


_NOT_CANCELLED = """
    case
        when not (is_on_wrong_date or coalesce(day < order_date, 0)) then 'nothing is wrong with its date'
        when coalesce(status, '') not in ('cancelled', 'canceled') then 'its order is not cancelled'
        when is_tracked then 'its order has a tracking number'
        when
            header_day is not null
            and header_day not in (select * from wrong_dates)
            and (order_date is null or header_day >= order_date)
            then 'its header has a sound date'
        when substr(created_at, 1, 10) < order_date then 'it is older than its order'
    end
"""

_NOT_RESYNCED = f"""
    case
        when not exists (
            select 1 from incidents
            where {trimmed("wrong_ship_date")} = known.day
                and known.created_at between {_moment("created_from")} and {_moment("created_to")}
        ) then 'it was not created in the window of an incident'
        when is_in_inbox and (order_date is null or order_date > day) then 'the inbox says its order is newer'
        when latest_day > day then 'another row of its order is later'
        when header_day > day then 'its header is later'
    end
"""
