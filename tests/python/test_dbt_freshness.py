"""`dbt source freshness` on SQLite: when was something written last, whatever the texts look like."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from plain_dbt import Said, copy_project, dbt

DAY = 86_400
LIMIT = 5 * DAY  # the variable stale_after_days

# Each text with what it is in UTC; None for what is no time.
TEXTS: tuple[tuple[str | int | float | None, str | None], ...] = (
    ("2025-10-06 14:03:09", "2025-10-06 14:03:09"),
    ("2025-10-06T14:03:09", "2025-10-06 14:03:09"),
    ("2025-10-06T14:03:09Z", "2025-10-06 14:03:09"),
    ("2025-10-06 14:03:09.123456", "2025-10-06 14:03:09"),
    ("2025-10-06 14:03:09.123456+00", "2025-10-06 14:03:09"),
    ("2025-10-06 14:03:09+00", "2025-10-06 14:03:09"),
    ("2025-10-06 14:03:09+00:00", "2025-10-06 14:03:09"),
    ("2025-10-06 23:30:00-07", "2025-10-07 06:30:00"),
    ("2025-10-06T23:30:00.5-0730", "2025-10-07 07:00:00"),
    ("2025-10-06 01:00:00+02:00", "2025-10-05 23:00:00"),
    (" 2025-10-06 14:03:09\t", "2025-10-06 14:03:09"),
    ("2025-10-06", "2025-10-06 00:00:00"),
    ("2024-02-29 00:00:00", "2024-02-29 00:00:00"),
    ("2025-02-29 00:00:00", None),
    ("2025-02-30", None),
    ("2025-10-06 25:00:00", None),
    ("2025-10-06 24:00:00", None),
    ("2025-10-06T24:00:00Z", None),
    ("2025-10-06 24:00:00.000000+00", None),
    ("2025-10-06 24:00:00-07:00", None),
    ("2025-10-06 23:59:59.999999", "2025-10-06 23:59:59"),
    ("2025-10-06 23:59:59.999999+00", "2025-10-06 23:59:59"),
    ("2025-10-06 23:59:59.999999-07:00", "2025-10-07 06:59:59"),
    ("2025-10-06 23:59:59.9999999999 Z", "2025-10-06 23:59:59"),
    ("2025-10-06 14:03:09.", None),
    ("2025-10-06 14:03:09.+00", None),
    ("2025-10-06 14:03:09.5.5", None),
    ("2025-10-06 14:03:0955", None),
    ("2025-10-06T14:03:09z", None),
    ("2025-10-06 14:03", None),
    ("2025-10-06 14:03:09 maybe", None),
    ("2025-10-06 14:03:09+99", None),
    ("now", None),
    ("12:30:00", None),
    ("2460000.5", None),
    (2460000.5, None),
    (1759759389, None),
    ("nan", None),
    ("None", None),
    ("", None),
    (None, None),
)


@dataclass(frozen=True)
class Asked:
    """What dbt said, and what it wrote about each table."""

    said: Said
    tables: dict[str, dict[str, Any]]

    def last(self, table: str) -> datetime:
        return datetime.fromisoformat(self.tables[table]["max_loaded_at"])

    def age(self, table: str) -> float:
        """In seconds, as dbt took it."""
        return float(self.tables[table]["max_loaded_at_time_ago_in_s"])

    def status(self, table: str) -> str:
        return str(self.tables[table]["status"])


@pytest.fixture(scope="module")
def project(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project on a snapshot that a test may change."""
    folder = copy_project(tmp_path_factory.mktemp("freshness") / "project")
    (folder / "target").mkdir()
    for name in ("legacy.sqlite", "shipstation.sqlite"):
        shutil.copyfile(demo_build / name, folder / "target" / name)
    return folder


def ask(project: Path, *statements: tuple[str, tuple[Any, ...]]) -> Asked:
    """`dbt source freshness` after some changes of the snapshot, which are taken back."""
    snapshot = project / "target" / "legacy.sqlite"
    kept = snapshot.with_suffix(".kept")
    shutil.copyfile(snapshot, kept)
    with closing(sqlite3.connect(snapshot)) as connection:
        for statement, values in statements:
            connection.execute(statement, values)
        connection.commit()
    said = dbt(project, "source", "freshness")
    kept.replace(snapshot)
    content = json.loads((project / "target" / "sources.json").read_text(encoding="utf-8"))
    return Asked(said, {result["unique_id"].rsplit(".", 1)[1]: result for result in content["results"]})


def everywhere(table: str, column: str, text: str) -> tuple[str, tuple[Any, ...]]:
    return f"update {table} set {column} = ?", (text,)


def somewhere(table: str, column: str, *texts: str) -> list[tuple[str, tuple[Any, ...]]]:
    """Each text in a row of its own."""
    return [
        (f"update {table} set {column} = ? where id = (select id from {table} limit 1 offset ?)", (text, row))
        for row, text in enumerate(texts)
    ]


def test_fresh_stale_and_empty(project: Path) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    written = before - timedelta(days=5) + timedelta(minutes=30)
    found = ask(
        project,
        everywhere("shipped_items", "created_at", f"{written:%Y-%m-%d %H:%M:%S.%f}+00"),
        everywhere("shipped_orders", "created_at", "2025-10-06 14:03:09"),
        ("delete from orders_inbox", ()),
    )
    after = datetime.now(UTC)
    assert found.said.code == 0, found.said.out  # stale is a warning, and a warning is no failure
    assert found.last("shipped_items") == written
    assert LIMIT - 1800 <= found.age("shipped_items") <= (after - written).total_seconds() < LIMIT
    assert found.status("shipped_items") == "pass"
    last = datetime(2025, 10, 6, 14, 3, 9, tzinfo=UTC)
    assert found.last("shipped_orders") == last
    assert (before - last).total_seconds() <= found.age("shipped_orders") <= (after - last).total_seconds()
    assert found.status("shipped_orders") == "warn"
    # dbt's word for "never"
    assert found.last("orders_inbox").year == 1
    assert found.status("orders_inbox") == "warn"


def test_what_is_no_time_is_never_the_newest(project: Path) -> None:
    soon = datetime.now(UTC) + timedelta(hours=14)
    far = datetime.now(UTC) + timedelta(hours=25)
    found = ask(
        project,
        everywhere("shipped_items", "created_at", "2025-10-07 01:00:00"),
        *somewhere(
            "shipped_items",
            "created_at",
            *(
                "nan",
                "zzz",
                "",
                "now",
                "2026-02-30 10:00:00",
                "9999-12-31 23:59:59",
                f"{far:%Y-%m-%d %H:%M:%S}",
            ),
            "2025-10-06 23:30:00-07",  # half past six of the next day, UTC: the newest
        ),
        everywhere("shipped_orders", "created_at", "never"),
        everywhere("orders_inbox", "order_date", f"{soon:%Y-%m-%d %H:%M:%S}"),
    )
    assert found.said.code == 0, found.said.out
    assert found.last("shipped_items") == datetime(2025, 10, 7, 6, 30, tzinfo=UTC)
    assert found.last("shipped_orders").year == 1
    assert found.status("shipped_orders") == "warn"
    # a local time without a zone may look like the future
    assert found.last("orders_inbox") == soon.replace(microsecond=0)
    assert found.status("orders_inbox") == "pass"


def test_times_in_every_spelling(project: Path) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        literals = [connection.execute("select quote(?)", (text,)).fetchone()[0] for text, _ in TEXTS]
    values = ", ".join(f"({place}, {literal})" for place, literal in enumerate(literals))
    query = f"select column1 as place, {{{{ utc_time('column2') }}}} as at from (values {values}) order by 1"
    shown = dbt(project, "--quiet", "show", "--inline", query, "--limit", "100", "--output", "json")
    assert shown.code == 0, shown.out
    rows = json.loads(shown.out[shown.out.index("{") :])["show"]
    assert [(TEXTS[int(row["place"])][0], row["at"]) for row in rows] == list(TEXTS)


def test_the_demo_is_stale_and_a_build_does_not_mind(demo_build: Path) -> None:
    """The seeds are of 2025. Freshness is a command of its own: no build asks for it."""
    results = json.loads((demo_build / "dbt" / "run_results.json").read_text(encoding="utf-8"))["results"]
    assert results
    assert not any(result["unique_id"].startswith("source.") for result in results)
