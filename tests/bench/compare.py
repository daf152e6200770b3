"""The alternatives in turn, so that a slow minute is everybody's; stops where results differ."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Iterator, Set
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from alternatives import BY_HAND, LIMIT, LOOP, Results, by_hand, limit, loop, lotgate
from databases import Place, Source, copy_source, open_verdict, write_schema
from measuring import LOTGATE, Run, measure, median_of
from tables import in_lines

__all__ = ["SIDES", "Compared", "Options", "built", "compare", "table", "warm_up"]

THE_KEY = "shipped_items: expect_compound_columns_to_be_unique"
"""The one check by hand that fails, where there are second records: stock tables have no key."""
SIDES = ("limit", "loop", "by-hand", "lotgate")


@dataclass(frozen=True)
class Options:
    """How often, whom not, and how large a day sync gets."""

    repeat: int
    without: Set[str] = frozenset()
    and_swap: bool = True
    labels: int = 300
    window: float = 3.0


@dataclass(frozen=True)
class Compared:
    """One size: every run by line, and the last turn's place, as it was after the rollback."""

    rows: int
    runs: dict[str, list[Run]]
    place: Place

    @property
    def medians(self) -> dict[str, Run]:
        return {name: median_of(runs) for name, runs in self.runs.items()}


def compare(source: Source, folder: Path, schema: Path, options: Options) -> Compared:
    """So many turns; each has a copy of its own of the database, and nothing of the turn before."""
    turns: list[Results] = []
    place = Place(folder)
    for number in range(options.repeat):
        place = copy_source(source, folder)
        print(f"{source.rows:,} rows, turn {number + 1} of {options.repeat}", file=sys.stderr, flush=True)
        results = Results()
        if "limit" not in options.without:
            limit(place, schema, results)
        if "loop" not in options.without:
            loop(place, schema, results)
        if "by-hand" not in options.without:
            by_hand(place, results)
        if "lotgate" not in options.without:
            lotgate(place, results, labels=options.labels, window=options.window, and_swap=options.and_swap)
        for difference in differences(source, place, results, turns, options):
            sys.exit(f"The results differ, so the times mean nothing: {difference}")
        turns.append(results)
    return Compared(source.rows, {name: [turn.runs[name] for turn in turns] for name in turns[0].runs}, place)


def differences(
    source: Source, place: Place, results: Results, earlier: list[Results], options: Options
) -> Iterator[str]:
    """Everything in which one side's result is not what the other sides' results say that it must be."""
    if any(results.hashes != turn.hashes for turn in earlier):
        yield "two builds of one database have different hashes"
    if not options.without & {"limit", "loop"}:
        rows, units = (a - b for a, b in zip(results.limit, results.limit_doubles, strict=True))
        found = results.loop
        if (found["rows"], found["units"]) != (rows, units):
            yield (
                f"the loop has {found['rows']} rows and {found['units']} units, where the script has {rows}"
                f" and {units} without the second records of the plan's key, which the loop deletes"
            )
        if found["legacy_rows"] - found["refused_rows"] != results.limit[0]:
            yield "the loop and the script refuse different rows"
    if not options.without & {"limit", "by-hand"}:
        if results.by_hand != results.limit:
            yield f"dbt by hand has {results.by_hand} rows and units, and the script {results.limit}"
        twins = results.limit_doubles[0] > 0
        expected = [THE_KEY] if twins else []
        if results.by_hand_failed != expected:
            yield f"by hand failed {results.by_hand_failed}, where {expected} must"
    if "lotgate" in options.without or not options.and_swap:
        return
    units, written = results.synced
    if units != written:
        yield f"sync wrote {written} units of {units}"
    with closing(sqlite3.connect(place.database)) as connection:
        if connection.execute("pragma integrity_check").fetchall() != [("ok",)]:
            yield "the live database is damaged after the rollback"
        (rows,) = connection.execute("select count(*) from shipped_items").fetchone()
        if rows != source.rows + 2 * options.labels:
            yield f"the live database has {rows} rows after the rollback, of {source.rows} and those of sync"


def table(medians: dict[str, Run]) -> str:
    """One size's lines, each beside the limit and the loop."""
    return in_lines(medians, times_the_limit=LIMIT, times_the_loop=LOOP, times_by_hand=BY_HAND)


def built(source: Source, folder: Path) -> Place:
    """A place whose candidate is built and whose verdict is open, unmeasured."""
    place = copy_source(source, folder)
    measure([*LOTGATE, "build", *place.options()])
    open_verdict(place.work)
    return place


def warm_up(source: Source, folder: Path, schema: Path) -> None:
    """One small build, unmeasured: it gives the alternatives their tables, and everybody warm files."""
    write_schema(built(source, folder).work.candidate, schema)
    shutil.rmtree(folder)
