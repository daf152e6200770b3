"""Expectations about lots: those of the legacy tables, their status, and what was shipped of them."""

from __future__ import annotations

from typing import ClassVar

from great_expectations.core.suite_parameters import SuiteParameterDict

from lotgate_expectations.comparing import is_same, problem
from lotgate_expectations.expressions import is_real_day, trimmed, trimmed_or_null, whole_number
from lotgate_expectations.rows import NoRowsExpectation, literal


class ExpectLotNumbersToBePlausible(NoRowsExpectation):
    """Expect every lot number to be ASCII digits, and enough of them: fewer are a pack size.

    Unexpected is any other lot; shown are its id and number.

    Args:
        min_digits: A lot has at least this many digits.

    Example:
        {"min_digits": {"$PARAMETER": "min_lot_digits"}}

    Source: docs/rules.md section 1 (implausible_lot).
    """

    min_digits: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("min_digits",)

    def query(self) -> str:
        return f"""
            select lot_id, lot_number
            from lots
            where {_is_implausible("lot_number", self.min_digits)}
            order by lot_id
        """


class ExpectLotsToMatchTheSnapshot(NoRowsExpectation):
    """Expect the lots of the snapshot's sku_lot and lot_inventory in lots, with their values, and no others.

    A lot may be left out where its SKU is unknown or its number no lot, and audit_lots says so. A lot that
    neither table knows is one that a line of shipped_items has, and has no values. Of several rows for one
    lot the earliest days and the highest units count. Shown are SKU, lot and what is wrong.

    Args:
        min_digits: A lot has at least this many digits.

    Example:
        {"min_digits": {"$PARAMETER": "min_lot_digits"}}

    Source: docs/rules.md section 6 (lots).
    """

    min_digits: int | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("min_digits",)
    others: ClassVar[tuple[str, ...]] = ("legacy",)

    def query(self) -> str:
        different = problem(
            {
                column: is_same(f"present.{column}", f"expected.{column}")
                for column in ("received_date", "initial_qty", "manual_adjustment", "created_at")
            },
            missing="present.lot_id is null",
        )
        return f"""
            with masters as materialized ({_MASTERS}),
            expected as materialized (
                select
                    *,
                    case
                        when sku_code not in (select sku_code from skus) then 'unknown_sku'
                        when {_is_implausible("lot_number", self.min_digits)} then 'implausible_lot'
                    end as left_out_because
                from masters
            ),
            present as materialized (
                select lots.*, skus.sku_code
                from lots
                left join skus on skus.sku_id = lots.sku_id
            ),
            judged as (
                select
                    expected.sku_code,
                    expected.lot_number,
                    case
                        when expected.left_out_because is null then {different}
                        when present.lot_id is not null
                            then 'there, although it is ' || expected.left_out_because
                        when audit_lots.left_out_because is not expected.left_out_because
                            then 'left out, and audit_lots does not say why'
                        else ''
                    end as problem
                from expected
                left join present
                    on present.sku_code = expected.sku_code and present.lot_number = expected.lot_number
                left join audit_lots
                    on audit_lots.sku_code = expected.sku_code
                    and audit_lots.lot_number = expected.lot_number
                union all
                select
                    present.sku_code,
                    present.lot_number,
                    case
                        when present.lot_id not in (
                            select lot_id from main.shipped_items where lot_id is not null
                        ) then 'no table and no line has it'
                        when present.received_date is not null
                            or present.initial_qty is not null
                            or present.manual_adjustment is not 0
                            or present.created_at is not null then 'values that no table has'
                        else ''
                    end
                from present
                left join expected
                    on expected.sku_code = present.sku_code and expected.lot_number = present.lot_number
                where expected.lot_number is null
            )
            select sku_code, lot_number, problem
            from judged
            where problem <> ''
            order by sku_code, lot_number
        """


class ExpectLotStatusesToMatchTheSnapshot(NoRowsExpectation):
    """Expect a lot to be active or inactive as sku_lot says, else as lot_inventory says.

    One row that says active is enough. A lot that neither table knows has the status ``discovered_status``.
    The upload stamps active lots on new orders. Unexpected is a lot with another status; shown are SKU, lot,
    its status and the expected one.

    Args:
        discovered_status: The status of a lot that only shipments know.

    Example:
        {"discovered_status": {"$PARAMETER": "discovered_lot_status"}}

    Source: docs/rules.md section 6 (lots).
    """

    discovered_status: str | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("discovered_status",)
    others: ClassVar[tuple[str, ...]] = ("legacy",)

    def query(self) -> str:
        return f"""
            with masters as materialized ({_MASTERS}),
            judged as (
                select
                    skus.sku_code,
                    lots.lot_number,
                    lots.status,
                    case coalesce(masters.is_active, masters.says_active)
                        when 1 then 'active'
                        when 0 then 'inactive'
                        else {literal(str(self.discovered_status))}
                    end as expected_status
                from lots
                left join skus on skus.sku_id = lots.sku_id
                left join masters
                    on masters.sku_code = skus.sku_code and masters.lot_number = lots.lot_number
            )
            select *
            from judged
            where status is not expected_status
            order by sku_code, lot_number
        """


class ExpectOneActiveLotPerSku(NoRowsExpectation):
    """Expect a SKU to have at most one active lot: the upload would not know which one to stamp.

    Unexpected is a SKU with several; shown are the SKU and their number.

    Example:
        {}

    Source: docs/rules.md section 6 (lots); the upload stamps the active lot.
    """

    def query(self) -> str:
        return """
            select skus.sku_code, count(*) as active_lots
            from lots
            left join skus on skus.sku_id = lots.sku_id
            where lots.status = 'active'
            group by lots.sku_id
            having count(*) > 1
            order by 1
        """


class ExpectLotsInTheMasterTables(NoRowsExpectation):
    """Expect every lot to be known to the snapshot's sku_lot or lot_inventory.

    Unexpected is a discovered lot, which only shipments know; shown are SKU, lot, status, and the lines and
    units that have it.

    Example:
        {}

    Source: docs/rules.md section 6 (lots).
    """

    others: ClassVar[tuple[str, ...]] = ("legacy",)

    def query(self) -> str:
        return f"""
            with masters as materialized ({_MASTERS})
            select
                skus.sku_code,
                lots.lot_number,
                lots.status,
                count(items.id) as lines,
                coalesce(sum(items.quantity_shipped), 0) as units
            from lots
            left join skus on skus.sku_id = lots.sku_id
            left join masters on masters.sku_code = skus.sku_code and masters.lot_number = lots.lot_number
            left join main.shipped_items as items on items.lot_id = lots.lot_id
            where masters.lot_number is null
            group by lots.lot_id
            order by 1, 2
        """


class ExpectShippedPerLotWithinReceived(NoRowsExpectation):
    """Expect no more units to have shipped of a lot than came in of it.

    What came in is initial_qty and manual_adjustment. initial_qty is what was there when the stock baseline
    was counted, or what came in later, so the lines after the baseline's day count. Lots without an
    initial_qty are left out. Unexpected is a lot of which more shipped; shown are SKU, lot and both figures.

    Args:
        baseline_date: The day at whose end the stock baseline was counted.

    Example:
        {"baseline_date": {"$PARAMETER": "stock_baseline_date"}}

    Source: models/marts/lots.yml (initial_qty), variable stock_baseline_date of dbt_project.yml.
    """

    baseline_date: str | SuiteParameterDict

    success_keys: ClassVar[tuple[str, ...]] = ("baseline_date",)

    def query(self) -> str:
        received = "lots.initial_qty + coalesce(lots.manual_adjustment, 0)"
        return f"""
            select
                skus.sku_code,
                lots.lot_number,
                {received} as received_units,
                sum(items.quantity_shipped) as shipped_units
            from lots
            inner join shipped_items as items on items.lot_id = lots.lot_id
            left join skus on skus.sku_id = lots.sku_id
            where lots.initial_qty is not null and items.ship_date > {literal(str(self.baseline_date))}
            group by lots.lot_id
            having sum(items.quantity_shipped) > {received}
            order by 1, 2
        """


def _is_implausible(lot: str, min_digits: int | SuiteParameterDict) -> str:
    """SQL for a lot number that is none."""
    # GLOB and length() end at a NUL character, a blob's length does not
    return (
        f"({lot} glob '*[^0-9]*' or length({lot}) < {min_digits:d}"
        f" or length(cast({lot} as blob)) <> length({lot}))"
    )


_DAY = f"substr({trimmed('received_date')}, 1, 10)"
_TIME = f"replace(substr({trimmed('created_at')}, 1, 19), 'T', ' ')"
# one row per SKU and lot that sku_lot or lot_inventory has
_MASTERS = f"""
    select
        sku_code,
        lot_number,
        max(is_active) as is_active,
        max(says_active) as says_active,
        min(received_date) as received_date,
        max(initial_qty) as initial_qty,
        coalesce(max(manual_adjustment), 0) as manual_adjustment,
        min(created_at) as created_at
    from (
        select
            {trimmed_or_null("sku")} as sku_code,
            {trimmed_or_null("lot")} as lot_number,
            active = 1 as is_active,
            null as says_active,
            null as received_date,
            null as initial_qty,
            null as manual_adjustment,
            {_TIME} as created_at
        from legacy.sku_lot
        union all
        select
            {trimmed_or_null("sku")},
            {trimmed_or_null("lot")},
            null,
            lower({trimmed_or_null("status")}) = 'active',
            case when {is_real_day(_DAY)} then {_DAY} end,
            {whole_number("initial_qty")},
            {whole_number("manual_adjustment")},
            {_TIME}
        from legacy.lot_inventory
    )
    where sku_code is not null and lot_number is not null
    group by sku_code, lot_number
"""
