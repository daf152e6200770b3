"""Reads what the database has of an order, and carries a plan out. The caller holds the transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields

from lotgate.live.compatibility import COMPATIBILITY_COLUMNS
from lotgate.live.names import ARCHIVED, PROMOTED, archive_name
from lotgate.live.schema import columns_of, foreign_keys_to
from lotgate.parser import is_real_day, trim
from lotgate.shipstation.records import Shipment
from lotgate.sync.model import Line, OrderPlan, OrderState, Row
from lotgate.sync.tables import CHANGES

__all__ = ["Writer", "Written"]

_ROW = """
    select i.id, i.order_number, i.ship_date, s.sku_code, l.lot_number, i.shipstation_sku_raw,
        i.quantity_shipped, i.tracking_number, i.shipstation_shipment_id
    from shipped_items as i
    inner join skus as s on s.sku_id = i.sku_id
    left join lots as l on l.lot_id = i.lot_id
"""


@dataclass
class Written:
    """What was written so far, in rows and units. ``units`` is the balance: added minus taken out."""

    orders: int = 0
    rows_added: int = 0
    rows_changed: int = 0
    rows_adopted: int = 0
    rows_removed: int = 0
    units_added: int = 0
    units_removed: int = 0
    headers_added: int = 0
    headers_changed: int = 0
    headers_removed: int = 0
    ignored_lines: int = 0
    lots_created: set[str] = field(default_factory=set)

    def add(self, other: Written) -> None:
        """Adds what a further transaction wrote, once it is committed."""
        for one in fields(self):
            mine, more = getattr(self, one.name), getattr(other, one.name)
            setattr(self, one.name, mine | more if isinstance(mine, set) else mine + more)

    def as_json(self) -> dict[str, object]:
        """The same as JSON knows it."""
        return asdict(self) | {"lots_created": sorted(self.lots_created)}


class Writer:
    """Reads and writes one database's orders; knows which columns it has.

    ``discovered_lot_status`` is the status of a lot that only shipments know (``dbt_project.yml``).
    """

    def __init__(self, connection: sqlite3.Connection, *, discovered_lot_status: str) -> None:
        self.connection = connection
        self.lot_status = discovered_lot_status
        self.begin()
        self.stored_numbers = self._odd_numbers()

    def begin(self) -> None:
        """At the beginning of a transaction: nothing is written, and columns may have gone (``contract``)."""
        self.written = Written()
        self._order = Written()
        self.legacy_columns = {name for name, _ in COMPATIBILITY_COLUMNS} <= self._columns("shipped_items")
        self.header_columns = self._columns("shipped_orders")
        self.has_inbox = {"order_number", "order_date"} <= self._columns("orders_inbox")
        own = {*PROMOTED, *(archive_name(table) for table in ARCHIVED)}
        self.headers_are_referred_to = any(
            key.parent.lower() == "shipped_orders" and key.child.lower() not in own
            for key in foreign_keys_to(self.connection)
        )

    def known_skus(self) -> frozenset[str]:
        """The SKU codes of ``skus``."""
        return frozenset(code for (code,) in self.connection.execute("select sku_code from skus"))

    def state(
        self,
        order_number: str | None,
        labels: Sequence[Shipment],
        near_days: int,
        former: frozenset[str] | None = None,
    ) -> OrderState:
        """What the database has of an order, and of these labels wherever they are.

        Of order-less rows, which may be many, only those up to ``near_days`` from one of the labels.
        ``former`` are numbers that the order had; they are looked up where they are not given.
        """
        stored = self.stored(order_number)
        found: dict[int, Row] = {}
        for label in labels:
            found |= self._rows("where i.shipstation_shipment_id = ?", label.shipment_id)
            if stored is None and is_real_day(label.ship_date):
                found |= self._rows(
                    "where i.order_number is null and i.shipstation_shipment_id is null"
                    " and i.ship_date between date(?, ?) and date(?, ?)",
                    label.ship_date,
                    f"-{near_days} days",
                    label.ship_date,
                    f"+{near_days} days",
                )
        if stored is not None:
            found |= self._rows("where i.order_number = ?", stored)
            former = self._former_numbers(stored, labels) if former is None else former
            for number in former:
                found |= self._rows("where i.order_number = ?", number)
        rows = tuple(found[id_] for id_ in sorted(found))
        return OrderState(stored, rows, self._ordered_on(order_number), former or frozenset())

    def has_order(self, order_number: str | None) -> bool:
        """Whether there is a header of this number."""
        query = "select 1 from shipped_orders where order_number = ?"
        return self._finds(query, self.stored(trim(order_number) or None))

    def header_order_id(self, order_number: str | None) -> int | None:
        """ShipStation's id of an order as its header has it; None where it has none that is a number."""
        if order_number is None or "shipstation_order_id" not in self.header_columns:
            return None
        row = self.connection.execute(
            "select shipstation_order_id from shipped_orders where order_number = ?",
            (self.stored(order_number),),
        ).fetchone()
        text = "" if row is None else trim(str(row[0]))
        return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 2**63 else None

    def stored(self, order_number: str | None) -> str | None:
        """How the database writes an order number: the header's own text, which may have blanks."""
        return None if order_number is None else self.stored_numbers.get(order_number, order_number)

    def apply(self, plan: OrderPlan, state: OrderState, labels: Sequence[Shipment], run_id: int) -> None:
        """Writes what the plan says, headers before items and header changes last."""
        written = self._order = Written()
        written.orders += plan.changes_something
        written.ignored_lines += plan.ignored_lines
        if plan.changes_something:
            self._carry_out(plan, state, labels, run_id)

    def count(self) -> None:
        """What ``apply`` wrote counts: it stands."""
        self.written.add(self._order)

    def _carry_out(self, plan: OrderPlan, state: OrderState, labels: Sequence[Shipment], run_id: int) -> None:
        written = self._order
        if state.order_number is not None and (plan.inserts or plan.updates):
            lines = [*plan.inserts, *(update.after for update in plan.updates)]
            self._ensure_header(run_id, state.order_number, lines, labels)
        touched = {row.order_number for row in plan.deletes} | {u.before.order_number for u in plan.updates}
        for row in plan.deletes:
            self._note(run_id, "removed", "shipped_items", row.id, row.order_number)
            self.connection.execute("delete from shipped_items where id = ?", (row.id,))
            written.rows_removed += 1
            written.units_removed += row.quantity
        for update in plan.updates:
            if update.before.raw != update.after.raw:  # two rows may exchange their texts, which are a key
                self.connection.execute(
                    "update shipped_items set shipstation_sku_raw = 'lotgate ' || id where id = ?",
                    (update.before.id,),
                )
        for update in plan.updates:
            action = "adopted" if update.adopted else "changed"
            self._note(run_id, action, "shipped_items", update.before.id, update.before.order_number)
            self._update(update.before, update.after)
            written.rows_adopted += update.adopted
            written.rows_changed += not update.adopted
            more = update.after.quantity - update.before.quantity
            written.units_added += max(more, 0)
            written.units_removed += max(-more, 0)
        for line in plan.inserts:
            self._insert(line)
            written.rows_added += 1
            written.units_added += line.quantity
        for order_number in touched | {state.order_number}:
            if order_number is not None:
                self._settle_header(run_id, order_number)

    def _columns(self, table: str) -> set[str]:
        return {column.name.lower() for column in columns_of(self.connection, table)}

    def _finds(self, query: str, value: str | None) -> bool:
        return value is not None and self.connection.execute(query, (value,)).fetchone() is not None

    def _rows(self, condition: str, *parameters: object) -> dict[int, Row]:
        return {row[0]: Row(*row) for row in self.connection.execute(_ROW + condition, parameters)}

    def _ordered_on(self, order_number: str | None) -> str | None:
        if order_number is None or not self.has_inbox:
            return None
        row = self.connection.execute(
            "select order_date from orders_inbox where order_number = ? order by rowid desc limit 1",
            (order_number,),
        ).fetchone()
        day = None if row is None or row[0] is None else str(row[0])[:10]
        return day if is_real_day(day) else None

    def _insert(self, line: Line) -> None:
        values = self._values(line) | {"created_at": line.created_at}
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        self.connection.execute(f"insert into shipped_items ({names}) values ({marks})", values)

    def _update(self, before: Row, line: Line) -> None:
        values = self._values(line)
        if line.tracking_number is None:
            del values["tracking_number"]
        settings = ", ".join(f"{name} = :{name}" for name in values)
        self.connection.execute(
            f"update shipped_items set {settings} where id = :id", values | {"id": before.id}
        )

    def _values(self, line: Line) -> dict[str, object]:
        (sku_id,) = self.connection.execute(
            "select sku_id from skus where sku_code = ?", (line.sku_code,)
        ).fetchone()
        lot = line.lot_number
        values: dict[str, object] = {
            "ship_date": line.ship_date,
            "shipstation_sku_raw": line.raw,
            "sku_id": sku_id,
            "lot_id": None if lot is None else self._lot_id(sku_id, line.sku_code, lot),
            "quantity_shipped": line.quantity,
            "order_number": line.order_number,
            "tracking_number": line.tracking_number,
            "shipstation_shipment_id": line.shipment_id,
        }
        if self.legacy_columns:  # so that no trigger has to write the row a second time
            values["base_sku"] = line.sku_code
            values["sku_lot"] = "" if lot is None else f"{line.sku_code} - {lot}"
        return values

    def _lot_id(self, sku_id: int, sku_code: str, lot: str) -> int:
        """The lot; made where only this shipment knows it (docs/rules.md section 6, "Lots")."""
        query = "select lot_id from lots where sku_id = ? and lot_number = ?"
        row = self.connection.execute(query, (sku_id, lot)).fetchone()
        if row is None:
            self.connection.execute(
                "insert into lots (lot_number, sku_id, manual_adjustment, status) values (?, ?, 0, ?)",
                (lot, sku_id, self.lot_status),
            )
            self._order.lots_created.add(f"{sku_code} - {lot}")
            row = self.connection.execute(query, (sku_id, lot)).fetchone()
        return int(row[0])

    def _former_numbers(self, order_number: str, labels: Sequence[Shipment]) -> frozenset[str]:
        """Other numbers under which an order of these labels stands, since its number was changed.

        Only where one other header alone has its id: the incident wrote one id into many headers.
        """
        if "shipstation_order_id" not in self.header_columns:
            return frozenset()
        found = set()
        for order_id in {label.order_id for label in labels if label.order_id is not None}:
            numbers = self.connection.execute(
                "select order_number from shipped_orders where shipstation_order_id = ?"
                " and order_number <> ? limit 2",
                (str(order_id), order_number),
            ).fetchall()
            if len(numbers) == 1:
                found.add(str(numbers[0][0]))
        return frozenset(found)

    def _ensure_header(
        self, run_id: int, order_number: str, lines: Sequence[Line], labels: Sequence[Shipment]
    ) -> None:
        """A missing header is added; an existing one only learns a ShipStation id where it has none."""
        written = {line.shipment_id for line in lines}
        order_id = next(
            (label.order_id for label in labels if label.shipment_id in written and label.order_id), None
        )
        if not self.has_order(order_number):
            values: dict[str, object] = {
                "ship_date": min(line.ship_date for line in lines),
                "order_number": order_number,
                "total_items": 0,
                "shipstation_order_id": None if order_id is None else str(order_id),
                "created_at": min(line.created_at for line in lines),
            }
            values = {name: value for name, value in values.items() if name in self.header_columns}
            self.connection.execute(
                f"insert into shipped_orders ({', '.join(values)})"
                f" values ({', '.join(f':{name}' for name in values)})",
                values,
            )
            self._order.headers_added += 1
        elif order_id is not None and "shipstation_order_id" in self.header_columns:
            self._change_header(
                run_id,
                order_number,
                "update shipped_orders set shipstation_order_id = :value where order_number = :number",
                "coalesce(trim(shipstation_order_id), '') = ''",
                str(order_id),
            )

    def _settle_header(self, run_id: int, order_number: str) -> None:
        """The header's day is one on which an item shipped, else the first; without items it leaves."""
        (first,) = self.connection.execute(
            "select min(ship_date) from shipped_items where order_number = ?", (order_number,)
        ).fetchone()
        if first is not None:
            self._change_header(
                run_id,
                order_number,
                "update shipped_orders set ship_date = :value where order_number = :number",
                "not exists (select 1 from shipped_items as i"
                " where i.order_number = shipped_orders.order_number"
                " and i.ship_date = shipped_orders.ship_date)",
                first,
            )
        elif not self.headers_are_referred_to and self.has_order(order_number):
            self._note_header(run_id, "removed", order_number)
            self.connection.execute("delete from shipped_orders where order_number = ?", (order_number,))
            self._order.headers_removed += 1

    def _change_header(self, run_id: int, order_number: str, update: str, condition: str, value: str) -> None:
        """Carries an update out where the condition holds, and notes first what the header said."""
        parameters = {"number": order_number, "value": value}
        wanted = f"select 1 from shipped_orders where order_number = :number and {condition}"
        if self.connection.execute(wanted, {"number": order_number}).fetchone() is not None:
            self._note_header(run_id, "changed", order_number)
            self.connection.execute(f"{update} and {condition}", parameters)
            self._order.headers_changed += 1

    def _note_header(self, run_id: int, action: str, order_number: str) -> None:
        (row_id,) = self.connection.execute(
            "select id from shipped_orders where order_number = ?", (order_number,)
        ).fetchone()
        self._note(run_id, action, "shipped_orders", row_id, order_number)

    def _note(self, run_id: int, action: str, table: str, row_id: int, order_number: str | None) -> None:
        """What a row said before, the owner's columns too: nothing that sync changes or takes out is lost."""
        cursor = self.connection.execute(f"select * from {table} where id = ?", (row_id,))
        values = cursor.fetchone()
        before = {
            column[0]: value.hex() if isinstance(value, bytes) else value
            for column, value in zip(cursor.description, values, strict=True)
        }
        self.connection.execute(
            f"insert into {CHANGES} (run_id, action, table_name, row_id, order_number, before_row)"
            " values (?, ?, ?, ?, ?, ?)",
            (run_id, action, table, row_id, order_number, json.dumps(before)),
        )

    def _odd_numbers(self) -> dict[str, str]:
        """Order numbers of headers that have blanks around them, by the number without."""
        odd = self.connection.execute(
            "select order_number from shipped_orders where order_number glob '[^0-9A-Za-z]*'"
            " or order_number glob '*[^0-9A-Za-z]' order by rowid desc"
        )
        found = {trim(text): text for (text,) in odd if isinstance(text, str) and trim(text) != text}
        plain = "select 1 from shipped_orders where order_number = ?"
        return {
            number: text
            for number, text in found.items()
            if number and self.connection.execute(plain, (number,)).fetchone() is None
        }
