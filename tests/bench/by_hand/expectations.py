"""Stock GX expectations on what dbt's stock materialization made, in one process; no expectation of our own.

One of them fails, as it must: dbt made tables without keys, so that twins are found here, after the fact, and
nothing says what to do with them. The totals are those that the legacy table has of the rows that the models
take, asked with a query; of the others nothing is known. Usage: python expectations.py TARGET
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

os.environ["GX_ANALYTICS_ENABLED"] = "false"
KEY = ["order_number", "shipstation_sku_raw"]
DAY = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"


def main(target: Path) -> None:
    logging.disable(logging.CRITICAL)
    with contextlib.redirect_stderr(io.StringIO()):
        import great_expectations as gx
        import great_expectations.expectations as gxe

        with closing(sqlite3.connect(target)) as connection:
            rows, units = connection.execute(
                "select count(*), coalesce(sum(quantity_shipped), 0) from shipped_items"
            ).fetchone()
            skus = [code for (code,) in connection.execute("select sku_code from skus")]
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        source = context.data_sources.add_sqlite("by_hand", connection_string=f"sqlite:///{target}")
        not_null = gxe.ExpectColumnValuesToNotBeNull
        suites = {
            "skus": [
                gxe.ExpectColumnValuesToBeUnique(column="sku_code"),
                gxe.ExpectColumnValuesToBeInSet(column="sku_code", value_set=skus),
                gxe.ExpectTableRowCountToEqual(value=len(skus)),
            ],
            "lots": [
                not_null(column="sku_id"),
                gxe.ExpectCompoundColumnsToBeUnique(column_list=["sku_id", "lot_number"]),
            ],
            "shipped_orders": [
                not_null(column="order_number"),
                gxe.ExpectColumnValuesToBeUnique(column="order_number"),
            ],
            "shipped_items": [
                *(
                    not_null(column=column)
                    for column in ("id", "ship_date", "shipstation_sku_raw", "sku_id", "quantity_shipped")
                ),
                gxe.ExpectColumnValuesToBeUnique(column="id"),
                gxe.ExpectColumnValuesToMatchRegex(column="ship_date", regex=DAY),
                gxe.ExpectColumnValuesToBeBetween(column="quantity_shipped", min_value=1),
                gxe.ExpectCompoundColumnsToBeUnique(column_list=KEY, ignore_row_if="any_value_is_missing"),
                gxe.ExpectColumnSumToBeBetween(column="quantity_shipped", min_value=units, max_value=units),
                gxe.ExpectTableRowCountToEqual(value=rows),
            ],
        }
        failed, count = [], 0
        for table, expectations in suites.items():
            batch = source.add_table_asset(table, table_name=table).add_batch_definition_whole_table("all")
            suite = context.suites.add(gx.ExpectationSuite(name=table, expectations=expectations))
            found = batch.get_batch().validate(suite)
            count += len(found.results)
            failed += [
                f"{table}: {result.expectation_config.type}" for result in found.results if not result.success
            ]
    print(json.dumps({"expectations": count, "failed": failed}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
