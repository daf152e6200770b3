"""What a long step tells the person who waits: progress bars on a terminal, plain lines elsewhere, on stderr.

The core gets a ``Reporter`` and knows nothing of terminals; stdout belongs to results and to ``--json``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["PlainReporter", "Reporter", "SilentReporter", "Step", "TerminalReporter", "make_reporter"]


class Step(Protocol):
    """A step under way."""

    def advance(self, amount: float = 1.0) -> None:
        """``amount`` more of the step's total is done."""

    def note(self, text: str) -> None:
        """What the step is waiting for, such as ``waiting 40 s for ShipStation's rate limit``."""


class Reporter(Protocol):
    """Where a command tells what it is doing."""

    def step(self, title: str, total: float | None = None) -> AbstractContextManager[Step]:
        """A step that lasts as long as the ``with`` block; ``total`` in any unit, None where unknown."""


class _Counter:
    def advance(self, amount: float = 1.0) -> None:
        pass

    def note(self, text: str) -> None:
        pass


@dataclass(frozen=True)
class _Lines:
    title: str
    stream: TextIO

    def advance(self, amount: float = 1.0) -> None:
        pass

    def note(self, text: str) -> None:
        print(f"{self.title}: {text} ...", file=self.stream, flush=True)


class SilentReporter:
    """Tells nothing: for tests and for programs that use the core."""

    @contextmanager
    def step(self, title: str, total: float | None = None) -> Iterator[Step]:
        yield _Counter()


@dataclass
class PlainReporter:
    """A line when a step begins and, where it took a second or more, one when it ends: for logs and pipes."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)

    @contextmanager
    def step(self, title: str, total: float | None = None) -> Iterator[Step]:
        print(f"{title} ...", file=self.stream, flush=True)
        start = time.monotonic()
        yield _Lines(title, self.stream)
        seconds = time.monotonic() - start
        if seconds >= 1:
            print(f"{title}: done in {seconds:.1f} s", file=self.stream, flush=True)


class TerminalReporter:
    """A bar with time for every step; it stays, with a tick, when the step is done. Needs rich."""

    @contextmanager
    def step(self, title: str, total: float | None = None) -> Iterator[Step]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/green]"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        with progress:
            task = progress.add_task(title, total=total)
            yield _Bar(progress, task, title)
            progress.update(task, description=title, total=total or 1, completed=total or 1)


@dataclass(frozen=True)
class _Bar:
    progress: Progress
    task: TaskID
    title: str

    def advance(self, amount: float = 1.0) -> None:
        self.progress.update(self.task, description=self.title, advance=amount)

    def note(self, text: str) -> None:
        self.progress.update(self.task, description=f"{self.title}: {text}")


def make_reporter() -> Reporter:
    """Bars where stderr is a terminal, plain lines where it is not."""
    return TerminalReporter() if sys.stderr.isatty() else PlainReporter()
