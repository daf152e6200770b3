"""The ShipStation evidence database of a work directory: created empty, or found and checked.

Its tables are written by ``recover`` (``evidence_fetches.py``) and read by the dbt models. The table
``lotgate_evidence`` says which live database the evidence was fetched for: nothing may be recovered from
another one's shipments.

A row of ``shipments`` with ``units_from`` ``order`` is an order that was shipped by hand, without a label:
its id is the negative id of ShipStation's fulfillment, and its items are the order's
(``shipstation/by_hand.py``). The column and the sign of the id always agree. Format 1 had neither that
column nor ``incomplete_because``.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from lotgate.errors import LotgateError, UsageError
from lotgate.sqlite_files import explain, path_text, sqlite_uri
from lotgate.workdir import write_private

__all__ = ["EvidenceSummary", "covered_windows", "create_evidence", "ensure_evidence"]

FORMAT_VERSION = "2"

DDL = (
    """create table fetches (
    fetch_id integer primary key,
    ship_date_from text not null,
    ship_date_to text not null,
    fetched_at text not null,
    complete integer not null check (complete in (0, 1)),
    incomplete_because text
) strict""",
    """create table shipments (
    shipment_id integer primary key,
    order_id integer,
    order_number text,
    create_date text,
    ship_date text,
    tracking_number text,
    is_return_label integer not null,
    voided integer not null,
    void_date text,
    units_from text not null default 'label'
        check (units_from = case when shipment_id < 0 then 'order' else 'label' end)
) strict""",
    """create table shipment_items (
    shipment_id integer not null,
    line_index integer not null,
    order_item_id integer,
    line_item_key text,
    sku text,
    quantity integer,
    adjustment integer not null,
    primary key (shipment_id, line_index)
) strict""",
    "create table lotgate_evidence (key text primary key, value text) strict",
)

# Overlapping windows count a day once; union drops the days that are there already.
DAYS_COVERED = """
with recursive windows as (
    select date(ship_date_from) as day, date(ship_date_to) as last_day from fetches where complete = 1
),
days as (
    select day, last_day from windows where day <= last_day
    union
    select date(day, '+1 day'), last_day from days where day < last_day
)
select count(distinct day) from days
"""


@dataclass(frozen=True)
class EvidenceSummary:
    """What the evidence holds. ``days_covered`` counts the days inside complete fetches, each once."""

    fetches: int
    complete_fetches: int
    shipments: int
    items: int
    days_covered: int


def create_evidence(path: Path, database: Path) -> None:
    """Writes an empty evidence database for the live database ``database``, replacing what is at ``path``.

    Raises EnvironmentFailed where that cannot be written.
    """
    with write_private(path) as temporary:
        try:
            connection = sqlite3.connect(sqlite_uri(temporary), uri=True, isolation_level=None)
            try:
                connection.execute("begin")
                for statement in DDL:
                    connection.execute(statement)
                connection.executemany(
                    "insert into lotgate_evidence (key, value) values (?, ?)",
                    [("database", path_text(database.resolve())), ("format", FORMAT_VERSION)],
                )
                connection.execute("commit")
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise explain(error, path) from error


def ensure_evidence(path: Path, database: Path) -> EvidenceSummary:
    """What the evidence at ``path`` holds, after making sure that it is evidence for ``database``.

    A missing file, and one without the marker table (``dbt seed`` makes such a file from the demo's seeds),
    become an empty one. Raises UsageError for another database's evidence and for a file that is none, and
    EnvironmentFailed where it cannot be read or written.
    """
    if path.is_dir():
        raise UsageError(
            f"{path} is a folder, not evidence.", hint="Move it away, or use another --work-dir."
        )
    if not path.exists() or not _has_marker(path):
        create_evidence(path, database)
    summary, marker = _read(path)
    if marker.get("format") == "1" and not (summary.fetches or summary.shipments or summary.items):
        create_evidence(path, database)  # an earlier version made it, and nothing was ever fetched into it
        return summary
    if marker.get("format") != FORMAT_VERSION:
        raise UsageError(
            f"{path} has evidence of format {marker.get('format')}; this version reads format"
            f" {FORMAT_VERSION}.",
            hint="Move it away and fetch the evidence again with `lotgate recover`.",
        )
    owner = marker.get("database")
    if owner != path_text(database.resolve()):
        if summary.fetches or summary.shipments or summary.items:
            raise UsageError(
                f"{path} holds the ShipStation evidence of another database: {owner}.",
                hint=f"Use another --work-dir for {database}, or move that file away.",
            )
        create_evidence(path, database)  # nothing was ever fetched into it
    return summary


def covered_windows(path: Path) -> tuple[tuple[str, str], ...]:
    """First and last day of every complete fetch in the evidence at ``path``, none after its own day.

    Raises UsageError or EnvironmentFailed where the evidence cannot be read.
    """
    try:
        with closing(sqlite3.connect(sqlite_uri(path, mode="ro"), uri=True)) as connection:
            found = connection.execute(
                "select ship_date_from, min(ship_date_to, substr(fetched_at, 1, 10))"
                " from fetches where complete = 1 order by 1, 2"
            )
            return tuple((first, last) for first, last in found if first <= last)
    except sqlite3.Error as error:
        raise _damaged(path, error) from error


def _read(path: Path) -> tuple[EvidenceSummary, dict[str, str]]:
    try:
        connection = sqlite3.connect(sqlite_uri(path, mode="ro"), uri=True, isolation_level=None)
        try:
            marker = dict(connection.execute("select key, value from lotgate_evidence"))
            counts = connection.execute(
                "select (select count(*) from fetches), (select count(*) from fetches where complete = 1),"
                " (select count(*) from shipments), (select count(*) from shipment_items),"
                f" ({DAYS_COVERED})"
            ).fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _damaged(path, error) from error
    return EvidenceSummary(*counts), marker


def _has_marker(path: Path) -> bool:
    if path.stat().st_size == 0:
        return False
    try:
        connection = sqlite3.connect(sqlite_uri(path, mode="ro"), uri=True, isolation_level=None)
        try:
            found = connection.execute(
                "select 1 from sqlite_schema where type = 'table' and name = 'lotgate_evidence'"
            ).fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _damaged(path, error) from error
    return found is not None


def _damaged(path: Path, error: sqlite3.Error) -> LotgateError:
    reason = explain(error, path)
    return type(reason)(reason.message, hint="Move that file away and fetch the evidence again.")
