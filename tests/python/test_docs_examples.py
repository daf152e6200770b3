"""docs/examples.md: each table is put into a database, and the models must say what its right part says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compiled_models import CompiledModels
from pages import ROOT, Page, Table, read_page
from reference.building import write_example
from reference.scenario import ORDER, Example, FetchRow, ItemRow, Row, ShipmentRow, Value

PAGE: Page = read_page(ROOT / "docs" / "examples.md")
COLUMNS = ("id", "sku_lot", "base_sku", "qty", "ship_date", "created_at", "disposition", "reason")
DAY = r"\d{4}-\d\d-\d\d"
TABLES = [table for table in PAGE.tables if table.header == COLUMNS]


def words_of(heading: str) -> str:
    """The prose under a heading."""
    found, lines = False, []
    for _, line in PAGE.prose:
        if line.startswith("#"):
            found = line.lstrip("# ") == heading
        elif found:
            lines.append(line)
    return "\n".join(lines)


def shipments_of(words: str) -> tuple[tuple[FetchRow, ...], tuple[ShipmentRow, ...]]:
    found = re.search(r"ShipStation: (.+)\.$", words, re.MULTILINE)
    if found is None:
        return (), ()
    shipments = []
    for number, part in enumerate(found[1].split("; ")):
        day, _, line = part.partition(", ")
        if line != "nothing":
            units, _, text = line.partition(" x ")
            shipments.append(ShipmentRow(7_000 + number, day, (ItemRow(text, int(units)),)))
    return (FetchRow("2025-10-06", "2025-10-07"),), tuple(shipments)


def example_of(table: Table) -> Example:
    """The database that a section describes; each row of the table of unreadable rows is an order."""
    words = words_of(table.heading)
    apart = "alone in its order" in words
    header = re.search(rf"[Hh]eader:? ({DAY})", words)
    inbox = re.search(rf"Inbox: ({DAY}), (\w+)", words)
    assert header is not None, table.heading
    fetches, shipments = shipments_of(words)
    numbers = [f"6001{row[0]}5" if apart else ORDER for row in table.rows]
    return Example(
        table.heading,
        headers=tuple((number, header[1]) for number in dict.fromkeys(numbers)),
        inbox=((ORDER, inbox[1], inbox[2]),) if inbox else (),
        rows=tuple(row_of(row, number) for row, number in zip(table.rows, numbers, strict=True)),
        outcomes=(),
        fetches=fetches,
        shipments=shipments,
    )


def row_of(cells: tuple[str, ...], number: Value) -> Row:
    row_id, sku_lot, base_sku, units, ship_date, created_at, *_ = cells
    return Row(int(row_id), sku_lot, base_sku, int(units), ship_date, created_at, number)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.heading)
def test_the_models_say_what_the_page_says(
    table: Table, compiled_models: CompiledModels, tmp_path: Path
) -> None:
    files = write_example(example_of(table), tmp_path)
    with compiled_models.run(files.legacy, files.evidence, files.controls) as candidate:
        found = {
            str(row_id): (f"{disposition} {_target(merged, day)}".strip(), reason)
            for row_id, disposition, reason, merged, day in candidate.execute(
                "select legacy_id, disposition, reason, merged_into_id, new_ship_date from audit_row_ledger"
            )
        }
        recovered = candidate.execute(
            "select i.quantity_shipped || ' x ' || s.sku_code || ' - ' || l.lot_number || ' on ' || ship_date"
            " from shipped_items as i inner join skus as s using (sku_id) left join lots as l using (lot_id)"
            " where i.shipstation_shipment_id is not null"
        ).fetchall()
    assert found == {row[0]: (row[6], row[7]) for row in table.rows}
    told = re.findall(r"^Recovered: (.+)\.$", words_of(table.heading), re.MULTILINE)
    assert [text for (text,) in recovered] == told


def _target(merged: int | None, day: str | None) -> str:
    return f"into {merged}" if merged is not None else f"to {day}" if day is not None else ""


def test_every_disposition_has_an_example_and_every_table_is_tried() -> None:
    assert len(TABLES) == len(PAGE.tables) >= 20
    shown = {row[6].split()[0] for table in TABLES for row in table.rows}
    assert shown == {"keep", "redate", "merge", "remove", "quarantine"}
    rules = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    reasons = {row[7] for table in TABLES for row in table.rows}
    assert all(f"`{reason}`" in rules for reason in reasons)
    rows = re.findall(r"^\| `\w+` \|[^|]+\|(.+)\|$", rules, re.MULTILINE)[:5]
    listed = re.findall(r"`(\w+)`", " ".join(rows))
    assert set(listed) - reasons == {"decided", "held", "orphan_order"}
