"""Expectations about SKUs: those of the snapshot's inventory, with names that mean something."""

from __future__ import annotations

from typing import ClassVar

from lotgate_expectations.comparing import is_same, problem
from lotgate_expectations.expressions import trimmed, trimmed_or_null, whole_number
from lotgate_expectations.rows import NoRowsExpectation


class ExpectSkusToMatchTheInventory(NoRowsExpectation):
    """Expect the SKUs of the snapshot's inventory_current in skus, all of them and no others.

    Compared by SKU code: name, reorder point and units per pallet, with what configuration_params adds.
    Unexpected is a SKU that only one side has, or that differs; shown are its code and what is wrong.

    Example:
        {}

    Source: docs/rules.md section 6 (skus).
    """

    others: ClassVar[tuple[str, ...]] = ("legacy",)

    def query(self) -> str:
        return _INVENTORY


class ExpectProductNamesToBeReal(NoRowsExpectation):
    """Expect every SKU to have a product name: not blank, and not the words None or nan.

    Unexpected is any other name; shown are the SKU's id and code.

    Example:
        {}

    Source: docs/rules.md section 6 (skus).
    """

    def query(self) -> str:
        name = trimmed("product_name")
        return (
            "select sku_id, sku_code from skus where product_name is null"
            f" or lower({name}) in ('', 'none', 'nan') order by sku_id"
        )


class ExpectProductNamesToBeKnown(NoRowsExpectation):
    """Expect the product name of a SKU to be more than its code, which stands in where no name is known.

    Shown are the SKU's id and code.

    Example:
        {}

    Source: docs/rules.md section 6 (skus).
    """

    def query(self) -> str:
        return "select sku_id, sku_code from skus where product_name = sku_code order by sku_id"


class ExpectSkuCodesToHaveFiveDigits(NoRowsExpectation):
    """Expect a SKU code to be five ASCII digits.

    Shown are the SKU's id and code.

    Example:
        {}

    Source: models/marts/skus.yml (sku_code).
    """

    def query(self) -> str:
        return (
            "select sku_id, sku_code from skus where length(cast(sku_code as blob)) <> 5"
            " or sku_code glob '*[^0-9]*' order by sku_id"
        )


def _real_name(column: str) -> str:
    """A name, trimmed; NULL where it is blank, None or nan."""
    return f"case when lower({trimmed(column)}) in ('', 'none', 'nan') then null else {trimmed(column)} end"


_DIFFERENT = problem(
    {
        column: is_same(f"skus.{column}", f"expected.{column}")
        for column in ("product_name", "reorder_point", "pallet_count", "created_at")
    },
    missing="skus.sku_code is null",
)
# What the inventory and the parameters say, and where skus says something else. The first parameter counts.
_INVENTORY = f"""
with

inventory as materialized (

    select
        {trimmed_or_null("sku")} as sku_code,
        {_real_name("product_name")} as product_name,
        coalesce({whole_number("reorder_point")}, 50) as reorder_point
    from legacy.inventory_current
    where {trimmed_or_null("sku")} is not null

),

parameters as materialized (

    select
        id,
        {trimmed_or_null("sku")} as sku_code,
        {trimmed_or_null("category")} as category,
        {trimmed_or_null("parameter_name")} as parameter_name,
        {_real_name("parameter_name")} as name_as_parameter,
        {_real_name("value")} as name_as_value,
        {whole_number(trimmed_or_null("value"))} as units
    from legacy.configuration_params

),

expected as materialized (

    select
        sku_code,
        coalesce(
            product_name,
            (
                select name_as_parameter from parameters
                where parameters.sku_code = inventory.sku_code
                    and category = 'Key Products' and name_as_parameter is not null
                order by id limit 1
            ),
            (
                select coalesce(name_as_value, name_as_parameter) from parameters
                where parameters.sku_code = inventory.sku_code
                    and category = 'Product Names'
                    and coalesce(name_as_value, name_as_parameter) is not null
                order by id limit 1
            ),
            sku_code
        ) as product_name,
        reorder_point,
        (
            select units from parameters
            where parameters.sku_code = inventory.sku_code
                and category = 'PalletConfig' and parameter_name = 'PalletCount'
            order by id limit 1
        ) as pallet_count,
        -- the live database does not know
        null as created_at
    from inventory

),

judged as (

    select
        expected.sku_code,
        {_DIFFERENT} as problem
    from expected
    left join skus on skus.sku_code = expected.sku_code
    union all
    select
        skus.sku_code,
        'not in the inventory'
    from skus
    left join expected on expected.sku_code = skus.sku_code
    where expected.sku_code is null

)

select
    sku_code,
    problem
from judged
where problem <> ''
order by sku_code
"""
