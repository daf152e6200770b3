"""One row and its order: parse failures, suspicion, rules 5 to 9 (docs/rules.md sections 1, 2 and 4)."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from reference.claims import Evidence
from reference.model import Claim, Header, InboxOrder, Incident, LegacyRow, Source, Verdict
from reference.values import real_day


@dataclass(slots=True)
class OrderRows:
    """What the rows of one order show together, rows with a parse failure included.

    A suspect row asks about *other* rows. It counts itself only under `days`: it is no steady row, and its
    own day is not later than itself.
    """

    days: Counter[str] = field(default_factory=Counter)
    last_day: str = ""
    has_steady_row: bool = False
    has_tracking: bool = False
    has_lot_in_sku_lot: bool = False


class Judge:
    """Judges single rows; the twins come later."""

    def __init__(self, source: Source, evidence: Evidence, claims: Mapping[int, Claim]) -> None:
        self._source = source
        self._evidence = evidence
        self._claims = claims
        self._incidents: defaultdict[str, list[Incident]] = defaultdict(list)
        for incident in source.incidents:
            self._incidents[incident.wrong_day].append(incident)
        for of_one_day in self._incidents.values():
            of_one_day.sort(key=lambda n: (n.created_from, n.correct_day, n.created_to))
        self._orders: defaultdict[str, OrderRows] = defaultdict(OrderRows)
        for row in source.rows:
            if row.order is not None:
                self._note(row, self._orders[row.order])

    def _note(self, row: LegacyRow, order: OrderRows) -> None:
        if row.day is not None:
            order.days[row.day] += 1
            order.last_day = max(order.last_day, row.day)
            order.has_steady_row |= not self.is_suspect(row)
        order.has_tracking |= row.has_tracking
        order.has_lot_in_sku_lot |= row.position == 2

    # docs/rules.md section 1

    def failures(self, row: LegacyRow) -> tuple[str, ...]:
        """All parse failures of a row, the deciding one first."""
        found: list[str] = []
        if row.parsed.failure is not None:
            found.append(row.parsed.failure)
        if row.day is None:
            found.append("invalid_ship_date")
        if row.quantity is None:
            found.append("invalid_quantity")
        if row.order is not None and self._header(row) is None and not self._is_known(row):
            found.append("orphan_order")
        return tuple(found)

    # docs/rules.md section 2

    def is_suspect(self, row: LegacyRow) -> bool:
        if row.day is None:
            return False
        order_date = self._order_date(row)
        is_early = order_date is not None and row.day < order_date
        claim = self._claims.get(row.legacy_id)
        is_proven = claim is not None and claim.is_same_day
        return (is_early or row.day in self._incidents) and not is_proven

    def is_plausible(self, header: Header, order: str) -> bool:
        """Whether the date of the order's header can be believed."""
        day = real_day(header.ship_date)
        if day is None or day in self._incidents:
            return False
        inbox = self._source.inbox.get(order)
        return inbox is None or inbox.order_date is None or day >= inbox.order_date

    def _incident(self, row: LegacyRow) -> Incident | None:
        """The row's own incident: the first whose window holds the row, else the first."""
        its_day = self._incidents.get(row.day, []) if row.day is not None else []
        holding = [incident for incident in its_day if _holds(incident, row)]
        return next(iter(holding or its_day), None)

    # docs/rules.md section 4, rules 5 to 9

    def judge(self, row: LegacyRow) -> Verdict:
        """What becomes of a row without a parse failure, as far as rules 5 to 9 go."""
        if not self.is_suspect(row):
            return Verdict("keep", self._reason_to_keep(row))
        claim = self._claims.get(row.legacy_id)
        if claim is not None and claim.is_exact:
            return Verdict("redate", "shipstation_other_day", new_ship_date=claim.lines[0].day)
        correct_day = self._correct_day_of_incident(row)
        if correct_day is not None:
            return Verdict("redate", "incident_correct_date", new_ship_date=correct_day)
        if self._is_cancelled(row):
            return Verdict("remove", "cancelled_never_shipped")
        if self._is_resynced(row):
            return Verdict("remove", "historical_resync")
        return Verdict("quarantine", "unresolved_suspect")

    def _correct_day_of_incident(self, row: LegacyRow) -> str | None:
        """Rule 5, the owner's rule."""
        incident = self._incident(row)
        day = real_day(incident.correct_day) if incident is not None else None
        order_date = self._order_date(row)
        if day is None or row.order is None or (order_date is not None and day < order_date):
            return None
        header = self._header(row)
        header_has_it = header is not None and real_day(header.ship_date) == day
        others_have_it = self._orders[row.order].days[day] > (1 if row.day == day else 0)
        if not (header_has_it or others_have_it):
            return None
        return None if self._evidence.coverage.covers(day) or self._is_known(row) else day

    def _is_cancelled(self, row: LegacyRow) -> bool:
        """Rule 6."""
        inbox = self._inbox(row)
        if row.order is None or inbox is None or inbox.status not in ("cancelled", "canceled"):
            return False
        header, order = self._header(row), self._orders[row.order]
        is_older = (
            row.created_day is not None
            and inbox.order_date is not None
            and row.created_day < inbox.order_date
        )
        signs_of_shipment = (
            self._is_known(row),
            order.has_steady_row,
            header is not None and self.is_plausible(header, row.order),
            order.has_tracking,
            order.has_lot_in_sku_lot,
            is_older,
        )
        return not any(signs_of_shipment)

    def _is_resynced(self, row: LegacyRow) -> bool:
        """Rule 7."""
        incident = self._incident(row)
        # Where there is no order, nothing could say that it is newer.
        if row.order is None or incident is None or not _holds(incident, row):
            return False
        inbox, header = self._inbox(row), self._header(row)
        header_day = real_day(header.ship_date) if header is not None else None
        signs_of_a_newer_order = (
            inbox is not None and (inbox.order_date is None or inbox.order_date > incident.wrong_day),
            self._orders[row.order].last_day > incident.wrong_day,
            header_day is not None and header_day > incident.wrong_day,
            self._is_known(row),
        )
        return not any(signs_of_a_newer_order)

    def _reason_to_keep(self, row: LegacyRow) -> str:
        """Rule 9."""
        if row.day is None:
            raise ValueError(f"row {row.legacy_id} has no day and should not have come here")
        claim = self._claims.get(row.legacy_id)
        lines = () if claim is None else claim.lines
        claimed = sum(line.quantity for line in lines if line.day == row.day)
        if self._evidence.coverage.covers(row.day) and claimed != row.quantity:
            return "unknown_to_shipstation"
        if row.created_day is not None:
            waited = dt.date.fromisoformat(row.created_day) - dt.date.fromisoformat(row.day)
            if waited.days >= self._source.settings.late_import_days:
                return "late_import"
        return "clean"

    def _header(self, row: LegacyRow) -> Header | None:
        return None if row.order is None else self._source.headers.get(row.order)

    def _inbox(self, row: LegacyRow) -> InboxOrder | None:
        return None if row.order is None else self._source.inbox.get(row.order)

    def _order_date(self, row: LegacyRow) -> str | None:
        inbox = self._inbox(row)
        return None if inbox is None else inbox.order_date

    def _is_known(self, row: LegacyRow) -> bool:
        return row.order is not None and row.order in self._evidence.known_orders


def _holds(incident: Incident, row: LegacyRow) -> bool:
    """Whether the row was created inside the incident's window; unknown times are never inside."""
    known = row.created_day is not None and incident.created_from != "" and incident.created_to != ""
    return known and incident.created_from <= row.created_at <= incident.created_to
