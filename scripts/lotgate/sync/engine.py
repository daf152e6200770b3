"""One run of sync: fetch all of it, write order by order, then move the watermark (docs/sync.md).

A run may be killed at any moment. What it wrote are whole orders, and its watermark stands where it stood,
so that the next run does the same again, with the same outcome.
"""

from __future__ import annotations

import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lotgate.config import SyncSettings
from lotgate.console import Reporter
from lotgate.errors import GateClosed, LotgateError
from lotgate.live.connection import give_way, immediate, open_for_writing
from lotgate.parser import trim
from lotgate.shipstation.client import Client
from lotgate.shipstation.spool import Spool, open_spool
from lotgate.sync.model import Refusal, Rules
from lotgate.sync.permission import check_allowed, lock_sync
from lotgate.sync.planning import plan_order
from lotgate.sync.runs import Outcome, begin_run, end_run
from lotgate.sync.services import Fetched, Service, fetch, fetch_orders
from lotgate.sync.tables import (
    ensure_index,
    ensure_tables,
    open_entries,
    quarantine,
    read_watermark,
    settle,
    settle_order,
    write_watermark,
)
from lotgate.sync.writing import Writer, Written

__all__ = ["Job", "SyncReport", "run_sync", "watermark_name"]

SHOWN = 50
"""Refusals that a report repeats; all of them are in the quarantine."""


@dataclass(frozen=True)
class Job:
    """What one run is to do.

    ``since`` (a day) replaces the watermark as the start; ``retry`` asks again for every order in
    quarantine; ``rules`` makes the rules for a day (``today``) and the SKUs that the database knows.
    """

    service: Service
    settings: SyncSettings
    rules: Callable[[str, frozenset[str]], Rules]
    discovered_lot_status: str
    chunk_s: float
    since: str | None = None
    retry: bool = False
    dry_run: bool = False


@dataclass
class SyncReport:
    """What a run read, wrote and refused. ``run_id`` is None of a dry run, which leaves nothing behind."""

    service: Service
    dry_run: bool
    run_id: int | None
    window: tuple[str, str]
    watermark_before: str | None
    watermark: str
    requests: int
    labels: int
    written: Written
    refused: int
    refused_new: int
    settled: int
    refusals: list[Refusal] = field(default_factory=list)
    clock_skew_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The same as JSON knows it."""
        return asdict(self) | {"written": self.written.as_json()}


def watermark_name(service: Service) -> str:
    """The service's row in ``sync_watermark``: ``lotgate-sync-shipments``."""
    return f"lotgate-sync-{service}"


def run_sync(
    database: Path,
    job: Job,
    client: Callable[[], AbstractContextManager[Client]],
    *,
    lock_timeout: float,
    reporter: Reporter,
) -> SyncReport:
    """Does one run. ``client`` opens the client, when it is allowed to.

    Raises GateClosed where sync must not write now, EnvironmentFailed for network, disk and locks, and what
    ``client`` raises. What was written until then stays, and is done again by the next run.
    """
    with (
        lock_sync(database, wait_s=lock_timeout),
        open_for_writing(database, lock_timeout=lock_timeout) as connection,
    ):
        connection.execute("pragma foreign_keys = on")
        check_allowed(connection, database, job.settings.workflow)
        run = _Run(connection, database, job, reporter)
        run.begin()
        try:
            with client() as opened, open_spool() as spool:
                run.fetch_and_write(opened, spool)
        except LotgateError as error:
            run.note_failure("failed", error.message)
            raise
        except sqlite3.Error as error:
            run.note_failure("failed", str(error))
            raise
        except KeyboardInterrupt:
            run.note_failure("stopped", None)
            raise
        return run.report


class _Run:
    """The state of one run; every transaction begins with the question whether it is still allowed."""

    def __init__(self, connection: sqlite3.Connection, database: Path, job: Job, reporter: Reporter) -> None:
        self.connection = connection
        self.database = database
        self.job = job
        self.reporter = reporter
        self.run_id = 0
        self.writer = Writer(connection, discovered_lot_status=job.discovered_lot_status)
        self.report = SyncReport(
            service=job.service,
            dry_run=job.dry_run,
            run_id=None,
            window=("", ""),
            watermark_before=read_watermark(connection, watermark_name(job.service)),
            watermark="",
            requests=0,
            labels=0,
            written=self.writer.written,
            refused=0,
            refused_new=0,
            settled=0,
        )

    def begin(self) -> None:
        """Notes the run; a dry run notes nothing."""
        if self.job.dry_run:
            return
        with immediate(self.connection):
            ensure_tables(self.connection)
            ensure_index(self.connection)
            self.run_id = begin_run(self.connection, self.job.service)
        self.report.run_id = self.run_id

    def fetch_and_write(self, client: Client, spool: Spool) -> None:
        """The run itself."""
        job, report = self.job, self.report
        start = self._start(client)
        fetched = fetch(job.service, client, spool, start, job.settings, self.writer, reporter=self.reporter)
        if job.retry:
            wanted = [entry.shipstation_order_id for entry in open_entries(self.connection)]
            fetch_orders(client, spool, (id_ for id_ in wanted if id_ is not None), fetched, self.writer)
        report.window = (_stamp(fetched.window.start), _stamp(fetched.window.end))
        rules = job.rules(client.now().date().isoformat(), self.writer.known_skus())
        undecided = self._write(spool, spool.order_numbers(), rules, fetched)
        if undecided:
            with self.reporter.step(f"Asking for all labels of {len(undecided)} orders"):
                for number in undecided:
                    fetch_orders(client, spool, self._order_ids(spool, number), fetched, self.writer)
            self._write(spool, undecided, rules, fetched, decide=True)
        report.requests = client.requests
        report.labels = spool.counts().shipments
        report.clock_skew_s = round(client.clock_skew_s, 1)
        report.watermark = max(_stamp(fetched.watermark), report.watermark_before or "")
        self._finish(fetched)

    def note_failure(self, outcome: Outcome, problem: str | None) -> None:
        """Writes down that the run did not end well, where the database still takes that."""
        if self.job.dry_run:
            return
        try:
            with immediate(self.connection):
                end_run(self.connection, self.run_id, outcome, self.writer.written, problem=problem)
        except sqlite3.Error:
            pass  # it says "running", and the next run will say "interrupted"

    def _start(self, client: Client) -> datetime:
        """Where the window begins: ``--since``, or the watermark less the overlap, or some days ago."""
        settings, before = self.job.settings, self.report.watermark_before
        now = client.now()
        if self.job.since is not None:
            return min(datetime.fromisoformat(self.job.since), now)
        if before is None:
            days = settings.guard_days if self.job.service == "shipments" else settings.window_days
            return (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
        name = watermark_name(self.job.service)
        try:
            watermark = datetime.fromisoformat(before)
        except ValueError as error:
            raise GateClosed(
                f"The watermark of {name} in sync_watermark is no time: {before[:40]!r}.",
                hint="Say from which day on to read with --since YYYY-MM-DD, and correct it.",
            ) from error
        if watermark.tzinfo is not None or watermark > now:
            raise GateClosed(
                f"The watermark of {name} in sync_watermark is {before}; now is {_stamp(now)}.",
                hint="What came before it would be lost. Correct it (US Pacific, without a zone), or delete"
                " the row; --since YYYY-MM-DD says from which day on to read.",
            )
        return watermark - timedelta(hours=settings.overlap_hours)

    def _write(
        self,
        spool: Spool,
        numbers: Iterable[str | None],
        rules: Rules,
        fetched: Fetched,
        *,
        decide: bool = False,
    ) -> list[str | None]:
        """Writes orders, as many in a transaction as fit into ``chunk_s``; returns those left undecided."""
        undecided: list[str | None] = []
        left = iter(numbers)
        done = False
        with self.reporter.step("Writing", total=max(spool.counts().shipments, 1)) as step:
            while not done:
                labels = 0
                with _stop_afterwards(), self._transaction():
                    start = time.monotonic()
                    done = True
                    for number in left:
                        labels += self._write_order(spool, number, rules, fetched, undecided, decide=decide)
                        if time.monotonic() >= start + self.job.chunk_s:
                            done = False
                            break
                step.advance(labels)
                if not done:
                    give_way(self.connection, time.monotonic() - start)
        return undecided

    def _write_order(
        self,
        spool: Spool,
        number: str | None,
        rules: Rules,
        fetched: Fetched,
        undecided: list[str | None],
        *,
        decide: bool,
    ) -> int:
        labels = spool.shipments_of(number)
        wrong = {refusal.shipstation_order_id for refusal in fetched.wrong_answers}
        if any(label.order_id in wrong for label in labels):
            return len(labels)
        state = self.writer.state(number, labels, rules.same_shipment_days)

        asked = all(label.order_id in fetched.asked for label in labels)
        plan = plan_order(state, labels, rules, spool.order, all_labels=decide or asked)
        if plan.ask_again:
            undecided.append(number)
            return len(labels)
        self.writer.apply(plan, state, labels, self.run_id)
        self._refuse(plan.refusals)
        refused = {refusal.subject for refusal in plan.refusals}
        self.report.settled += settle(self.connection, (label.shipment_id for label in labels), refused)
        return len(labels)

    def _refuse(self, refusals: list[Refusal]) -> None:
        report = self.report
        report.refused += len(refusals)
        report.refused_new += quarantine(
            self.connection, refusals, service=self.job.service, run_id=self.run_id
        )
        report.refusals += refusals[: max(SHOWN - len(report.refusals), 0)]

    def _order_ids(self, spool: Spool, number: str | None) -> set[int]:
        ids = {label.order_id for label in spool.shipments_of(number)}
        ids.add(self.writer.header_order_id(trim(number) or None))
        return {order_id for order_id in ids if order_id is not None}

    def _finish(self, fetched: Fetched) -> None:
        """The watermark moves in the transaction that says that the run is done."""
        report, service = self.report, self.job.service
        with _stop_afterwards(), self._transaction():
            self._refuse(fetched.wrong_answers)
            wrong = {refusal.shipstation_order_id for refusal in fetched.wrong_answers}
            for order_id in sorted(fetched.asked - wrong):
                report.settled += settle_order(self.connection, order_id)
            write_watermark(self.connection, watermark_name(service), report.watermark)
            end_run(
                self.connection,
                self.run_id,
                "done",
                report.written,
                window=report.window,
                watermark=report.watermark,
                requests=report.requests,
                labels=report.labels,
                refused=report.refused,
                detail={"refused_new": report.refused_new, "settled": report.settled},
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """A write transaction in which sync is allowed; of a dry run it is rolled back."""
        if not self.job.dry_run:
            with immediate(self.connection):
                self._ask()
                yield
            return
        self.connection.execute("begin immediate")
        try:
            self._ask()
            ensure_tables(self.connection)
            self.run_id = begin_run(self.connection, self.job.service)
            yield
        finally:
            if self.connection.in_transaction:
                self.connection.execute("rollback")

    def _ask(self) -> None:
        """Is sync still allowed, and which columns are there now? (A contract may have come between.)"""
        check_allowed(self.connection, self.database, self.job.settings.workflow)
        self.writer.look()


def _stamp(naive: datetime) -> str:
    """Naive Pacific to the second, as the other rows of ``sync_watermark`` are written."""
    return naive.isoformat(timespec="seconds")


@contextmanager
def _stop_afterwards() -> Iterator[None]:
    """SIGTERM and Ctrl-C wait until the block is done: a stop comes between orders, not within one."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: asked.append(number))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked:
        raise KeyboardInterrupt
