"""`make bench`: lotgate beside its alternatives and the limit, in one run on one machine, as Markdown.

Usage: python tests/bench/bench.py [--rows 1000 --rows 100000] [--database DIR] [--part compare] [--json FILE]

What is compared and how is in docs/benchmarks.md. Everything that is measured goes to stdout, what is going
on to stderr. Stops where the alternatives' results differ, since their times would mean nothing then.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))  # this tree's package comes first

import labels as many_labels
import live
import startup
from compare import SIDES, Compared, Options, built, compare, table, warm_up
from databases import Source, generated, given, write_schema
from measuring import Run, machine
from tables import growth

PARTS = ("compare", "live", "startup", "labels")
WARM_UP_ROWS = 300


@dataclass(frozen=True)
class Asked:
    """How often; None: as suits the size."""

    without: frozenset[str]
    repeat: int | None
    swaps: int | None
    quiet_s: float
    day_labels: int
    window: float
    candidate: Path | None

    def options(self, rows: int) -> Options:
        """Three turns, two of a million rows, one beyond."""
        repeat = self.repeat or (3 if rows < 1_000_000 else 2 if rows < 2_000_000 else 1)
        return Options(repeat, self.without, labels=self.day_labels, window=self.window)

    def cycles(self, rows: int) -> int:
        return self.swaps or (20 if rows < 1_000_000 else 5 if rows < 2_000_000 else 2)


def say(text: str) -> None:
    print(text, flush=True)


def measure_sizes(
    folder: Path, sources: Sequence[Source], parts: Sequence[str], asked: Asked
) -> dict[str, Any]:
    """The comparison of every size, then the swaps beside writers on what was built last."""
    compared: dict[int, Compared] = {}
    swapped: dict[int, list[live.Cycle]] = {}
    schema = folder / "schema.json"
    if asked.candidate:
        write_schema(asked.candidate, schema)
    elif "compare" in parts:
        warm_up(generated(folder / "warm-up", WARM_UP_ROWS), folder / "warm-up-turn", schema)
    for source in sources:
        place = None
        if "compare" in parts:
            options = asked.options(source.rows)
            found = compared[source.rows] = compare(source, folder / "turn", schema, options)
            say(f"\n## {source.rows:,} rows, medians of {options.repeat} in turn\n\n{table(found.medians)}")
            if "live" in parts and "lotgate" not in asked.without:
                place = found.place
                live.as_audited(place)
        elif "live" in parts:
            place = built(source, folder / "turn")
        if place:
            swapped[source.rows] = live.cycles(place, asked.cycles(source.rows), quiet_s=asked.quiet_s)
    if len(compared) > 1:
        medians = {rows: found.medians for rows, found in compared.items()}
        say(f"\n## Growth: wall time, as a factor\n\n{growth(medians)}")
    if swapped:
        say(f"\n## Swaps and rollbacks beside live writers\n\n{live.table(swapped)}")
    return {
        "compare": {rows: as_json(found.runs) for rows, found in compared.items()},
        "live": swapped,
    }


def as_json(runs: dict[str, list[Run]]) -> dict[str, list[dict[str, float]]]:
    return {name: [run.as_json() for run in found] for name, found in runs.items()}


@contextmanager
def scratch_folder(folder: Path | None, keep: bool) -> Iterator[Path]:
    """Where copies are made. What was generated there is found again, where it is kept."""
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
        if not keep:
            for name in ("turn", "warm-up", "warm-up-turn", "demo", "labels"):
                shutil.rmtree(folder / name, ignore_errors=True)
        return
    made = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        yield made
    finally:
        if keep:
            print(f"kept: {made}", file=sys.stderr)
        else:
            shutil.rmtree(made)


@click.command()
@click.option("--rows", "sizes", multiple=True, type=click.IntRange(min=1), help="Generate so many.")
@click.option(
    "--database", "folders", multiple=True, type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder with ora.db and, where there are any, controls and shipstation.sqlite. It is copied.",
)  # fmt: skip
@click.option("--part", "parts", multiple=True, type=click.Choice(PARTS), default=PARTS, show_default=True)
@click.option("--without", multiple=True, type=click.Choice(SIDES), help="Leave one out of the comparison.")
@click.option("--repeat", type=click.IntRange(min=1), help="Default: 3, of a million rows 2, of more 1.")
@click.option("--swaps", type=click.IntRange(min=1), help="Default: 20, of a million rows 5, of more 2.")
@click.option("--quiet", default=5.0, show_default=True, help="Seconds without lotgate, before and after.")
@click.option("--day-labels", default=300, show_default=True, help="Labels of the day that is synced.")
@click.option("--labels", default=100_000, show_default=True, help="Labels of the part of that name.")
@click.option("--window", default=3.0, show_default=True, help="Seconds of the rate limit; really 60.")
@click.option(
    "--candidate", type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="One whose tables the others are to fill, instead of a small build at the beginning.",
)  # fmt: skip
@click.option(
    "--scratch", type=click.Path(path_type=Path, file_okay=False),
    help="A folder with room, whose generated databases stay there for another time. Default: a new one.",
)  # fmt: skip
@click.option("--keep", is_flag=True, help="Leave also the last copies and work directories.")
@click.option("--json", "raw", type=click.Path(path_type=Path, dir_okay=False), help="All figures, by run.")
def main(
    sizes: tuple[int, ...],
    folders: tuple[Path, ...],
    parts: tuple[str, ...],
    without: tuple[str, ...],
    repeat: int | None,
    swaps: int | None,
    quiet: float,
    day_labels: int,
    labels: int,
    window: float,
    candidate: Path | None,
    scratch: Path | None,
    keep: bool,
    raw: Path | None,
) -> None:
    """Measure lotgate beside the limit, the plan's loop, and dbt and GX by hand."""
    asked = Asked(frozenset(without), repeat, swaps, quiet, day_labels, window, candidate)
    figures: dict[str, Any] = {"machine": machine()}
    say(", ".join(f"{name} {value}" for name, value in figures["machine"].items()))
    with scratch_folder(scratch, keep) as folder:
        folder = folder.resolve()
        if "startup" in parts:
            runs, demos = startup.starts(repeat or 3), startup.demo(folder / "demo")
            figures |= {"starts": as_json(runs), "demo": demos}
            say(f"\n## Starting, and the demo\n\n{startup.starts_table(runs)}\n\n{startup.demo_table(demos)}")
        if {"compare", "live"} & set(parts):
            if not (sizes or folders):
                sizes = (1_000,)
            sources = [generated(folder / f"generated-{rows}", rows) for rows in sizes]
            sources += [given(place.resolve()) for place in folders]
            figures |= measure_sizes(folder, sources, parts, asked)
        if "labels" in parts:
            synced = many_labels.sync_labels(folder / "labels", labels, window)
            figures["labels"] = {name: run.as_json() | beside for name, (run, beside) in synced.items()}
            say(f"\n## Sync of {labels:,} labels at once\n\n{many_labels.table(synced)}")
    if raw:
        raw.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
