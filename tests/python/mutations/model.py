"""What a mutation is: a way to spoil a good audit, and the checks that must find it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mutations.bench import Bench
from suites import rebuild

Step = str | Callable[[Bench], None]
"""SQL for the candidate, or anything else that can be done to a bench."""


@dataclass(frozen=True)
class Mutation:
    """A spoiled candidate.

    Done after the build, it is found by hashes: exactly those of ``tables``, and the schema's where
    ``schema`` is set; ``unsound`` is a file that SQLite itself finds faulty, and that is not hashed then.
    Done by a faulty build, whose hashes are of what it made, it is found by ``found_by``, ids of checks, each
    of which must close the gate; more may. ``breaks`` allows checks that cannot be carried out.
    """

    name: str
    steps: tuple[Step, ...]
    found_by: tuple[str, ...]
    tables: tuple[str, ...]
    schema: bool = False
    breaks: bool = False
    unsound: bool = False

    def spoil(self, bench: Bench) -> None:
        for step in self.steps:
            if isinstance(step, str):
                bench.sql(step)
            else:
                step(bench)


@dataclass(frozen=True)
class Fault:
    """A faulty build: what a model made is spoiled, and everything after it is made from that.

    ``found_by`` as for Mutation. What a build makes of a fault is consistent in itself, so its own hashes and
    totals say nothing.
    """

    name: str
    model: str
    statement: str
    found_by: tuple[str, ...]

    def spoil(self, bench: Bench) -> None:
        bench.sql(self.statement)
        bench.rerun_models(self.model)


def defined(table: str, before: str, after: str = "") -> Step:
    """Makes a table again with words of its definition replaced, its rows and indexes as they were."""
    return lambda bench: rebuild(bench.work_dir.path, table, (before, after))


def swap(table: str, key: str, one: str, other: str, *columns: str) -> Step:
    """Exchanges the values of columns between two rows, which are picks, whatever index is in the way."""

    def step(bench: Bench) -> None:
        names = ", ".join(columns)
        ids = (bench.picks[one], bench.picks[other])
        with bench.open() as connection:
            rows = [
                connection.execute(f"select {names} from {table} where {key} = ?", (row,)).fetchone()
                for row in ids
            ]
            assert rows[0] != rows[1]
            parking = ", ".join(f"{name} = -{name}" for name in columns)
            connection.execute(f"update {table} set {parking} where {key} = ?", (ids[0],))
            assignments = ", ".join(f"{name} = ?" for name in columns)
            for row, values in zip(reversed(ids), rows, strict=True):
                connection.execute(f"update {table} set {assignments} where {key} = ?", (*values, row))

    return step


@dataclass(frozen=True)
class Tampering:
    """Something else that is spoiled: snapshot, controls, build.json, suites, GX's configuration.

    ``found_by`` as for Mutation; or ``error`` is the class of the exception that says so, and ``message`` is
    in its text. ``breaks`` allows checks that cannot be carried out, or that did not run. ``reads_suites`` is
    False where nothing is changed that a suite reads: then the results of the suites are those of the good
    work directory. ``alone`` needs a process of its own: an expectation that was imported once stays known.
    """

    name: str
    spoil: Callable[[Bench], None]
    found_by: tuple[str, ...] = ()
    error: str = ""
    message: str = ""
    breaks: bool = False
    reads_suites: bool = True
    alone: bool = False
