"""Work on a swapped database, its rollback, and what the legacy tables must say then."""

from __future__ import annotations

import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import Outcome
from lotgate.config import SwapSettings
from lotgate.console import SilentReporter
from lotgate.live.rollback import RollbackResult, rollback
from lotgate.live.status import Status, find_status
from lotgate.live.swap import swap
from lotgate.workdir import WorkDir
from swap_cases import SwapCase, copy_case, picture, query

Cli = Callable[..., Outcome]


Row = dict[str, Any]


Rows = dict[int, Row]


Key = tuple[Any, Any, Any]


ITEMS = "select * from {} order by id"


DAY, OTHER_DAY = "2025-10-08", "2025-10-09"


LATER = "2025-10-14"
"""After the day of the demo's stock count."""


def swap_settings(folder: Path) -> SwapSettings:
    return SwapSettings(backup_folders=(folder / "backups-1", folder / "backups-2"))


def swap_case(case: SwapCase) -> None:
    swap(
        case.database,
        WorkDir(case.work_dir.resolve()),
        swap_settings(case.folder),
        controls=case.controls,
        lock_timeout=5,
        reporter=SilentReporter(),
    )


@pytest.fixture(scope="session")
def swapped_demo(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's live database after its swap; nothing has it open, and tests copy it."""
    case = copy_case(demo_build, tmp_path_factory.mktemp("swapped") / "case")
    swap_case(case)
    return case.database


@dataclass
class Work:
    """A swapped database with a writer's connection."""

    database: Path
    connection: sqlite3.Connection
    before: Rows
    legacy: Rows

    def __call__(self, sql: str, *values: object) -> int:
        """Runs a statement of the writer's; returns the last id."""
        return self.connection.execute(sql, values).lastrowid or 0

    def one(self, sql: str, *values: object) -> Any:
        return self.connection.execute(sql, values).fetchone()[0]

    def back(self, *, with_pictures: bool = True) -> Back:
        """Asks for the status, rolls back, and checks what must hold whatever was written."""
        after, headers = new_items(self.connection), numbers(self.connection, "shipped_orders")
        orphans = orphaned(self.connection, "legacy_")
        self.connection.close()
        folder = self.database.parent
        calm = swap_settings(folder)
        shown = picture(self.database) if with_pictures else None
        status = find_status(
            self.database,
            WorkDir(folder / "work"),
            calm,
            lock_timeout=5,
            reporter=SilentReporter(),
        )
        assert not with_pictures or picture(self.database) == shown
        result = rollback(self.database, calm, lock_timeout=5, reporter=SilentReporter())
        assert status.not_carried == result.not_carried
        assert status.is_lossless == (not result.not_carried)
        assert status.kept_details == result.kept_details
        notes = [
            dict(zip(("table", "id", "reason", "before", "after"), row, strict=True))
            for row in query(
                self.database,
                "select table_name, row_id, reason, before_row, after_row from"
                " lotgate_not_carried_over order by id",
            )
        ]
        assert len(notes) == len(result.not_carried) + result.kept_details
        assert {f"{n['table']} {n['id']}: {n['reason']}" for n in notes} >= set(result.not_carried)
        with closing(sqlite3.connect(self.database)) as connection:
            found = read(connection, ITEMS.format("shipped_items"))
            assert orphaned(connection) <= orphans
            assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
            there = numbers(connection, "shipped_orders")
        assert_carried(self.legacy, self.before, after, found, notes, result)
        used = {
            row["order_number"]
            for key, row in after.items()
            if key not in self.before or any(row[n] != v for n, v in self.before[key].items())
        }
        assert {number for number in used if number in headers} <= there
        return Back(self.database, result, status, notes, found)


@dataclass(frozen=True)
class Back:
    database: Path
    result: RollbackResult
    status: Status
    notes: list[Row]
    found: Rows

    def reasons(self, table: str, row_id: int) -> str:
        return "; ".join(n["reason"] for n in self.notes if (n["table"], n["id"]) == (table, row_id))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return query(self.database, sql)


def read(connection: sqlite3.Connection, sql: str) -> Rows:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description]
    return {row[names.index("id")]: dict(zip(names, row, strict=True)) for row in cursor}


def new_items(connection: sqlite3.Connection) -> Rows:
    """The new rows as the legacy table would have them; SKU and lot from the masters, by Python."""
    skus = dict(connection.execute("select sku_id, sku_code from skus").fetchall())
    lots = dict(connection.execute("select lot_id, lot_number from lots").fetchall())
    rows = read(connection, ITEMS.format("shipped_items"))
    for row in rows.values():
        code, lot = skus.get(row.pop("sku_id"), ""), lots.get(row.pop("lot_id"))
        row["base_sku"], row["sku_lot"] = code, "" if lot is None else f"{code} - {lot}"
    return rows


def numbers(connection: sqlite3.Connection, table: str) -> set[Any]:
    return {number for (number,) in connection.execute(f"select order_number from {table}")}


def orphaned(connection: sqlite3.Connection, prefix: str = "") -> set[Any]:
    return {
        number
        for (number,) in connection.execute(
            f"select order_number from {prefix}shipped_items where order_number is not null"
            f" and order_number not in (select order_number from {prefix}shipped_orders)"
        )
    }


def without_order(rows: Iterable[tuple[int, Row]]) -> list[str]:
    """They have no key; an id that is taken in the legacy table is not theirs there."""
    return sorted(repr(sorted((row | {"id": 0}).items())) for _, row in rows if row["order_number"] is None)


def key_of(row: Row) -> Key:
    return row["order_number"], row["base_sku"], row["sku_lot"]


def assert_carried(
    legacy: Rows, before: Rows, after: Rows, found: Rows, notes: list[Row], result: RollbackResult
) -> None:
    """Every unit is where it belongs, every row that stands alone is right to the last value, and a note says
    what is otherwise."""
    staying, coming = dict(legacy), []
    for row_id in before.keys() | after.keys():
        was, now = before.get(row_id), after.get(row_id)
        if was is not None and now is not None:  # a column that was added since has no place in a legacy row
            now = {name: now[name] for name in was}
        if was == now:
            continue
        if now is None:
            staying.pop(row_id, None)
            continue
        if was is None or row_id not in legacy:
            coming.append((row_id, {name: now.get(name) for name in next(iter(legacy.values()))}))
            continue
        changed = {n: v for n, v in now.items() if n in legacy[row_id] and repr(v) != repr(was.get(n))}
        row = legacy[row_id] | changed
        if key_of(row) == key_of(legacy[row_id]):
            staying[row_id] = row
        else:
            staying.pop(row_id)
            coming.append((row_id, row))
    assert without_order(found.items()) == without_order([*staying.items(), *coming])
    lines: dict[object, list[tuple[int, Row]]] = defaultdict(list)
    sitting = {key_of(row) for row in staying.values()}
    for row_id, row in [*staying.items(), *coming]:
        if row["order_number"] is not None:
            lines[key_of(row)].append((row_id, row))
    actual: dict[object, list[tuple[int, Row]]] = defaultdict(list)
    for row_id, row in found.items():
        if row["order_number"] is not None:
            actual[key_of(row)].append((row_id, row))

    assert actual.keys() == lines.keys()
    for key, line in lines.items():
        ((actual_id, row),) = actual[key]
        assert row["quantity_shipped"] == sum(each["quantity_shipped"] for _, each in line), key
        if len(line) == 1:
            ((row_id, expected),) = line
            if actual_id == row_id:
                assert row == expected
            else:  # the migration had merged a row of this id away; it is there again
                assert row_id in legacy
                assert row | {"id": None} == expected | {"id": None}
                assert any(n["table"] == "shipped_items" and n["id"] == row_id for n in notes)
            continue
        place = line[0][1] if key in sitting else row
        assert row["ship_date"] == place["ship_date"]
        assert row["ship_date"] in {each["ship_date"] for _, each in line}
        for row_id, each in line:
            if row_id == actual_id:
                continue
            said = [n["reason"] for n in notes if n["table"] == "shipped_items" and n["id"] == row_id]
            if any(f"it has the id {actual_id} now" in reason for reason in said):
                continue  # it is the one that the others were added to
            assert any(f"units were added to row {actual_id}" in text for text in said), (key, row_id, notes)
            if each["ship_date"] != row["ship_date"]:
                assert any(s.startswith(f"shipped_items {row_id}: ") for s in result.not_carried)


@pytest.fixture
def later(swapped_demo: Path, tmp_path: Path) -> Iterator[Work]:
    with closing(start(swapped_demo, tmp_path)) as connection:
        yield Work(
            Path(connection.execute("pragma database_list").fetchone()[2]),
            connection,
            new_items(connection),
            read(connection, ITEMS.format("legacy_shipped_items")),
        )


def start(swapped: Path, folder: Path) -> sqlite3.Connection:
    folder.mkdir(exist_ok=True)
    database = folder / "ora.db"
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(swapped, database)
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("pragma foreign_keys = on")
    return connection


INSERT = (
    "into shipped_items (ship_date, shipstation_sku_raw, sku_id, lot_id, quantity_shipped, order_number,"
    " shipstation_shipment_id) values (?, ?, ?, ?, ?, ?, ?)"
)


def kept(later: Work, where: str = "1", number: int = 0) -> Row:
    """A row that the migration kept as it was, with a lot, of an order with nothing special."""
    rows = read(
        later.connection,
        "select i.* from shipped_items as i inner join lotgate_row_ledger as g on g.legacy_id = i.id"
        " where g.disposition = 'keep' and i.lot_id is not null and i.order_number is not null and not exists"
        " (select 1 from lotgate_row_ledger as o where o.order_number = i.order_number"
        " and o.disposition <> 'keep')"
        f" and {where} order by i.id",
    )
    return list(rows.values())[number]


def of_disposition(later: Work, disposition: str) -> list[int]:
    return [
        row[0]
        for row in later.connection.execute(
            "select legacy_id from lotgate_row_ledger where disposition = ? order by 1", (disposition,)
        )
    ]


def recovered(later: Work) -> Row:
    return next(
        row
        for key, row in read(later.connection, "select * from shipped_items").items()
        if key not in later.legacy
    )
