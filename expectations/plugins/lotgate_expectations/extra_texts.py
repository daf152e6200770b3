"""An expectation about lots that only ShipStation knows: a line without a lot takes it from there."""

from __future__ import annotations

from lotgate_expectations.rows import NoRowsExpectation


class ExpectKnownLotsToBeTaken(NoRowsExpectation):
    """Expect no line without a lot whose very shipment has one at ShipStation.

    A line keeps its own text where another line of its order has ShipStation's text, or could take it too,
    since order and text are the key. Unexpected is any other line without a lot that ShipStation has with
    one; shown are the line, its order and ShipStation's SKU and lot.

    Example:
        {}

    Source: docs/rules.md section 6 (SKU text and lot of a remaining row).
    """

    def query(self) -> str:
        return """
            with known as materialized (
                select items.id, legacy_items.order_number, items.lot_id,
                    lines.shipstation_sku_raw as known_text, lines.sku_code, lines.lot_number
                from int_shipstation_claims as claims
                inner join int_shipstation_lines as lines on lines.line_id = claims.line_id
                inner join int_shipped_items as legacy_items on legacy_items.legacy_id = claims.legacy_id
                inner join shipped_items as items on items.id = claims.legacy_id
                where claims.is_exact = 1
            )
            select known.id, known.order_number, known.sku_code, known.lot_number
            from known
            where known.lot_id is null and known.lot_number is not null
                and not exists (
                    select 1 from int_shipped_items as others
                    inner join shipped_items as items on items.id = others.legacy_id
                    where others.order_number = known.order_number and others.legacy_id <> known.id
                        and others.shipstation_sku_raw = known.known_text
                )
                and not exists (
                    select 1 from known as others
                    where others.order_number = known.order_number and others.id <> known.id
                        and others.known_text = known.known_text
                )
            order by known.id
        """
