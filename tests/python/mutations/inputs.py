"""Spoiled snapshots, evidence and controls: what an audit reads beside the candidate."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

from mutations import ids
from mutations.bench import Bench, Edit, edit_json
from mutations.model import Tampering

Do = Callable[[Bench], None]

_SNAPSHOT = ("files.snapshot",)
_EVIDENCE = ("files.evidence",)
_CONTROLS = ("files.controls",)


def _after(name: str, statement: str, database: str, by: tuple[str, ...]) -> Tampering:
    """Done after the build: the hash tells."""
    suites = database != "shipstation.sqlite"
    return Tampering(name, lambda bench: bench.sql(statement, database), by, reads_suites=suites)


def _before(name: str, *statements: str, by: tuple[str, ...], breaks: bool = False) -> Tampering:
    """A snapshot that was never right: its hash is renewed where it is written down."""

    def do(bench: Bench) -> None:
        for statement in statements:
            bench.sql(statement, "legacy.sqlite")
        assert bench.file_problems() == {"snapshot"}
        bench.renew_snapshot_hash()

    return Tampering(name, do, by, breaks=breaks)


def _live_database(bench: Bench) -> None:
    source = json.loads((bench.work_dir.path / "snapshot.json").read_text())["source"]
    bench.work_dir.legacy.unlink()
    shutil.copyfile(source, bench.work_dir.legacy)


def _live_database_with_its_hash(bench: Bench) -> None:
    _live_database(bench)
    bench.renew_snapshot_hash()


def _snapshot_json(name: str, edit: Edit, by: tuple[str, ...]) -> Tampering:
    return Tampering(name, lambda bench: edit_json(bench.work_dir.path / "snapshot.json", edit), by)


AFTERWARDS = (
    _after(
        "a row changed after the build, in a whole audit",
        "update shipped_items set quantity_shipped = quantity_shipped + 1 where id = :row",
        "candidate.sqlite",
        ("files.table_shipped_items", ids.SNAPSHOT),
    ),
    _after(
        "an index dropped after the build, in a whole audit",
        "drop index idx_shipped_items_ship_date",
        "candidate.sqlite",
        ("files.candidate_schema", ids.ITEM_CONTRACT),
    ),
)

SNAPSHOT = (
    _after(
        "a snapshot changed after the build",
        "update shipped_items set quantity_shipped = quantity_shipped + 1 where id = :row",
        "legacy.sqlite",
        _SNAPSHOT,
    ),
    Tampering("another database in place of the snapshot", _live_database, _SNAPSHOT),
    Tampering(
        "another database in place of the snapshot, and its hash",
        _live_database_with_its_hash,
        (ids.LIVE_TABLES,),
    ),
    _before(
        "a legacy quantity changed",
        "update shipped_items set quantity_shipped = quantity_shipped + 1 where id = :row",
        by=(ids.EVERY_ROW, ids.LEGACY_UNITS, ids.SNAPSHOT),
    ),
    _before(
        "a legacy row deleted",
        "delete from shipped_items where id = :merged",
        by=(ids.EVERY_ROW, ids.AS_MANY_ROWS, ids.LIVE_TABLES),
    ),
    _before(
        "a legacy row added",
        "insert into shipped_items (ship_date, sku_lot, base_sku, quantity_shipped, order_number)"
        " values ('2025-10-10', '17612 - 250300', '17612', 1, :order)",
        by=(ids.EVERY_ROW, ids.AS_MANY_ROWS, ids.LIVE_TABLES),
    ),
    _before(
        "a legacy header changed",
        "update shipped_orders set ship_date = '2025-10-10' where id = :header",
        by=(ids.HEADERS,),
    ),
    _before(
        "the legacy lots' statuses changed", "update sku_lot set active = 1 - active", by=(ids.LOT_STATUS,)
    ),
    _before(
        "a legacy receipt changed",
        "update inventory_transactions set quantity = quantity + 1 where sku = '17612'",
        by=(ids.STOCK,),
    ),
    _before(
        "the dates of orders changed",
        "update orders_inbox set order_date = '2025-10-20'",
        by=(ids.BEFORE_ORDER,),
    ),
    _before("a carried-over table emptied", "delete from weekly_shipped_history", by=(ids.LIVE_TABLES,)),
    _before("a carried-over table dropped", "drop table bundle_components", by=(ids.LIVE_TABLES,)),
    _before(
        "a table of the models dropped",
        "drop table orders_inbox",
        by=(ids.LIVE_TABLES, ids.BEFORE_ORDER),
        breaks=True,
    ),
    _before("a table added to the snapshot", "create table notes (id integer)", by=(ids.LIVE_TABLES,)),
    _before("the snapshot's marker dropped", "drop table lotgate_snapshot", by=(ids.LIVE_TABLES,)),
    _snapshot_json(
        "another hash in the snapshot's description",
        lambda content: content.update(sha256="0" * 64),
        _SNAPSHOT,
    ),
    _snapshot_json(
        "a snapshot that is said to be older",
        lambda content: content.update(taken_at="2025-09-01T00:00:00+00:00"),
        (ids.PAST,),
    ),
    _snapshot_json(
        "a live table that the snapshot has not",
        lambda content: content["tables"].append(content["tables"][0] | {"name": "lost_table"}),
        (ids.LIVE_TABLES,),
    ),
    _snapshot_json(
        "a live table left out of the description",
        lambda content: content["tables"].remove(
            next(table for table in content["tables"] if table["name"] == "workflows")
        ),
        (ids.LIVE_TABLES,),
    ),
)


def _control(name: str, file: str, change: Callable[[str], str]) -> Tampering:
    def do(bench: Bench) -> None:
        path = bench.controls / file
        text = path.read_text()
        assert change(text) != text
        path.write_text(change(text))

    return Tampering(name, do, _CONTROLS, reads_suites=False)


def _without_last_line(text: str) -> str:
    return "".join(text.splitlines(keepends=True)[:-1])


def _without_controls(bench: Bench) -> None:
    for file in bench.controls.iterdir():
        file.unlink()


EVIDENCE = (
    _after(
        "a shipment of the evidence changed",
        "update shipment_items set quantity = quantity + 1 where rowid = 1",
        "shipstation.sqlite",
        _EVIDENCE,
    ),
    _after(
        "a fetch of the evidence added",
        "insert into fetches values (9, '2025-01-01', '2025-12-31', '2025-12-31', 1, null)",
        "shipstation.sqlite",
        _EVIDENCE,
    ),
    Tampering(
        "no evidence", lambda bench: bench.work_dir.shipstation.unlink(), _EVIDENCE, reads_suites=False
    ),
)

CONTROLS = (
    _control("an expected total lowered", "expected_units.csv", lambda text: text.replace("331", "330")),
    _control("an expected stock deleted", "expected_on_hand.csv", _without_last_line),
    _control(
        "a decision changed", "quarantine_decisions.csv", lambda text: text.replace("hold", "remove", 1)
    ),
    _control("a decision deleted", "quarantine_decisions.csv", _without_last_line),
    _control("an incident added", "incidents.csv", lambda text: f"{text}2024-05-01,,,,another\n"),
    _control("a control that cannot be read", "expected_units.csv", lambda text: text.replace("331", "many")),
    Tampering("no controls", _without_controls, _CONTROLS, reads_suites=False),
    Tampering(
        "a control that lotgate does not know",
        lambda bench: (bench.controls / "expected_unit.csv").touch(),
        _CONTROLS,
        reads_suites=False,
    ),
)

INPUTS = (*AFTERWARDS, *SNAPSHOT, *EVIDENCE, *CONTROLS)
