"""The outcome of a try, as it is printed."""

from __future__ import annotations

from collections.abc import Sequence

from comparison import Comparison
from dbt_build import KINDS, DbtBuild

__all__ = ["print_report"]


def print_report(engine: str, sqlite_seconds: float, build: DbtBuild, found: Sequence[Comparison]) -> bool:
    """Prints what ran and which tables are equal. Says whether everything is as on SQLite."""
    print(f"dbt build on {engine}: {build.seconds:.0f} s; lotgate build on SQLite: {sqlite_seconds:.0f} s")
    for kind in KINDS:
        print(f"  {kind:<10} {build.line(kind)}")
    for name, message in build.problems:
        print(f"  {name}: {message}")
    print(f"  {'table':<32} {'rows':>8}")
    for table in found:
        outcome = "equal"
        if table.error:
            outcome = table.error
        elif not table.is_equal:
            outcome = f"{len(table.only_sqlite)} only in SQLite, {len(table.only_other)} only in {engine}"
        print(f"  {table.table:<32} {table.rows:>8}  {outcome}")
        for where, rows in (("SQLite", table.only_sqlite), (engine, table.only_other)):
            for row in rows[:2]:
                print(f"    {where}: {row}")
    equal = sum(table.is_equal for table in found)
    print(f"Tables with the rows of SQLite: {equal} of {len(found)}", flush=True)
    return equal == len(found) and not build.problems
