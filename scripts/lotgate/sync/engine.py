"""One run of sync: fetch all of it, write order by order, then move the watermark (docs/sync.md).

A run may be killed at any moment. What it wrote are whole orders, and its watermark stands where it stood,
so that the next run does the same again, with the same outcome.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lotgate.console import Reporter
from lotgate.errors import EnvironmentFailed, LotgateError
from lotgate.live.connection import give_way, immediate, open_for_writing
from lotgate.parser import is_real_day, trim
from lotgate.shipstation.client import Client
from lotgate.shipstation.records import Shipment
from lotgate.shipstation.spool import Spool, open_spool
from lotgate.shipstation.times import Window
from lotgate.sync.job import Job, start_of_window, watermark_name, write_stamp
from lotgate.sync.lines import refuse_label
from lotgate.sync.model import Refusal, Rules
from lotgate.sync.permission import check_allowed, is_old_ingestion_on, lock_sync
from lotgate.sync.planning import Known, plan_order
from lotgate.sync.runs import Outcome, begin_run, end_run
from lotgate.sync.services import LONG_AGO, Fetched, Service, fetch, fetch_orders
from lotgate.sync.stopping import stop_afterwards
from lotgate.sync.tables import (
    ensure_indexes,
    ensure_tables,
    open_entries,
    quarantine,
    read_watermark,
    settle,
    settle_order,
    write_watermark,
)
from lotgate.sync.writing import Writer, Written

__all__ = ["SyncReport", "run_sync"]

SHOWN = 50
"""Refusals that a report repeats; all of them are in the quarantine."""


@dataclass
class SyncReport:
    """What a run read, wrote and refused. ``run_id`` is None of a dry run, which leaves nothing behind.

    ``clock_skew_s`` is how far this machine's clock is ahead of ShipStation's; ``old_ingestion_is_on`` says
    that the switch of the ingestion before sync is still on.
    """

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
    old_ingestion_is_on: bool = False

    def as_json(self) -> dict[str, Any]:
        """The same as JSON knows it."""
        return asdict(self) | {"written": self.written.as_json()}


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
    with open_for_writing(database, lock_timeout=lock_timeout) as connection, ExitStack() as held:
        connection.execute("pragma foreign_keys = on")
        if connection.execute("pragma foreign_keys").fetchone() != (1,):
            raise EnvironmentFailed(f"SQLite does not enforce foreign keys on {database}.")
        check_allowed(connection, database, job.settings.workflow)
        held.enter_context(lock_sync(database, wait_s=lock_timeout))
        run = _Run(connection, database, job, reporter)
        run.begin()
        try:
            with client() as opened, open_spool() as spool:
                run.fetch_and_write(opened, spool)
        except (LotgateError, sqlite3.Error) as error:
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
        self.former: dict[str | None, frozenset[str]] = {}
        self.looked_at: set[int] = set()
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
            written=Written(),
            refused=0,
            refused_new=0,
            settled=0,
            old_ingestion_is_on=is_old_ingestion_on(connection),
        )

    def begin(self) -> None:
        """Notes the run; a dry run notes nothing."""
        if self.job.dry_run:
            return
        with immediate(self.connection):
            self._ask()
            ensure_tables(self.connection)
            ensure_indexes(self.connection)
            self.run_id = begin_run(self.connection, self.job.service)
        self.report.run_id = self.run_id

    def fetch_and_write(self, client: Client, spool: Spool) -> None:
        """The run itself."""
        try:
            fetched = self._fetch_and_write(client, spool)
        finally:
            self.report.requests = client.requests
            self.report.labels = spool.counts().shipments
        self.report.clock_skew_s = round(client.clock_skew_s, 1)
        self.report.watermark = write_stamp(fetched.watermark)
        self._finish(spool, fetched)

    def _fetch_and_write(self, client: Client, spool: Spool) -> Fetched:
        job, report, writer = self.job, self.report, self.writer
        fetched = fetch(
            job.service,
            client,
            spool,
            start_of_window(job, client.now(), report.watermark_before),
            job.settings,
            writer.has_order,
            reporter=self.reporter,
        )
        report.window = (write_stamp(fetched.window.start), write_stamp(fetched.window.end))
        today = client.now().date().isoformat()
        self._ask_for_refused(client, spool, fetched, today)
        rules = job.rules(today, writer.known_skus())
        undecided = self._write(spool, spool.order_numbers(), rules, fetched)
        if undecided:
            self._write(
                spool, self._ask_for_all(client, spool, undecided, fetched), rules, fetched, decide=True
            )
        return fetched

    def _ask_for_all(
        self, client: Client, spool: Spool, undecided: list[str | None], fetched: Fetched
    ) -> list[str | None]:
        """All labels of these numbers, and of every order that has one of them; all numbers concerned."""
        numbers = dict.fromkeys(undecided)
        with self.reporter.step(f"Asking for all labels of {len(undecided)} orders"):
            for number in undecided:
                # several orders may share a number: the parts of a split one do
                for one in {number, *self.former.get(number, ())} - {None}:
                    client.read_shipments(spool, order_number=one)
                    numbers[one] = None
                order_ids = self._order_ids(spool, number)
                fetch_orders(client, spool, order_ids, fetched)
                for order_id in order_ids:
                    numbers |= dict.fromkeys(
                        trim(label.order_number) or None for label in spool.shipments(order_id)
                    )
        return list(numbers)

    def note_failure(self, outcome: Outcome, problem: str | None) -> None:
        """Writes down that the run did not end well, where the database still takes that."""
        if self.job.dry_run:
            return
        try:
            with immediate(self.connection):
                self._end(outcome, problem)
        except sqlite3.Error:
            pass  # it says "running", and the next run will say "interrupted"

    def _end(self, outcome: Outcome, problem: str | None = None) -> None:
        report = self.report
        end_run(
            self.connection,
            self.run_id,
            outcome,
            report.written,
            problem=problem,
            window=report.window if report.window[0] else None,
            watermark=report.watermark or None,
            requests=report.requests,
            labels=report.labels,
            refused=report.refused,
            detail={"refused_new": report.refused_new, "settled": report.settled},
        )

    def _ask_for_refused(self, client: Client, spool: Spool, fetched: Fetched, today: str) -> None:
        """Everything of the orders in quarantine whose day has come, or, to try again, of all of them.

        Labels without an order are asked for by their ship date.
        """
        entries = [
            entry
            for entry in open_entries(self.connection)
            if self.job.retry or (entry.reason == "future_ship_date" and (entry.ship_date or "") <= today)
        ]
        orders = {entry.shipstation_order_id for entry in entries} - {None}
        fetch_orders(client, spool, (order_id for order_id in orders if order_id is not None), fetched)
        days = {
            entry.ship_date
            for entry in entries
            if entry.shipment_id is not None and entry.shipstation_order_id is None
        }
        created = Window(LONG_AGO, fetched.window.end)
        for day in sorted(day for day in days if day is not None and is_real_day(day)):
            client.read_shipments(spool, shipped=(day, day), created=created)

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
                with stop_afterwards():
                    with self._transaction():
                        start = time.monotonic()
                        done = True
                        for number in left:
                            labels += self._write_order(
                                spool, number, rules, fetched, undecided, decide=decide
                            )
                            if time.monotonic() >= start + self.job.chunk_s:
                                done = False
                                break
                    self.report.written.add(self.writer.written)
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
        """One order number, all of it or nothing; how many labels that were."""
        labels = spool.shipments_of(number)
        held_back = _hold_back(labels, number, fetched)
        if held_back is not None:
            self._refuse(held_back)
            return len(labels)
        state = self.writer.state(number, labels, rules.same_shipment_days)
        known = Known(spool.order, fetched.asked.__contains__, all_labels=decide)
        plan = plan_order(state, labels, rules, known)
        if plan.ask_again:
            undecided.append(number)
            self.former[number] = state.former_numbers
            return len(labels)
        refusals = plan.refusals
        self.connection.execute("savepoint order_number")
        try:
            self.writer.apply(plan, state, labels, self.run_id)
            if plan.changes_something:
                after = self.writer.state(number, labels, rules.same_shipment_days, state.former_numbers)
                if plan_order(after, labels, rules, known).changes_something:
                    raise sqlite3.IntegrityError("a trigger changes what is written")
        except sqlite3.IntegrityError as error:
            # a constraint or trigger of the owner's: this order waits, the others do not
            self.connection.execute("rollback to order_number")
            detail = f"the database refused it: {error}"
            live = [label for label in labels if not (label.voided or label.is_return_label)]
            refusals = [refuse_label(one, number, "refused_by_database", detail) for one in live or labels]
        else:
            self.writer.count()
        self.connection.execute("release order_number")
        self._refuse(refusals)
        refused = {refusal.subject for refusal in refusals}
        # a label without its list of items says nothing about what was refused before
        told = [label for label in labels if label.items_sent or label.voided or label.is_return_label]
        self.report.settled += settle(self.connection, (label.shipment_id for label in told), refused)
        self.looked_at |= {label.order_id for label in labels if label.order_id is not None}
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

    def _finish(self, spool: Spool, fetched: Fetched) -> None:
        """The watermark moves in the transaction that says that the run is done."""
        with stop_afterwards(), self._transaction():
            self._refuse(list(fetched.not_asked.values()))
            for order_id in sorted(fetched.asked - fetched.not_asked.keys()):
                # what was asked for another order's sake may not have been written
                if order_id in self.looked_at or not any(spool.shipments(order_id)):
                    self.report.settled += settle_order(self.connection, order_id)
            name = watermark_name(self.job.service)
            write_watermark(self.connection, name, self.report.watermark)
            self.report.watermark = read_watermark(self.connection, name) or self.report.watermark
            self._end("done")

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
        self.writer.begin()


def _hold_back(labels: Sequence[Shipment], number: str | None, fetched: Fetched) -> list[Refusal] | None:
    """Where one order of a number answered wrongly, all of the number waits, and each part of it is noted.

    Returns the refusals of labels that have no order id to be noted by; None where nothing has to wait.
    """
    ids = {label.order_id for label in labels if label.order_id is not None}
    wrong = ids & fetched.not_asked.keys()
    if not wrong or number is None:
        return None
    detail = f"order {min(wrong)} of the same number answered wrongly"
    for order_id in ids - wrong:
        fetched.hold_back(order_id, detail)
    alone = [label for label in labels if label.order_id is None]
    return [refuse_label(label, number, "wrong_answer", detail) for label in alone]
