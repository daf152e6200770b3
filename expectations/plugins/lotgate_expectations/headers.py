"""Expectations about shipped_orders: the legacy headers, less those taken out, plus those added."""

from __future__ import annotations

from typing import ClassVar

from lotgate_expectations.comparing import is_same, problem
from lotgate_expectations.dates import ORDER_DAYS, wrong_dates
from lotgate_expectations.expressions import is_real_day, trimmed, trimmed_or_null
from lotgate_expectations.once import SharedTable
from lotgate_expectations.order_numbers import SPELLED_ROWS, rows_with_numbers
from lotgate_expectations.rows import NoRowsExpectation

_TEXTS = (
    "order_number",
    "customer_email",
    "shipstation_order_id",
    "created_at",
    "shipping_carrier_code",
    "shipping_carrier_id",
    "shipping_service_code",
    "shipping_service_name",
)
_EMPTY_WHERE_ADDED = (
    "customer_email",
    "shipping_carrier_code",
    "shipping_carrier_id",
    "shipping_service_code",
    "shipping_service_name",
)


class ExpectHeadersToMatchTheSnapshot(NoRowsExpectation):
    """Expect every header of the snapshot in shipped_orders with every value, but for the listed changes.

    The changes are those of audit_order_header_changes, each with the header's number and its old date. One
    that is taken out is not there; one whose date is corrected has the new date, and nothing else changed.
    Unexpected is any other header that is missing or differs; shown are its id and what is wrong.

    Example:
        {}

    Source: docs/rules.md section 6 (shipped_orders).
    """

    others: ClassVar[tuple[str, ...]] = ("legacy",)

    def query(self) -> str:
        date = """
            case changes.change
                when 'date_corrected' then changes.new_ship_date else cast(source.ship_date as text)
            end
        """
        same = {
            "ship_date": is_same("orders.ship_date", date),
            "total_items": is_same("orders.total_items", "cast(source.total_items as integer)"),
        } | {column: is_same(f"orders.{column}", f"cast(source.{column} as text)") for column in _TEXTS}
        return f"""
            select id, problem
            from (
                select
                    source.id,
                    case
                        when changes.old_ship_date is not cast(source.ship_date as text)
                            and changes.header_id is not null then 'changed, with another old date'
                        when changes.order_number is not cast(source.order_number as text)
                            and changes.header_id is not null then 'changed, with another number'
                        when changes.change = 'taken_out' and orders.id is null then ''
                        when changes.change = 'taken_out' then 'taken out, and still there'
                        else {problem(same, missing="orders.id is null")}
                    end as problem
                from legacy.shipped_orders as source
                left join main.shipped_orders as orders on orders.id = source.id
                left join audit_order_header_changes as changes
                    on changes.header_id = source.id and changes.change <> 'added'
            )
            where problem <> ''
            order by id
        """


class ExpectNewHeadersToBeListed(NoRowsExpectation):
    """Expect every header that the snapshot has not to be listed as added, and every listed one to be there.

    An added header has the listed number and date, ShipStation's id of the order and when its label was made,
    and nothing else: no e-mail, no carrier, no items counted. Unexpected is a header that is not listed, or
    differs, or is missing, and a change that fits no header; shown are its id and what is wrong.

    Example:
        {}

    Source: docs/rules.md section 6 (shipped_orders).
    """

    others: ClassVar[tuple[str, ...]] = ("legacy",)

    def query(self) -> str:
        has_more = " or ".join(f"orders.{column} is not null" for column in _EMPTY_WHERE_ADDED)
        return f"""
            with shipments as materialized (
                select
                    order_number,
                    cast(min(shipstation_order_id) as text) as shipstation_order_id,
                    min(created_at) as created_at
                from int_shipstation_shipments
                where not_counted_because is null and order_number is not null
                group by order_number
            ),
            judged as (
                select
                    orders.id,
                    case
                        when changes.header_id is null then 'not in the snapshot, and not listed as added'
                        when orders.order_number is not changes.order_number
                            or orders.ship_date is not changes.new_ship_date then 'not as it is listed'
                        when orders.shipstation_order_id is not shipments.shipstation_order_id
                            or orders.created_at is not shipments.created_at
                            then 'not what ShipStation says'
                        when orders.total_items is not 0 or {has_more} then 'has values that nobody gave'
                        else ''
                    end as problem
                from main.shipped_orders as orders
                left join legacy.shipped_orders as source on source.id = orders.id
                left join audit_order_header_changes as changes
                    on changes.header_id = orders.id and changes.change = 'added'
                left join shipments on shipments.order_number = orders.order_number
                where source.id is null
                union all
                select
                    changes.header_id,
                    case
                        when changes.change not in ('added', 'taken_out', 'date_corrected')
                            then 'an unknown change'
                        when changes.change <> 'added' and source.id is null
                            then 'changed, and not in the snapshot'
                        when changes.change = 'added' and source.id is not null
                            then 'added, and in the snapshot'
                        when changes.change = 'added' and orders.id is null then 'added, and not there'
                        else ''
                    end
                from audit_order_header_changes as changes
                left join legacy.shipped_orders as source on source.id = changes.header_id
                left join main.shipped_orders as orders on orders.id = changes.header_id
            )
            select id, problem
            from judged
            where problem <> ''
            order by id
        """


class ExpectHeaderChangesToHaveGrounds(NoRowsExpectation):
    """Expect every listed change of a header to be one that the rules make.

    A header is taken out when it had lines and none is left. A date is corrected when it was no real day,
    before the order's, or the wrong date of an incident; the new date is the latest day of the lines. A
    header is added for lines, with their latest day. The numbers of lines, before and after, are counted
    anew. Shown are the header's id, its change and what is wrong.

    Example:
        {}

    Source: docs/rules.md sections 2 (plausible) and 6 (shipped_orders).
    """

    others: ClassVar[tuple[str, ...]] = ("legacy",)
    shared: ClassVar[tuple[SharedTable, ...]] = (ORDER_DAYS, SPELLED_ROWS)

    def query(self) -> str:
        return f"""
            with changes as materialized (
                select
                    *,
                    {trimmed_or_null("order_number")} as trimmed_number,
                    {trimmed("old_ship_date")} as old_day
                from audit_order_header_changes
            ),
            numbers as materialized (
                select distinct trimmed_number as number from changes where trimmed_number is not null
            ),
            before as materialized (
                select number, count(*) as lines
                from ({rows_with_numbers("numbers.number", "numbers", "legacy.shipped_items", SPELLED_ROWS)})
                group by number
            ),
            counted as (
                select
                    changes.*,
                    coalesce(before.lines, 0) as lines_before,
                    count(items.id) as lines_after,
                    max(items.ship_date) as latest_day,
                    order_days.order_date
                from changes
                left join before on before.number = changes.trimmed_number
                left join {ORDER_DAYS.name} as order_days on order_days.number = changes.trimmed_number
                left join main.shipped_items as items on items.order_number = changes.order_number
                group by changes.header_id, changes.change
            ),
            judged as (
                select
                    header_id,
                    change,
                    case
                        when legacy_items is not lines_before or candidate_items is not lines_after
                            then 'other numbers of lines'
                        when change = 'taken_out' and (lines_before = 0 or lines_after > 0)
                            then 'it still has lines, or never had one'
                        when change = 'taken_out' and new_ship_date is not null then 'it has a new date'
                        when change <> 'taken_out' and new_ship_date is not latest_day
                            then 'not the latest day of its lines'
                        when change = 'added' and old_ship_date is not null then 'it had a date'
                        when change = 'date_corrected'
                            and {is_real_day("old_day")}
                            and old_day not in ({wrong_dates()})
                            and (order_date is null or old_day >= order_date)
                            then 'its old date was plausible'
                        else ''
                    end as problem
                from counted
            )
            select header_id, change, problem
            from judged
            where problem <> ''
            order by header_id
        """


class ExpectHeaderDatesToBePlausible(NoRowsExpectation):
    """Expect a header with lines to have a plausible date, or the latest day of its lines.

    Plausible is a real day that is not before the order's and not the wrong date of an incident. Headers
    without lines keep what they have. Unexpected is any other date; shown are id, number and date.

    Example:
        {}

    Source: docs/rules.md sections 2 (plausible) and 6 (date_corrected).
    """

    shared: ClassVar[tuple[SharedTable, ...]] = (ORDER_DAYS,)

    def query(self) -> str:
        # there are few days and many headers
        return f"""
            with days as materialized (
                select
                    ship_date,
                    day,
                    {is_real_day("day")} and day not in ({wrong_dates()}) as is_sound
                from (select distinct ship_date, {trimmed("ship_date")} as day from main.shipped_orders)
            ),
            doubtful as materialized (
                select orders.id, orders.order_number, orders.ship_date, days.day
                from main.shipped_orders as orders
                left join days on days.ship_date = orders.ship_date
                left join {ORDER_DAYS.name} as order_days
                    on order_days.number = {trimmed("orders.order_number")}
                where orders.order_number is not null
                    and (days.is_sound is not 1 or days.day < order_days.order_date)
            )
            select doubtful.id, doubtful.order_number, doubtful.ship_date
            from doubtful
            cross join main.shipped_items as items on items.order_number = doubtful.order_number
            group by doubtful.id
            having doubtful.day is not max(items.ship_date)
            order by doubtful.id
        """


class ExpectRemovedHeadersToHaveNoLines(NoRowsExpectation):
    """Expect no line of an order whose header was taken out.

    Unexpected is such a line; shown are its id and its order.

    Example:
        {}

    Source: docs/rules.md section 6 (taken_out).
    """

    def query(self) -> str:
        return """
            select items.id, items.order_number
            from audit_order_header_changes as changes
            cross join shipped_items as items on items.order_number = changes.order_number
            where changes.change = 'taken_out'
            order by items.id
        """
