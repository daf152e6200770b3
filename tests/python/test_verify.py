"""``lotgate verify``: each check fails when its thing is broken and holds otherwise; nothing is changed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import Outcome, fingerprint
from later_work import swap_case
from lotgate.controls import load_controls
from lotgate.errors import GateClosed
from lotgate.live.verify import Verification, verify
from swap_cases import SwapCase, copy_case, picture, write

Cli = Callable[..., Outcome]

EARLIEST = "2020-01-01"
SIX = (
    "1 foreign keys and other constraints are enforced",
    "2 no orphans",
    "3 the unique key holds",
    "4 the days' units are present",
    "5 no suspicious dates",
    "6 integrity",
)
TABLES = ("skus", "lots", "shipped_orders", "shipped_items")


@pytest.fixture(scope="session")
def swapped_case(demo_build: Path, tmp_path_factory: pytest.TempPathFactory) -> SwapCase:
    case = copy_case(demo_build, tmp_path_factory.mktemp("verify") / "case")
    swap_case(case)
    return case


@dataclass
class Migrated:
    """A migrated database of a test's own, and ways to break it."""

    database: Path
    controls: Path

    def write(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.database, isolation_level=None)) as connection:
            connection.execute("pragma foreign_keys = off")
            for statement in statements:
                connection.execute(statement)

    def redeclare(self, name: str, old: str, new: str) -> None:
        """Another declaration for what is there, in the way that the documentation warns of."""
        with closing(sqlite3.connect(self.database, isolation_level=None)) as connection:
            connection.execute("pragma writable_schema = on")
            done = connection.execute(
                "update sqlite_schema set sql = replace(sql, ?, ?) where name = ? and instr(sql, ?) > 0",
                (old, new, name, old),
            )
            assert done.rowcount == 1
            version = connection.execute("pragma schema_version").fetchone()[0]
            connection.execute(f"pragma schema_version = {version + 1}")

    def look(self) -> Verification:
        return verify(
            self.database, load_controls(self.controls), earliest_ship_date=EARLIEST, lock_timeout=5
        )

    def failed(self) -> dict[str, str]:
        """What does not hold, by its name; the database is the same afterwards."""
        before = picture(self.database)
        found = self.look()
        assert picture(self.database) == before
        assert found.holds == (not any(f.problem for f in found.findings))
        assert tuple(f.name for f in found.findings[:6]) == SIX
        return {f.name: f.problem for f in found.findings if f.problem}


@pytest.fixture
def migrated(swapped_case: SwapCase, tmp_path: Path) -> Migrated:
    folder = tmp_path / "live"
    folder.mkdir()
    shutil.copyfile(swapped_case.database, folder / "ora.db")  # nobody has it open
    shutil.copytree(swapped_case.controls, tmp_path / "controls")
    return Migrated(folder / "ora.db", tmp_path / "controls")


def test_a_migrated_database_holds(migrated: Migrated) -> None:
    found = migrated.look()
    assert found.holds
    names = [finding.name for finding in found.findings]
    assert names[:6] == list(SIX)
    assert {f"foreign keys of {t}" for t in TABLES} <= set(names)
    assert {f"rows of {t}" for t in TABLES} <= set(names)
    assert {"units of shipped_items", "row ledger"} <= set(names)
    assert len(names) == 6 + 11


def test_nothing_is_changed_to_the_last_byte(migrated: Migrated) -> None:
    migrated.look()
    before = fingerprint(migrated.database.parent)
    migrated.look()
    after = fingerprint(migrated.database.parent)
    assert after["ora.db"] == before["ora.db"]
    assert after.keys() <= before.keys()


# 1


REFERENCES = [
    ("shipped_items", ' references "skus" (sku_id)', "an item of no SKU"),
    ("shipped_items", ' references "lots" (lot_id)', "an item of no lot"),
    ("shipped_items", ' references "shipped_orders" (order_number)', "an item of no order"),
    ("shipped_items", " check (quantity_shipped > 0)", "a quantity of zero"),
    ("lots", ' references "skus" (sku_id) on delete cascade', "a lot of no SKU"),
]


@pytest.mark.parametrize(("table", "rule", "name"), REFERENCES, ids=[name for _, _, name in REFERENCES])
def test_a_constraint_that_is_gone(migrated: Migrated, table: str, rule: str, name: str) -> None:
    migrated.redeclare(table, rule, "")
    assert migrated.failed() == {SIX[0]: f"the database takes {name}"}


def test_a_check_of_days_that_is_gone(migrated: Migrated) -> None:
    with closing(sqlite3.connect(migrated.database)) as connection:
        (sql,) = connection.execute("select sql from sqlite_schema where name = 'shipped_items'").fetchone()
    begin = sql.index(" check (length(ship_date)")
    end = sql.index("shipstation_sku_raw")
    migrated.redeclare("shipped_items", sql[begin : sql.rindex(",", begin, end)], "")
    assert migrated.failed() == {SIX[0]: "the database takes a day that is none"}


def test_an_index_that_is_gone(migrated: Migrated) -> None:
    migrated.write("drop index lotgate_idx__uniq_shipped_items_key")
    assert migrated.failed() == {SIX[0]: "the database takes the same item twice"}


def test_a_unique_key_of_a_master_that_is_gone(migrated: Migrated) -> None:
    migrated.write(
        "pragma foreign_keys = off",
        "pragma legacy_alter_table = on",
        "create table other (sku_id integer not null primary key autoincrement, sku_code text not null,"
        " product_name text not null, reorder_point integer default 50, pallet_count"
        " integer, created_at text) strict",
        "insert into other select * from skus",
        "drop table skus",
        "alter table other rename to skus",
    )
    assert migrated.failed()[SIX[0]].endswith("the database takes the same SKU twice")


def test_a_trigger_that_swallows_rows_is_no_constraint(migrated: Migrated) -> None:
    """An owner may drop rows without a word: nothing is taken then, and verify does not fail on it."""
    migrated.write("create trigger owner before insert on shipped_items begin select raise(ignore); end")
    assert migrated.failed() == {}


# 2


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "update shipped_items set sku_id = 999 where id = (select min(id) from shipped_items)",
            "1 rows of shipped_items",
        ),
        (
            "update shipped_items set order_number = 'x' where id = (select min(id) from shipped_items)",
            "1 rows of shipped_items",
        ),
        ("insert into lots (lot_number, sku_id) values ('z', 999)", "1 rows of lots"),
    ],
)
def test_orphans(migrated: Migrated, statement: str, problem: str) -> None:
    migrated.write(statement)
    failed = migrated.failed()
    assert failed.pop(SIX[1]) == problem
    assert failed == {}  # a writer broke it, who enforces no keys; the audited rows are as they were


def test_an_orphan_that_nobody_wrote(migrated: Migrated) -> None:
    """A row that broke without a note is none of the writers': it counts as a fault of the swap's."""
    migrated.write(
        "drop trigger lotgate_log_shipped_items_update_replace",
        "update shipped_items set sku_id = 999 where id = (select min(id) from shipped_items)",
    )
    failed = migrated.failed()
    assert failed.pop(SIX[1]) == "1 rows of shipped_items"
    assert failed == {
        "foreign keys of shipped_items": "1 rows break one",
        "triggers of lotgate's": "gone or changed: a rollback would lose what they did not note",
    }


# 3


def test_doubles(migrated: Migrated) -> None:
    migrated.write(
        "drop index lotgate_idx__uniq_shipped_items_key",
        "insert into shipped_items (ship_date, shipstation_sku_raw, sku_id, quantity_shipped, order_number)"
        " select ship_date, shipstation_sku_raw, sku_id, 1, order_number from shipped_items"
        " where order_number is not null and shipstation_shipment_id is null limit 1",
    )
    failed = migrated.failed()
    assert failed.pop(SIX[2]) == "1 keys have more than one row"
    assert failed == {SIX[0]: "the database takes the same item twice"}


# 4


def test_units_of_a_day(migrated: Migrated) -> None:
    (migrated.controls / "expected_units.csv").write_text(
        "ship_date,expected_units,source\n2025-10-06,332,count\n2025-10-05,0,count\n"
    )
    assert migrated.failed() == {SIX[3]: "2025-10-06: 331 where 332 are expected"}


def around_the_log(database: Path, statement: str) -> None:
    """A change that the log does not know, as of a program that took the triggers away for a moment."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("begin immediate")
        logs = connection.execute(
            "select name, sql from sqlite_schema where type = 'trigger' and name like 'lotgate_log_%'"
        ).fetchall()
        for name, _ in logs:
            connection.execute(f"drop trigger {name}")
        connection.execute(statement)
        for _, sql in logs:
            connection.execute(sql)
        connection.execute("commit")


ROW = "select min(id) from shipped_items where ship_date = '2025-10-06'"
ONE_MORE = f"update shipped_items set quantity_shipped = quantity_shipped + 1 where id = ({ROW})"


def test_units_that_nobody_wrote(migrated: Migrated) -> None:
    around_the_log(migrated.database, ONE_MORE)
    failed = migrated.failed()
    assert failed.pop(SIX[3]) == "2025-10-06: 332 where 331 are expected"
    (problem,) = failed.values()
    assert failed.keys() == {"units of shipped_items"}
    assert "were audited" in problem


def test_units_that_a_writer_added_are_no_finding(migrated: Migrated) -> None:
    migrated.write(ONE_MORE)
    assert migrated.failed() == {}


def test_an_empty_table(migrated: Migrated) -> None:
    around_the_log(migrated.database, "delete from shipped_items")
    assert "shipped_items is empty" in migrated.failed()[SIX[3]]


# 5


@pytest.mark.parametrize(
    ("day", "problem"),
    [
        ("2999-01-01", "1 rows in the future"),
        ("2019-12-31", "1 rows before 2020-01-01"),
        ("2024-04-16", "1 rows on 2024-04-16"),
    ],
)
def test_suspicious_dates(migrated: Migrated, day: str, problem: str) -> None:
    migrated.write(
        f"update shipped_items set ship_date = '{day}' where id = ({ROW} and order_number is null)"
    )
    migrated.write(
        "insert into shipped_items (ship_date, shipstation_sku_raw, sku_id,"
        f" quantity_shipped) values ('{day}', 'x', 1, 1)"
    )
    assert migrated.failed() == {SIX[4]: problem}


def test_a_row_before_its_order(migrated: Migrated) -> None:
    with closing(sqlite3.connect(migrated.database)) as connection:
        row_id, order_date = connection.execute(
            "select i.id, substr(o.order_date, 1, 10) from shipped_items as i inner join orders_inbox as o"
            " using (order_number) order by i.id limit 1"
        ).fetchone()
    migrated.write(f"update shipped_items set ship_date = date('{order_date}', '-1 day') where id = {row_id}")
    assert migrated.failed() == {SIX[4]: "1 rows before their order's date"}
    migrated.write(f"update shipped_items set ship_date = '{order_date}' where id = {row_id}")
    assert migrated.failed() == {}


# 6


def test_damage(migrated: Migrated) -> None:
    migrated.redeclare("idx_shipped_items_lot_id", "(lot_id)", "(sku_id)")
    assert "idx_shipped_items_lot_id" in migrated.failed()[SIX[5]]


# The audited counts


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("skus", "insert into skus (sku_code, product_name) values ('x', 'y')"),
        ("lots", "insert into lots (lot_number, sku_id) values ('x', 1)"),
        ("shipped_orders", "insert into shipped_orders (ship_date, order_number) values ('2025-10-08', 'x')"),
        ("shipped_items", f"delete from shipped_items where id = ({ROW})"),
    ],
)
def test_rows_that_the_log_does_not_know(migrated: Migrated, table: str, statement: str) -> None:
    around_the_log(migrated.database, statement)
    failed = migrated.failed()
    assert "were audited" in failed.pop(f"rows of {table}")
    assert failed.keys() <= {"units of shipped_items", SIX[3]}


def test_a_ledger_that_lost_a_line(migrated: Migrated) -> None:
    migrated.write(
        "delete from lotgate_row_ledger where legacy_id = (select min(legacy_id) from lotgate_row_ledger)"
    )
    assert migrated.failed().keys() == {"row ledger"}


def test_later_work_of_every_kind_holds(migrated: Migrated) -> None:
    migrated.write(
        "insert into skus (sku_code, product_name) values ('19001', 'Foil')",
        "insert into lots (lot_number, sku_id) select '260001', sku_id from skus where sku_code = '19001'",
        "insert into shipped_orders (ship_date, order_number) values ('2025-10-08', '900005')",
        "insert into shipped_items (ship_date, shipstation_sku_raw, sku_id, quantity_shipped, order_number)"
        " select '2025-10-06', 'x', sku_id, 4, '900005' from skus where sku_code = '19001'",
        "insert or replace into shipped_items select * from shipped_items where id ="
        " (select min(id) from shipped_items)",
        "update shipped_items set id = 999999 where id = (select max(id) from shipped_items)",
        "delete from shipped_items where id in (select id from shipped_items where"
        " ship_date = '2025-10-06' limit 3)",
    )
    assert migrated.failed() == {}


# The command


def command(lotgate: Cli, case: Migrated, tmp_path: Path, *more: str) -> Outcome:
    return lotgate(
        "verify",
        "--database",
        case.database,
        "--controls",
        case.controls,
        "--work-dir",
        tmp_path / "work",
        *more,
    )


def test_the_command(lotgate: Cli, migrated: Migrated, tmp_path: Path) -> None:
    done = command(lotgate, migrated, tmp_path)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert len(lines) == 17
    assert all("  ok      " in line for line in lines)
    migrated.write("drop index lotgate_idx__uniq_shipped_items_key")
    done = command(lotgate, migrated, tmp_path)
    assert done.code == 1
    assert f"FAILED  {SIX[0]}: the database takes the same item twice" in done.out
    done = command(lotgate, migrated, tmp_path, "--json")
    assert done.code == 1
    assert done.json["holds"] is False
    assert [f["name"] for f in done.json["findings"] if f["problem"]] == [SIX[0]]


def test_for_a_while(lotgate: Cli, migrated: Migrated, tmp_path: Path) -> None:
    done = command(lotgate, migrated, tmp_path, "--for", "2s", "--every", "0.5s")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert 3 <= len(lines) <= 5
    assert all(line.endswith("all 17 checks hold") for line in lines)
    done = command(lotgate, migrated, tmp_path, "--for", "1s", "--every", "0.4s", "--json")
    found = [json.loads(line) for line in done.out.splitlines()]
    assert len(found) >= 2
    assert all(each["holds"] for each in found)


def test_a_finding_in_between_counts(
    lotgate: Cli, migrated: Migrated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that failed once makes the exit code 1, also where it holds at the end."""
    looks = iter([False, True, True, True, True, True])
    real = verify

    def sometimes(*arguments: Any, **more: Any) -> Verification:
        held = next(looks)
        if not held:
            migrated.write("create table t (x)", "alter table shipped_items rename to elsewhere")
            migrated.write("alter table elsewhere rename to shipped_items", "drop table t")
            migrated.write("drop index lotgate_idx__uniq_shipped_items_key")
        found = real(*arguments, **more)
        if not held:
            migrated.write(
                "create unique index lotgate_idx__uniq_shipped_items_key on shipped_items"
                " (order_number, shipstation_sku_raw, ifnull(shipstation_shipment_id, 0))"
            )
        return found

    monkeypatch.setattr("lotgate.live.verify.verify", sometimes)
    done = command(lotgate, migrated, tmp_path, "--for", "1s", "--every", "0.3s")
    assert done.code == 1
    assert "FAILED" in done.out
    assert done.out.splitlines()[-1].endswith("all 17 checks hold")


def test_the_alert_gets_findings_and_no_data(lotgate: Cli, migrated: Migrated, tmp_path: Path) -> None:
    secret = "900977-secret"
    alert = tmp_path / "alert.txt"
    Path("lotgate.toml").write_text(f"[verify]\nalert_command = \"cat >> '{alert}'; echo {secret} out\"\n")
    assert command(lotgate, migrated, tmp_path).code == 0
    assert not alert.exists()
    migrated.write(
        "insert into shipped_items (ship_date, shipstation_sku_raw, sku_id, quantity_shipped, order_number)"
        f" values ('2999-01-01', '{secret}', 1, 1, '{secret}')",
    )
    done = command(lotgate, migrated, tmp_path)
    assert done.code == 1
    text = alert.read_text()
    assert text.startswith("lotgate verify at 2")
    assert f"{SIX[1]}: 1 rows of shipped_items\n" in text
    assert f"{SIX[4]}: 1 rows in the future\n" in text
    assert secret not in text + done.out + done.err
    assert len(text.splitlines()) == 3  # the moment, orphans, dates


def test_an_alert_that_fails_is_said(lotgate: Cli, migrated: Migrated, tmp_path: Path) -> None:
    Path("lotgate.toml").write_text('[verify]\nalert_command = "exit 7"\n')
    migrated.write("drop index lotgate_idx__uniq_shipped_items_key")
    done = command(lotgate, migrated, tmp_path)
    assert done.code == 1
    assert "The alert_command failed with exit code 7." in done.err


def test_a_database_that_is_not_migrated_is_refused_kindly(
    lotgate: Cli, demo_build: Path, tmp_path: Path
) -> None:
    case = copy_case(demo_build, tmp_path / "case")
    controls = load_controls(case.controls)
    with pytest.raises(GateClosed, match="not migrated"):
        verify(case.database, controls, earliest_ship_date=EARLIEST, lock_timeout=5)
    swap_case(case)
    assert case.run(lotgate, "rollback", "--yes").code == 0
    before = picture(case.database)
    done = case.run(lotgate, "verify", "--controls", case.controls)
    assert done.code == 1
    assert "nothing to verify" in done.err
    assert "lotgate status" in done.err
    assert picture(case.database) == before


def test_after_contract(lotgate: Cli, demo_build: Path, tmp_path: Path) -> None:
    case = copy_case(demo_build, tmp_path / "case")
    swap_case(case)
    write(case.database, "drop view dashboard_daily_units")  # it needs base_sku
    done = case.run(lotgate, "contract", "--force", "--confirm-name", "ora.db", "--yes")
    assert done.code == 0, done.err
    contracted = Migrated(case.database, case.controls)
    assert contracted.failed() == {}
    assert len(contracted.look().findings) == 6
    contracted.write("drop index uniq_shipped_items_key")
    assert contracted.failed() == {SIX[0]: "the database takes the same item twice"}


def test_a_writer_is_not_held_up_for_good(migrated: Migrated) -> None:
    """What is tried stands in a transaction that is rolled back; afterwards anybody can write."""
    with closing(sqlite3.connect(migrated.database, timeout=0.1, isolation_level=None)) as writer:
        writer.execute("pragma foreign_keys = on")
        migrated.look()
        writer.execute("begin immediate")
        writer.execute(ONE_MORE)
        writer.execute("commit")
    assert migrated.failed() == {}
