"""A second implementation of docs/rules.md, row by row in plain Python, to hold the models against.

Clear rather than fast; it shares nothing with the models but the rules. `evaluate` reads a legacy database,
ShipStation evidence and controls, and says what becomes of every row and what the candidate holds.
"""

from __future__ import annotations

from pathlib import Path

from reference.candidate import candidate_items, free_lines, header_changes, lots, recover
from reference.claims import claim_lines, shipstation_evidence, standing_claims
from reference.decisions import Decider
from reference.model import LegacyRow, Result, RowResult, Settings, Source, Verdict
from reference.reading import read_source
from reference.twins import Ranking, settle_twins
from reference.verdicts import Judge

__all__ = ["Result", "Settings", "evaluate", "evaluate_source"]


def evaluate(
    legacy: Path,
    *,
    evidence: Path | None = None,
    controls: Path | None = None,
    settings: Settings | None = None,
) -> Result:
    """What the rules say about a legacy SQLite file.

    legacy: any shape; missing optional tables and columns count as empty. evidence: `shipstation.sqlite`,
    where there is one. controls: the folder of the CSV files; an absent file is an empty one.
    """
    return evaluate_source(read_source(legacy, evidence, controls, settings or Settings()))


def evaluate_source(source: Source) -> Result:
    """What the rules say about a source that has been read."""
    evidence = shipstation_evidence(source)
    wrong_days = {incident.wrong_day for incident in source.incidents}

    def is_doubtful(row: LegacyRow) -> bool:
        inbox = source.inbox.get(row.order) if row.order is not None else None
        ordered = inbox.order_date if inbox is not None else None
        return row.day is not None and (row.day in wrong_days or (ordered is not None and row.day < ordered))

    claims = claim_lines(source.rows, evidence.lines, is_doubtful)
    judge = Judge(source, evidence, claims)

    failures = {row.legacy_id: judge.failures(row) for row in source.rows}
    readable = [row for row in source.rows if not failures[row.legacy_id]]
    single = {row.legacy_id: judge.judge(row) for row in readable}
    ranking = Ranking(single, claims)
    unreadable = {
        legacy_id: Verdict("quarantine", found[0]) for legacy_id, found in failures.items() if found
    }
    base = unreadable | single | settle_twins(readable, ranking, evidence.lines)
    decided, problems = Decider(source, base, lambda row: failures[row.legacy_id], ranking).decide()
    final = base | decided

    standing = standing_claims(claims, final, {row.legacy_id: row.quantity for row in source.rows})
    recovered = recover(source, free_lines(evidence, standing))
    items = candidate_items(source, final, claims, recovered)
    lot_of = {item.id: item.lot_number for item in items}
    return Result(
        rows=tuple(
            _row_result(row, final[row.legacy_id], base[row.legacy_id], lot_of.get(row.legacy_id))
            for row in source.rows
        ),
        recovered=recovered,
        items=items,
        header_changes=header_changes(source, judge, items),
        lots=lots(source, items),
        skus=source.skus,
        decision_problems=problems,
        claims=claims,
        standing=standing,
    )


def _row_result(row: LegacyRow, final: Verdict, base: Verdict, candidate_lot: str | None) -> RowResult:
    return RowResult(
        row.legacy_id,
        final.disposition,
        final.reason,
        final.merged_into_id,
        final.new_ship_date,
        row.sku,
        row.lot,
        base.disposition,
        candidate_lot,
    )
