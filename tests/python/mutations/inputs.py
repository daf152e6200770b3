"""Spoiled snapshots, controls and descriptions: what an audit reads beside the candidate."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

from mutations.bench import Bench, Edit, edit_json
from mutations.model import Tampering

Do = Callable[[Bench], None]


def _legacy(name: str, *statements: str, by: str, breaks: bool = False) -> Tampering:
    """The snapshot spoiled, and its hash renewed where it is written down."""

    def do(bench: Bench) -> None:
        for statement in statements:
            bench.sql(statement, "legacy.sqlite")
        assert bench.file_problems() == {"snapshot"}
        bench.renew_snapshot_hash()

    return Tampering(name, do, tuple(by.split()), breaks=breaks)


def _replaced(renew: bool) -> Do:
    def do(bench: Bench) -> None:
        live = json.loads((bench.work_dir.path / "snapshot.json").read_text())["source"]
        bench.work_dir.legacy.unlink()
        shutil.copyfile(live, bench.work_dir.legacy)
        if renew:
            bench.renew_snapshot_hash()

    return do


def _file(name: str, by: str, *, database: str, statement: str) -> Tampering:
    return Tampering(name, lambda bench: bench.sql(statement, database), tuple(by.split()))


SNAPSHOT = (
    _file("a legacy row changed after the build", "files.snapshot", database="legacy.sqlite", statement="update shipped_items set quantity_shipped = quantity_shipped + 1 where id = :row"),
    _file("a snapshot with another clock, and nothing else", "files.snapshot", database="legacy.sqlite", statement="pragma user_version = 7"),
    Tampering("no snapshot", lambda bench: bench.work_dir.legacy.unlink(), error="UsageError", message="legacy"),
    Tampering("the live database in place of its snapshot", _replaced(renew=False), ("files.snapshot",)),
    Tampering("the live database in place of its snapshot, with its hash", _replaced(renew=True), ("reconciliation.tables_are_those_of_the_live_database",)),
    _legacy("a legacy quantity changed", "update shipped_items set quantity_shipped = quantity_shipped + 1 where id = :row", by=""),
    _legacy("a legacy date changed", "update shipped_items set ship_date = date(ship_date, '+1 day') where id = :row", by=""),
    _legacy("a legacy text changed", "update shipped_items set sku_lot = '17612 - 250300' where id = :row", by=""),
    _legacy("a legacy tracking number changed", "update shipped_items set tracking_number = 'DEMO0' where id = :row", by=""),
    _legacy("a legacy row deleted", "delete from shipped_items where id = :row", by=""),
    _legacy("a legacy row deleted that was merged", "delete from shipped_items where id = :merged", by=""),
    _legacy("a legacy row added", "insert into shipped_items (ship_date, sku_lot, base_sku, quantity_shipped, order_number) values ('2025-10-10', '17612 - 250300', '17612', 1, :order)", by=""),
    _legacy("a legacy header changed", "update shipped_orders set ship_date = '2025-10-10' where id = :header", by=""),
    _legacy("a legacy header added", "insert into shipped_orders (ship_date, order_number) values ('2025-10-10', '999995')", by=""),
    _legacy("a legacy lot's status changed", "update sku_lot set active = 1 - active", by=""),
    _legacy("a legacy product added", "insert into inventory_current (sku, product_name) values ('17700', 'Spare')", by=""),
    _legacy("a legacy product name changed", "update inventory_current set product_name = 'Brush' where sku = '17612'", by=""),
    _legacy("a legacy receipt changed", "update inventory_transactions set quantity = quantity + 1 where sku = '17612'", by=""),
    _legacy("a stock baseline changed", "update configuration_params set value = '1020' where category = 'InitialInventory' and sku = '17612'", by=""),
    _legacy("an order's date changed", "update orders_inbox set order_date = '2025-10-20'", by=""),
    _legacy("a carried-over table emptied", "delete from weekly_shipped_history", by=""),
    _legacy("a carried-over row lost", "delete from workflows where rowid = 1", by=""),
    _legacy("a carried-over table dropped", "drop table bundle_components", by=""),
    _legacy("a table of the models dropped", "drop table orders_inbox", by="", breaks=True),
    _legacy("a table added to the snapshot", "create table notes (id integer)", by=""),
    _legacy("the snapshot's marker dropped", "drop table lotgate_snapshot", by=""),
)


def _build(name: str, edit: Edit, by: str, **more: Any) -> Tampering:
    return Tampering(name, lambda bench: bench.edit_build(edit), tuple(by.split()), **more)


def _check_of(build: dict[str, Any], name: str) -> dict[str, Any]:
    return next(check for check in build["checks"] if check["unique_id"].split(".")[2] == name)


def _dbt(name: str, by: str, kind: str = "data_test", **values: Any) -> Tampering:
    """The first critical check of dbt's, changed in build.json."""

    def edit(build: dict[str, Any]) -> None:
        check = next(
            one for one in build["checks"] if one["kind"] == kind and one["severity"] == "critical"
        )
        assert {key: check[key] for key in values} != values
        check.update(values)

    return _build(name, edit, by)


def _without_hash(table: str) -> Edit:
    return lambda build: build.update(hashes=[one for one in build["hashes"] if one["table"] != table])


def _written(text: str | None, file: str) -> Do:
    def do(bench: Bench) -> None:
        path = bench.work_dir.path / file
        path.unlink() if text is None else path.write_text(text)

    return do


def _snapshot_json(edit: Edit) -> Do:
    return lambda bench: edit_json(bench.work_dir.path / "snapshot.json", edit)


DESCRIPTION = (
    _build("a dbt test gone", lambda build: build["checks"].pop(0), ""),
    _build("every dbt test gone", lambda build: build.update(checks=[]), ""),
    _build("every unit test gone", lambda build: build.update(checks=[c for c in build["checks"] if c["kind"] != "unit_test"]), ""),
    _dbt("a dbt test that failed", "", status="fail", failures=3),
    _dbt("a dbt test that could not run", "", status="error"),
    _dbt("a dbt test that was skipped", "", status="skipped"),
    _dbt("a dbt test that did not run", "", status="missing"),
    _dbt("a dbt test with a result that nobody knows", "", status="fine"),
    _dbt("a unit test that failed", "", kind="unit_test", status="fail", failures=1),
    _dbt("a dbt test that was changed", "", fingerprint="0" * 64),
    _dbt("a dbt test that failed, its severity lowered", "", status="warn", failures=3, severity="warning"),
    _dbt("a dbt test whose severity was lowered", "", severity="warning"),
    _dbt("a dbt test under another name", "", unique_id="test.lotgate.other"),
    _build("a target table that was not hashed", _without_hash("shipped_items"), ""),
    _build("an explaining table that was not hashed", _without_hash("audit_stock"), ""),
    _build("no table hashed", lambda build: build.update(hashes=[]), ""),
    _build("a hash of a table that is not there", lambda build: build["hashes"].append({"table": "notes", "rows": 0, "sha256": "0" * 64}), ""),
    _build("another hash of a table", lambda build: build["hashes"][0].update(sha256="0" * 64), ""),
    _build("another number of rows of a table", lambda build: build["hashes"][0].update(rows=1), ""),
    _build("another hash of the schema", lambda build: build.update(schema_sha256="0" * 64), ""),
    _build("a candidate of another snapshot", lambda build: build.update(snapshot_sha256="0" * 64), ""),
    _build("a candidate of other evidence", lambda build: build.update(evidence_sha256="0" * 64), ""),
    _build("a candidate of other controls", lambda build: build.update(controls_sha256="0" * 64), ""),
    Tampering("a description that was cut off", _written('{"candidate": ', "build.json"), error="GateClosed", message="missing or damaged"),
    Tampering("no description", _written(None, "build.json"), error="GateClosed", message="missing or damaged"),
    Tampering("no candidate", _written(None, "candidate.sqlite"), error="UsageError", message="no candidate"),
    Tampering("a candidate that is no database", _written("nothing", "candidate.sqlite"), ("files.candidate_is_sound",), breaks=True),
    Tampering("no description of the snapshot", _written(None, "snapshot.json"), error="GateClosed", message="missing or damaged"),
    Tampering("another hash of the snapshot in its own description", _snapshot_json(lambda content: content.update(sha256="0" * 64)), ("files.snapshot",)),
    Tampering("a snapshot said to be older", _snapshot_json(lambda content: content.update(taken_at="2025-09-01T00:00:00+00:00")), ()),
    Tampering("a live table that the snapshot never had", _snapshot_json(lambda content: content["tables"].append(content["tables"][0] | {"name": "lost_table"})), ()),
    Tampering("a live table with more rows", _snapshot_json(lambda content: content["tables"][0].update(rows=content["tables"][0]["rows"] + 1)), ()),
    Tampering("a live table left out of the description", _snapshot_json(lambda content: content["tables"].pop()), ()),
)


def _control(file: str, change: Callable[[str], str]) -> Do:
    def do(bench: Bench) -> None:
        path = bench.controls / file
        text = path.read_text()
        assert change(text) != text
        path.write_text(change(text))

    return do


def _without_last_line(text: str) -> str:
    return "".join(text.splitlines(keepends=True)[:-1])


EVIDENCE_AND_CONTROLS = (
    _file("a shipment of the evidence changed", "files.evidence", database="shipstation.sqlite", statement="update shipment_items set quantity = quantity + 1 where rowid = 1"),
    _file("a shipment of the evidence deleted", "files.evidence", database="shipstation.sqlite", statement="delete from shipments where rowid = (select min(rowid) from shipments)"),
    _file("a fetch said to be complete", "files.evidence", database="shipstation.sqlite", statement="insert into fetches values (9, '2025-01-01', '2025-12-31', '2025-12-31', 1)"),
    Tampering("no evidence", lambda bench: bench.work_dir.shipstation.unlink(), ("files.evidence",)),
    Tampering("an expected total lowered by its owner", _control("expected_units.csv", lambda text: text.replace("331", "330")), ("files.controls",)),
    Tampering("an expected stock taken away", _control("expected_on_hand.csv", _without_last_line), ("files.controls",)),
    Tampering("a decision changed by its owner", _control("quarantine_decisions.csv", lambda text: text.replace("hold", "remove", 1)), ("files.controls",)),
    Tampering("a decision taken back", _control("quarantine_decisions.csv", _without_last_line), ("files.controls",)),
    Tampering("an incident added", _control("incidents.csv", lambda text: text + "2024-05-01,,,,another\n"), ("files.controls",)),
    Tampering("a control that cannot be read", _control("expected_units.csv", lambda text: text.replace("331", "many")), ("files.controls",)),
    Tampering("a control taken away", lambda bench: (bench.controls / "sku_variants.csv").unlink(), ("files.controls",)),
    Tampering("a control that lotgate does not know", lambda bench: (bench.controls / "expected_unit.csv").write_text("ship_date\n"), ("files.controls",)),
    Tampering("the controls of somebody else", lambda bench: shutil.rmtree(bench.controls), ("files.controls",)),
)
