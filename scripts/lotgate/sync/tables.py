"""The tables that sync keeps in the live database, all of them lotgate's own but ``sync_watermark``.

- ``lotgate_sync_runs``: one row per run, with what it read and wrote;
- ``lotgate_sync_changes``: what a row said before sync changed it or took it out;
- ``lotgate_ingest_quarantine``: what guard or parser refused, until it is settled.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import astuple, fields

from lotgate.errors import EnvironmentFailed, UsageError
from lotgate.live.clock import utc_now
from lotgate.live.schema import columns_of
from lotgate.live.state import table_exists
from lotgate.parser import is_real_day
from lotgate.sync.model import Refusal

__all__ = [
    "CHANGES",
    "QUARANTINE",
    "RUNS",
    "ensure_indexes",
    "ensure_tables",
    "open_entries",
    "quarantine",
    "read_watermark",
    "settle",
    "settle_order",
    "write_watermark",
]

RUNS = "lotgate_sync_runs"
CHANGES = "lotgate_sync_changes"
QUARANTINE = "lotgate_ingest_quarantine"
WATERMARK = "sync_watermark"

_DDL = (
    f"""create table if not exists {RUNS} (
    run_id integer not null primary key autoincrement, service text not null,
    started_at text not null, finished_at text,
    outcome text not null check (outcome in ('running', 'done', 'failed', 'stopped', 'interrupted')),
    problem text, window_from text, window_to text, watermark text, requests integer, labels integer,
    orders integer, rows_added integer, rows_changed integer, rows_adopted integer, rows_removed integer,
    units_added integer, units_removed integer, refused integer, detail text,
    lotgate_version text not null
) strict""",
    f"""create table if not exists {CHANGES} (
    change_id integer not null primary key autoincrement,
    run_id integer not null references {RUNS} (run_id),
    action text not null check (action in ('changed', 'adopted', 'removed')),
    table_name text not null check (table_name in ('shipped_items', 'shipped_orders')),
    row_id integer not null, order_number text, before_row text not null
) strict""",
    f"""create table if not exists {QUARANTINE} (
    entry_id integer not null primary key autoincrement, subject text not null unique,
    reason text not null, detail text not null, shipment_id integer, shipstation_order_id integer,
    order_number text, ship_date text, sku_text text, quantity integer, service text not null,
    first_run_id integer not null references {RUNS} (run_id),
    last_run_id integer not null references {RUNS} (run_id), settled_at text
) strict""",
    f"create index if not exists lotgate_ingest_quarantine_shipment on {QUARANTINE} (shipment_id)",
    # the legacy system's own statement (docs/sync.md): early databases lack the table
    f"""create table if not exists {WATERMARK} (
    id integer primary key autoincrement, workflow_name text not null unique,
    last_sync_timestamp text not null, updated_at text default current_timestamp
) strict""",
)


def ensure_tables(connection: sqlite3.Connection) -> None:
    """Makes what is missing. In a write transaction."""
    for statement in _DDL:
        connection.execute(statement)


def ensure_indexes(connection: sqlite3.Connection) -> None:
    """Rows are looked up by shipment (migrated ones have none), headers by ShipStation's order id."""
    connection.execute(
        "create index if not exists lotgate_sync_shipment on shipped_items (shipstation_shipment_id)"
        " where shipstation_shipment_id is not null"
    )
    if any(column.name == "shipstation_order_id" for column in columns_of(connection, "shipped_orders")):
        connection.execute(
            "create index if not exists lotgate_sync_order on shipped_orders (shipstation_order_id)"
        )


def quarantine(
    connection: sqlite3.Connection, refusals: Iterable[Refusal], *, service: str, run_id: int
) -> int:
    """Notes what was refused, each subject once; returns how many are new or open again."""
    columns = [field.name for field in fields(Refusal)]  # the first is the subject
    names = ", ".join(columns)
    new = 0
    for refusal in refusals:
        before = connection.execute(
            f"select settled_at is null from {QUARANTINE} where subject = ?", (refusal.subject,)
        ).fetchone()
        new += before is None or not before[0]
        connection.execute(
            f"insert into {QUARANTINE} ({names}, service, first_run_id, last_run_id)"
            f" values ({', '.join('?' * (len(columns) + 3))}) on conflict (subject) do update set"
            f" {', '.join(f'{name} = excluded.{name}' for name in columns[1:])},"
            " service = excluded.service, last_run_id = excluded.last_run_id, settled_at = null",
            (*astuple(refusal), service, run_id, run_id),
        )
    return new


def settle(connection: sqlite3.Connection, shipment_ids: Iterable[int], refused: Collection[str]) -> int:
    """Closes the entries of shipments that were looked at and are not refused any more."""
    settled = 0
    for shipment_id in shipment_ids:
        for entry_id, subject in connection.execute(
            f"select entry_id, subject from {QUARANTINE} where shipment_id = ? and settled_at is null",
            (shipment_id,),
        ).fetchall():
            if subject not in refused:
                connection.execute(
                    f"update {QUARANTINE} set settled_at = ? where entry_id = ?", (utc_now(), entry_id)
                )
                settled += 1
    return settled


def settle_order(connection: sqlite3.Connection, order_id: int) -> int:
    """Closes the entry of an order that now answered as it should."""
    return connection.execute(
        f"update {QUARANTINE} set settled_at = ? where subject = ? and settled_at is null",
        (utc_now(), f"order {order_id}"),
    ).rowcount


def open_entries(connection: sqlite3.Connection) -> tuple[Refusal, ...]:
    """What waits for a person, the oldest first; empty where sync never ran."""
    if not table_exists(connection, QUARANTINE):
        return ()
    names = ", ".join(field.name for field in fields(Refusal))
    rows = connection.execute(
        f"select {names} from {QUARANTINE} where settled_at is null order by entry_id"
    ).fetchall()
    return tuple(Refusal(*row) for row in rows)


def read_watermark(connection: sqlite3.Connection, name: str) -> str | None:
    """A service's watermark as it stands in ``sync_watermark``; None where there is none.

    Raises UsageError where there is something else of that name.
    """
    columns = {column.name.lower() for column in columns_of(connection, WATERMARK)}
    if not columns:
        return None
    if not (table_exists(connection, WATERMARK) and columns >= {"workflow_name", "last_sync_timestamp"}):
        raise UsageError(
            f"{WATERMARK} is no table with workflow_name and last_sync_timestamp.",
            hint="Sync keeps its watermarks there. Rename what is in the way; sync then makes the table.",
        )
    row = connection.execute(
        f"select last_sync_timestamp from {WATERMARK} where workflow_name = ?", (name,)
    ).fetchone()
    return None if row is None else str(row[0])


def write_watermark(connection: sqlite3.Connection, name: str, stamp: str) -> None:
    """Moves a watermark forward, never back. In the write transaction that ends a run.

    Raises EnvironmentFailed where it does not stay, since a trigger of the owner's changes or ignores it.
    """
    before = read_watermark(connection, name)
    if before is not None and before >= stamp and is_real_day(before[:10]):
        return
    has_time = any(column.name.lower() == "updated_at" for column in columns_of(connection, WATERMARK))
    values = {"last_sync_timestamp": stamp}
    if has_time:
        values["updated_at"] = utc_now().removesuffix("+00:00").replace("T", " ")
    if before is None:
        values["workflow_name"] = name
        statement = (
            f"insert into {WATERMARK} ({', '.join(values)}) values ({', '.join(f':{key}' for key in values)})"
        )
    else:
        settings = ", ".join(f"{key} = :{key}" for key in values)
        statement = f"update {WATERMARK} set {settings} where workflow_name = :name"
    connection.execute(statement, {**values, "name": name})
    if read_watermark(connection, name) != stamp:
        raise EnvironmentFailed(
            f"The watermark {name} does not stay in {WATERMARK}.",
            hint="A trigger there changes it. Everything was written, and will be looked at again.",
        )
