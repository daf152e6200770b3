"""What must hold for the result of any database, whatever its rows: nothing is lost, doubled or invented."""

from __future__ import annotations

from collections import Counter

from lotgate.parser import Variant, parse_sku
from reference.model import Result
from reference.scenario import Example


def check_conservation(example: Example, result: Result) -> None:
    """Every row has one disposition, nothing is lost, doubled or invented."""
    assert sorted(r.legacy_id for r in result.rows) == sorted(row.id for row in example.rows)
    by_id = {r.legacy_id: r for r in result.rows}
    sources = {row.id: row for row in example.rows}
    for row in result.rows:
        assert row.disposition in {"keep", "redate", "merge", "remove", "quarantine"}
        assert (row.merged_into_id is not None) == (row.disposition == "merge")
        assert (row.new_ship_date is not None) == (row.disposition == "redate")
        if row.merged_into_id is not None:
            target = by_id[row.merged_into_id]
            assert target.disposition in {"keep", "redate"}
            assert target.sku_code == row.sku_code
            theirs = {str(sources[n].order_number).strip() for n in (row.legacy_id, row.merged_into_id)}
            assert len(theirs) == 1
    # The units of the candidate by SKU and day are those of the rows that stay and of the recovered ones.
    expected: Counter[tuple[str | None, str]] = Counter()
    for row in result.rows:
        if row.disposition in {"keep", "redate"}:
            source = sources[row.legacy_id]
            day = str(source.ship_date).strip() if row.new_ship_date is None else row.new_ship_date
            expected[row.sku_code, day] += int(float(str(source.quantity)))
    for recovered in result.recovered:
        expected[recovered.sku_code, recovered.ship_date] += recovered.quantity
    units: Counter[tuple[str | None, str]] = Counter()
    for item in result.items:
        units[item.sku_code, item.ship_date] += item.quantity
    assert units == expected
    assert len({item.id for item in result.items}) == len(result.items)


def check_lines(result: Result) -> None:
    """A claimed line is either recovered or stands for one row that is there; the rules say which."""
    rows = {r.legacy_id: r for r in result.rows}
    recovered = [(r.shipment_id, r.sku_code, r.lot_number) for r in result.recovered]
    standing = [(n.shipment_id, n.sku, n.lot) for claim in result.standing.values() for n in claim.lines]
    assert len(set(standing + recovered)) == len(standing) + len(recovered)
    for legacy_id in result.standing:
        assert rows[legacy_id].disposition in {"keep", "redate", "quarantine"}
        assert rows[legacy_id].reason != "held"
    for legacy_id, claim in result.claims.items():
        row, lines = rows[legacy_id], {(n.shipment_id, n.sku, n.lot) for n in claim.lines}
        if row.disposition == "remove" or row.reason == "held":
            assert lines <= set(recovered)
        elif row.merged_into_id is None:
            assert result.standing[legacy_id] == claim
        elif row.merged_into_id in result.claims:
            assert lines <= set(recovered)
        else:
            # One of the rows of the same quantity has handed its claim on, and none of them has a better one.
            handed_on = result.standing.get(row.merged_into_id)
            assert handed_on == claim or lines <= set(recovered)


def check_shipstation_units(example: Example, result: Result) -> None:
    """Every unit that a complete fetch counted is recovered, or a claim stands on it."""
    last_day = min(("2025-10-09", *(fetch.fetched_at[:10] for fetch in example.fetches)))
    counted = sum(
        item.quantity or 0
        for shipped in example.shipments
        if not shipped.voided and "2025-10-05" <= shipped.ship_date <= last_day
        for item in shipped.items
        if item.sku != "18255"
    )
    held = sum(n.quantity for claim in result.standing.values() for n in claim.lines)
    assert counted == held + sum(r.quantity for r in result.recovered)


def check_texts(example: Example, result: Result) -> None:
    """Neither ShipStation's texts nor decisions give two migrated rows of one order the same text."""
    sources = {row.id: row for row in example.rows}
    known = frozenset(example.skus)
    variants = {raw.strip(): Variant(sku.strip(), lot or None) for raw, sku, lot in example.variants}
    legacy_texts: Counter[tuple[str, str | None]] = Counter()
    candidate_texts: Counter[tuple[str, str]] = Counter()
    decided: set[tuple[str, str | None]] = set()
    reasons = {row.legacy_id: row.reason for row in result.rows}
    for item in result.items:
        if item.shipment_id is None and item.order_number is not None:
            row = sources[item.id]
            parsed = parse_sku(
                _as_text(row.sku_lot), _as_text(row.base_sku), known_skus=known, variants=variants
            )
            order = item.order_number.strip()
            legacy_texts[order, parsed.raw] += 1
            candidate_texts[order, item.shipstation_sku_raw] += 1
            if reasons[item.id] == "decided":
                decided.add((order, parsed.raw))
            lot = parse_sku(item.shipstation_sku_raw, None, known_skus=known, variants=variants).lot_number
            assert item.lot_number == lot
    for key, times in candidate_texts.items():
        assert times <= max(1, legacy_texts[key])
    assert all(legacy_texts[key] == 1 for key in decided)


def _as_text(value: object) -> str | None:
    return None if value is None else str(value)
