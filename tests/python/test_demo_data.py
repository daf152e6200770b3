"""The demo's data show the owner's figures, and become a real legacy database."""

from __future__ import annotations

import csv
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from lotgate.console import SilentReporter
from lotgate.demo import recover_from_seeds
from lotgate.demo_data import DEMO_SHAPE, build_demo_database
from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.evidence import ensure_evidence
from lotgate.legacy_schema import KNOWN_TABLES, MODEL_COLUMNS, legacy_columns
from lotgate.workdir import WorkDir
from reference import Result, evaluate

SEEDS = Path(__file__).parents[2] / "seeds"
DAY = "2025-10-06"
WRONG_DAY = "2024-04-16"
BASELINE_DAY = "2025-09-19"
SKUS = ["17612", "17904", "17914", "18675", "18795"]
ORPHAN = "4431"
PERSONAL = re.compile(
    r"^((ship|bill)_(name|company|street|city|state|postal|country|phone)|customer_|address)"
)

Row = dict[str, str]


def rows(name: str) -> list[Row]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def legacy(table: str) -> list[Row]:
    return rows(f"legacy/legacy_{table}")


def files() -> list[Path]:
    return sorted(SEEDS.rglob("*.csv"))


def units(ship_date: str) -> int:
    return sum(
        int(row["quantity_shipped"]) for row in legacy("shipped_items") if row["ship_date"] == ship_date
    )


def before_shipments(sku: str) -> int:
    """The baseline and every booking after it: what was on hand, had nothing been shipped since."""
    signs = {"Receive": 1, "Repack": 1, "Adjust Up": 1, "Adjust Down": -1}
    baseline = sum(
        int(row["value"])
        for row in legacy("configuration_params")
        if (row["category"], row["parameter_name"], row["sku"]) == ("InitialInventory", "EOD_Prior_Week", sku)
    )
    return baseline + sum(
        signs[row["transaction_type"]] * int(row["quantity"])
        for row in legacy("inventory_transactions")
        if row["sku"] == sku and row["date"] > BASELINE_DAY
    )


def counted_lines() -> list[tuple[str, str, int]]:
    """Order number, SKU text and quantity of what ShipStation shipped on the day."""
    counted = {
        row["shipment_id"]: row["order_number"]
        for row in rows("shipstation/shipstation_shipments")
        if row["voided"] == "0" and row["is_return_label"] == "0" and row["ship_date"] == DAY
    }
    return [
        (counted[row["shipment_id"]], row["sku"], int(row["quantity"]))
        for row in rows("shipstation/shipstation_shipment_items")
        if row["shipment_id"] in counted and row["sku"] and row["adjustment"] == "0"
    ]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "ora.db"
    build_demo_database(path, SEEDS)
    return path


@pytest.fixture(scope="module")
def evidence(database: Path) -> Path:
    folder = database.with_name("work")
    folder.mkdir()
    return recovered(database, WorkDir(folder), SEEDS / "shipstation")


def recovered(database: Path, work: WorkDir, seeds: Path) -> Path:
    """The evidence as the demo gets it: over HTTP, from a simulator that serves the seeds."""
    recover_from_seeds(database, work, seeds, work.path / "requests.log", reporter=SilentReporter())
    return work.shipstation


@pytest.fixture
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
        yield opened


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """A copy of the seeds to damage."""
    return Path(shutil.copytree(SEEDS, tmp_path / "seeds"))


def damage(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# The files


def test_files_are_plain_for_editing_by_hand() -> None:
    for path in files():
        content = path.read_bytes()
        assert b"\r" not in content, path
        assert content.endswith(b"\n"), path
        assert not content.endswith(b"\n\n"), path
        content.decode("ascii")


def test_every_legacy_table_has_its_file_with_columns_in_the_legacy_order() -> None:
    assert {path.stem.removeprefix("legacy_") for path in (SEEDS / "legacy").glob("*.csv")} == KNOWN_TABLES
    columns = legacy_columns(DEMO_SHAPE)
    for table in sorted(KNOWN_TABLES):
        header = list(legacy(table)[0])
        assert header == [column for column in columns[table] if column in header], table
        assert set(header).issuperset(MODEL_COLUMNS.get(table, {})), table


@pytest.mark.parametrize("table", sorted(KNOWN_TABLES - {"workflow_controls"}))
def test_rows_stand_in_the_order_of_their_ids(table: str) -> None:
    ids = [int(row["id"]) for row in legacy(table)]
    assert ids == sorted(set(ids))


def test_no_personal_data() -> None:
    for path in files():
        with path.open(encoding="utf-8", newline="") as file:
            table = list(csv.DictReader(file))
        personal = [column for column in table[0] if PERSONAL.match(column)]
        if path.stem == "legacy_shipped_orders":
            assert personal == ["customer_email"]
            assert all(row["customer_email"] == "" for row in table)
        else:
            assert personal == [], path
        assert all(row.get("notes", "") == "" for row in table), path
        assert "@" not in path.read_text(encoding="utf-8"), path


# The owner's figures


def test_units_of_the_two_dates() -> None:
    assert units(DAY) == 223
    assert units(WRONG_DAY) == 107


def test_shipstation_has_331_units_and_every_row_of_the_day_among_them() -> None:
    lines = [(order, re.sub(r"\s*-\s*", " - ", sku), quantity) for order, sku, quantity in counted_lines()]
    known = [
        (row["order_number"], re.sub(r"\s*-\s*", " - ", row["sku_lot"]), int(row["quantity_shipped"]))
        for row in legacy("shipped_items")
        if row["ship_date"] == DAY
    ]
    assert sum(quantity for _, _, quantity in lines) == 331
    rest = Counter(lines)
    rest.subtract(known)
    assert min(rest.values()) == 0
    assert sum(quantity * count for (_, _, quantity), count in rest.items()) == 33 + 75


def test_stock_computes_from_the_rows_to_what_is_stored() -> None:
    stored = {row["sku"]: int(row["current_quantity"]) for row in legacy("inventory_current")}
    shipped: Counter[str] = Counter()
    for row in legacy("shipped_items"):
        if row["ship_date"] > BASELINE_DAY:
            shipped[row["base_sku"]] += int(row["quantity_shipped"])
    assert set(shipped) == set(SKUS)
    assert stored == {sku: before_shipments(sku) - shipped[sku] for sku in SKUS}
    assert stored["17612"] == 638


def test_controls_say_what_must_come_out() -> None:
    assert [(row["ship_date"], row["expected_units"]) for row in rows("controls/expected_units")] == [
        (DAY, "331")
    ]
    assert [(row["sku_code"], row["expected_quantity"]) for row in rows("controls/expected_on_hand")] == [
        ("17612", "610")
    ]
    last_day = max(row["ship_date"] for row in legacy("shipped_items"))
    assert rows("controls/expected_on_hand")[0]["as_of_date"] == last_day


def test_weekly_history_is_the_sum_of_complete_weeks() -> None:
    monday = date(2025, 9, 8)
    expected = []
    for week in range(4):
        first = monday + timedelta(weeks=week)
        last = first + timedelta(days=6)
        for sku in SKUS:
            total = sum(
                int(row["quantity_shipped"])
                for row in legacy("shipped_items")
                if row["base_sku"] == sku and str(first) <= row["ship_date"] <= str(last)
            )
            expected.append((str(first), str(last), sku, str(total)))
    history = [
        (row["start_date"], row["end_date"], row["sku"], row["quantity_shipped"])
        for row in legacy("weekly_shipped_history")
    ]
    assert history[: len(expected)] == expected
    # the older weeks of a year, from before the first row: one line for each SKU and week
    older = sorted(history[len(expected) :])
    weeks = [monday - timedelta(weeks=week) for week in range(44, 0, -1)]
    assert [line[:3] for line in older] == [
        (str(week), str(week + timedelta(days=6)), sku) for week in weeks for sku in SKUS
    ]


def test_ordinary_shape_of_the_rows() -> None:
    items = legacy("shipped_items")
    assert 350 <= len(items) <= 600
    real = [row for row in items if row["ship_date"] != WRONG_DAY]
    assert all(date.fromisoformat(row["ship_date"]).weekday() < 5 for row in real)
    assert {int(row["quantity_shipped"]) for row in items} <= set(range(1, 42))
    numbers = {row["order_number"] for row in items}
    assert all(re.fullmatch(r"6\d{4}5|10\d{4}", number) for number in numbers)


def test_expected_oddities_are_there() -> None:
    items = legacy("shipped_items")
    texts = {(row["sku_lot"], row["base_sku"]) for row in items}
    assert {
        ("17612-250300", "17612"),
        ("250237", "17612"),
        ("17904", "17904"),
        ("17904 -250240", "17904"),
        ("17612-40", "17612"),
        ("17914-20", "17914"),
        ("nan", "nan"),
        ("17913 - 250101", "17913"),
        ("17904 - 250240", "17612"),
        ("", "17612 - 250237"),
        ("", "17612 - 250070"),
    } <= texts
    shipments = rows("shipstation/shipstation_shipments")
    assert {"1"} <= {row["voided"] for row in shipments}
    assert {"1"} <= {row["is_return_label"] for row in shipments}
    keys = {row["line_item_key"] for row in rows("shipstation/shipstation_shipment_items") if not row["sku"]}
    assert keys == {"discount"}


# The built database


def test_every_row_of_every_file_is_in_the_database(connection: sqlite3.Connection) -> None:
    connection.row_factory = sqlite3.Row
    for table in sorted(KNOWN_TABLES):
        expected = legacy(table)
        columns = ", ".join(f'"{column}"' for column in expected[0])
        key = next(iter(expected[0]))
        found = connection.execute(f'SELECT {columns} FROM "{table}" ORDER BY "{key}"').fetchall()
        as_text = [
            {name: "" if row[name] is None else str(row[name]) for name in expected[0]} for row in found
        ]
        assert as_text == expected, table


def test_the_database_shows_the_figures(connection: sqlite3.Connection) -> None:
    by_day = "SELECT sum(quantity_shipped) FROM shipped_items WHERE ship_date = ?"
    assert connection.execute(by_day, (DAY,)).fetchone() == (223,)
    assert connection.execute(by_day, (WRONG_DAY,)).fetchone() == (107,)
    stock = "SELECT current_quantity FROM inventory_current WHERE sku = '17612'"
    assert connection.execute(stock).fetchone() == (638,)


def test_the_database_is_sound_but_for_the_orphan(connection: sqlite3.Connection) -> None:
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == [
        ("shipped_items", int(ORPHAN), "shipped_orders", 0)
    ]


def test_the_legacy_keys_hold(connection: sqlite3.Connection) -> None:
    unique = "SELECT name FROM pragma_index_list('shipped_items') WHERE \"unique\" = 1"
    assert ("uniq_shipped_items_key",) in connection.execute(unique).fetchall()
    keys = [(row["order_number"], row["base_sku"], row["sku_lot"]) for row in legacy("shipped_items")]
    assert len(keys) == len(set(keys))
    numbers = [row["order_number"] for row in legacy("shipped_orders")]
    assert len(numbers) == len(set(numbers))


def test_empty_is_null_but_where_the_column_takes_none(connection: sqlite3.Connection) -> None:
    shadow = "SELECT sku_lot, tracking_number FROM shipped_items WHERE ship_date = ? AND sku_lot = ''"
    assert set(connection.execute(shadow, (WRONG_DAY,))) == {("", None)}
    email = "SELECT DISTINCT customer_email FROM shipped_orders"
    assert connection.execute(email).fetchall() == [(None,)]


def test_the_database_is_in_wal_mode_and_closed_cleanly(tmp_path: Path) -> None:
    path = tmp_path / "ora.db"
    build_demo_database(path, SEEDS)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes()[18:20] == b"\x02\x02"


def test_building_twice_gives_the_same_rows(tmp_path: Path, connection: sqlite3.Connection) -> None:
    build_demo_database(tmp_path / "ora.db", SEEDS)
    with closing(sqlite3.connect(tmp_path / "ora.db")) as second:
        assert list(second.iterdump()) == list(connection.iterdump())


def test_evidence_holds_the_fetch_of_the_day(database: Path, evidence: Path) -> None:
    summary = ensure_evidence(evidence, database)
    assert (summary.fetches, summary.complete_fetches, summary.days_covered) == (1, 1, 1)
    assert summary.shipments == len(rows("shipstation/shipstation_shipments"))
    assert summary.items == len(rows("shipstation/shipstation_shipment_items"))
    with closing(sqlite3.connect(evidence)) as opened:
        assert opened.execute("SELECT DISTINCT ship_date FROM shipments").fetchall() == [(DAY,)]
        discount = "SELECT DISTINCT sku, adjustment FROM shipment_items WHERE line_item_key = 'discount'"
        # told by its key: the items of a shipment have no adjustment mark in ShipStation's answer
        assert opened.execute(discount).fetchall() == [(None, 0)]


# What the rules make of it


@pytest.fixture(scope="module")
def outcome(database: Path, evidence: Path) -> Result:
    return evaluate(database, evidence=evidence, controls=SEEDS / "controls")


def units_by_outcome(outcome: Result, ship_date: str) -> Counter[tuple[str, str | None]]:
    """The units of the legacy rows of a day by disposition and new ship date."""
    original = {int(row["id"]): row for row in legacy("shipped_items")}
    found: Counter[tuple[str, str | None]] = Counter()
    for row in outcome.rows:
        if original[row.legacy_id]["ship_date"] == ship_date:
            units_shipped = int(original[row.legacy_id]["quantity_shipped"])
            found[row.disposition, row.new_ship_date] += units_shipped
    return found


def test_the_wrong_day_splits_into_33_redated_and_74_taken_out(outcome: Result) -> None:
    found = units_by_outcome(outcome, WRONG_DAY)
    assert found == {("redate", DAY): 33, ("merge", None): 49, ("remove", None): 25}
    assert found["merge", None] + found["remove", None] == 74


def test_every_row_of_the_day_stays(outcome: Result) -> None:
    assert units_by_outcome(outcome, DAY) == {("keep", None): 223}


def test_75_units_are_recovered_and_the_day_has_331(outcome: Result) -> None:
    assert sum(row.quantity for row in outcome.recovered) == 75
    assert {row.ship_date for row in outcome.recovered} == {DAY}
    assert sum(item.quantity for item in outcome.items if item.ship_date == DAY) == 331
    assert not [item for item in outcome.items if item.ship_date == WRONG_DAY]


def test_stock_comes_out_at_610_where_the_legacy_rows_say_638(outcome: Result) -> None:
    shipped = sum(
        item.quantity for item in outcome.items if item.sku_code == "17612" and item.ship_date > BASELINE_DAY
    )
    assert before_shipments("17612") - shipped == 610


def test_stored_stock_is_the_same_by_base_sku_and_by_the_parsed_sku(outcome: Result) -> None:
    parsed = {row.legacy_id: row.sku_code for row in outcome.rows}
    late = [row for row in legacy("shipped_items") if row["ship_date"] > BASELINE_DAY]
    assert [row["base_sku"] for row in late] == [parsed[int(row["id"])] for row in late]


def test_every_quarantined_row_is_decided_and_no_other(
    outcome: Result, database: Path, evidence: Path
) -> None:
    undecided = evaluate(database, evidence=evidence, controls=controls_without_decisions(database.parent))
    quarantined = {row.legacy_id for row in undecided.rows if row.disposition == "quarantine"}
    assert outcome.decision_problems == ()
    assert {int(row["legacy_id"]) for row in rows("controls/quarantine_decisions")} == quarantined
    assert {row.reason for row in outcome.rows if row.disposition == "quarantine"} == {"held"}
    assert {row.reason for row in undecided.rows if row.disposition == "quarantine"} == {
        "unparseable_sku",
        "sku_conflict",
        "unknown_sku",
        "implausible_lot",
        "orphan_order",
        "quantity_conflict",
        "unresolved_suspect",
    }


def controls_without_decisions(folder: Path) -> Path:
    controls = folder / "undecided"
    shutil.copytree(SEEDS / "controls", controls, ignore=shutil.ignore_patterns("quarantine_decisions.csv"))
    return controls


def test_outcomes_of_the_demo(outcome: Result) -> None:
    found = Counter((row.disposition, row.reason) for row in outcome.rows)
    del found["keep", "clean"]
    assert found == {
        ("keep", "late_import"): 2,
        ("keep", "decided"): 1,
        ("redate", "shipstation_other_day"): 9,
        ("redate", "decided"): 1,
        ("merge", "lotless_twin"): 10,
        ("merge", "lot_in_base_sku_twin"): 2,
        ("merge", "respelled_twin"): 2,
        ("merge", "decided"): 1,
        ("remove", "cancelled_never_shipped"): 1,
        ("remove", "historical_resync"): 2,
        ("remove", "decided"): 2,
        ("quarantine", "held"): 5,
    }


def test_the_overwritten_parcel_and_the_added_up_items_are_recovered(outcome: Result) -> None:
    parcels = Counter(
        row["order_number"]
        for row in rows("shipstation/shipstation_shipments")
        if row["voided"] == "0" and row["order_number"]
    )
    twice = [number for number, count in parcels.items() if count == 2]
    found = {row.order_number: (row.sku_code, row.quantity) for row in outcome.recovered}
    assert [found[number] for number in twice] == [("17612", 6)]
    added_up = [row for row in outcome.recovered if (row.sku_code, row.quantity) == ("18675", 6)]
    assert len(added_up) == 1


def test_headers_and_discovered_lots(outcome: Result) -> None:
    changes = Counter(change.change for change in outcome.header_changes)
    assert changes == {"taken_out": 5, "date_corrected": 8, "added": 7}
    assert {(lot.sku_code, lot.lot_number) for lot in outcome.lots if lot.discovered} == {
        ("17612", "240312"),
        ("17904", "250318"),
        ("17914", "250316"),
    }


# Refusals


@pytest.mark.parametrize("name", ["ora.db", "ora.db-wal", "ora.db-shm"])
def test_an_existing_file_is_refused_and_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"mine")
    with pytest.raises(UsageError, match=re.escape(f"{tmp_path / name} exists already")):
        build_demo_database(tmp_path / "ora.db", SEEDS)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"mine")]


def test_a_bad_value_names_file_and_line_and_leaves_nothing(tmp_path: Path, seeds: Path) -> None:
    file = seeds / "legacy" / "legacy_shipped_items.csv"
    damage(file, "17612,15,", "17612,0,")
    with pytest.raises(UsageError, match=r"legacy_shipped_items\.csv, line 2: CHECK constraint failed"):
        build_demo_database(tmp_path / "ora.db", seeds)
    damage(file, "17612,0,", "17612,many,")
    with pytest.raises(UsageError, match=r"legacy_shipped_items\.csv, line 2: cannot store TEXT value"):
        build_demo_database(tmp_path / "ora.db", seeds)
    assert list(tmp_path.iterdir()) == [seeds]


def test_a_row_of_another_width_names_file_and_line(tmp_path: Path, seeds: Path) -> None:
    damage(seeds / "legacy" / "legacy_sku_lot.csv", "17612,250300,1,", "17612,250300,1,,")
    with pytest.raises(UsageError, match=r"legacy_sku_lot\.csv, line 3: 7 fields where the header has 6"):
        build_demo_database(tmp_path / "ora.db", seeds)


def test_an_unknown_column_is_named(tmp_path: Path, seeds: Path) -> None:
    damage(seeds / "legacy" / "legacy_sku_lot.csv", "active", "activ")
    with pytest.raises(UsageError, match="table sku_lot has no column activ"):
        build_demo_database(tmp_path / "ora.db", seeds)


def test_a_missing_or_misnamed_file_is_named(tmp_path: Path, seeds: Path) -> None:
    file = seeds / "legacy" / "legacy_sku_lot.csv"
    file.rename(file.with_name("legacy_skulot.csv"))
    with pytest.raises(UsageError, match=r"legacy_skulot\.csv belongs to no legacy table"):
        build_demo_database(tmp_path / "ora.db", seeds)
    file.with_name("legacy_skulot.csv").unlink()
    with pytest.raises(UsageError, match=r"no file .*legacy_sku_lot\.csv"):
        build_demo_database(tmp_path / "ora.db", seeds)
    with pytest.raises(UsageError, match="no folder"):
        build_demo_database(tmp_path / "ora.db", tmp_path / "nowhere")


def test_text_that_is_not_utf8_is_refused(tmp_path: Path, seeds: Path) -> None:
    (seeds / "legacy" / "legacy_sku_lot.csv").write_bytes(b"id,sku\n1,\xff\n")
    with pytest.raises(UsageError, match=r"legacy_sku_lot\.csv is no CSV file in UTF-8"):
        build_demo_database(tmp_path / "ora.db", seeds)


def test_an_empty_file_is_refused(tmp_path: Path, seeds: Path) -> None:
    (seeds / "legacy" / "legacy_sku_lot.csv").write_bytes(b"")
    with pytest.raises(UsageError, match=r"legacy_sku_lot\.csv is empty"):
        build_demo_database(tmp_path / "ora.db", seeds)


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match="cannot be written: No such file or directory"):
        build_demo_database(tmp_path / "nowhere" / "ora.db", SEEDS)


def test_every_value_of_the_seeds_arrives_in_the_evidence(evidence: Path) -> None:
    with closing(sqlite3.connect(evidence)) as opened:
        opened.row_factory = sqlite3.Row
        found = {
            table: [dict(row) for row in opened.execute(f"SELECT * FROM {table} ORDER BY 1, 2")]
            for table in ("shipments", "shipment_items")
        }
    assert {row.pop("units_from") for row in found["shipments"]} == {"label"}
    for row in found["shipments"]:
        for column in ("create_date", "void_date"):
            row[column] = row[column] and f"{row[column]}0"  # seven digits, as ShipStation writes them
    for table in ("shipments", "shipment_items"):
        served = [
            {column: value or None for column, value in row.items() if column != "adjustment"}
            for row in rows(f"shipstation/shipstation_{table}")
        ]
        stored = [
            {
                column: None if value is None else str(value)
                for column, value in row.items()
                if column != "adjustment"
            }
            for row in found[table]
        ]
        assert stored == served


def test_bad_seeds_recover_nothing(tmp_path: Path, seeds: Path, database: Path) -> None:
    work = WorkDir(tmp_path)
    damage(seeds / "shipstation" / "shipstation_shipment_items.csv", ",2,0\n", ",two,0\n")
    with pytest.raises(UsageError, match=r"shipstation_shipment_items\.csv, line 2"):
        recovered(database, work, seeds / "shipstation")
    assert ensure_evidence(work.shipstation, database).shipments == 0
