"""Tells ordinary orders and scenarios until the database has the rows asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lotgate.errors import UsageError
from lotgate.generator import (
    claims,
    decisions,
    evidence,
    order_numbers,
    parsing,
    settled,
    shadows,
    twins,
    values,
)
from lotgate.generator.book import SCENARIOS, Batch, Book, Scenario
from lotgate.generator.masters import master_rows
from lotgate.generator.ordinary import tell_ordinary
from lotgate.generator.writer import Writer
from lotgate.legacy_schema import Shape

SCENARIO_MODULES: Final = (
    parsing,
    values,
    twins,
    shadows,
    claims,
    settled,
    evidence,
    order_numbers,
    decisions,
)
"""Importing a module registers its scenarios, in this order."""
_BATCH_ROWS: Final = 20_000


@dataclass(frozen=True)
class Generated:
    """What `generate` wrote, and how much of it."""

    directory: Path
    database: Path
    shipstation: Path | None
    controls: Path
    expected: Path
    rows: int
    orders: int
    recovered: int
    decisions: int
    reasons: Mapping[tuple[str, str], int]
    """(disposition, reason) -> legacy rows that should get them."""
    scenarios: Mapping[str, int]
    """Scenario -> how often it was told."""


class _Deck:
    """The scenarios that a database can hold, shuffled anew whenever all have been told."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._fitting = [case for case in SCENARIOS if case.needs <= book.has]
        self._left: list[Scenario] = []
        self.rounds = -1

    def draw(self) -> Scenario:
        if not self._left:
            self.rounds += 1
            self._left = [case for case in self._fitting if not (self.rounds and case.once)]
            self._book.rng.shuffle(self._left)
        return self._left.pop()

    @property
    def first_round(self) -> bool:
        return self.rounds < 0 or (self.rounds == 0 and bool(self._left))


def generate(
    directory: Path,
    *,
    rows: int,
    seed: int,
    shape: Shape = Shape.late,
    with_shipstation: bool = True,
    nasty: float = 0.1,
) -> Generated:
    """Writes a legacy database of about `rows` rows in `shipped_items`, and what should become of each.

    `directory` gets ora.db (WAL mode, closed), expected.sqlite, controls/ and, with `with_shipstation`,
    shipstation.sqlite. The same arguments write the same contents. `nasty` is the share of rows that
    scenarios write; every scenario that the shape can hold is told once before that share counts, if `rows`
    suffices (about 1,000). Raises UsageError when the directory holds a database already, or for arguments
    out of range.
    """
    if rows < 1 or not 0 <= nasty <= 1:
        raise UsageError(
            f"rows is {rows} and nasty is {nasty}", hint="Give at least 1 row, and a share from 0 to 1."
        )
    existing = [
        name for name in ("ora.db", "shipstation.sqlite", "expected.sqlite") if (directory / name).exists()
    ]
    if existing:
        raise UsageError(
            f"{directory} already holds {', '.join(existing)}",
            hint="Choose an empty directory for the new database.",
        )
    directory.mkdir(parents=True, exist_ok=True)
    book = Book(seed, shape, evidence=with_shipstation)
    deck = _Deck(book)
    reasons: Counter[tuple[str, str]] = Counter()
    told: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    scenario_rows = 0

    def flush(writer: Writer) -> None:
        batch = book.batch
        writer.write(batch)
        reasons.update((row.disposition, row.reason) for row in batch.rows)
        for name in ("headers", "recovered", "decisions"):
            counts[name] += len(getattr(batch, name))
        book.batch = Batch()

    with Writer(directory, shape, evidence=with_shipstation) as writer:
        while book.row_count < rows:
            before = book.row_count
            due = before // 3 if deck.first_round else int(before * nasty)
            if nasty and scenario_rows <= due:
                case = deck.draw()
                case.tell(book)
                told[case.name] += 1
                scenario_rows += book.row_count - before
            else:
                tell_ordinary(book, before / rows, rows - before)
            if len(book.batch.rows) >= _BATCH_ROWS:
                flush(writer)
        flush(writer)
        writer.finish(master_rows(book.units))
    return Generated(
        directory=directory,
        database=directory / "ora.db",
        shipstation=directory / "shipstation.sqlite" if with_shipstation else None,
        controls=directory / "controls",
        expected=directory / "expected.sqlite",
        rows=book.row_count,
        orders=counts["headers"],
        recovered=counts["recovered"],
        decisions=counts["decisions"],
        reasons=dict(sorted(reasons.items())),
        scenarios=dict(sorted(told.items())),
    )
