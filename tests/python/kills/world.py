"""The databases that are killed: made from the demo's audited build, one for each command, and how they look.

Each is a folder with ``live/ora.db``, two backup folders, ``lotgate.toml`` and, where there are pause and
resume commands, the file that they write to.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from kills.picture import Picture, take_picture
from kills.processes import run_command
from lotgate.live.counter import schema_fingerprint

__all__ = ["COMMANDS", "World", "make_world", "move_in"]

NEEDED = (
    "candidate.sqlite",
    "legacy.sqlite",
    "shipstation.sqlite",
    "build.json",
    "snapshot.json",
    "verdict.json",
)
# as many rows in a chunk, and as few attempts, however fast the machine is: the steps are the same each time
SETTINGS = """[lotgate]
database = "live/ora.db"
work_dir = "../work"
[swap]
lock_budget_ms = 60000
chunk_ms = 10000
{commands}
[backups]
folders = ["backups-1", "backups-2"]
"""
PAUSED = 'pause_command = "echo pause >> commands.log"\nresume_command = "echo resume >> commands.log"'
UNPAUSED = "pause_workflows = []"

COMMANDS: dict[str, tuple[str, ...]] = {
    "status": ("status", "--json"),
    "swap": ("swap", "--yes"),
    "rollback": ("rollback", "--yes"),
    "restore": ("rollback", "--yes", "--restore-backup", "swap"),
    "unrestore": ("rollback", "--yes", "--restore-backup", "restore"),
    "contract": ("contract", "--yes", "--force", "--confirm-name", "ora.db"),
}
START = {
    "swap": "legacy",
    "rollback": "worked",
    "restore": "worked",
    "unrestore": "restored",
    "contract": "prepared",
}
"""The database that each command is killed on: before a swap; after it, with later work; after the backup was
restored, whose safety backup is to be put back; or with later work and the owner's views on the new columns,
as ``contract`` asks."""


@dataclass(frozen=True)
class World:
    """``starts`` are folders to copy; ``pictures`` says how a database looks after what was done to it, told
    as ``legacy``, ``legacy swap``, ``worked rollback`` and so on; ``legacy quiet`` is without commands."""

    folder: Path
    starts: dict[str, Path] = field(default_factory=dict)
    pictures: dict[str, Picture] = field(default_factory=dict)

    def arguments(self, command: str, case: Path) -> list[str]:
        """The command line. A backup to restore is the first that was taken for the reason named."""
        *words, last = COMMANDS[command]
        if "--restore-backup" not in words:
            return [*words, last]
        found = [
            manifest.with_suffix("")
            for manifest in case.glob("backups-1/*.sqlite.json")
            if json.loads(manifest.read_text())["reason"] == last
        ]
        first = min(found, key=lambda path: path.stat().st_mtime_ns)
        return [*words, str(first.relative_to(case))]


def make_world(demo: Path, folder: Path) -> World:
    """Everything that is needed, in ``folder``, from the work directory of a demo; lotgate itself swaps.

    Raises AssertionError where a command does not do what it should even without being killed.
    """
    world = World(folder)
    case = folder / "making" / "case"
    move_in(demo, case.parent)
    for kind, commands in (("", PAUSED), (" quiet", UNPAUSED)):
        _make_legacy(demo, case, commands)
        _keep(world, f"legacy{kind}", case)
        _do(world, case, "swap")
        world.pictures[f"legacy{kind} swap"] = take_picture(case / "live" / "ora.db")
        _work_later(case / "live" / "ora.db")
        _keep(world, f"worked{kind}", case)
        _prepare_contract(case / "live" / "ora.db")
        _keep(world, f"prepared{kind}", case)
        for start, command in (
            ("legacy", "swap rollback"),
            ("worked", "rollback"),
            ("worked", "restore"),
            ("worked", "restore swap"),
            ("restored", "unrestore"),
            ("prepared", "contract"),
            ("prepared", "rollback"),
        ):
            copy_of(world.starts[f"{start}{kind}"], case)
            for part in command.split():
                _do(world, case, part)
            if command == "restore":
                _keep(world, f"restored{kind}", case)
            world.pictures[f"{start}{kind} {command}"] = take_picture(case / "live" / "ora.db")
        _check_pictures(world, kind)
    return world


def move_in(demo: Path, folder: Path) -> None:
    """Copies what a swap reads of a work directory to ``folder/work``."""
    work = folder / "work"
    shutil.copytree(demo / "controls", work / "controls")
    for name in NEEDED:
        shutil.copy2(demo / name, work / name)
    patched = folder.parent / "verdict.json"
    if patched.exists():
        shutil.copy2(patched, work / "verdict.json")


def copy_of(start: Path, case: Path) -> None:
    """Puts a fresh copy of a folder in the place of the last case."""
    shutil.rmtree(case, ignore_errors=True)
    shutil.copytree(start, case)


def _do(world: World, case: Path, command: str) -> None:
    ended = run_command(case, world.arguments(command, case))
    assert ended.code == 0, f"{command}: {ended.output}"


def _check_pictures(world: World, kind: str) -> None:
    """What every other database is compared with: these must be right by themselves."""
    pictures = world.pictures
    legacy, swapped = pictures[f"legacy{kind}"], pictures[f"legacy{kind} swap"]
    for name, picture in pictures.items():
        assert all(is_finished for _, is_finished in picture.events), name
        assert (picture.operation, picture.leftovers, picture.damage) == (None, (), ()), name
        assert picture.flags == legacy.flags, name
    for table in ("shipped_orders", "shipped_items"):
        assert swapped.tables[f"legacy_{table}"] == legacy.tables[table] != swapped.tables[table], table
    rows = legacy.tables["shipped_items"].split()[0]
    assert swapped.tables["lotgate_row_ledger"].split()[0] == rows, "not every legacy row is in the ledger"
    for after in (f"legacy{kind} swap rollback", f"worked{kind} restore"):
        assert pictures[after].core == legacy.core, after
    assert pictures[f"restored{kind} unrestore"].core == pictures[f"worked{kind}"].core
    for after in (f"worked{kind} rollback", f"prepared{kind} contract"):
        assert pictures[after].core not in (legacy.core, swapped.core), after


def _keep(world: World, name: str, case: Path) -> None:
    world.starts[name] = world.folder / "starts" / name.replace(" ", "-")
    world.pictures[name] = take_picture(case / "live" / "ora.db")
    shutil.copytree(case, world.starts[name])


def _make_legacy(demo: Path, case: Path, commands: str) -> None:
    """The demo's live database with more of the owner's in it, and a verdict that knows that schema."""
    shutil.rmtree(case, ignore_errors=True)
    (case / "live").mkdir(parents=True)
    database = case / "live" / "ora.db"
    for suffix in ("", "-wal"):
        source = demo / "demo" / f"ora.db{suffix}"
        if source.exists():
            shutil.copy2(source, database.with_name(f"ora.db{suffix}"))
    (case / "lotgate.toml").write_text(SETTINGS.format(commands=commands))
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript("""
            create table packing_log (id integer primary key, item_id integer, what text) strict;
            create trigger owned_packing after insert on shipped_items begin
                insert into packing_log (item_id, what) values (new.id, 'for ' || new.order_number);
            end;
            create trigger owned_header after update of ship_date on shipped_orders begin
                insert into packing_log (item_id, what) values (new.id, 'moved to ' || new.ship_date);
            end;
            create view owned_units as
                select ship_date, base_sku, sum(quantity_shipped) as units from shipped_items group by 1, 2;
            update workflow_controls set enabled = 0
                where workflow_name in ('orders-cleanup', 'shipstation-upload');
            insert into sync_watermark (workflow_name, last_sync_timestamp)
                values ('writer-0', '0'), ('writer-1', '0');
            pragma foreign_keys = off;
            insert into shipstation_order_line_items (order_inbox_id, sku) values (999999, '17612');
            """)
        connection.commit()
        fingerprint = schema_fingerprint(connection)
    for file in (case.parent / "work" / "verdict.json", case.parent.parent / "verdict.json"):
        verdict = json.loads((demo / "verdict.json").read_text())
        verdict["schema_fingerprint"] = fingerprint
        file.write_text(json.dumps(verdict))


def _work_later(database: Path) -> None:
    """A day's work on the new tables: every kind of change, and two parcels of one line."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("pragma foreign_keys = on")
        for step in _LATER:
            step(connection)
        connection.commit()


def _prepare_contract(database: Path) -> None:
    """The owner's views do without the legacy columns."""
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript("""
            drop view dashboard_daily_units;
            drop view owned_units;
            create view owned_units as
                select ship_date, sku_id, sum(quantity_shipped) as units from shipped_items group by 1, 2;
            """)


def _sql(statement: str) -> Callable[[sqlite3.Connection], object]:
    return lambda connection: connection.execute(statement)


_LATER = (
    _sql("insert into skus (sku_code, product_name) values ('19001', 'Test paste')"),
    _sql("insert into lots (lot_number, sku_id) select '260001', sku_id from skus where sku_code = '19001'"),
    _sql(
        "insert into shipped_orders (ship_date, order_number, created_at)"
        " values ('2025-10-13', '990005', '2025-10-13 09:00:00')"
    ),
    _sql(  # one line in two parcels
        "insert into shipped_items (ship_date, shipstation_sku_raw, sku_id, lot_id, quantity_shipped,"
        " order_number, shipstation_shipment_id, created_at)"
        " select '2025-10-13', '19001 - 260001', s.sku_id, l.lot_id, 4, '990005', p.id,"
        " '2025-10-13 09:00:0' || p.id from skus as s inner join lots as l on l.sku_id = s.sku_id"
        " cross join (select 1 as id union all select 2) as p where s.sku_code = '19001'"
    ),
    _sql(
        "update shipped_items set quantity_shipped = quantity_shipped + 1"
        " where id in (select min(id) from shipped_items)"
    ),
    _sql(
        "update shipped_items set ship_date = '2025-10-14'"
        " where id in (select id from shipped_items order by id limit 3 offset 40)"
    ),
    _sql(
        "update shipped_orders set ship_date = '2025-10-14'"
        " where id in (select id from shipped_orders order by id limit 2 offset 9)"
    ),
    _sql(
        "delete from shipped_items"
        " where id in (select id from shipped_items order by id desc limit 2 offset 30)"
    ),
)
