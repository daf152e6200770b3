"""Which SKU text and lot a remaining row has in the candidate (docs/rules.md section 6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reference.model import Claim, LegacyRow


@dataclass(frozen=True, slots=True)
class TextAndLot:
    """`shipstation_sku_raw` and the lot number of a row."""

    raw: str | None
    lot: str | None


def texts_and_lots(staying: Sequence[LegacyRow], claims: Mapping[int, Claim]) -> Mapping[int, TextAndLot]:
    """What each row that stays is called, by legacy id: ShipStation's own text where it is known.

    staying: all kept and redated rows. A row takes ShipStation's text only where no other remaining row of
    its order has that text in the legacy table, or could take it, too: order and text are the key.
    """
    own = {row.legacy_id: TextAndLot(row.parsed.raw, row.lot) for row in staying}
    offered = {row.legacy_id: _offered(row, claims.get(row.legacy_id)) for row in staying}
    # Who has, or could take, a text of an order.
    interested: defaultdict[tuple[str, str | None], set[int]] = defaultdict(set)
    for row in staying:
        if row.order is not None:
            for text in (own[row.legacy_id], offered[row.legacy_id]):
                if text is not None:
                    interested[row.order, text.raw].add(row.legacy_id)

    found: dict[int, TextAndLot] = {}
    for row in staying:
        text = offered[row.legacy_id]
        is_free = text is not None and (
            row.order is None or interested[row.order, text.raw] == {row.legacy_id}
        )
        found[row.legacy_id] = text if text is not None and is_free else own[row.legacy_id]
    return found


def _offered(row: LegacyRow, claim: Claim | None) -> TextAndLot | None:
    """ShipStation's text and lot, where the row claims exactly its line; None where it may not take them.

    A lot that stands in `sku_lot` is not given up, be it for another one or for none.
    """
    if claim is None or not claim.is_exact:
        return None
    line = claim.lines[0]
    if row.position == 2 and row.lot != line.lot:
        return None
    return TextAndLot(line.text, line.lot)
