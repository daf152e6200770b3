"""Decisions of a person, which replace the base disposition of their own row (docs/rules.md section 5)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping

from lotgate.parser import trim
from reference.model import Decision, DecisionProblem, LegacyRow, Source, Verdict
from reference.twins import Ranking
from reference.values import id_to_int, real_day, whole_number


class Decider:
    """Follows the lines of `quarantine_decisions.csv`."""

    def __init__(
        self,
        source: Source,
        base: Mapping[int, Verdict],
        failures: Callable[[LegacyRow], tuple[str, ...]],
        ranking: Ranking,
    ) -> None:
        self._source = source
        self._base = base
        self._failures = failures
        self._ranking = ranking
        self._rows = {row.legacy_id: row for row in source.rows}
        # The rows that stay, best-evidenced first, by order and SKU: what a decision may merge into.
        self._staying: defaultdict[tuple[str | None, str | None], list[LegacyRow]] = defaultdict(list)
        for row in source.rows:
            if base[row.legacy_id].stays and row.order is not None:
                self._staying[row.order, row.sku].append(row)
        for rows in self._staying.values():
            rows.sort(key=ranking.key)

    def decide(self) -> tuple[dict[int, Verdict], tuple[DecisionProblem, ...]]:
        """The verdicts that replace base ones, by legacy id, and the lines that cannot be followed."""
        times_named = Counter(id_to_int(decision.legacy_id) for decision in self._source.decisions)
        verdicts: dict[int, Verdict] = {}
        written: dict[int, str] = {}
        problems: list[DecisionProblem] = []
        for decision in self._source.decisions:
            legacy_id = id_to_int(decision.legacy_id)
            row = None if legacy_id is None else self._rows.get(legacy_id)
            if row is None:
                outcome: Verdict | str = "no_such_row"
            elif times_named[legacy_id] > 1:
                outcome = "named_twice"
            else:
                outcome = self._outcome(decision, row)
            if isinstance(outcome, str):
                problems.append(DecisionProblem(decision.legacy_id, outcome))
            elif row is not None:
                verdicts[row.legacy_id] = outcome
                written[row.legacy_id] = decision.legacy_id
        for legacy_id in self._staying_twice(verdicts):
            del verdicts[legacy_id]
            problems.append(DecisionProblem(written[legacy_id], "text_stays_twice"))
        return verdicts, tuple(sorted(problems, key=lambda p: (p.legacy_id, p.problem)))

    def _staying_twice(self, verdicts: Mapping[int, Verdict]) -> list[int]:
        """The rows to keep or redate beside another one of their order and text that stays, too.

        The text is that of the legacy row, whatever ShipStation's is. Of two decisions both are wrong.
        """
        staying: Counter[tuple[str, str | None]] = Counter()
        for row in self._source.rows:
            verdict = verdicts.get(row.legacy_id, self._base[row.legacy_id])
            if verdict.stays and row.order is not None:
                staying[row.order, row.parsed.raw] += 1
        decided = [self._rows[legacy_id] for legacy_id, verdict in verdicts.items() if verdict.stays]
        return [
            row.legacy_id
            for row in decided
            if row.order is not None and staying[row.order, row.parsed.raw] > 1
        ]

    def _outcome(self, decision: Decision, row: LegacyRow) -> Verdict | str:
        """What the line does, or why it cannot be followed."""
        if not _matches(decision, row):
            return "mismatch"
        if self._base[row.legacy_id].disposition != "quarantine":
            return "not_quarantined"
        failures = self._failures(row)
        match decision.decision:
            case "hold":
                return Verdict("quarantine", "held")
            case "remove":
                return Verdict("remove", "decided")
            case "keep":
                return "not_allowed" if failures else Verdict("keep", "decided")
            case "redate":
                if set(failures) - {"invalid_ship_date"}:
                    return "not_allowed"
                day = real_day(decision.ship_date)
                return "invalid_date" if day is None else Verdict("redate", "decided", new_ship_date=day)
            case "merge":
                return "not_allowed" if failures else self._merge(row)
            case _:
                return "unknown_decision"

    def _merge(self, row: LegacyRow) -> Verdict | str:
        staying = self._staying.get((row.order, row.sku), [])
        same_quantity = (other for other in staying if other.quantity == row.quantity)
        target = next(same_quantity, next(iter(staying), None))
        if target is None:
            return "no_merge_target"
        return Verdict("merge", "decided", merged_into_id=target.legacy_id)


def _matches(decision: Decision, row: LegacyRow) -> bool:
    """Whether the row still is the one that was decided about: ids are used again by delete and insert."""
    texts_match = (
        decision.order_number == (row.order or "")
        and decision.base_sku == trim(row.base_sku_text)
        and decision.sku_lot == trim(row.sku_lot_text)
    )
    written, stored = decision.quantity_shipped, trim(row.quantity_text)
    # A stored 3.0 may have been written as 3.
    same_number = row.quantity is not None and whole_number(written) == row.quantity
    return texts_match and (written == stored or same_number)
