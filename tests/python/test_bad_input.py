"""Bad input: a clear message, the right exit code, and the live file as it was, with its -wal."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from conftest import LOTGATE, Outcome, drop_privileges, fill, fingerprint, run_lotgate
from lotgate.legacy_schema import Shape, create_legacy_database

Cli = Callable[..., Outcome]
Hold = Callable[..., subprocess.Popen[str]]


def left_clean(work: Path) -> bool:
    """Whether a failed run left no snapshot and no half of one."""
    names = {path.name for path in work.iterdir()} if work.exists() else set()
    return not any("legacy" in name or name.endswith(".new") or "snapshot" in name for name in names)


def missing(path: Path) -> None:
    path.unlink()


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def short(path: Path) -> None:
    path.write_bytes(b"x")


def text(path: Path) -> None:
    path.write_text("order_number,sku\n" * 1000)


def corrupt_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(16)
        file.write(os.urandom(60))


def truncated(path: Path) -> None:
    os.truncate(path, 9000)


def corrupt_page(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute(
            "select rootpage from sqlite_schema where name = 'shipped_items'"
        ).fetchone()
        (size,) = connection.execute("pragma page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size + 8)
        file.write(b"\xff" * 200)


def corrupt_index(path: Path) -> None:
    """Every page is well formed, but an index misses a row: only the integrity check sees that."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma writable_schema = on")
        connection.execute(
            "update sqlite_schema set sql = replace(sql, 'ship_date', 'created_at')"
            " where name = 'idx_shipped_items_date'"
        )
        connection.commit()


def without(statement: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(statement)

    return change


def without_column(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("alter table shipped_items rename column base_sku to item_code")
        connection.execute("alter table shipped_orders rename column ship_date to shipped_on")


def migrated(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("alter table shipped_items rename to legacy_shipped_items")


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table notes (id integer primary key, body text)")


def duplicate_ids(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("drop table shipped_items")
        connection.execute(
            "create table shipped_items"
            " (id, ship_date, sku_lot, base_sku, quantity_shipped, order_number, created_at)"
        )
        connection.executemany(
            "insert into shipped_items (id) values (?)", [(1,), (1,), (None,), (2,), ("x",)]
        )
        connection.commit()


def not_utf8(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "update shipped_items set sku_lot = cast(x'31373631a0' || cast(id as blob) as text) where id <= 7"
        )
        connection.execute(
            "update shipped_orders set customer_email = cast(x'7365637265740080' as text) where id = 3"
        )
        connection.execute("update shipped_orders set order_number = 'é' || order_number where id = 4")
        connection.commit()


def view_instead(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("drop table sku_lot")
        connection.execute("create view sku_lot as select sku, lot from lot_inventory")


CASES = [
    (missing, 2, "There is no database {path}.", "LOTGATE_DATABASE"),
    (folder, 2, "{path} is a folder, not a database.", "Name the database file in it."),
    (empty, 2, "{path} is an empty file, not a database.", "opens a wrong path"),
    (short, 2, "{path} is not a SQLite database.", "Name the database file."),
    (text, 2, "{path} is not a SQLite database", "Name the database file."),
    (corrupt_header, 2, "{path} is not a SQLite database", "Name the database file."),
    (truncated, 1, "{path} is corrupt: database disk image is malformed.", "Restore it from a backup"),
    (corrupt_page, 1, "{path} is corrupt", "Restore it from a backup"),
    (corrupt_index, 1, "{path} is corrupt; SQLite's integrity check says: ", "Restore it from a backup"),
    (without("drop table inventory_current"), 2, "missing: table inventory_current.", "Required are"),
    (
        without_column,
        2,
        "missing: column shipped_orders.ship_date, column shipped_items.base_sku.",
        "Required",
    ),
    (
        foreign,
        2,
        "missing: table inventory_current, table shipped_orders, table shipped_items.",
        "--database",
    ),
    (migrated, 1, "{path} is migrated already.", "lotgate status"),
    (
        duplicate_ids,
        2,
        "2 rows have an id that is NULL or not a whole number and 1 rows repeat the id of another",
        "Correct the source",
    ),
    (view_instead, 2, "no column can be added to them: sku_lot (id, active, created_at)", "rename"),
    (
        not_utf8,
        1,
        "in shipped_orders.customer_email: 1 row (rowid 3);"
        " shipped_items.sku_lot: 7 rows (rowid 1, 2, 3, 4, 5, ...).",
        "Correct those values",
    ),
]


@pytest.mark.parametrize(
    ("damage", "code", "message", "hint"), CASES, ids=lambda c: getattr(c, "__name__", "")
)
def test_a_wrong_database_is_refused_and_left_alone(
    lotgate: Cli,
    live: Path,
    work: Path,
    damage: Callable[[Path], None],
    code: int,
    message: str,
    hint: str,
) -> None:
    damage(live)
    before = fingerprint(live.parent)
    outcome = lotgate("snapshot", "--database", live, "--work-dir", work)
    assert outcome.err.count("Error: ") == 1
    assert message.format(path=live) in outcome.err
    assert hint in outcome.err
    assert "Traceback" not in outcome.err
    assert "secret" not in outcome.err
    assert outcome.out == ""
    assert outcome.code == code
    assert fingerprint(live.parent) == before
    assert left_clean(work)


@pytest.mark.parametrize(
    ("create", "found"),
    [
        ("create table sku_lot (sku, lot, id integer primary key)", "2 rows (rowid 9, 10007)"),
        ("create table sku_lot (sku, lot, id, rowid)", "2 rows (rowid 9, 10007)"),
        ("create table sku_lot (sku, lot, id, rowid, _rowid_, oid)", "2 rows"),
        ("create table sku_lot (sku, lot, id primary key) without rowid", "2 rows"),
        (
            "create table t (sku, lot, id); create view sku_lot as select *, 1 active, 2 created_at from t",
            "2 rows",
        ),
    ],
)
def test_text_that_is_not_utf8_is_found_in_every_kind_of_table(
    lotgate: Cli, live: Path, work: Path, create: str, found: str
) -> None:
    """The two bad values are 10,000 rows apart, and neither a blob nor proper text beyond ASCII is one."""
    with closing(sqlite3.connect(live)) as connection:
        connection.executescript(f"drop table sku_lot; {create};")
        table = "t" if "table t " in create else "sku_lot"
        connection.executemany(
            f"insert into {table} (id, sku, lot) values (?, ?, cast(? as text))",
            ((n, b"\xff" if n == 5 else "ü", b"\xc3" if n in (9, 10007) else "x") for n in range(1, 10100)),
        )
        connection.commit()
    outcome = lotgate("snapshot", "--database", live, "--work-dir", work)
    assert f"holds text that is not UTF-8, in sku_lot.lot: {found}." in outcome.err
    assert outcome.code == 1


@pytest.mark.parametrize("damage", [missing, corrupt_header, truncated, migrated, duplicate_ids, not_utf8])
def test_doctor_refuses_it_too(lotgate: Cli, live: Path, work: Path, damage: Callable[[Path], None]) -> None:
    damage(live)
    before = fingerprint(live.parent)
    outcome = lotgate("doctor", "--database", live, "--work-dir", work)
    assert outcome.code == (2 if damage in (missing, corrupt_header) else 1)
    assert "Traceback" not in outcome.err
    assert fingerprint(live.parent) == before
    assert not work.exists()


def test_a_wal_that_was_left_behind_is_read_and_kept(
    lotgate: Cli, live: Path, work: Path, hold: Hold
) -> None:
    hold(live, "update shipped_items set quantity_shipped = 9").kill()
    wal = live.with_name("ora.db-wal")
    assert wal.stat().st_size > 0
    before = fingerprint(live.parent)
    assert lotgate("snapshot", "--database", live, "--work-dir", work).code == 0
    assert fingerprint(live.parent) == before
    with closing(sqlite3.connect(work / "legacy.sqlite")) as connection:
        assert connection.execute("select distinct quantity_shipped from shipped_items").fetchall() == [(9,)]


def test_a_wal_that_was_copied_without_its_shm_is_read_and_no_shm_stays(
    lotgate: Cli, live: Path, work: Path, hold: Hold
) -> None:
    hold(live, "update shipped_items set quantity_shipped = 9").kill()
    live.with_name("ora.db-shm").unlink()
    before = fingerprint(live.parent)
    assert lotgate("snapshot", "--database", live, "--work-dir", work).code == 0
    assert fingerprint(live.parent) == before


def test_a_clean_wal_database_has_no_new_files_afterwards(lotgate: Cli, live: Path, work: Path) -> None:
    before = fingerprint(live.parent)
    assert list(before) == ["ora.db"]
    for command in ("doctor", "snapshot", "doctor"):
        assert lotgate(command, "--database", live, "--work-dir", work).code == 0
        assert fingerprint(live.parent) == before


def test_empty_tables_make_a_snapshot(lotgate: Cli, tmp_path: Path, work: Path) -> None:
    path = tmp_path / "ora.db"
    create_legacy_database(path, Shape.bare).close()
    outcome = lotgate("snapshot", "--database", path, "--work-dir", work, "--json")
    assert outcome.code == 0
    assert {table["rows"] for table in outcome.json["tables"]} == {0}


def test_values_that_only_a_table_without_checks_can_hold_pass_into_the_snapshot(
    lotgate: Cli, tmp_path: Path, work: Path
) -> None:
    """Wrong dates and quantities are the models' business, row by row; so are a NUL and a lone blob."""
    path = tmp_path / "ora.db"
    values = [
        ("2025-02-30", 0),
        ("10/06/2025", -1),
        ("", 1.5),
        (None, "3"),
        ("2025-10-06", "x"),
        ("2025-10-06\0", 10**18),
        ("２０２５", b"\xff"),
    ]
    with closing(create_legacy_database(path, Shape.keyless)) as connection:
        connection.executemany(
            "insert into shipped_items (ship_date, quantity_shipped) values (?, ?)", values
        )
        connection.executemany("insert into inventory_current (sku) values (?)", [("17612",), ("17612",)])
        connection.commit()
    assert lotgate("snapshot", "--database", path, "--work-dir", work).code == 0
    with closing(sqlite3.connect(work / "legacy.sqlite")) as connection:
        copied = connection.execute(
            "select ship_date, quantity_shipped from shipped_items order by id"
        ).fetchall()
    assert copied == values


NAMES = [
    "two words.db",
    "it's.db",
    'say "hi".db',
    "100%41.db",
    "a#b.db",
    "what?mode=rwc.db",
    "ünï.db",
    "line\nbreak.db",
    "-dash.db",
    "file:x.db",
    os.fsdecode(b"latin-\xe9.db"),
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_any_file_name_works(lotgate: Cli, live: Path, tmp_path: Path, name: str) -> None:
    strange = tmp_path / name.replace(".db", "")
    strange.mkdir()
    path = live.rename(strange / name)
    work = tmp_path / f"work {name}"
    before = fingerprint(strange)
    outcome = lotgate("snapshot", "--database", path, "--work-dir", work)
    assert outcome.err.count("Error") == 0
    assert outcome.code == 0
    assert fingerprint(strange) == before
    with closing(sqlite3.connect(work / "legacy.sqlite")) as connection:
        assert connection.execute("select count(*) from shipped_items").fetchone() == (20,)
    again = lotgate("doctor", "--database", path, "--work-dir", work, "--json")
    assert again.code == 0
    assert again.json["problems"] == 0


def test_a_name_that_is_no_utf8_and_a_relative_one_beginning_with_a_dash(live: Path, work: Path) -> None:
    """In processes of their own, where standard output is strict."""
    for name in (os.fsdecode(b"latin-\xe9.db"), "-dash.db"):
        live = live.rename(live.with_name(name))
        outcome = run_lotgate("snapshot", f"--database={name}", "--work-dir", work, cwd=live.parent)
        assert outcome.code == 0
        assert outcome.out.startswith("Snapshot of ")


def test_a_locked_rollback_journal_database_is_waited_for_and_then_given_up(
    lotgate: Cli, live: Path, work: Path, hold: Hold
) -> None:
    hold(live, "pragma journal_mode = delete", "begin exclusive")
    before = fingerprint(live.parent)
    outcome = lotgate("snapshot", "--database", live, "--work-dir", work, "--lock-timeout", "0.3")
    assert f"{live} was locked by another process for longer than 0.3 s." in outcome.err
    assert "--lock-timeout SECONDS" in outcome.err
    assert outcome.code == 3
    assert fingerprint(live.parent) == before
    assert left_clean(work)


def test_a_lock_that_is_released_in_time_is_waited_for(live: Path, work: Path, hold: Hold) -> None:
    holder = hold(live, "pragma journal_mode = delete", "begin exclusive")
    waiting = subprocess.Popen([*LOTGATE, "snapshot", "--database", str(live), "--work-dir", str(work)])
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(1.0)
    holder.kill()
    assert waiting.wait(20) == 0


def test_an_exclusive_wal_owner_is_a_lock_too(lotgate: Cli, live: Path, work: Path, hold: Hold) -> None:
    hold(live, "pragma locking_mode = exclusive", "update shipped_items set quantity_shipped = 3")
    outcome = lotgate("snapshot", "--database", live, "--work-dir", work, "--lock-timeout", "0.2")
    assert "was locked by another process" in outcome.err
    assert outcome.code == 3


def test_a_wal_writer_in_a_transaction_blocks_nothing(
    lotgate: Cli, live: Path, work: Path, hold: Hold
) -> None:
    hold(live, "begin immediate", "update shipped_items set quantity_shipped = 9")
    before = fingerprint(live.parent)
    assert lotgate("snapshot", "--database", live, "--work-dir", work, "--lock-timeout", "0").code == 0
    assert fingerprint(live.parent) == before
    with closing(sqlite3.connect(work / "legacy.sqlite")) as connection:
        assert connection.execute("select distinct quantity_shipped from shipped_items").fetchall() == [(2,)]


def test_an_unfinished_transaction_of_a_crashed_writer(
    lotgate: Cli, live: Path, work: Path, hold: Hold
) -> None:
    hold(
        live,
        "pragma journal_mode = delete",
        "pragma cache_size = 1",
        "begin",
        "create table filler (a)",
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < 50000)"
        " insert into filler select i from n",
    ).kill()
    assert live.with_name("ora.db-journal").stat().st_size > 0
    before = fingerprint(live.parent)
    outcome = lotgate("snapshot", "--database", live, "--work-dir", work)
    assert "holds an unfinished transaction of a process that crashed (ora.db-journal)" in outcome.err
    assert outcome.code == 3
    assert fingerprint(live.parent) == before


@pytest.mark.parametrize("read_only", ["folder", "file", "both"])
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_a_read_only_file_or_folder_is_read_without_a_trace(
    live: Path, work: Path, read_only: str, journal: str
) -> None:
    with closing(sqlite3.connect(live)) as connection:
        connection.execute(f"pragma journal_mode = {journal}")
    before = fingerprint(live.parent)
    protect(live, read_only)
    try:
        outcome = run_lotgate("snapshot", "--database", live, "--work-dir", work, preexec=drop_privileges)
        examined = run_lotgate("doctor", "--database", live, "--work-dir", work, preexec=drop_privileges)
    finally:
        live.parent.chmod(0o755)
    assert outcome.err.count("Error") == 0
    assert outcome.code == 0
    assert (journal, "read without locks" in examined.out) == (journal, journal == "wal")
    assert fingerprint(live.parent) == before


def test_a_read_only_folder_with_a_wal_and_its_shm_is_read_with_its_latest_rows(
    live: Path, work: Path, hold: Hold
) -> None:
    hold(live, "update shipped_items set quantity_shipped = 9").kill()
    before = fingerprint(live.parent)
    protect(live, "both")
    try:
        outcome = run_lotgate("snapshot", "--database", live, "--work-dir", work, preexec=drop_privileges)
    finally:
        live.parent.chmod(0o755)
    assert outcome.code == 0
    assert fingerprint(live.parent) == before
    with closing(sqlite3.connect(work / "legacy.sqlite")) as connection:
        assert connection.execute("select distinct quantity_shipped from shipped_items").fetchall() == [(9,)]


def test_a_read_only_folder_whose_wal_cannot_be_read_is_refused(live: Path, work: Path, hold: Hold) -> None:
    """``immutable=1`` would silently leave out the rows of the -wal."""
    hold(live, "update shipped_items set quantity_shipped = 9").kill()
    live.with_name("ora.db-shm").unlink()
    before = fingerprint(live.parent)
    protect(live, "folder")
    try:
        outcome = run_lotgate("snapshot", "--database", live, "--work-dir", work, preexec=drop_privileges)
    finally:
        live.parent.chmod(0o755)
    assert "its latest rows are in ora.db-wal" in outcome.err
    assert "copy ora.db and ora.db-wal together" in outcome.err
    assert outcome.code == 3
    assert fingerprint(live.parent) == before
    assert left_clean(work)


def test_an_unreadable_file(live: Path, work: Path) -> None:
    live.chmod(0)
    outcome = run_lotgate("snapshot", "--database", live, "--work-dir", work, preexec=drop_privileges)
    assert f"{live} cannot be read: permission denied." in outcome.err
    assert outcome.code == 3


def test_an_unreadable_wal(live: Path, work: Path, hold: Hold) -> None:
    hold(live, "update shipped_items set quantity_shipped = 9")
    live.with_name("ora.db-wal").chmod(0)
    outcome = run_lotgate("snapshot", "--database", live, "--work-dir", work, preexec=drop_privileges)
    assert f"{live}-wal cannot be read: permission denied." in outcome.err
    assert outcome.code == 3


def protect(path: Path, what: str) -> None:
    if what in ("file", "both"):
        for file in path.parent.iterdir():
            file.chmod(0o444)
    if what in ("folder", "both"):
        path.parent.chmod(0o555)


def test_a_work_directory_that_cannot_be_written_to(live: Path, work: Path) -> None:
    work.mkdir(mode=0o555)
    before = fingerprint(live.parent)
    outcome = run_lotgate("snapshot", "--database", live, "--work-dir", work, preexec=drop_privileges)
    assert f"The work directory {work} cannot be written to: Permission denied." in outcome.err
    assert outcome.code == 3
    assert fingerprint(live.parent) == before


def grow(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table filler (a)")
        connection.execute("insert into filler values (zeroblob(3000000))")
        connection.commit()


def test_a_file_size_limit_is_no_crash(lotgate: Cli, live: Path, work: Path) -> None:
    assert lotgate("snapshot", "--database", live, "--work-dir", work).code == 0
    previous = (work / "legacy.sqlite").read_bytes()
    grow(live)
    before = fingerprint(live.parent)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    outcome = run_lotgate("snapshot", "--database", live, "--work-dir", work, preexec=limit)
    assert f"Reading or writing {work / 'legacy.sqlite'} failed" in outcome.err
    assert "limit on file sizes" in outcome.err
    assert outcome.code == 3
    assert fingerprint(live.parent) == before
    assert (work / "legacy.sqlite").read_bytes() == previous
    assert not [path.name for path in work.iterdir() if ".new" in path.name]


def on_small_disk(folder: Path, size: int, *command: str) -> list[str]:
    """A command for which ``folder`` is a file system of ``size`` bytes: in a mount namespace of its own."""
    script = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"'
    namespace = (
        ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
    )
    return [*namespace, "sh", "-c", script, "sh", str(size), str(folder), *command]


def needs_small_disk(folder: Path) -> None:
    """A real full disk needs a mount of its own; a machine that allows none says loudly what it left out."""
    if (
        shutil.which("unshare")
        and not subprocess.run(on_small_disk(folder, 9, "true"), check=False).returncode
    ):
        return
    reason = "NOT TESTED: a disk that fills up. This machine lets no tmpfs be mounted."
    warnings.warn(reason, stacklevel=2)
    pytest.skip(reason)


@pytest.mark.parametrize(
    ("size", "message"),
    [(2_000_000, "The snapshot needs 4."), (40_000, " in {work}, and ")],
    ids=["small", "tiny"],
)
def test_a_full_disk(live: Path, work: Path, size: int, message: str) -> None:
    work.mkdir()
    needs_small_disk(work)
    grow(live)
    before = fingerprint(live.parent)
    command = on_small_disk(
        work, size, *LOTGATE, "snapshot", "--database", str(live), "--work-dir", str(work)
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert message.format(work=work) in done.stderr
    assert "Free space there, or use a" in done.stderr
    assert done.returncode == 3
    assert fingerprint(live.parent) == before


def test_the_disk_fills_up_while_the_snapshot_is_taken(live: Path, work: Path) -> None:
    """The space was there when it was asked for; SQLite then says SQLITE_FULL."""
    work.mkdir()
    needs_small_disk(work)
    grow(live)
    before = fingerprint(live.parent)
    blind = (
        "import lotgate.snapshot as s; s._check_space = lambda *a: None; from lotgate.cli import main; main()"
    )
    lotgate = [sys.executable, "-c", blind, "snapshot", "--database", str(live), "--work-dir", str(work)]
    listing = ["sh", "-c", '"$@"; code=$?; ls -A "$0" >&2; exit $code', str(work), *lotgate]
    done = subprocess.run(
        on_small_disk(work, 1_000_000, *listing), capture_output=True, text=True, check=False
    )
    assert f"No space is left while writing {work / 'legacy.sqlite'}." in done.stderr
    assert done.returncode == 3
    assert "legacy.sqlite.new" not in done.stderr
    assert fingerprint(live.parent) == before


def test_a_database_that_changes_while_it_is_read_without_locks_is_refused(
    live: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lotgate.errors import EnvironmentFailed
    from lotgate.sqlite_files import open_live

    monkeypatch.setattr("lotgate.sqlite_files._needs_immutable", lambda path: True)
    change = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('delete from sku_lot'); c.commit()"
    )
    with open_live(live) as opened:
        assert opened.immutable
    with (
        pytest.raises(EnvironmentFailed, match="was written to while it was read without locks"),
        open_live(live),
    ):
        subprocess.run(
            [sys.executable, "-c", change.replace("delete from sku_lot", "create table x (a)"), live]
        )


def test_shapes(lotgate: Cli, tmp_path: Path) -> None:
    for shape in Shape:
        path = tmp_path / f"{shape}.db"
        with closing(create_legacy_database(path, shape)) as connection:
            if shape is not Shape.bare:
                fill(connection)
        outcome = lotgate("snapshot", "--database", path, "--work-dir", tmp_path / f"work-{shape}")
        assert (outcome.code, outcome.err.count("Error")) == (0, 0)
