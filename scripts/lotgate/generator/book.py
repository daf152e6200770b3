"""What scenarios write into: rows, headers, inbox rows, evidence and decisions, and what becomes of each row.

A scenario says for every row that it emits what should become of it. The book never decides anything.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from lotgate.generator import world
from lotgate.generator.texts import BLANKS
from lotgate.legacy_schema import Shape

Value = str | int | float | None
Need = Literal["inbox", "tracking", "evidence", "no evidence", "any value", "typeless"]

MANUAL_START: Final = 100_001
CART_START: Final = 600_005
_CREATED_FORMATS: Final = ("{} {}", "{} {}", "{} {}.295358+00", "{}T{}Z")


@dataclass(slots=True, eq=False)
class Row:
    """One row of `shipped_items`, and what should become of it."""

    id: int
    ship_date: Value
    sku_lot: Value
    base_sku: Value
    quantity: Value
    order_number: Value
    created_at: Value
    tracking: Value
    disposition: str = ""
    reason: str = ""
    merged_into: int | None = None
    new_ship_date: str | None = None

    def keep(self, reason: str = "clean") -> None:
        """The row stays as it is."""
        self.disposition, self.reason = "keep", reason

    def redate(self, day: str, reason: str) -> None:
        """The row stays, with the ship date `day`."""
        self.disposition, self.reason, self.new_ship_date = "redate", reason, day

    def merge(self, into: Row, reason: str) -> None:
        """The row is a second record of the line that `into` stands for."""
        self.disposition, self.reason, self.merged_into = "merge", reason, into.id

    def remove(self, reason: str) -> None:
        """The row leaves."""
        self.disposition, self.reason = "remove", reason

    def quarantine(self, reason: str) -> None:
        """A person must decide."""
        self.disposition, self.reason = "quarantine", reason


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a shipment, as ShipStation tells it."""

    sku: str | None
    quantity: int | None
    adjustment: bool = False
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """One row of `shipped_orders`."""

    id: int
    ship_date: Value
    order_number: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Inbox:
    """One row of `orders_inbox`, with the lines that its child tables get."""

    id: int
    order_number: str
    order_date: str
    status: str
    items: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Batch:
    """Everything emitted since the writer last looked, in the column order of its tables."""

    rows: list[Row] = field(default_factory=list)
    headers: list[Header] = field(default_factory=list)
    inbox: list[Inbox] = field(default_factory=list)
    shipments: list[tuple[Value, ...]] = field(default_factory=list)
    items: list[tuple[Value, ...]] = field(default_factory=list)
    recovered: list[tuple[Value, ...]] = field(default_factory=list)
    decisions: list[tuple[str, ...]] = field(default_factory=list)


class Book:
    """The seeded source of numbers and choices, and the place where a scenario writes its story."""

    def __init__(self, seed: int, shape: Shape, *, evidence: bool) -> None:
        self.rng = random.Random(seed)
        self.shape = shape
        needs: set[Need] = {"evidence" if evidence else "no evidence"}
        if shape is not Shape.bare:
            needs.add("inbox")
        if shape in (Shape.autumn, Shape.late, Shape.keyless):
            needs.add("tracking")
        if shape in (Shape.keyless, Shape.bare):
            needs.add("any value")
        if shape is Shape.keyless:
            needs.add("typeless")
        self.has: Final[frozenset[Need]] = frozenset(needs)
        self.evidence = evidence
        self.has_inbox = "inbox" in needs
        self.batch = Batch()
        self.row_count = 0
        self.last_id = self.rng.randrange(1, 5000)
        self.units: dict[tuple[str, str], int] = {}
        self._carts = self._manuals = self._blank_numbers = self._headers = self._inboxes = (
            self._shipments
        ) = 0

    # Numbers and choices

    def number(self) -> str:
        """A new order number; none is ever given twice."""
        if self.rng.random() < 0.03:
            self._manuals += 1
            return str(MANUAL_START + self._manuals)
        self._carts += 1
        return str(CART_START + 10 * self._carts)

    def blank_number(self) -> str:
        """An order number of nothing but blanks, each time another: unlike NULLs they fall under the key."""
        self._blank_numbers += 1
        bits = f"{self._blank_numbers:b}"[1:]
        return bits.replace("0", " ").replace("1", self.rng.choice("\t\u00a0\u3000"))

    def sku(self) -> str:
        """Any of the five SKUs."""
        return self.rng.choice(world.SKUS)

    def skus(self, count: int) -> list[str]:
        """`count` different SKUs."""
        return self.rng.sample(world.SKUS, count)

    def lot(self, sku: str) -> str:
        """A lot of `sku` that a master table knows."""
        return self.rng.choice(world.LOTS[sku])

    def lots(self, sku: str, count: int) -> list[str]:
        """`count` different lots of `sku`."""
        return self.rng.sample(world.LOTS[sku], count)

    def row_args(self, sku: str, lot: str) -> tuple[str, str]:
        """`sku_lot` and `base_sku` as the daily processor writes them."""
        return f"{sku} - {lot}", sku

    def quantity(self) -> int:
        """A quantity as orders have it."""
        return self.rng.choice(world.QUANTITIES)

    def quantities(self, count: int) -> list[int]:
        """`count` different quantities; no sum of two of them is a third."""
        return self.rng.sample((1, 2, 4, 8, 16, 32), count)

    def day(self) -> str:
        """A day of which no incident and no complete fetch knows anything."""
        return self.rng.choice(world.SAFE_DAYS)

    def days(self, count: int) -> list[str]:
        """`count` different such days, in order."""
        return sorted(self.rng.sample(world.SAFE_DAYS, count))

    def after_day(self) -> str:
        """Such a day in the incident's week."""
        return self.rng.choice(world.AFTER_DAYS)

    def moment(self, day: str) -> str:
        """A time on `day`, in one of the formats of `created_at`."""
        rng = self.rng
        clock = f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"
        return rng.choice(_CREATED_FORMATS).format(day, clock)

    def soon(self, day: str) -> str:
        """A `created_at` less than 30 days after `day`."""
        return self.moment(world.shifted(day, self.rng.randrange(16)))

    def within(self, incident: world.Incident) -> str:
        """A `created_at` inside the window of `incident`."""
        day, last = incident.created_from[:10], incident.created_to[11:]
        edges = (incident.created_from, incident.created_to, f"{day}T{last}.999999Z")
        middle = f"{day} {int(last[:2]) - 1:02}:{self.rng.randrange(60):02}:{self.rng.randrange(60):02}"
        return self.rng.choice((*edges, middle, middle + ".123456+00"))

    def outside(self) -> str:
        """A `created_at` in the days of the incidents, outside every window."""
        return self.rng.choice(
            ("2025-10-02 20:53:06", "2025-10-03 11:00:00.5+00", "2025-10-06 15:42:59", "2025-10-06T17:45:01")
        )

    # Legacy tables

    def header(self, order_number: str, ship_date: Value) -> None:
        """A row of `shipped_orders`."""
        self._headers += 1
        created = f"{ship_date} 23:10:00" if isinstance(ship_date, str) else "2025-10-06 23:10:00"
        self.batch.headers.append(Header(self._headers, ship_date, order_number, created))

    def inbox(
        self,
        order_number: str,
        order_date: str,
        status: str = "shipped",
        items: Iterable[tuple[str, int]] = (),
    ) -> None:
        """A row of `orders_inbox`, where the shape has one."""
        if self.has_inbox:
            self._inboxes += 1
            self.batch.inbox.append(
                Inbox(self._inboxes, order_number, order_date, status, tuple(items) or (("17612", 1),))
            )

    def row(
        self,
        order_number: Value,
        sku_lot: Value,
        base_sku: Value,
        quantity: Value,
        ship_date: Value,
        created_at: Value = "",
        tracking: Value = None,
    ) -> Row:
        """A row of `shipped_items`; it gets the next id, so the first row of an order has the lowest."""
        if created_at == "":
            created_at = self.soon(ship_date) if isinstance(ship_date, str) else "2025-10-07 01:02:03"
        # Delete-and-insert syncs leave holes.
        self.last_id += 1 if self.rng.random() < 0.9 else self.rng.randrange(2, 9)
        row = Row(self.last_id, ship_date, sku_lot, base_sku, quantity, order_number, created_at, tracking)
        self.batch.rows.append(row)
        self.row_count += 1
        if isinstance(ship_date, str) and isinstance(base_sku, str) and isinstance(quantity, int):
            self.count(ship_date, base_sku, quantity)
        return row

    def count(self, ship_date: str, base_sku: str, quantity: int) -> None:
        """Adds to the units that the legacy system's own sums would show."""
        if base_sku in world.BASELINE and 0 < quantity <= 1_000_000:
            key = (ship_date, base_sku)
            self.units[key] = self.units.get(key, 0) + quantity

    # Evidence and controls

    def shipment(
        self,
        order_number: str | None,
        ship_date: str | None,
        *items: Item | tuple[str | None, int | None],
        voided: bool = False,
        is_return: bool = False,
    ) -> int:
        """A shipment in the evidence, and its id. Only scenarios that need evidence may call this."""
        if not self.evidence:
            raise AssertionError("a scenario writes evidence but does not say that it needs it")
        self._shipments += 1
        shipment_id, serial = 900_000_000 + self._shipments, self._shipments
        void_date = f"{ship_date} 16:00:00" if voided else None
        created = f"{ship_date or '2025-10-06'}T07:12:31.5030000"
        self.batch.shipments.append(
            (
                shipment_id,
                None if order_number is None else 800_000_000 + serial,
                order_number,
                created,
                ship_date,
                f"TEST{serial:012}",
                int(is_return),
                int(voided),
                void_date,
            )
        )
        for index, item in enumerate(items):
            if not isinstance(item, Item):
                item = Item(*item)
            item_id = 700_000_000 + 50 * serial + index
            self.batch.items.append(
                (shipment_id, index, item_id, item.key, item.sku, item.quantity, int(item.adjustment))
            )
        return shipment_id

    def recovered(
        self,
        order_number: str | None,
        ship_date: str,
        sku: str,
        lot: str | None,
        quantity: int,
        shipment_id: int,
    ) -> None:
        """A line of `shipment_id` that no legacy row stands for."""
        self.batch.recovered.append((order_number, ship_date, sku, lot, quantity, shipment_id))

    def decide(self, row: Row, decision: str, ship_date: str = "") -> None:
        """A line of quarantine_decisions.csv about `row`."""

        def text(value: Value) -> str:
            return "" if value is None else str(value).strip(BLANKS)

        self.batch.decisions.append(
            (
                str(row.id),
                text(row.order_number),
                text(row.base_sku),
                text(row.sku_lot),
                text(row.quantity),
                decision,
                ship_date,
                "generated case",
                "generator",
                "2025-10-20",
            )
        )


@dataclass(frozen=True)
class Scenario:
    """One story: what it needs of the database, whether it may be told only once, and how it is told."""

    name: str
    tell: Callable[[Book], None]
    needs: frozenset[Need]
    once: bool


SCENARIOS: Final[list[Scenario]] = []


def scenario(*needs: Need, once: bool = False) -> Callable[[Callable[[Book], None]], Callable[[Book], None]]:
    """Registers a scenario for the databases that have all of `needs`."""

    def register(tell: Callable[[Book], None]) -> Callable[[Book], None]:
        SCENARIOS.append(Scenario(tell.__name__, tell, frozenset(needs), once))
        return tell

    return register
