"""What is written into the review: every changed row, the figures, nothing private, whole or not at all."""

from __future__ import annotations

import html
import json
import os
import re
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiled_models import CompiledModels
from conftest import drop_privileges
from lotgate.errors import EnvironmentFailed
from lotgate.figures import DayUnits, read_figures
from lotgate.generator import generate
from lotgate.legacy_schema import Shape, create_legacy_database
from lotgate.live import counter as change_counter
from lotgate.review import write_review
from lotgate.review.changed_rows import read_changed_rows
from lotgate.review.charts import draw_units
from lotgate.review.columnar import MAX_TEXT, Column, Table, in_script, shown
from lotgate.review.daily_units import BARS, Units, by_period, days_around_changes
from lotgate.review.pages import PAGES
from lotgate.review.texts import moment, number, signed, visible
from lotgate.review.views import split_days
from lotgate.table_hashes import TableHash
from lotgate.verdict import Check, Verdict
from lotgate.workdir import WorkDir

Record = dict[str, Any]

DATA = re.compile(r'<script type="application/json" id="table-data">(.*?)</script>', re.DOTALL)
COMPARED = (
    "legacy_id", "order_number", "new_order_number", "ship_date", "base_sku", "sku_lot", "new_ship_date",
    "sku_code", "lot_number", "shipstation_sku_raw", "units", "disposition", "reason", "merged_into_id",
)  # fmt: skip
GOOD = Check("skus.sku_code_unique", "skus", "Every SKU stands there once.", "critical", "passed")
NOTICED = Check(
    "lots.lots_are_discovered", "lots", "No lot is known to shipments only.", "warning", "failed", "3 lots", 3
)
BROKEN = Check(
    "shipped_items.no_unit_moved",
    "shipped_items",
    "No unit is on another day than the ledger says.",
    "critical",
    "failed",
    "1 row: 4101 has 2025-09-09, the ledger 2025-09-08",
    1,
)
ERRORED = Check(
    "reconciliation.expected_units",
    "reconciliation",
    "The units of each expected day are those that were counted.",
    "critical",
    "errored",
    "no such table: expected_units",
)
LEFT_OUT = Check("register.lots", "register", "Every check that must run did.", "info", "not_run")


def verdict_of(*checks: Check, counter: int | None = 7001, source: str = "/srv/orders/ora.db") -> Verdict:
    """A verdict made by hand."""
    return Verdict(
        checks=checks,
        audited_at="2025-10-20T09:30:00+00:00",
        source=source,
        snapshot_sha256="5a" * 32,
        evidence_sha256="e1" * 32,
        controls_sha256="c0" * 32,
        project_sha256="b0" * 32,
        register_sha256="4e" * 32,
        candidate_schema_sha256="91" * 32,
        schema_fingerprint="f1" * 32,
        tables=(TableHash("shipped_items", 467, "71" * 32),),
        dbt_invocation_id="dbt-run",
        gx_run_id="gx-run",
        versions={"lotgate": "0.1.0", "dbt-core": "1.11.2"},
        change_counter=None if counter is None else change_counter.Counter(counter, -1234567),
        database_id="d1" * 16,
    )


OPEN = verdict_of(GOOD, NOTICED)
CLOSED = verdict_of(GOOD, NOTICED, BROKEN, ERRORED, LEFT_OUT)


def work_copy(built: Path, to: Path, *statements: str) -> WorkDir:
    """What the review reads of a build, to be changed, with a stand-in for the Data Docs."""
    to.mkdir(mode=0o700, parents=True)
    for name in ("candidate.sqlite", "snapshot.json"):
        shutil.copyfile(built / name, to / name)
    work = WorkDir(to)
    change(work, *statements)
    put_docs(work)
    return work


def change(work: WorkDir, *statements: str) -> None:
    """Changes a candidate behind everybody's back: no constraint is asked."""
    with closing(sqlite3.connect(work.candidate, isolation_level=None)) as connection:
        connection.execute("pragma foreign_keys = off")
        connection.execute("pragma ignore_check_constraints = on")
        for statement in statements:
            connection.execute(statement)


def put_docs(work: WorkDir) -> None:
    for name in ("data_docs", "dbt_docs"):
        (work.review / name).mkdir(parents=True)
        (work.review / name / "index.html").write_text("<!doctype html><title>docs</title>")


@contextmanager
def opened(work: WorkDir) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(work.candidate)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def records(page: Path) -> list[Record]:
    """The rows of a page's table, as its script would read them."""
    found = DATA.search(page.read_text(encoding="utf-8"))
    assert found
    data = json.loads(found[1])
    columns = {
        column["key"]: [column["values"][code] for code in column["codes"]] for column in data["columns"]
    }
    assert {len(values) for values in columns.values()} == {data["rows"]}
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]  # fmt: skip


def expected_records(connection: sqlite3.Connection) -> dict[int, Record]:
    """Which rows must be listed and with which values, worked out apart from the SQL of the pages."""
    skus = {row["sku_id"]: row["sku_code"] for row in connection.execute("select * from skus")}
    lots = {row["lot_id"]: row["lot_number"] for row in connection.execute("select * from lots")}
    items = {
        row["id"]: {
            "order": row["order_number"],
            "new_ship_date": row["ship_date"],
            "sku_code": skus[row["sku_id"]],
            "lot_number": lots.get(row["lot_id"]),
            "shipstation_sku_raw": row["shipstation_sku_raw"],
            "quantity": row["quantity_shipped"],
        }
        for row in connection.execute("select * from shipped_items")
    }
    expected: dict[int, Record] = {}
    for row in connection.execute("select * from audit_row_ledger"):
        item = items.get(row["legacy_id"])
        plain = (row["disposition"], row["reason"]) == ("keep", "clean")
        if plain and item and not _differs(row, item):
            continue
        order = item["order"] if item and item["order"] != _text(row["order_number"]) else None
        expected[row["legacy_id"]] = {
            **{key: shown(row[key]) for key in COMPARED if key in row.keys()},  # noqa: SIM118
            "new_order_number": order,
            **{
                key: item[key] if item else None
                for key in ("new_ship_date", "sku_code", "lot_number", "shipstation_sku_raw")
            },
        }
    for line in connection.execute("select * from int_recovered_lines"):
        item = items[line["candidate_id"]]
        nothing = dict.fromkeys(COMPARED)
        expected[line["candidate_id"]] = nothing | {
            "legacy_id": line["candidate_id"],
            "order_number": item["order"],
            "new_ship_date": line["ship_date"],
            "sku_code": line["sku_code"],
            "lot_number": line["lot_number"],
            "shipstation_sku_raw": line["shipstation_sku_raw"],
            "units": line["quantity"],
            "disposition": "recovered",
            "reason": "only_in_shipstation",
        }
    return expected


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value is None else str(value)


def _differs(row: sqlite3.Row, item: Record) -> bool:
    texts = [_text(row["sku_lot"]), _text(row["base_sku"])]
    return (
        item["order"] != _text(row["order_number"])
        or item["new_ship_date"] != _text(row["ship_date"])
        or item["shipstation_sku_raw"] not in texts
        or item["lot_number"] != row["lot_number"]
        or item["sku_code"] != row["sku_code"]
        or not any(item["sku_code"] in (text or "") for text in texts)
        or item["quantity"] != row["units"]
    )


def assert_lists_what_changed(work: WorkDir) -> list[Record]:
    found = records(work.review / "rows.html")
    with opened(work) as connection:
        expected = expected_records(connection)
        assert len(found) == len(expected)
        for record in found:
            wanted = expected[record["legacy_id"]]
            assert {key: record[key] for key in COMPARED} == {key: wanted[key] for key in COMPARED}
    return found


@pytest.fixture(scope="module")
def demo(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> WorkDir:
    """The review of the demo; tests only read it."""
    work = work_copy(demo_build, tmp_path_factory.mktemp("review") / "work")
    write_review(work, OPEN, has_dbt_docs=True)
    return work


def candidate_of(
    models: CompiledModels, folder: Path, legacy: Path, evidence: Path | None, controls: Path | None
) -> WorkDir:
    """A candidate made without dbt."""
    folder.mkdir(mode=0o700)
    work = WorkDir(folder)
    with (
        models.run(legacy, evidence, controls) as made,
        closing(sqlite3.connect(work.candidate)) as connection,
    ):
        made.backup(connection)
    put_docs(work)
    return work


def test_every_changed_row_of_the_demo_is_listed(demo: WorkDir) -> None:
    found = assert_lists_what_changed(demo)
    figures = read_figures(demo.candidate)
    listed = Counter((record["disposition"], record["reason"]) for record in found)
    wanted = {(row.disposition, row.reason): row.rows for row in figures.rows}
    assert listed.pop(("keep", "clean")) == 2  # their texts change, nothing else
    wanted.pop(("keep", "clean"))
    assert listed == wanted
    units = Counter[str]()
    for record in found:
        units[record["disposition"]] += record["units"]
    assert (units["redate"], units["recovered"]) == (35, 75)
    assert {record["changes"] for record in found if record["disposition"] == "keep"} == {"text", "nothing"}


@pytest.mark.parametrize("shape", list(Shape))
def test_every_changed_row_of_every_shape_is_listed(
    shape: Shape, compiled_models: CompiledModels, tmp_path: Path
) -> None:
    made = generate(tmp_path / "made", rows=500, seed=11, shape=shape, nasty=0.6)
    work = candidate_of(compiled_models, tmp_path / "work", made.database, made.shipstation, made.controls)
    write_review(work, OPEN, has_dbt_docs=False)
    found = assert_lists_what_changed(work)
    assert {record["disposition"] for record in found} >= {"merge", "quarantine", "remove", "redate"}
    words = {word for record in found for word in record["changes"].split(", ")}
    assert words >= {"leaves", "date", "text", "blanks", "nothing"}
    with opened(work) as connection:
        for page, table, key in (
            ("quarantine.html", "audit_quarantine", "legacy_id"),
            ("headers.html", "audit_order_header_changes", "header_id"),
        ):
            ids = [row[0] for row in connection.execute(f"select {key} from {table}")]
            assert sorted(record[key] for record in records(work.review / page)) == sorted(ids)
        lines = connection.execute(
            "select count(*) from audit_shipstation_lines where outcome is not 'same_day'"
        ).fetchone()[0]
    assert len(records(work.review / "shipstation.html")) == lines if lines else True


@pytest.mark.parametrize("shape", list(Shape))
def test_an_empty_database_without_evidence(
    shape: Shape, compiled_models: CompiledModels, tmp_path: Path
) -> None:
    legacy = tmp_path / "ora.db"
    create_legacy_database(legacy, shape).close()
    work = candidate_of(compiled_models, tmp_path / "work", legacy, None, None)
    write_review(work, OPEN, has_dbt_docs=False)
    assert records(work.review / "rows.html") == []
    text = {name: (work.review / name).read_text(encoding="utf-8") for name, _ in PAGES}
    assert "No row changed, and none is reported." in text["rows.html"]
    assert "There is no evidence from ShipStation" in text["shipstation.html"]
    assert "cannot be read" not in "".join(text.values()).replace("snapshot.json cannot be read", "").replace(
        "The SKU text cannot be read", ""
    ).replace("A row that cannot be read cannot be kept", "")
    assert 'href="dbt_docs/index.html"' not in text["index.html"]


SPOILT = {
    "audit_row_ledger": ("rows.html", "index.html", "decisions.html"),
    "audit_quarantine": ("quarantine.html", "index.html"),
    "audit_order_header_changes": ("headers.html",),
    "audit_lots": ("lots.html",),
    "audit_stock": ("lots.html", "index.html"),
    "audit_daily_units": ("index.html",),
    "audit_decisions": ("decisions.html",),
    "audit_likely_incidents": ("decisions.html",),
    "audit_shipstation_lines": ("shipstation.html", "reconciliation.html"),
    "audit_shipstation_fetches": ("reconciliation.html",),
    "audit_shipstation_days": ("reconciliation.html",),
    "audit_shipstation_differences": ("reconciliation.html",),
    "shipped_items": ("rows.html", "index.html", "lots.html"),
    "report_period": ("weekly.html",),
    "report_skus": ("weekly.html",),
    "report_weekly_shipped": ("weekly.html",),
    "report_lot_balances": ("weekly.html",),
    "report_charge_days": ("weekly.html",),
}


@pytest.mark.parametrize("table", list(SPOILT))
def test_a_candidate_without_a_table_still_gets_its_pages(
    table: str, demo_build: Path, tmp_path: Path
) -> None:
    work = work_copy(demo_build, tmp_path / "work", f"drop table {table}")
    write_review(work, CLOSED, has_dbt_docs=True)
    problem = f"cannot be read from the candidate: no such table: {table}"
    found = {name for name, _ in PAGES if problem in (work.review / name).read_text(encoding="utf-8")}
    assert found == set(SPOILT[table])


@pytest.mark.parametrize("what", ["missing", "no database", "nonsense"])
def test_a_candidate_that_cannot_be_read_at_all(what: str, demo_build: Path, tmp_path: Path) -> None:
    work = work_copy(demo_build, tmp_path / "work")
    if what == "nonsense":
        tables = ("audit_daily_units", "audit_stock", "audit_unit_balance", "audit_shipstation_lines")
        with opened(work) as connection:
            columns = [
                (table, row["name"])
                for table in tables
                for row in connection.execute(f"pragma table_info({table})")
            ]
        change(work, *(f"""update {table} set "{column}" = 'x'""" for table, column in columns))
        change(work, "update audit_row_ledger set disposition = 'vanish', units = 'x', evidence = x'fffe'")
    else:
        work.candidate.unlink()
        if what == "no database":
            work.candidate.write_bytes(b"not a database, though it has the name of one")
    work.snapshot_json.write_text("[]")
    write_review(work, CLOSED, has_dbt_docs=True)
    text = (work.review / "index.html").read_text(encoding="utf-8")
    assert "The gate is closed" in text
    assert "cannot be read from the candidate" in text
    assert "not known: snapshot.json cannot be read" in text


@pytest.mark.parametrize(
    ("spoilt", "word"),
    [
        ("ship_date = '2025-09-09'", "date"),
        ("quantity_shipped = quantity_shipped + 1", "units"),
        ("lot_id = (select lot_id from lots where lot_number = '250300')", "lot"),
        ("lot_id = null", "lot"),
        ("sku_id = (select sku_id from skus where sku_code = '18795')", "SKU"),
        ("order_number = null", "order"),
        ("shipstation_sku_raw = '17612-250237'", "text"),
        (None, "leaves"),
    ],
)
def test_a_row_that_should_be_kept_and_is_not_is_listed(
    spoilt: str | None, word: str, demo_build: Path, tmp_path: Path
) -> None:
    statement = f"update shipped_items set {spoilt}" if spoilt else "delete from shipped_items"
    work = work_copy(demo_build, tmp_path / "work", f"{statement} where id = 4101")
    write_review(work, CLOSED, has_dbt_docs=True)
    found = {record["legacy_id"]: record for record in assert_lists_what_changed(work)}
    assert len(found) == 56
    assert (found[4101]["disposition"], found[4101]["changes"]) == ("keep", word)


def test_text_that_is_not_utf8_is_shown_with_replacement_characters(demo_build: Path, tmp_path: Path) -> None:
    work = work_copy(
        demo_build,
        tmp_path / "work",
        "update audit_row_ledger set evidence = cast(x'61ff62' as text) where legacy_id = 4404",
        "update audit_row_ledger set base_sku = x'00ff' where legacy_id = 4405",
    )
    write_review(work, CLOSED, has_dbt_docs=True)
    found = {record["legacy_id"]: record for record in records(work.review / "rows.html")}
    assert found[4404]["evidence"] == "a\ufffdb"
    assert found[4405]["base_sku"] == "x'00ff'"


def test_the_same_audit_gives_the_same_bytes(demo: WorkDir, demo_build: Path, tmp_path: Path) -> None:
    work = work_copy(demo_build, tmp_path / "elsewhere")
    write_review(work, OPEN, has_dbt_docs=True)
    for name, _ in PAGES:
        here = (work.review / name).read_text().replace(str(work.path), "WORK")  # in commands to copy
        assert here == (demo.review / name).read_text().replace(str(demo.path), "WORK")


def test_pages_replace_those_of_the_audit_before(demo_build: Path, tmp_path: Path) -> None:
    work = work_copy(demo_build, tmp_path / "work")
    first = write_review(work, OPEN, has_dbt_docs=True)
    (work.review / "of-yesterday.html").write_text("old")
    (work.review / "data_docs" / "index.html").write_text("new Data Docs")
    leftovers = [work.path / name for name in (".review.new", ".review.old")]
    for leftover in leftovers:  # of a run that was killed
        (leftover / "data_docs").mkdir(parents=True)
        (leftover / "data_docs" / "index.html").write_text("of the day before yesterday")
    old = os.umask(0)
    try:
        assert write_review(work, CLOSED, has_dbt_docs=True) == first == work.review / "index.html"
    finally:
        os.umask(old)
    assert sorted(path.name for path in work.review.iterdir()) == sorted(
        [*(name for name, _ in PAGES), "data_docs", "dbt_docs"]
    )
    assert (work.review / "data_docs" / "index.html").read_text() == "new Data Docs"
    assert [path for path in leftovers if path.exists()] == []
    assert stat.S_IMODE(work.review.stat().st_mode) == 0o700
    for name, _ in PAGES:
        assert stat.S_IMODE((work.review / name).stat().st_mode) == 0o600
        assert "Gate closed" in (work.review / name).read_text(encoding="utf-8")


def test_no_room_leaves_the_pages_of_before(demo_build: Path, tmp_path: Path) -> None:
    work = work_copy(demo_build, tmp_path / "work")
    write_review(work, OPEN, has_dbt_docs=True)
    before = {path: path.read_bytes() for path in work.review.rglob("*.html")}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, limits[1]))
    try:
        with pytest.raises(EnvironmentFailed, match="cannot be written: File too large") as raised:
            write_review(work, CLOSED, has_dbt_docs=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert raised.value.hint
    assert {path: path.read_bytes() for path in work.review.rglob("*.html")} == before
    assert not (work.path / ".review.new").exists()


def test_no_permission_is_said(demo: WorkDir, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    shutil.copyfile(demo.candidate, work / "candidate.sqlite")
    work.chmod(0o500)
    script = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_review_data import OPEN, EnvironmentFailed, WorkDir, write_review
try:
    write_review(WorkDir(Path(sys.argv[1])), OPEN, has_dbt_docs=False)
except EnvironmentFailed as error:
    print(error, error.hint)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(work), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=drop_privileges,
    )
    work.chmod(0o700)
    assert "cannot be written: Permission denied. Free space there or make it writable" in done.stdout, done


def test_nothing_private_gets_into_the_pages(demo_build: Path, tmp_path: Path) -> None:
    work = work_copy(
        demo_build,
        tmp_path / "work",
        "update shipped_orders set customer_email = 'secret-mail@example.invalid'",
        "update quarantine_decisions set decided_by = 'secret-person', reason = 'secret-reason'",
        "update incidents set note = 'secret-note'",
        "update expected_units set source = 'secret-source'",
        "update sku_variants set note = 'secret-note'",
        "update shipped_items set tracking_number = 'secret-tracking'",
    )
    write_review(work, CLOSED, has_dbt_docs=True)
    for name, _ in PAGES:
        assert "secret-" not in (work.review / name).read_text(encoding="utf-8")


def test_rows_that_do_not_fit_on_the_page_are_counted(
    demo_build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotgate.review.changed_rows.Table", partial(Table, limit=20))
    work = work_copy(demo_build, tmp_path / "work")
    write_review(work, OPEN, has_dbt_docs=True)
    text = (work.review / "rows.html").read_text(encoding="utf-8")
    assert "The table lists the first 20 of 55 rows. The other 35 are in" in text
    assert len(records(work.review / "rows.html")) == 20
    with opened(work) as connection:
        assert read_changed_rows(connection).listed.total() == 55


def test_a_million_rows_stay_small_in_memory() -> None:
    table = Table((Column("id", "Id", "number"), Column("text", "Text")))
    for number_ in range(100_000):
        table.add((number_, f"text {number_ % 7}"))
    text = "".join(table.json())
    assert len(text) < 2_000_000  # each distinct text once
    assert len(table.first(100)) == 100


@given(st.recursive(st.none() | st.integers() | st.text(), lambda part: st.lists(part, max_size=4)))
def test_json_in_a_script_element_is_what_it_was(value: Any) -> None:
    text = str(in_script(value))
    assert json.loads(text) == value
    assert not set(text) & set("<>&")
    assert text.isascii()


@given(st.lists(st.tuples(st.none() | st.integers() | st.text() | st.floats() | st.binary(), st.text())))
def test_a_table_gives_back_what_was_added(rows: list[tuple[Any, str]]) -> None:
    table = Table((Column("one", "One"), Column("two", "Two")))
    for row in rows:
        table.add(row)
    assert [tuple(row) for row in table.first(len(rows))] == [(shown(one), shown(two)) for one, two in rows]
    assert (len(table), table.total, table.left_out) == (len(rows), len(rows), 0)


def test_values_of_sqlite_as_cells() -> None:
    assert [shown(value) for value in (None, 1, 1.0, "1", b"\x00\xff")] == [None, 1, "1.0", "1", "x'00ff'"]
    assert shown(2**53) == "9007199254740992"  # JavaScript would round it
    long = shown("x" * 12_345)
    assert long == f"{'x' * MAX_TEXT} … (12,345 characters)"


def test_equal_numbers_that_are_stored_differently_stay_apart() -> None:
    table = Table((Column("one", "One"),))
    for value in (1, 1.0, "1", 1, 1.0):
        table.add((value,))
    assert table.first(5) == [[1], ["1.0"], ["1"], [1], ["1.0"]]


def test_what_cannot_be_seen_is_written_out() -> None:
    assert visible(" 17612\u00a0-\t250300 ") == "␣17612⟨U+00A0⟩-⟨U+0009⟩250300␣"
    assert visible("a\u202eb\ud800\x00") == "a⟨U+202E⟩b⟨U+D800⟩⟨U+0000⟩"
    assert [number(-1234), number(None), signed(108), signed(-107), signed(0)] == [
        "−1,234",
        "",
        "+108",
        "−107",
        "0",
    ]
    assert moment("2025-10-20T11:30:00+02:00") == "2025-10-20 09:30:00 UTC"
    assert moment("yesterday") == "yesterday"


def days(*changes: tuple[int, int], first: str = "2024-01-01", count: int = 400) -> list[Units]:
    """Ordinary days of 10 units, some of them with so many more afterwards."""
    start = date.fromisoformat(first)
    changed = dict(changes)
    return [
        Units((start + timedelta(days=place)).isoformat(), 10, 10 + changed.get(place, 0), None)
        for place in range(count)
    ]


def test_a_chart_shows_the_days_that_change_most_with_their_neighbours() -> None:
    few = days(count=BARS)
    assert days_around_changes(few) == few
    many = days((100, -10), (399, 300), (250, 5))
    around = days_around_changes(many)
    assert len(around) <= BARS
    assert [row.label for row in around] == sorted(row.label for row in around)
    for place in (100, 250, 399):
        assert set(many[place - 2 : place + 3]) <= set(around)


@pytest.mark.parametrize(
    ("count", "period", "first"),
    [(100, "week", "2024-01-01"), (800, "month", "2024-01-01"), (9_000, "year", "2000-01-01")],
)
def test_the_whole_time_fits_into_a_chart(count: int, period: str, first: str) -> None:
    many = days((3, 100), first=first, count=count)
    name, whole = by_period(many)
    assert (name, whole[0].label) == (period, first[: {"week": 10, "month": 7, "year": 4}[period]])
    assert len(whole) <= BARS
    assert sum(row.before for row in whole) == 10 * count
    assert sum(row.after for row in whole) == 10 * count + 100


def test_a_period_is_known_to_shipstation_when_all_its_days_are() -> None:
    week = [Units("2025-10-06", 1, 2, 3), Units("2025-10-07", 1, 2, None), Units("2025-10-13", 1, 2, 4)]
    assert [row.shipstation for row in by_period(week)[1]] == [None, 4]


def test_years_of_a_strange_database_still_give_a_chart() -> None:
    strange = [Units(f"{year:04}-02-03", 1, 1, None) for year in range(1, 9999, 13)]
    name, whole = by_period(strange)
    assert (name, len(whole)) == ("decade", BARS)
    assert "<svg" in draw_units(whole, "decades", period=name)


def test_a_chart_has_a_bar_for_each_figure_and_no_text_of_its_own() -> None:
    units = [Units("2025-10-06", 223, 331, 331), Units("2025-10-07", 56, 56, None)]
    svg = str(draw_units(units, '"><script>'))
    assert svg.count("var(--before)") == svg.count("var(--after)") == 2
    assert svg.count("var(--shipstation)") == 1
    assert "+108" in svg
    assert "<script" not in svg
    assert 'aria-label="&#34;&gt;&lt;script&gt;"' in svg
    assert "style=" not in svg  # the page's policy allows none


def test_many_days_that_matter_are_split() -> None:
    def day(place: int, after: int, expected: int | None = None) -> DayUnits:
        return DayUnits(f"2025-01-{place:02}", 10, 0, 0, 0, 0, 0, 0, after, None, expected)

    many = [day(place, 10 + place) for place in range(1, 30)] + [day(30, 10, expected=10)]
    shown_days, others = split_days(many)
    assert (len(shown_days), len(others)) == (24, 6)
    assert shown_days[-1].expected == 10
    assert {row.ship_date for row in others} == {f"2025-01-{place:02}" for place in range(1, 7)}
    assert [row.ship_date for row in shown_days] == sorted(row.ship_date for row in shown_days)
    assert split_days([]) == []


def test_the_index_has_the_hashes_and_the_versions(demo: WorkDir) -> None:
    text = html.unescape((demo.review / "index.html").read_text(encoding="utf-8"))
    taken = json.loads(demo.snapshot_json.read_text())["taken_at"]
    for part in ("5a" * 32, "5a5a5a5a5a5a…", "71" * 32, "dbt-core 1.11.2", "dbt-run", moment(taken)):
        assert part in text
    assert "<dt>Change-counter</dt><dd>7,001</dd>" in text
