"""``lotgate review --export``: undecided rows go to a person, and come back as decisions that fit."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from conftest import Outcome
from test_build import leave_out_unit_tests, rows_of, work_dir_of_the_session

Cli = Callable[..., Outcome]

# order number, header date, rows: (sku_lot, base_sku, quantity, ship_date)
ORDERS = (
    ("600905", "2025-09-15", [("ABC, \"x\"\n", "17612", 1, "2025-09-15")]),
    ("600915", "2025-09-15", [("17612-40", "17612", 2, "2025-09-15")]),
    ("600925", "2025-09-16", [("17612 - 250300", "17612", 3, "2025-09-16"), ("", "17612", 4, "10/06/2025")]),
    (
        "600935",
        "2025-09-17",
        [("17612 - 250300", "17612", 2, "2025-09-17"), ("17612-250300", "17612", 5, "2025-09-17")],
    ),
    ("600945", "2025-10-07", [("", "17612", 1, "2024-04-16")]),
)  # fmt: skip


def add_orders(live: Path) -> None:
    with closing(sqlite3.connect(live)) as connection:
        for order, day, rows in ORDERS:
            connection.execute(
                "insert into shipped_orders (ship_date, order_number) values (?, ?)", (day, order)
            )
            for sku_lot, base_sku, quantity, ship_date in rows:
                connection.execute(
                    "insert into shipped_items (ship_date, sku_lot, base_sku, quantity_shipped, order_number,"
                    " created_at) values (?, ?, ?, ?, ?, '2025-10-08 10:00:00')",
                    (ship_date, sku_lot, base_sku, quantity, order),
                )
        connection.commit()


def read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as content:
        return list(csv.DictReader(content))


def sign(rows: list[dict[str, str]], file: Path) -> None:
    with file.open("w", encoding="utf-8", newline="") as output:
        writer = csv.DictWriter(output, fieldnames=list(rows[0]))
        writer.writeheader()
        for row in rows:
            decision = row["decision"] or "hold"
            writer.writerow(row | {"decision": decision, "decided_by": "ops", "decided_on": "2025-11-01"})


def test_undecided_rows_become_decisions(
    lotgate: Cli,
    live: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leave_out_unit_tests(monkeypatch)
    add_orders(live)
    controls = tmp_path / "controls"
    controls.mkdir()
    (controls / "incidents.csv").write_text(
        "wrong_ship_date,correct_ship_date,created_from,created_to,note\n"
        "2024-04-16,2025-10-06,2025-10-06 15:43:00,2025-10-06 17:45:00,\n"
    )
    work = work_dir_of_the_session(tmp_path_factory)
    build = ("build", "--database", live, "--work-dir", work, "--controls", controls)
    assert lotgate(*build).code == 0
    undecided = rows_of(work / "candidate.sqlite", "select count(*) from audit_quarantine where is_undecided")
    assert undecided == [(6,)]

    file = tmp_path / "to decide.csv"
    outcome = lotgate("review", "--work-dir", work, "--export", file)
    assert (outcome.code, outcome.out) == (0, f"Exported   6 undecided rows to {file}\n")
    assert file.stat().st_mode & 0o777 == 0o600
    rows = read(file)
    assert [(row["order_number"], row["decision"], row["ship_date"]) for row in rows] == [
        ("600905", "", ""),
        ("600915", "", ""),
        ("600925", "redate", "2025-09-16"),
        ("600935", "", ""),
        ("600935", "", ""),
        ("600945", "redate", "2025-10-07"),
    ]
    assert rows[0]["sku_lot"] == 'ABC, "x"\n'
    assert all(row["reason"].startswith("Proposed: ") for row in rows)
    assert {row["decided_by"] + row["decided_on"] for row in rows} == {""}

    # what nobody signed is no decision
    (controls / "quarantine_decisions.csv").write_bytes(file.read_bytes())
    refused = lotgate(*build)
    assert refused.code == 2
    assert "decided_by" in refused.err

    sign(rows, controls / "quarantine_decisions.csv")
    outcome = lotgate(*build)
    assert outcome.code == 0, outcome.err
    found = rows_of(
        work / "candidate.sqlite",
        "select order_number, disposition, reason, new_ship_date from audit_row_ledger"
        " where reason in ('held', 'decided') order by legacy_id",
    )
    assert found == [
        ("600905", "quarantine", "held", None),
        ("600915", "quarantine", "held", None),
        ("600925", "redate", "decided", "2025-09-16"),
        ("600935", "quarantine", "held", None),
        ("600935", "quarantine", "held", None),
        ("600945", "redate", "decided", "2025-10-07"),
    ]


def test_the_file_is_never_written_over(lotgate: Cli, demo_build: Path, tmp_path: Path) -> None:
    file = tmp_path / "decisions.csv"
    file.write_text("mine")
    outcome = lotgate("review", "--work-dir", demo_build, "--export", file)
    assert outcome.code == 2
    assert f"Error: {file} exists; nothing was written." in outcome.err
    assert file.read_text() == "mine"
    outcome = lotgate("review", "--work-dir", demo_build, "--export", tmp_path / "no folder" / "x.csv")
    assert outcome.code == 3
    assert "No such file or directory" in outcome.err


def test_what_there_is_to_review(lotgate: Cli, demo_build: Path, tmp_path: Path) -> None:
    outcome = lotgate("review", "--work-dir", demo_build)
    assert outcome.code == 0
    assert outcome.out.startswith("The gate is open (audited ")
    assert f"Review     {demo_build / 'review' / 'index.html'}" in outcome.out
    found = lotgate("review", "--work-dir", demo_build, "--json").json
    assert found["verdict"]["verdict"] == "open"
    assert found["verdict"]["reasons"] == []
    outcome = lotgate("review", "--work-dir", tmp_path)
    assert outcome.code == 2
    assert "There is no candidate" in outcome.err
