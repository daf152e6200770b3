"""Ways to spoil a good work directory, one and more for every check of the suites of the promoted tables.

Written for the demo's candidate, whose rows are looked up rather than named where that is possible.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from suites import force, rebuild, spoil, unconstrained

Spoil = Callable[[Path], None]


@dataclass(frozen=True)
class Case:
    """One way to spoil a work directory.

    ``count`` is what the check finds then, None for GX's own checks of the whole table. ``also`` are the
    other checks of the suite that see it too. ``shows`` is among the values that Data Docs show.
    ``parameters`` replace those of the audit.
    """

    check: str
    spoil: Spoil
    count: int | None = 1
    also: Sequence[str] = ()
    shows: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def suite(self) -> str:
        return self.check.partition(".")[0]

    @property
    def name(self) -> str:
        return self.check.partition(".")[2]


def on_candidate(*statements: str) -> Spoil:
    return lambda work: spoil(work, *statements)


def on_snapshot(*statements: str) -> Spoil:
    return lambda work: spoil(work, *statements, database="legacy.sqlite")


def in_turn(*steps: Spoil) -> Spoil:
    def run(work: Path) -> None:
        for step in steps:
            step(work)

    return run


def forced(table: str, words: str, instead: str, *statements: str) -> Spoil:
    """A value that the table's own definition forbids, in a table that keeps that definition."""
    return lambda work: force(work, table, words, instead, *statements)


def loosened(table: str, *statements: str) -> Spoil:
    """Statements on a table that lost its keys, which its contract notices."""
    return in_turn(lambda work: unconstrained(work, table), on_candidate(*statements))


def redefined(table: str, *changes: tuple[str, str]) -> Spoil:
    return lambda work: rebuild(work, table, *changes)


def as_it_is(work: Path) -> None:
    """Nothing is spoiled: a parameter says something else."""


CONTRACT = "contract_is_kept"

_INVENTORY = "skus_are_those_of_the_snapshot"
SKUS = (
    Case(
        "skus.sku_id_is_given",
        loosened("skus", "update skus set sku_id = null where sku_id = 1"),
        also=(CONTRACT,),
    ),
    Case(
        "skus.sku_id_is_unique",
        loosened("skus", "update skus set sku_id = 1 where sku_id = 2"),
        2,
        also=(CONTRACT,),
    ),
    Case(
        "skus.sku_code_is_given",
        forced(
            "skus",
            "sku_code text not null",
            "sku_code text",
            "update skus set sku_code = null where sku_id = 1",
        ),
        also=(_INVENTORY,),
    ),
    Case(
        "skus.sku_code_is_unique",
        loosened("skus", "update skus set sku_code = '17612' where sku_id = 2"),
        2,
        also=(CONTRACT, _INVENTORY),
    ),
    Case("skus.sku_count_is_expected", as_it_is, None, parameters={"expected_sku_count": 6}),
    Case(
        "skus.sku_count_is_expected",
        in_turn(
            on_candidate("delete from skus where sku_id = 5"),
            on_snapshot("delete from inventory_current where sku = '18795'"),
        ),
        None,
    ),
    *(
        Case(f"skus.{_INVENTORY}", on_candidate(statement), shows=shows)
        for statement, shows in (
            ("update skus set reorder_point = 7 where sku_id = 1", "different: reorder_point"),
            ("update skus set pallet_count = null where sku_id = 2", "different: pallet_count"),
            ("update skus set product_name = 'Another' where sku_id = 3", "different: product_name"),
            ("update skus set created_at = '2025-10-01' where sku_id = 4", "different: created_at"),
        )
    ),
    Case(
        f"skus.{_INVENTORY}",
        on_candidate("update skus set sku_code = '17613' where sku_id = 1"),
        2,
        shows="not in the inventory",
    ),
    Case(
        f"skus.{_INVENTORY}",
        on_snapshot(
            "insert into inventory_current (sku, product_name, current_quantity) values ('17000', 'New', 0)"
        ),
        shows="not in the candidate",
    ),
    Case(
        f"skus.{_INVENTORY}",
        on_snapshot(
            "update configuration_params set value = '49' where category = 'PalletConfig' and sku = '17612'"
        ),
        shows="different: pallet_count",
    ),
    Case(
        "skus.product_name_is_given",
        forced(
            "skus",
            "product_name text not null",
            "product_name text",
            "update skus set product_name = null where sku_id = 1",
        ),
        also=(_INVENTORY,),
    ),
    *(
        Case(
            "skus.product_names_are_real",
            on_candidate(f"update skus set product_name = '{name}' where sku_id = 5"),
            also=(_INVENTORY,),
            shows="18795",
        )
        for name in ("", "\u00a0", "None", " NAN\t")
    ),
    Case(
        "skus.product_names_are_known",
        on_candidate("update skus set product_name = sku_code where sku_id = 5"),
        also=(_INVENTORY,),
    ),
    *(
        Case(
            "skus.sku_codes_have_five_digits",
            in_turn(
                on_candidate(f"update skus set sku_code = '{code}' where sku_id = 1"),
                on_snapshot(
                    f"update inventory_current set sku = '{code}' where sku = '17612'",
                    f"update configuration_params set sku = '{code}' where sku = '17612'",
                ),
            ),
            shows=code,
        )
        for code in ("1761", "176123", "1761A", "1761\u0661")
    ),
    Case(
        "skus.reorder_points_are_plausible",
        in_turn(
            on_candidate("update skus set reorder_point = -1 where sku_id = 1"),
            on_snapshot("update inventory_current set reorder_point = -1 where sku = '17612'"),
        ),
    ),
    Case(
        "skus.pallet_counts_are_plausible",
        in_turn(
            on_candidate("update skus set pallet_count = 0 where sku_id = 1"),
            on_snapshot(
                "update configuration_params set value = '0'"
                " where category = 'PalletConfig' and sku = '17612'"
            ),
        ),
    ),
    Case(
        "skus.columns_are_exact",
        on_candidate("alter table skus add column note text"),
        None,
        also=(CONTRACT,),
    ),
    Case(f"skus.{CONTRACT}", redefined("skus", (" strict", "")), 3, shows="not strict"),
    Case(f"skus.{CONTRACT}", redefined("skus", (" autoincrement", "")), shows="column sku_id"),
    Case(f"skus.{CONTRACT}", redefined("skus", ("default 50", "default 51")), shows="integer default 51"),
    Case(f"skus.{CONTRACT}", redefined("skus", ("not null unique", "not null")), shows="unique sku_code"),
    Case(
        f"skus.{CONTRACT}",
        redefined("skus", ("not null unique", "not null unique on conflict replace")),
        shows="strict, on conflict",
    ),
    Case(
        f"skus.{CONTRACT}",
        on_candidate("create trigger late after insert on skus begin select 1; end"),
        shows="trigger late",
    ),
    Case(f"skus.{CONTRACT}", on_candidate("create index extra on skus (product_name)"), shows="index extra"),
)

_LOTS = "lots_are_those_of_the_snapshot"
_STATUSES = "statuses_are_those_of_the_snapshot"
LOTS = (
    Case(
        "lots.lot_id_is_given",
        loosened("lots", "update lots set lot_id = null where lot_id = 4"),
        also=(CONTRACT, _LOTS),
    ),
    Case(
        "lots.lot_id_is_unique",
        loosened("lots", "update lots set lot_id = 5 where lot_id = 4"),
        2,
        also=(CONTRACT,),
    ),
    Case(
        "lots.lot_number_is_given",
        forced(
            "lots",
            "lot_number text not null",
            "lot_number text",
            "update lots set lot_number = null where lot_id = 1",
        ),
    ),
    Case(
        "lots.sku_id_is_given",
        forced(
            "lots",
            "sku_id integer not null",
            "sku_id integer",
            "update lots set sku_id = null where lot_id = 1",
        ),
        # SQLite believes the definition, so that the null looks like a reference
        also=("sku_exists", "one_lot_is_active"),
    ),
    Case(
        "lots.status_is_given",
        forced(
            "lots",
            "status text not null",
            "status text",
            "update lots set status = null where lot_id = 9",
        ),
        also=(_STATUSES,),
    ),
    Case(
        "lots.sku_and_lot_are_unique",
        loosened("lots", "update lots set lot_number = '250237', lot_id = 99 where lot_id = 1"),
        2,
        also=(CONTRACT, _LOTS, _STATUSES, "lots_are_known"),
    ),
    Case(
        "lots.sku_exists",
        on_candidate("update lots set sku_id = 99 where lot_id = 9"),
        also=("lots_are_known", _LOTS),
        shows="240231",
    ),
    Case(
        "lots.status_is_known",
        on_candidate("update lots set status = 'gone' where lot_id = 9"),
        also=(_STATUSES,),
    ),
    *(
        Case(
            "lots.lot_numbers_are_plausible",
            on_candidate(f"update lots set lot_number = {number} where lot_id = 1"),
        )
        for number in ("'2503'", "'25030A'", "'25030\u0661'", "''", "'250300' || char(0) || '1'")
    ),
    Case(
        "lots.lot_numbers_are_plausible",
        as_it_is,
        9 + 1,
        also=(_LOTS,),
        parameters={"min_lot_digits": 7},
    ),
    Case(
        "lots.received_dates_are_real_days",
        in_turn(
            on_candidate("update lots set received_date = '2025-02-30' where lot_id = 2"),
            on_snapshot("update lot_inventory set received_date = '2025-02-30' where lot = '250237'"),
        ),
        also=(_LOTS,),
        shows="2025-02-30",
    ),
    Case(
        "lots.received_dates_are_past",
        in_turn(
            on_candidate("update lots set received_date = '2999-01-01' where lot_id = 2"),
            on_snapshot("update lot_inventory set received_date = '2999-01-01' where lot = '250237'"),
        ),
        shows="2999-01-01",
    ),
    *(
        Case(f"lots.{_LOTS}", step, shows=shows)
        for step, shows in (
            (on_candidate("update lots set initial_qty = 9000 where lot_id = 10"), "different: initial_qty"),
            (
                on_candidate("update lots set manual_adjustment = 5 where lot_id = 10"),
                "different: manual_adjustment",
            ),
            (
                on_candidate("update lots set received_date = null where lot_id = 10"),
                "different: received_date",
            ),
            (on_candidate("update lots set created_at = null where lot_id = 9"), "different: created_at"),
            (on_candidate("update lots set initial_qty = 9000 where lot_id = 1"), "values that no table has"),
            (on_candidate("delete from lots where lot_id = 4"), "not in the candidate"),
            (
                on_snapshot("insert into sku_lot (sku, lot, active) values ('99999', '250300', 1)"),
                "left out, and audit_lots does not say why",
            ),
            (
                on_snapshot("insert into sku_lot (sku, lot, active) values ('17612', '2503', 1)"),
                "left out, and audit_lots does not say why",
            ),
        )
    ),
    Case(
        f"lots.{_LOTS}",
        on_candidate("insert into lots (sku_id, lot_number) values (3, '990001')"),
        also=("lots_are_known",),
        shows="no table and no line has it",
    ),
    Case(
        f"lots.{_STATUSES}",
        on_candidate("update lots set status = 'inactive' where lot_id = 9"),
        shows="240231",
    ),
    Case(
        f"lots.{_STATUSES}",
        on_snapshot("update sku_lot set active = 0 where lot = '11001'"),
        shows="inactive",
    ),
    Case(f"lots.{_STATUSES}", as_it_is, 3, parameters={"discovered_lot_status": "inactive"}),
    Case(
        "lots.one_lot_is_active",
        in_turn(
            on_candidate("insert into lots (sku_id, lot_number, status) values (4, '240232', 'active')"),
            on_snapshot(
                "insert into sku_lot (sku, lot, active, created_at)"
                " values ('18675', '240232', 1, '2025-10-01 00:00:00')"
            ),
            on_candidate("update lots set created_at = '2025-10-01 00:00:00' where lot_number = '240232'"),
        ),
        4,
        shows="18675",
    ),
    Case(
        "lots.lots_are_known",
        in_turn(
            on_snapshot("delete from sku_lot where lot = '240231'"),
            on_snapshot("delete from lot_inventory where lot = '240231'"),
            on_candidate(
                "update lots set initial_qty = null, received_date = null, created_at = null"
                " where lot_number = '240231'"
            ),
        ),
        4,
        shows="240231",
    ),
    Case(
        "lots.shipped_is_within_received",
        in_turn(
            on_candidate("update lots set initial_qty = 3, manual_adjustment = -1 where lot_id = 9"),
            on_snapshot(
                "update lot_inventory set initial_qty = 3, manual_adjustment = -1 where lot = '240231'"
            ),
        ),
        shows="240231",
    ),
    Case(
        "lots.columns_are_exact",
        on_candidate("alter table lots add column note text"),
        None,
        also=(CONTRACT,),
    ),
    Case(
        f"lots.{CONTRACT}",
        redefined("lots", (" on delete cascade", "")),
        shows="skus (sku_id)",
    ),
    Case(
        f"lots.{CONTRACT}",
        redefined("lots", (" check (status in ('active', 'inactive'))", "")),
        2,
        shows="a row with status 'gone'",
    ),
    Case(
        f"lots.{CONTRACT}",
        redefined("lots", ("status in ('active', 'inactive')", "status in ('inactive')")),
        shows="a sound row",
    ),
    Case(f"lots.{CONTRACT}", on_candidate("drop index idx_lots_status"), shows="index idx_lots_status"),
)

_HEADERS = "headers_are_those_of_the_snapshot"
_NEW = "new_headers_are_listed"
_GROUNDS = "changes_have_grounds"
_PLAUSIBLE = "dates_are_plausible"
# a header with lines that nothing changes
_HEADER = (
    "(select min(id) from shipped_orders where id not in (select header_id from audit_order_header_changes))"
)
_SAME_HEADER = "(select min(id) from shipped_orders where ship_date = '2025-09-15')"
_ADDED = "(select min(header_id) from audit_order_header_changes where change = 'added')"
_TAKEN_OUT = "(select min(header_id) from audit_order_header_changes where change = 'taken_out')"
_CORRECTED = (
    "(select min(header_id) from audit_order_header_changes"
    " where change = 'date_corrected' and candidate_items = 1 and old_ship_date = '2024-04-16')"
)
SHIPPED_ORDERS = (
    Case(
        "shipped_orders.id_is_given",
        loosened("shipped_orders", f"update shipped_orders set id = null where id = {_HEADER}"),
        also=(CONTRACT, _HEADERS, _NEW),
    ),
    Case(
        "shipped_orders.id_is_unique",
        loosened(
            "shipped_orders", f"insert into shipped_orders select * from shipped_orders where id = {_HEADER}"
        ),
        2,
        also=(CONTRACT, "order_number_is_unique"),
    ),
    Case(
        "shipped_orders.order_number_is_unique",
        loosened(
            "shipped_orders",
            f"update shipped_orders set order_number = '100520' where id = {_HEADER}",
        ),
        2,
        also=(CONTRACT, _HEADERS, _PLAUSIBLE),
    ),
    Case(
        "shipped_orders.order_number_is_given",
        in_turn(
            on_candidate(f"update shipped_orders set order_number = null where id = {_SAME_HEADER}"),
            lambda work: force(
                work,
                "shipped_orders",
                "TEXT NOT NULL UNIQUE",
                "TEXT UNIQUE",
                f"update shipped_orders set order_number = null where id = {_SAME_HEADER}",
                database="legacy.sqlite",
            ),
        ),
    ),
    *(
        Case(
            f"shipped_orders.{_HEADERS}",
            on_candidate(f"update shipped_orders set {column} = {value} where id = {_HEADER}"),
            shows=f"different: {column}",
        )
        for column, value in (
            ("ship_date", "'2025-09-17'"),
            ("order_number", "order_number || ' '"),
            ("customer_email", "'someone'"),
            ("total_items", "total_items + 1"),
            ("shipstation_order_id", "'1' || shipstation_order_id"),
            ("created_at", "null"),
            ("shipping_carrier_code", "'x'"),
            ("shipping_carrier_id", "'x'"),
            ("shipping_service_code", "'x'"),
            ("shipping_service_name", "'x'"),
        )
    ),
    Case(
        f"shipped_orders.{_HEADERS}",
        on_candidate(f"delete from shipped_orders where id = {_HEADER}"),
        shows="not in the candidate",
    ),
    Case(
        f"shipped_orders.{_HEADERS}",
        on_candidate(
            "insert into shipped_orders (id, ship_date, order_number)"
            f" select header_id, old_ship_date, order_number from audit_order_header_changes"
            f" where header_id = {_TAKEN_OUT}"
        ),
        shows="taken out, and still there",
    ),
    Case(
        f"shipped_orders.{_HEADERS}",
        on_candidate(
            "update audit_order_header_changes set old_ship_date = '2025-01-02'"
            f" where header_id = {_TAKEN_OUT}"
        ),
        shows="changed, with another old date",
    ),
    Case(
        f"shipped_orders.{_HEADERS}",
        on_candidate(
            "update shipped_orders set ship_date = (select old_ship_date from audit_order_header_changes"
            f" where header_id = {_CORRECTED}) where id = {_CORRECTED}"
        ),
        also=(_PLAUSIBLE,),
        shows="different: ship_date",
    ),
    Case(
        f"shipped_orders.{_HEADERS}",
        on_snapshot(f"update shipped_orders set customer_email = 'someone' where id = {_SAME_HEADER}"),
        shows="different: customer_email",
    ),
    Case(
        f"shipped_orders.{_NEW}",
        on_candidate(
            "insert into shipped_orders (ship_date, order_number, total_items)"
            " values ('2025-10-06', '999995', 0)"
        ),
        shows="not in the snapshot, and not listed as added",
    ),
    Case(
        f"shipped_orders.{_NEW}",
        on_candidate(f"delete from shipped_orders where id = {_ADDED}"),
        shows="added, and not there",
    ),
    Case(
        f"shipped_orders.{_NEW}",
        on_snapshot("delete from shipped_orders where id = 2380"),
        2,
        shows="changed, and not in the snapshot",
    ),
    *(
        Case(
            f"shipped_orders.{_NEW}",
            on_candidate(f"update shipped_orders set {change} where id = {_ADDED}"),
            shows=shows,
        )
        for change, shows in (
            ("ship_date = '2025-10-07'", "not as it is listed"),
            ("shipstation_order_id = '7'", "not what ShipStation says"),
            ("created_at = null", "not what ShipStation says"),
            ("customer_email = 'someone'", "has values that nobody gave"),
            ("total_items = 1", "has values that nobody gave"),
        )
    ),
    Case(
        f"shipped_orders.{_NEW}",
        on_candidate(
            "insert into audit_order_header_changes"
            " (header_id, order_number, change, legacy_items, candidate_items)"
            " select id, order_number, 'moved', 0, 1 from shipped_orders where order_number = '100520'",
            "update audit_order_header_changes set old_ship_date = (select ship_date from shipped_orders"
            " where id = header_id), new_ship_date = (select max(i.ship_date) from shipped_items as i"
            " where i.order_number = audit_order_header_changes.order_number) where change = 'moved'",
        ),
        also=(_GROUNDS,),
        shows="an unknown change",
    ),
    *(
        Case(
            f"shipped_orders.{_GROUNDS}",
            on_candidate(f"update audit_order_header_changes set {change} where header_id = {header}"),
            shows=shows,
        )
        for change, header, shows in (
            ("legacy_items = legacy_items + 1", _TAKEN_OUT, "other numbers of lines"),
            ("candidate_items = candidate_items - 1", _ADDED, "other numbers of lines"),
            ("new_ship_date = '2025-10-06'", _TAKEN_OUT, "it has a new date"),
            ("old_ship_date = '2025-10-06'", _ADDED, "it had a date"),
        )
    ),
    Case(
        f"shipped_orders.{_GROUNDS}",
        on_candidate(
            "update audit_order_header_changes set new_ship_date = '2025-10-09'"
            f" where header_id = {_CORRECTED}",
            f"update shipped_orders set ship_date = '2025-10-09' where id = {_CORRECTED}",
        ),
        shows="not the latest day of its lines",
    ),
    Case(
        f"shipped_orders.{_GROUNDS}",
        in_turn(
            on_candidate(
                "update audit_order_header_changes set old_ship_date = '2025-10-08' where header_id = 2380"
            ),
            on_snapshot("update shipped_orders set ship_date = '2025-10-08' where id = 2380"),
        ),
        shows="its old date was plausible",
    ),
    Case(
        "shipped_orders.removed_headers_have_no_lines",
        on_candidate(
            "insert into shipped_items"
            " (ship_date, shipstation_sku_raw, sku_id, quantity_shipped, order_number)"
            " values ('2025-10-06', '17612', 1, 1, '689515')"
        ),
        also=(_GROUNDS,),
        shows="689515",
    ),
    Case(
        "shipped_orders.changed_dates_are_real_days",
        on_candidate(
            "update shipped_items set ship_date = '2025-02-30' where order_number ="
            f" (select order_number from shipped_orders where id = {_CORRECTED})",
            f"update shipped_orders set ship_date = '2025-02-30' where id = {_CORRECTED}",
            "update audit_order_header_changes set new_ship_date = '2025-02-30'"
            f" where header_id = {_CORRECTED}",
        ),
        shows="2025-02-30",
    ),
    *(
        Case(
            f"shipped_orders.{_PLAUSIBLE}",
            in_turn(
                on_candidate(f"update shipped_orders set ship_date = {day} where order_number = '689135'"),
                on_snapshot(f"update shipped_orders set ship_date = {day} where order_number = '689135'"),
            ),
            shows="689135",
        )
        # an incident's wrong date, the day before the order's, no day
        for day in ("'2024-04-16'", "'2025-09-28'", "'2025-02-30'")
    ),
    Case(
        "shipped_orders.shipstation_order_belongs_to_one_order",
        in_turn(
            *(
                step("update shipped_orders set shipstation_order_id = '77' where id in (2309, 2380)")
                for step in (on_candidate, on_snapshot)
            )
        ),
        2,
        shows="77",
    ),
    Case(
        "shipped_orders.columns_are_exact",
        on_candidate("alter table shipped_orders add column note text"),
        None,
        also=(CONTRACT,),
    ),
    Case(
        f"shipped_orders.{CONTRACT}",
        redefined("shipped_orders", ("order_number text unique", "order_number text")),
        shows="unique order_number",
    ),
    Case(
        f"shipped_orders.{CONTRACT}",
        redefined("shipped_orders", ("ship_date text", "ship_date text check (ship_date <> '')")),
        shows="strict, 1 check",
    ),
)
