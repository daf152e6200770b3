"""The names of what lotgate owns in the live database, and what its swap renames to what."""

from __future__ import annotations

import re
from typing import Final

from lotgate.legacy_schema import quoted

__all__ = [
    "ARCHIVED",
    "BOOKS",
    "CHANGE_LOG",
    "HISTORY",
    "IDENTIFIER",
    "KEYS",
    "NOT_CARRIED_OVER",
    "PROMOTED",
    "archive_name",
    "final_index_name",
    "index_name",
    "is_own",
    "renamed_index",
    "renamed_table",
    "stage_name",
    "undone_name",
]

PROMOTED: Final = ("skus", "lots", "shipped_orders", "shipped_items")
"""The tables that the swap puts into place, parents before children."""

KEYS: Final = {"skus": "sku_id", "lots": "lot_id", "shipped_orders": "id", "shipped_items": "id"}
"""The primary key of each, which is its rowid."""

ARCHIVED: Final = ("shipped_orders", "shipped_items")
"""The legacy tables that make room for them, parents before children."""

BOOKS: Final = {
    "lotgate_row_ledger": "audit_row_ledger",
    "lotgate_order_header_changes": "audit_order_header_changes",
}
"""What says afterwards, in the live database, what became of every row: table -> the candidate's table."""

HISTORY: Final = "lotgate_history"
CHANGE_LOG: Final = "lotgate_change_log"
NOT_CARRIED_OVER: Final = "lotgate_not_carried_over"

# "x", [x], `x`, 'x' or a bare word: SQLite takes all of them for names
IDENTIFIER: Final = r"""(?:"(?:[^"]|"")*"|\[[^\]]*\]|`(?:[^`]|``)*`|'(?:[^']|'')*'|[^\s("'`\[;,.]+)"""
_TABLE = re.compile(rf"\s*create\s+table\s+{IDENTIFIER}", re.IGNORECASE)
_INDEX = re.compile(rf"\s*create\s+(unique\s+)?index\s+{IDENTIFIER}\s+on\s+{IDENTIFIER}", re.IGNORECASE)
_INDEX_PREFIX = "lotgate_idx__"


def stage_name(table: str) -> str:
    """Where a new table is filled: ``lotgate_stage_skus``."""
    return f"lotgate_stage_{table.removeprefix('lotgate_')}"


def archive_name(table: str) -> str:
    """Where the legacy table waits for ``rollback`` or ``contract``: ``legacy_shipped_items``."""
    return f"legacy_{table}"


def undone_name(table: str) -> str:
    """Where a new table goes when it is rolled back, until it is emptied and dropped."""
    return f"lotgate_undone_{table.removeprefix('lotgate_')}"


def index_name(name: str) -> str:
    """The name of an index of a new table while the archive still has the one that it should have."""
    return f"{_INDEX_PREFIX}{name}"


def final_index_name(name: str) -> str | None:
    """The name that ``contract`` gives such an index; None for any other index."""
    return name.removeprefix(_INDEX_PREFIX) if name.startswith(_INDEX_PREFIX) else None


def is_own(name: str) -> bool:
    """Whether a name in the live database is lotgate's own, in SQLite's sense of equal."""
    return name.lower().startswith("lotgate_")


def renamed_table(sql: str, name: str) -> str | None:
    """The CREATE TABLE statement that SQLite stored, for another name; None where it cannot be read."""
    text, count = _TABLE.subn(lambda _: f"create table {quoted(name)}", sql, count=1)
    return text if count else None


def renamed_index(sql: str, name: str, table: str) -> str | None:
    """The CREATE INDEX statement that SQLite stored, for another name and table; None where unreadable."""

    def replace(match: re.Match[str]) -> str:
        unique = "unique " if match[1] else ""
        return f"create {unique}index {quoted(name)} on {quoted(table)}"

    text, count = _INDEX.subn(replace, sql, count=1)
    return text if count else None
