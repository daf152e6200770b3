"""Figures as Markdown."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from measuring import Run

__all__ = ["growth", "in_lines", "markdown", "number"]


def number(value: float | None) -> str:
    """Three figures or so; a dash for what there is none of."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def markdown(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table, whose first column is text and whose others are figures."""
    lines = ["| " + " | ".join(headers) + " |", "|" + "---|" + "---:|" * (len(headers) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def in_lines(runs: Mapping[str, Run], **beside: str) -> str:
    """A line for each command; ``beside`` names further columns, and the line that each compares with."""
    headers = ["what", "wall s", "CPU s", "memory MB", "disk MB", *(n.replace("_", " ") for n in beside)]
    rows = []
    for what, run in runs.items():
        figures = [number(value) for value in (run.wall_s, run.cpu_s, run.memory_mb, run.disk_mb)]
        ratios = [
            number(run.wall_s / runs[other].wall_s) if other in runs else "-" for other in beside.values()
        ]
        rows.append([what, *figures, *ratios])
    return markdown(headers, rows)


def growth(sizes: Mapping[int, Mapping[str, Run]]) -> str:
    """How many times as long each line takes with each step to more rows, and its memory at the end."""
    ordered = sorted(sizes)
    pairs = list(itertools.pairwise(ordered))
    names = [name for name in sizes[ordered[-1]] if all(name in sizes[size] for size in ordered)]
    headers = ["what", *(f"{small:,} to {large:,}" for small, large in pairs), "memory MB"]
    rows = [
        [
            name,
            *(number(sizes[large][name].wall_s / sizes[small][name].wall_s) for small, large in pairs),
            " to ".join(number(sizes[size][name].memory_mb) for size in (ordered[0], ordered[-1])),
        ]
        for name in names
    ]
    return markdown(headers, rows)
