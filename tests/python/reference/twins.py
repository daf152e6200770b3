"""Second records of one line: rules 3 and 4 (docs/rules.md section 4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from reference.model import Claim, LegacyRow, Line, Verdict

Verdicts: TypeAlias = dict[int, Verdict]

CONFLICT = Verdict("quarantine", "quantity_conflict")


@dataclass(frozen=True, slots=True)
class Ranking:
    """How well the evidence of a row is: rules 5 to 9, and claims."""

    verdicts: Mapping[int, Verdict]
    claims: Mapping[int, Claim]

    def stays(self, row: LegacyRow) -> bool:
        """Kept or redated by rules 5 to 9."""
        return self.verdicts[row.legacy_id].stays

    def is_exact(self, row: LegacyRow) -> bool:
        claim = self.claims.get(row.legacy_id)
        return claim is not None and claim.is_exact

    def key(self, row: LegacyRow) -> tuple[bool, bool, bool, int]:
        """The smallest is the best-evidenced."""
        is_kept = self.verdicts[row.legacy_id].disposition == "keep"
        return not self.stays(row), not self.is_exact(row), not is_kept, row.legacy_id

    def best(self, rows: Iterable[LegacyRow]) -> LegacyRow | None:
        return min(rows, key=self.key, default=None)


def settle_twins(rows: Iterable[LegacyRow], ranking: Ranking, lines: Iterable[Line]) -> Verdicts:
    """What rules 3 and 4 say, by legacy id; rows that are not named follow rules 5 to 9.

    rows: those without a parse failure.
    """
    exactly_claimed = {
        id(line) for claim in ranking.claims.values() if claim.is_exact for line in claim.lines
    }
    with_open_lines = {(n.order, n.sku) for n in lines if id(n) not in exactly_claimed}
    together: defaultdict[tuple[str, str | None], list[LegacyRow]] = defaultdict(list)
    for row in rows:
        if row.order is not None:
            together[row.order, row.sku].append(row)

    settled: Verdicts = {}
    for key, of_one_sku in together.items():
        if len(of_one_sku) > 1:
            settled.update(_settle(of_one_sku, ranking, is_open=key in with_open_lines))
    return settled


def _settle(rows: list[LegacyRow], ranking: Ranking, *, is_open: bool) -> Verdicts:
    """The rows of one order and SKU; `is_open`: a counted line of it is left without an exact claim."""
    highest = max(row.position for row in rows)
    lotted = [row for row in rows if row.position == highest]
    lower = [row for row in rows if row.position < highest]
    settled = _respelled(lotted, {}, ranking, is_open=is_open)
    if lower:
        lotted_rows = _LottedRows(lotted, settled, ranking, is_open=is_open)
        weighed = {row.legacy_id: lotted_rows.weigh(row) for row in lower}
        decided = {legacy_id: verdict for legacy_id, verdict in weighed.items() if verdict is not None}
        settled |= decided | _respelled(lower, decided, ranking, is_open=is_open)
    return settled


# Rule 3


def _respelled(rows: list[LegacyRow], decided: Verdicts, ranking: Ranking, *, is_open: bool) -> Verdicts:
    """Rule 3 for the groups of `rows`; those that rule 4 has `decided` belong to them but do not change."""
    groups: defaultdict[tuple[int, str | None], list[LegacyRow]] = defaultdict(list)
    for row in rows:
        groups[row.position, row.lot].append(row)
    found: Verdicts = {}
    for group in groups.values():
        if len(group) > 1:
            found |= {
                legacy_id: verdict
                for legacy_id, verdict in _respelled_group(group, decided, ranking, is_open=is_open).items()
                if legacy_id not in decided
            }
    return found


def _respelled_group(
    group: list[LegacyRow], decided: Verdicts, ranking: Ranking, *, is_open: bool
) -> Verdicts:
    if len({row.quantity for row in group}) == 1:
        representative = ranking.best(group)
        if representative is None or not ranking.stays(representative):
            return {}
    else:
        proven = [row for row in group if ranking.is_exact(row)]
        # A row that rule 4 has merged away cannot be what others merge into.
        is_settled_by_shipstation = (
            len(proven) == 1
            and ranking.stays(proven[0])
            and proven[0].legacy_id not in decided
            and not is_open
        )
        if not is_settled_by_shipstation:
            return {row.legacy_id: CONFLICT for row in group}
        representative = proven[0]
    merged = Verdict("merge", "respelled_twin", merged_into_id=representative.legacy_id)
    return {row.legacy_id: merged for row in group if row is not representative}


# Rule 4


class _LottedRows:
    """The rows of the highest position, against which those of a lower one are weighed."""

    def __init__(
        self, lotted: list[LegacyRow], settled: Verdicts, ranking: Ranking, *, is_open: bool
    ) -> None:
        self._ranking = ranking
        self._quantities = {row.quantity for row in lotted}
        staying = [row for row in lotted if ranking.stays(row) and row.legacy_id not in settled]
        self._staying_lots = {row.lot for row in staying}
        self._best = ranking.best(staying)
        self._best_of: dict[int | None, LegacyRow] = {}
        for row in sorted(staying, key=ranking.key):
            self._best_of.setdefault(row.quantity, row)
        verdicts = [(row.quantity, settled.get(row.legacy_id)) for row in lotted]
        self._conflicting = {quantity for quantity, verdict in verdicts if verdict == CONFLICT}
        self._merged = {
            quantity for quantity, verdict in verdicts if verdict and verdict.reason != CONFLICT.reason
        }
        self._all_proven = not is_open and all(ranking.is_exact(row) for row in lotted)

    def weigh(self, row: LegacyRow) -> Verdict | None:
        """What becomes of a row of a lower position; None: rule 3, then rules 5 to 9."""
        is_exact = self._ranking.is_exact(row)
        if row.quantity in self._quantities:
            best = self._best_of.get(row.quantity)
            if best is not None:
                return _merged_into(best, row)
            if row.quantity in self._conflicting:
                return CONFLICT
            # Lotted rows of this quantity gave way to one of another that ShipStation proves. Another
            # record of the refuted quantity must not stay unless ShipStation proves it, too.
            if row.quantity in self._merged and not is_exact:
                return CONFLICT
            # Two rows of one order and text cannot both stay.
            return CONFLICT if row.lot in self._staying_lots else None
        # Where its text is taken, the row is weighed even so. A line that a merged row claimed is recovered.
        if is_exact and row.lot not in self._staying_lots:
            return None
        return _merged_into(self._best, row) if self._all_proven and self._best is not None else CONFLICT


def _merged_into(target: LegacyRow, row: LegacyRow) -> Verdict:
    reason = "lot_in_base_sku_twin" if row.position == 1 else "lotless_twin"
    return Verdict("merge", reason, merged_into_id=target.legacy_id)
