"""The generator: its databases are sound, hold every case that their shape can, and repeat themselves."""

from __future__ import annotations

import csv
import random
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from lotgate.errors import UsageError
from lotgate.generator import Generated, Shape, generate
from lotgate.generator.__main__ import main
from lotgate.generator.book import SCENARIOS
from lotgate.generator.texts import BLANKS, NOT_BLANKS, garbage, nothing, spellings
from lotgate.legacy_schema import legacy_columns, quoted

ROWS = 2_000
KEEP = {"clean", "late_import", "unknown_to_shipstation", "decided"}
REASONS = {
    *(("keep", reason) for reason in KEEP),
    *(("redate", reason) for reason in ("shipstation_other_day", "incident_correct_date", "decided")),
    *(("merge", reason) for reason in ("respelled_twin", "lotless_twin", "lot_in_base_sku_twin", "decided")),
    *(("remove", reason) for reason in ("cancelled_never_shipped", "historical_resync", "decided")),
    *(
        ("quarantine", reason)
        for reason in (
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
        )
    ),
}
NEEDS_INBOX = {("remove", "cancelled_never_shipped")}
NEEDS_EVIDENCE = {("keep", "unknown_to_shipstation"), ("redate", "shipstation_other_day")}


@pytest.fixture(scope="module", params=list(Shape))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generated:
    shape: Shape = request.param
    return generate(tmp_path_factory.mktemp(shape.value), rows=ROWS, seed=20251006, shape=shape)


@pytest.fixture
def legacy(made: Generated) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(made.database)) as connection:
        connection.execute("ATTACH ? AS expected", (str(made.expected),))
        connection.execute("ATTACH ? AS evidence", (str(made.shipstation),))
        yield connection


def shape_of(made: Generated) -> Shape:
    return next(shape for shape in Shape if made.directory.name.startswith(shape.value))


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def contents(made: Generated) -> dict[str, object]:
    """Every row of every table, byte for byte, and the text of every control."""
    found: dict[str, object] = {}
    for path in (made.database, made.expected, made.shipstation):
        if path is None:
            continue
        with closing(sqlite3.connect(path)) as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
            for (name,) in names.fetchall():
                rows = connection.execute(f"SELECT * FROM {quoted(name)}").fetchall()
                if name not in ("sqlite_sequence", "lotgate_evidence"):  # the latter names the directory
                    found[f"{path.name}.{name}"] = [repr(row) for row in rows]
    for path in sorted(made.controls.iterdir()):
        found[path.name] = path.read_bytes()
    return found


def test_the_database_is_sound_and_closed_cleanly(made: Generated, legacy: sqlite3.Connection) -> None:
    assert legacy.execute("PRAGMA main.journal_mode").fetchone() == ("wal",)
    for schema in ("main", "expected", "evidence"):
        assert legacy.execute(f"PRAGMA {schema}.integrity_check").fetchone() == ("ok",)
    assert legacy.execute("SELECT COUNT(*) FROM shipped_items").fetchone() == (made.rows,)
    assert abs(made.rows - ROWS) <= 5
    tables = {row[0] for row in legacy.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'")}
    assert set(legacy_columns(shape_of(made))) <= tables


def test_nothing_is_left_beside_the_files(tmp_path: Path) -> None:
    generate(tmp_path, rows=50, seed=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "controls",
        "expected.sqlite",
        "ora.db",
        "shipstation.sqlite",
    ]


def test_every_row_has_one_expectation(made: Generated, legacy: sqlite3.Connection) -> None:
    unmatched = """
        SELECT COUNT(*) FROM shipped_items LEFT JOIN expected_rows ON legacy_id = id WHERE legacy_id IS NULL
    """
    assert legacy.execute(unmatched).fetchone() == (0,)
    assert legacy.execute("SELECT COUNT(*) FROM expected_rows").fetchone() == (made.rows,)
    counted = Counter(legacy.execute("SELECT disposition, reason FROM expected_rows").fetchall())
    assert counted == made.reasons
    details = "SELECT disposition, merged_into_id IS NOT NULL, new_ship_date IS NOT NULL FROM expected_rows"
    for disposition, merged, redated in legacy.execute(details):
        assert (bool(merged), bool(redated)) == (disposition == "merge", disposition == "redate")


def test_rows_merge_into_rows_that_stay_in_the_same_order(legacy: sqlite3.Connection) -> None:
    merges = legacy.execute("""
        SELECT stays.disposition, item.order_number, target.order_number
        FROM expected_rows AS merged
        JOIN expected_rows AS stays ON stays.legacy_id = merged.merged_into_id
        JOIN shipped_items AS item ON item.id = merged.legacy_id
        JOIN shipped_items AS target ON target.id = stays.legacy_id
        WHERE merged.disposition = 'merge'
    """).fetchall()
    assert merges
    for disposition, number, target in merges:
        assert disposition in {"keep", "redate"}
        assert str(number).strip() == str(target).strip()


def test_every_reason_that_the_shape_can_have_occurs(made: Generated) -> None:
    expected = REASONS - (NEEDS_INBOX if shape_of(made) is Shape.bare else set())
    assert set(made.reasons) == expected


@pytest.mark.parametrize("shape", [Shape.late, Shape.bare])
def test_reasons_without_shipstation(tmp_path: Path, shape: Shape) -> None:
    made = generate(tmp_path, rows=ROWS, seed=3, shape=shape, with_shipstation=False)
    assert made.shipstation is None
    assert not (tmp_path / "shipstation.sqlite").exists()
    absent = NEEDS_EVIDENCE | (NEEDS_INBOX if shape is Shape.bare else set())
    assert set(made.reasons) == REASONS - absent
    assert made.recovered == 0


def test_every_scenario_is_told_in_some_shape(tmp_path: Path) -> None:
    told: set[str] = set()
    for shape, evidence in ((Shape.keyless, True), (Shape.late, False)):
        made = generate(tmp_path / shape, rows=ROWS, seed=5, shape=shape, with_shipstation=evidence)
        told |= set(made.scenarios)
    assert told == {case.name for case in SCENARIOS}
    assert len(told) == len(SCENARIOS)


def test_recovered_lines_are_shipstations_own(made: Generated, legacy: sqlite3.Connection) -> None:
    lines = legacy.execute("""
        SELECT recovered.order_number, shipment.order_number, recovered.ship_date, shipment.ship_date
        FROM expected_recovered AS recovered
        JOIN shipments AS shipment USING (shipment_id)
        JOIN fetches ON complete AND shipment.ship_date BETWEEN ship_date_from AND ship_date_to
        WHERE NOT voided AND NOT is_return_label
        GROUP BY recovered.rowid
    """).fetchall()
    assert len(lines) == made.recovered > 0
    for number, shipped_number, day, shipped_day in lines:
        assert (number or "") == (shipped_number or "").strip()
        assert day == shipped_day


def test_ordinary_rows_of_covered_days_are_known_to_shipstation(tmp_path: Path) -> None:
    made = generate(tmp_path, rows=6_000, seed=9, nasty=0)
    assert set(made.reasons) == {("keep", "clean"), ("keep", "late_import")}
    with closing(sqlite3.connect(made.database)) as connection:
        connection.execute("ATTACH ? AS evidence", (str(made.shipstation),))
        legacy_units = connection.execute("""
            SELECT ship_date, SUM(quantity_shipped) FROM shipped_items
            WHERE ship_date IN ('2025-10-06', '2025-10-07') GROUP BY ship_date ORDER BY ship_date
        """).fetchall()
        shipped_units = connection.execute("""
            SELECT ship_date, SUM(quantity) FROM shipments JOIN shipment_items USING (shipment_id)
            GROUP BY ship_date ORDER BY ship_date
        """).fetchall()
    assert len(legacy_units) == 2
    assert legacy_units == shipped_units


def test_decisions_match_their_rows(made: Generated, legacy: sqlite3.Connection) -> None:
    decisions = read_csv(made.controls / "quarantine_decisions.csv")
    assert len(decisions) == made.decisions
    assert {line["decision"] for line in decisions} == {"hold", "remove", "keep", "redate", "merge"}
    assert len({line["legacy_id"] for line in decisions}) == len(decisions)
    for line in decisions:
        row = legacy.execute(
            "SELECT order_number, base_sku, sku_lot, quantity_shipped, disposition, reason, new_ship_date"
            " FROM shipped_items JOIN expected_rows ON legacy_id = id WHERE id = ?",
            (int(line["legacy_id"]),),
        ).fetchone()
        texts = ["" if value is None else str(value).strip() for value in row[:4]]
        assert texts == [line[name] for name in ("order_number", "base_sku", "sku_lot", "quantity_shipped")]
        outcome = ("quarantine", "held") if line["decision"] == "hold" else (line["decision"], "decided")
        assert row[4:6] == outcome
        assert line["ship_date"] == (row[6] or "")


def test_the_examples_incident_stands_first(made: Generated) -> None:
    first, *others = read_csv(made.controls / "incidents.csv")
    assert (first["wrong_ship_date"], first["correct_ship_date"]) == ("2024-04-16", "2025-10-06")
    assert (first["created_from"], first["created_to"]) == ("2025-10-06 15:43:00", "2025-10-06 17:45:00")
    assert others


def test_ordinary_orders_are_nine_tenths(tmp_path: Path) -> None:
    made = generate(tmp_path, rows=20_000, seed=11)
    with closing(sqlite3.connect(made.database)) as connection:
        ordinary = connection.execute("""
            SELECT COUNT(*) FROM shipped_items
            WHERE sku_lot GLOB '[0-9][0-9][0-9][0-9][0-9] - [0-9][0-9][0-9][0-9][0-9]*'
        """).fetchone()[0]
    assert 0.88 * made.rows < ordinary < 0.97 * made.rows


def test_on_hand_follows_from_the_legacy_rows(tmp_path: Path) -> None:
    made = generate(tmp_path, rows=ROWS, seed=13, shape=Shape.late)
    with closing(sqlite3.connect(made.database)) as connection:
        stock = connection.execute("""
            SELECT stock.sku, current_quantity, baseline.value
                + (SELECT SUM(CASE transaction_type WHEN 'Adjust Down' THEN -quantity ELSE quantity END)
                   FROM inventory_transactions AS moved WHERE moved.sku = stock.sku AND date > '2025-09-19')
                - (SELECT SUM(quantity_shipped) FROM shipped_items
                   WHERE base_sku = stock.sku AND ship_date > '2025-09-19' AND quantity_shipped <= 1000000)
            FROM inventory_current AS stock
            JOIN configuration_params AS baseline
                ON baseline.sku = stock.sku AND baseline.parameter_name = 'EOD_Prior_Week'
        """).fetchall()
    assert len(stock) == 5
    for _, stored, computed in stock:
        assert stored == computed
        assert stored > 0


def test_the_same_seed_writes_the_same_contents(tmp_path: Path) -> None:
    one, same, other = (
        contents(generate(tmp_path / name, rows=ROWS, seed=seed, shape=Shape.keyless))
        for name, seed in (("one", 1), ("same", 1), ("other", 2))
    )
    assert one == same
    assert one["ora.db.shipped_items"] != other["ora.db.shipped_items"]


def test_texts_are_what_they_claim() -> None:
    rng = random.Random(20251006)
    blank = f"[{BLANKS}]*"
    readable = re.compile(f"{blank}([0-9]+)(?:{blank}-{blank}([0-9]+))?{blank}")
    assert len(BLANKS) == 26
    assert not set(BLANKS) & set(NOT_BLANKS)
    for _ in range(3_000):
        assert not readable.fullmatch(garbage(rng, "17612", "250300"))
        texts = spellings(rng, "17612", "250300", 3)
        assert len(set(texts)) == 3
        for text in texts:
            match = readable.fullmatch(text)
            assert match is not None
            assert match.groups() == ("17612", "250300")
        assert all(not text.strip(BLANKS) for text in nothing(rng, 2))


def test_no_value_says_when_it_was_generated(made: Generated) -> None:
    today = datetime.now(UTC).date()
    days = {today.isoformat(), (today - timedelta(days=1)).isoformat()}
    for rows in contents(made).values():
        text = rows.decode() if isinstance(rows, bytes) else str(rows)
        assert not [day for day in days if day in text]


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_small_databases_are_as_small_as_asked(tmp_path: Path, rows: int) -> None:
    made = generate(tmp_path, rows=rows, seed=4)
    assert rows <= made.rows <= rows + 5


def test_a_directory_in_use_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ora.db").write_text("precious")
    with pytest.raises(UsageError, match=r"already holds ora\.db"):
        generate(tmp_path, rows=10, seed=1)
    assert (tmp_path / "ora.db").read_text() == "precious"
    with pytest.raises(UsageError, match="rows is 0"):
        generate(tmp_path / "new", rows=0, seed=1)
    assert not (tmp_path / "new").exists()


def test_the_command_prints_counts_and_refuses_kindly(tmp_path: Path) -> None:
    arguments = ["--rows", "40", "--seed", "1", "--shape", "early", "--out", str(tmp_path / "out")]
    first = CliRunner().invoke(main, arguments)
    assert first.exit_code == 0, first.output
    assert "rows of shipped_items" in first.output
    assert "keep, clean" in first.output
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 2
    assert "Choose an empty directory" in again.output
