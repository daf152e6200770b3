"""Spoiled suites, plugins, register and GX configuration, each in a copy of the folder ``expectations``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lotgate.build import read_build
from mutations.bench import Bench, Edit, accept, edit_json
from mutations.model import Tampering

Do = Callable[[Bench], None]
PLUGINS = "plugins/lotgate_expectations"


def _in_suite(suite: str, edit: Edit, accepted: bool = False) -> Do:
    """A suite's file changed; ``accepted`` renews the register, as if the change had been wanted."""

    def do(bench: Bench) -> None:
        edit_json(bench.expectations / "suites" / f"{suite}.json", edit)
        if accepted:
            accept(bench.expectations, read_build(bench.work_dir).checks)

    return do


def _check(name: str, change: Edit) -> Edit:
    def edit(suite: dict[str, Any]) -> None:
        (found,) = (one for one in suite["expectations"] if one["meta"]["check"] == name)
        change(found)

    return edit


def _without(name: str) -> Edit:
    def edit(suite: dict[str, Any]) -> None:
        suite["expectations"] = [one for one in suite["expectations"] if one["meta"]["check"] != name]

    return edit


def _text(file: str, before: str, after: str) -> Do:
    def do(bench: Bench) -> None:
        path = bench.expectations / file
        text = path.read_text()
        assert before in text
        path.write_text(text.replace(before, after, 1))

    return do


def _removed(*files: str) -> Do:
    def do(bench: Bench) -> None:
        for file in files:
            (bench.expectations / file).unlink()

    return do


def _written(file: str, text: str) -> Do:
    return lambda bench: (bench.expectations / file).write_text(text) and None


def _edited(file: str, edit: Edit) -> Do:
    return lambda bench: edit_json(bench.expectations / file, edit)


def _both(*steps: Do) -> Do:
    def do(bench: Bench) -> None:
        for step in steps:
            step(bench)

    return do


def _accepted(bench: Bench) -> None:
    accept(bench.expectations, read_build(bench.work_dir).checks)


def _left_out(suite: str) -> Edit:
    def edit(checkpoint: dict[str, Any]) -> None:
        kept = [one for one in checkpoint["validation_definitions"] if one["name"] != suite]
        assert len(kept) < len(checkpoint["validation_definitions"])
        checkpoint["validation_definitions"] = kept

    return edit


def _other_database(bench: Bench) -> None:
    """The data source reads a good candidate that lies elsewhere, whatever happens to this one."""
    other = bench.work_dir.path.parent / "other.sqlite"
    other.write_bytes(bench.work_dir.candidate.read_bytes())
    _text("great_expectations.yml", "${LOTGATE_GX_CANDIDATE}", str(other))(bench)
    bench.sql("delete from shipped_items where id = :row")
    bench.renew_hashes()


def _other_legacy(bench: Bench) -> None:
    other = bench.work_dir.path.parent / "other.sqlite"
    other.write_bytes(bench.work_dir.legacy.read_bytes())
    _text("great_expectations.yml", "${LOTGATE_GX_LEGACY}", str(other))(bench)


CHECKS = (
    Tampering("a check deleted", _in_suite("skus", _without("product_names_are_real")), ("register.gx.skus.product_names_are_real",)),
    Tampering("every check of a suite deleted", _in_suite("skus", lambda suite: suite.update(expectations=[])), ("register.gx.skus.columns_are_exact", "register.gx.skus.product_names_are_real")),
    Tampering("a suite deleted", _removed("suites/lots.json"), error="UsageError", message="could not run"),
    Tampering("a suite deleted, and left out of the checkpoint", _both(_removed("suites/lots.json", "validation_definitions/lots.json"), _edited("checkpoints/audit.json", _left_out("lots"))), ("register.gx.lots.sku_exists",)),
    Tampering("a suite left out of the checkpoint", _edited("checkpoints/audit.json", _left_out("reconciliation")), ("reconciliation.residuals_are_zero", "reconciliation.ledger_holds_every_legacy_row"), breaks=True),
    Tampering("a type mistyped", _in_suite("skus", _check("product_names_are_real", lambda check: check.update(type="expect_product_name_to_be_real"))), ("skus.product_names_are_real", "register.gx.skus.product_names_are_real"), breaks=True),
    Tampering("a type mistyped, and accepted", _in_suite("skus", _check("product_names_are_real", lambda check: check.update(type="expect_product_name_to_be_real")), accepted=True), ("skus.product_names_are_real",), breaks=True),
    Tampering("an argument that the expectation has not, and accepted", _in_suite("lots", _check("sku_exists", lambda check: check["kwargs"].update(colums=["sku_id"])), accepted=True), (), breaks=True),
    Tampering("an argument missing, and accepted", _in_suite("lots", _check("sku_exists", lambda check: check["kwargs"].pop("columns")), accepted=True), (), breaks=True),
    Tampering("a column that does not exist, and accepted", _in_suite("skus", _check("product_name_is_given", lambda check: check["kwargs"].update(column="product")), accepted=True), (), breaks=True),
    Tampering("a table that does not exist, and accepted", _in_suite("lots", _check("sku_exists", lambda check: check["kwargs"].update(table="lot")), accepted=True), (), breaks=True),
    Tampering("a parameter that nobody gives, and accepted", _in_suite("skus", _check("sku_count_is_expected", lambda check: check["kwargs"].update(value={"$PARAMETER": "sku_count"})), accepted=True), (), breaks=True),
    Tampering("a check weakened", _in_suite("skus", _check("product_name_is_given", lambda check: check["kwargs"].update(mostly=0.5))), ("register.gx.skus.product_name_is_given",)),
    Tampering("a severity lowered", _in_suite("shipped_items", _check("sku_exists", lambda check: check.update(severity="warning"))), ("register.gx.shipped_items.sku_exists",)),
    Tampering("a warning that a check became", _in_suite("shipped_items", _check("sku_exists", lambda check: check.update(severity="info"))), ("register.gx.shipped_items.sku_exists",)),
    Tampering("a check renamed", _in_suite("skus", _check("sku_code_is_given", lambda check: check["meta"].update(check="code_is_given"))), ("register.gx.skus.sku_code_is_given",)),
    Tampering("two checks of one name", _in_suite("skus", lambda suite: suite["expectations"].append(suite["expectations"][0])), error="UsageError", message="two expectations are named"),
    Tampering("a check without a severity", _in_suite("skus", _check("sku_code_is_given", lambda check: check.pop("severity"))), error="UsageError", message="no severity"),
    Tampering("a suite that is not JSON", _written("suites/skus.json", "{"), error="UsageError", message="not valid JSON"),
    Tampering("a plugin module that is not imported, and accepted", _both(_text(f"{PLUGINS}/__init__.py", "    keys,\n", ""), _text(f"{PLUGINS}/__init__.py", '    "keys",\n', ""), _accepted), ("shipped_items.sku_exists", "lots.sku_exists"), breaks=True, alone=True),
    Tampering("a plugin module that is missing", _removed(f"{PLUGINS}/keys.py"), error="UsageError", message="cannot be opened", alone=True),
    Tampering("no plugin at all", lambda bench: (bench.expectations / PLUGINS).rename(bench.expectations / "plugins" / "other"), error="UsageError", message="cannot be opened", alone=True),
    Tampering("the code of a check changed", _text(f"{PLUGINS}/keys.py", "having count(*) > 1", "having count(*) > 2"), (f"register.code.expectations/{PLUGINS}/keys.py",)),
    Tampering("a register that demands nothing", _edited("register.json", lambda register: register.update(gx={}, dbt={}, code={})), ("register.gx", "register.dbt", "register.code")),
    Tampering("no register", _removed("register.json"), error="UsageError", message="no register"),
    Tampering("a register that is not JSON", _written("register.json", "{"), error="UsageError", message="not valid JSON"),
    Tampering("a register that knows other tests of dbt", _edited("register.json", lambda register: register["dbt"].update({"test.lotgate.switched_off": "0" * 64})), ("register.dbt.test.lotgate.switched_off",)),
    Tampering("a data source that reads another candidate", _other_database, ("files.data_source_candidate",)),
    Tampering("a data source that reads another snapshot", _other_legacy, ("files.data_source_legacy",)),
    Tampering("data sources exchanged", _both(_text("great_expectations.yml", "${LOTGATE_GX_CANDIDATE}", "${LOTGATE_GX_X}"), _text("great_expectations.yml", "${LOTGATE_GX_LEGACY}", "${LOTGATE_GX_CANDIDATE}"), _text("great_expectations.yml", "${LOTGATE_GX_X}", "${LOTGATE_GX_LEGACY}")), ("files.data_source_candidate", "files.data_source_legacy"), breaks=True),
    Tampering("a data source opened for writing", _text("great_expectations.yml", "${LOTGATE_GX_CANDIDATE}?mode=ro&uri=true", "${LOTGATE_GX_CANDIDATE}?mode=rw&uri=true"), ("files.data_source_candidate",)),
    Tampering("a snapshot opened for writing", _text("great_expectations.yml", "${LOTGATE_GX_LEGACY}?mode=ro&uri=true", "${LOTGATE_GX_LEGACY}?mode=rw&uri=true"), ("files.data_source_legacy",)),
    Tampering("a data source missing", _text("great_expectations.yml", "\n  legacy:\n", "\n  live:\n"), error="UsageError", message="data source legacy"),
    Tampering("a suite that reads another table", _edited("validation_definitions/skus.json", lambda definition: definition["data"]["asset"].update(name="lots")), ("skus.columns_are_exact",), breaks=True),
    Tampering("a table asset that is another table", _text("great_expectations.yml", "table_name: skus", "table_name: lots"), ("skus.columns_are_exact",), breaks=True),
    Tampering("a table asset that hides rows", _text("great_expectations.yml", "        type: table\n        table_name: skus\n", "        type: query\n        query: select * from skus where sku_id = 0\n"), ()),
)
