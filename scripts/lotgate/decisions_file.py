"""The undecided rows as a file of decisions, for a person to fill in and sign."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from pathlib import Path

from lotgate.control_rows import QuarantineDecision
from lotgate.errors import EnvironmentFailed, GateClosed, UsageError
from lotgate.sqlite_files import sqlite_uri

__all__ = ["export_decisions"]

UNDECIDED = """
select
    legacy_id,
    cast(order_number as text) as order_number,
    cast(base_sku as text) as base_sku,
    cast(sku_lot as text) as sku_lot,
    cast(quantity_shipped as text) as quantity_shipped,
    proposed_decision as decision,
    proposed_ship_date as ship_date,
    'Proposed: ' || proposal as reason,
    '' as decided_by,
    '' as decided_on
from audit_quarantine
where is_undecided
order by legacy_id
"""


def export_decisions(candidate: Path, file: Path) -> int:
    """Writes a line for every undecided row to a new ``file``, in the form of quarantine_decisions.csv.

    The decision is the proposed one, or empty where the evidence suggests none. ``decided_by`` and
    ``decided_on`` stay empty, and a build refuses the line until a person has filled them in. Returns the
    number of lines. Raises UsageError where the file exists, EnvironmentFailed where it cannot be written,
    GateClosed where the candidate cannot be read.
    """
    columns = list(QuarantineDecision.model_fields)
    try:
        with closing(sqlite3.connect(sqlite_uri(candidate, mode="ro"), uri=True)) as connection:
            cursor = connection.execute(UNDECIDED)
            assert [column[0] for column in cursor.description] == columns
            rows = cursor.fetchall()
    except sqlite3.Error as error:
        raise GateClosed(f"{candidate} cannot be read: {error}.", hint="Build again.") from error
    try:
        with file.open("x", encoding="utf-8", newline="") as output:
            file.chmod(0o600)
            writer = csv.writer(output, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(["" if value is None else value for value in row] for row in rows)
    except FileExistsError as error:
        raise UsageError(
            f"{file} exists; nothing was written.", hint="Name a new file, and add its lines to your own."
        ) from error
    except OSError as error:
        raise EnvironmentFailed(
            f"{file} cannot be written: {error.strerror}.", hint="Name a file in a folder that is there."
        ) from error
    return len(rows)
