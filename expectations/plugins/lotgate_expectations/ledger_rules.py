"""Expectations about the row ledger itself: every disposition has its reason, and every reason its evidence.

Source: docs/rules.md.
"""

from __future__ import annotations

from typing import ClassVar

from lotgate_expectations.expressions import is_real_day, trimmed, trimmed_or_null, whole_number
from lotgate_expectations.rows import NoRowsExpectation, literal

REASONS = {
    "keep": ("clean", "late_import", "unknown_to_shipstation", "decided"),
    "redate": ("shipstation_other_day", "incident_correct_date", "decided"),
    "merge": ("respelled_twin", "lotless_twin", "lot_in_base_sku_twin", "decided"),
    "remove": ("cancelled_never_shipped", "historical_resync", "decided"),
    "quarantine": (
        "unparseable_sku",
        "sku_conflict",
        "unknown_sku",
        "implausible_lot",
        "invalid_ship_date",
        "invalid_quantity",
        "orphan_order",
        "quantity_conflict",
        "unresolved_suspect",
        "held",
    ),
}
"""Disposition -> its reasons: the contract's list (docs/rules.md, the first table)."""

ORIGINALS = ("ship_date", "base_sku", "sku_lot", "quantity_shipped", "order_number", "created_at")
"""The columns of the ledger that are the legacy row's own."""


class ExpectLedgerToHoldTheLegacyRows(NoRowsExpectation):
    """Expect every legacy row to be in the ledger, with exactly the values that it has, and no other row.

    Compared by id, value by value and type by type: 3, 3.0 and '3' are three values. Unexpected is a row that
    only one of the two has, or that differs; shown are its id and the names of the columns, and no values.
    Source: models/audit/audit_row_ledger.yml.
    """

    others: ClassVar[tuple[str, ...]] = ("legacy",)

    def query(self) -> str:
        # without the plus signs SQLite would make the two sides one type before it compares them
        same = {
            name: f"(+ledger.{name} is +source.{name} and typeof(ledger.{name}) = typeof(source.{name}))"
            for name in ORIGINALS
        }
        names = " || ".join(f"case when {one} then '' else ', {name}' end" for name, one in same.items())
        return f"""
            select
                ledger.legacy_id,
                case
                    when source.id is null then 'not in the snapshot'
                    else 'different: ' || substr({names}, 3)
                end as problem
            from audit_row_ledger as ledger
            left join legacy.shipped_items as source on ledger.legacy_id = source.id
            where source.id is null or not ({" and ".join(same.values())})
            union all
            select source.id, 'not in the ledger'
            from legacy.shipped_items as source
            left join audit_row_ledger as ledger on source.id = ledger.legacy_id
            where ledger.legacy_id is null
            order by 1
        """


class ExpectReasonsToFitDispositions(NoRowsExpectation):
    """Expect every row of the ledger to have a disposition of the contract, with one of that one's reasons.

    Unexpected is a row with another pair, or without one of the two. Shown are its id and the pair. Source:
    docs/rules.md, the first table.
    """

    def query(self) -> str:
        pairs = ", ".join(
            f"({literal(disposition)}, {literal(reason)})"
            for disposition, reasons in REASONS.items()
            for reason in reasons
        )
        return f"""
            with legal (disposition, reason) as (values {pairs}),
            -- a few pairs are looked at, not a million rows
            pairs as (
                select disposition, reason from audit_row_ledger
                except
                select disposition, reason from legal
            )
            select ledger.legacy_id, ledger.disposition, ledger.reason
            from pairs
            inner join audit_row_ledger as ledger
                on pairs.disposition is ledger.disposition and pairs.reason is ledger.reason
            order by ledger.legacy_id
        """


class ExpectMergesToNameARemainingRow(NoRowsExpectation):
    """Expect every merged row to name a row that stays, of the same order and SKU; no other row names one.

    Holds for decided merges, too. Unexpected is a merged row that names none, itself, a row that leaves, or
    one of another order or SKU, and a row of another disposition that names one. Source: docs/rules.md
    sections 4 and 5.
    """

    def query(self) -> str:
        return f"""
            select
                ledger.legacy_id,
                ledger.disposition,
                ledger.merged_into_id,
                case
                    when ledger.disposition <> 'merge' then 'is not merged and names a row'
                    when ledger.merged_into_id is null then 'names no row'
                    when ledger.merged_into_id = ledger.legacy_id then 'names itself'
                    when target.legacy_id is null then 'names a row that is not there'
                    when target.disposition not in ('keep', 'redate') then 'names a row that leaves'
                    else 'names a row of another order or SKU'
                end as problem
            from audit_row_ledger as ledger
            left join audit_row_ledger as target on ledger.merged_into_id = target.legacy_id
            where
                (ledger.disposition = 'merge' or ledger.merged_into_id is not null)
                and not coalesce(
                    ledger.disposition = 'merge'
                    and target.disposition in ('keep', 'redate')
                    and target.legacy_id <> ledger.legacy_id
                    and target.sku_code = ledger.sku_code
                    and {trimmed_or_null("target.order_number")} = {trimmed_or_null("ledger.order_number")},
                    0
                )
            order by ledger.legacy_id
        """


class ExpectMergesToFitTheirReason(NoRowsExpectation):
    """Expect every merge that the rules made to be one that its reason allows.

    ``respelled_twin`` has the lot of the row that it merges into, or neither has one; ``lotless_twin`` has no
    lot, the other has one; ``lot_in_base_sku_twin`` has one, and the other has one. Where the units differ,
    ShipStation has exactly the other row's line. Source: docs/rules.md section 4, rules 3 and 4.
    """

    def query(self) -> str:
        return """
            select
                ledger.legacy_id,
                ledger.reason,
                ledger.lot_number,
                ledger.units,
                ledger.merged_into_id,
                target.lot_number as lot_there,
                target.units as units_there
            from audit_row_ledger as ledger
            inner join audit_row_ledger as target on ledger.merged_into_id = target.legacy_id
            where
                ledger.disposition = 'merge'
                and ledger.reason <> 'decided'
                and not (
                    case ledger.reason
                        when 'respelled_twin' then ledger.lot_number is target.lot_number
                        when 'lotless_twin'
                            then ledger.lot_number is null and target.lot_number is not null
                        when 'lot_in_base_sku_twin'
                            then ledger.lot_number is not null and target.lot_number is not null
                        else 0
                    end
                    and (
                        ledger.units is target.units
                        or target.legacy_id in (
                            select legacy_id from int_shipstation_claims where is_exact = 1
                        )
                    )
                )
            order by ledger.legacy_id
        """


class ExpectRedatesToHaveARealDay(NoRowsExpectation):
    """Expect every redated row to have a new ship date that is a real day, and no other row to have one.

    Shown are the id, the disposition and both dates. Source: docs/rules.md, rule 5 and section 5.
    """

    def query(self) -> str:
        return f"""
            select legacy_id, disposition, ship_date, new_ship_date
            from audit_row_ledger
            where
                (disposition = 'redate' and not {is_real_day("new_ship_date")})
                or (disposition is not 'redate' and new_ship_date is not null)
            order by legacy_id
        """


class ExpectRedatesToFollowTheEvidence(NoRowsExpectation):
    """Expect every redate that the rules made to go to a day that its reason names.

    ``shipstation_other_day``: ShipStation has exactly this line on that day. ``incident_correct_date``: an
    incident has that correct date for the row's date. Decided redates are another check's. Source:
    docs/rules.md, rule 5.
    """

    def query(self) -> str:
        return f"""
            select legacy_id, reason, ship_date, new_ship_date
            from audit_row_ledger as ledger
            where
                disposition = 'redate'
                and reason <> 'decided'
                and not case reason
                    when 'shipstation_other_day'
                        then (legacy_id, new_ship_date, sku_code, units) in (
                            select claims.legacy_id, lines.ship_date, lines.sku_code, lines.quantity
                            from int_shipstation_claims as claims
                            inner join int_shipstation_lines as lines on claims.line_id = lines.line_id
                            where claims.is_exact = 1
                        )
                    when 'incident_correct_date' then exists (
                        select 1
                        from incidents
                        where
                            {trimmed("incidents.wrong_ship_date")} = {trimmed("ledger.ship_date")}
                            and {trimmed("incidents.correct_ship_date")} = ledger.new_ship_date
                    )
                    else 0
                end
            order by legacy_id
        """


class ExpectRedatesToMoveTheDay(NoRowsExpectation):
    """Expect every redated row to have had another day before.

    A redate to the same day is allowed and changes nothing: a decision or an incident that says so is worth a
    look. Source: docs/rules.md section 5.
    """

    def query(self) -> str:
        return f"""
            select legacy_id, reason, ship_date, new_ship_date
            from audit_row_ledger
            where disposition = 'redate' and {trimmed("ship_date")} = new_ship_date
            order by legacy_id
        """


class ExpectDecisionsToBeApplied(NoRowsExpectation):
    """Expect every line of quarantine_decisions.csv to have had its effect on its row, and on no other.

    The named row is in the ledger with the order, texts and quantity of the line; keep, redate (to the line's
    day), merge and remove are its disposition with the reason ``decided``, hold leaves it in quarantine with
    the reason ``held``. Unexpected is a line without that effect, and a row decided or held without a line.
    Source: docs/rules.md section 5.
    """

    def query(self) -> str:
        same_texts = " and ".join(
            f"coalesce({trimmed('ledger.' + name)}, '') = coalesce({trimmed('lines.' + name)}, '')"
            for name in ("order_number", "base_sku", "sku_lot")
        )
        # 3 and 3.0 are the same quantity
        quantity = (
            f"coalesce({trimmed('lines.quantity_shipped')}, '') in ("
            f"coalesce({trimmed('ledger.quantity_shipped')}, ''),"
            f" cast({whole_number('ledger.quantity_shipped')} as text))"
        )
        return f"""
            with lines as materialized (
                select
                    quarantine_decisions.*,
                    cast(legacy_id as integer) as row_id,
                    lower({trimmed("decision")}) as effect,
                    count(*) over (partition by cast(legacy_id as integer)) as times_named
                from quarantine_decisions
            ),
            problems as materialized (
                select lines.row_id, lines.effect, count(*) as problems
                from lines
                inner join audit_decisions on lines.row_id = audit_decisions.legacy_id
                where audit_decisions.problem is not null
                group by lines.row_id, lines.effect
            )
            select
                lines.row_id as legacy_id,
                lines.effect as decision,
                ledger.disposition,
                ledger.reason
            from lines
            left join audit_row_ledger as ledger on lines.row_id = ledger.legacy_id
            left join problems on lines.row_id = problems.row_id
            where
                lines.times_named > 1
                or problems.row_id is not null
                or not coalesce(
                    {same_texts}
                    and {quantity}
                    and case lines.effect
                        when 'hold' then ledger.disposition = 'quarantine' and ledger.reason = 'held'
                        when 'redate'
                            then ledger.disposition = 'redate' and ledger.reason = 'decided'
                                and ledger.new_ship_date = {trimmed("lines.ship_date")}
                        when 'keep' then ledger.disposition = 'keep' and ledger.reason = 'decided'
                        when 'merge' then ledger.disposition = 'merge' and ledger.reason = 'decided'
                        when 'remove' then ledger.disposition = 'remove' and ledger.reason = 'decided'
                        else 0
                    end,
                    0
                )
            union all
            select ledger.legacy_id, null, ledger.disposition, ledger.reason
            from audit_row_ledger as ledger
            left join lines on ledger.legacy_id = lines.row_id
            where ledger.reason in ('decided', 'held') and lines.row_id is null
            order by 1
        """
