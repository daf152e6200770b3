"""Spoiled suites, plugins, register and GX configuration, in a copy of the folder ``expectations``.

What is *accepted* is in the register too, as if it had been wanted: then only the check itself can tell.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lotgate.build import read_build
from mutations import ids
from mutations.bench import Bench, Edit, accept, edit_json
from mutations.model import Tampering

Do = Callable[[Bench], None]

PLUGIN = "plugins/lotgate_expectations"
CONFIGURATION = "great_expectations.yml"


def _do(*steps: Do) -> Do:
    def do(bench: Bench) -> None:
        for step in steps:
            step(bench)

    return do


def accepted(bench: Bench) -> None:
    """Renews the register."""
    accept(bench.expectations, read_build(bench.work_dir).checks)


def _json(file: str, edit: Edit) -> Do:
    return lambda bench: edit_json(bench.expectations / file, edit)


def _text(file: str, before: str, after: str) -> Do:
    def do(bench: Bench) -> None:
        path = bench.expectations / file
        text = path.read_text(encoding="utf-8")
        assert before in text, f"{before!r} is not in {file}"
        path.write_text(text.replace(before, after), encoding="utf-8")

    return do


def _written(file: str, text: str) -> Do:
    def do(bench: Bench) -> None:
        (bench.expectations / file).write_text(text)

    return do


def _removed(*files: str) -> Do:
    def do(bench: Bench) -> None:
        for file in files:
            (bench.expectations / file).unlink()

    return do


def _check(suite: str, name: str, change: Callable[[dict[str, Any]], object]) -> Do:
    """One expectation of a suite changed."""

    def edit(content: dict[str, Any]) -> None:
        (found,) = (one for one in content["expectations"] if one["meta"]["check"] == name)
        change(found)

    return _json(f"suites/{suite}.json", edit)


def _kwargs(suite: str, name: str, **values: Any) -> Do:
    return _check(suite, name, lambda check: check["kwargs"].update(values))


def _without_check(content: dict[str, Any]) -> None:
    content["expectations"] = [
        one for one in content["expectations"] if one["meta"]["check"] != "product_names_are_real"
    ]


def _left_out(suite: str) -> Do:
    def edit(checkpoint: dict[str, Any]) -> None:
        kept = [one for one in checkpoint["validation_definitions"] if one["name"] != suite]
        assert len(kept) < len(checkpoint["validation_definitions"])
        checkpoint["validation_definitions"] = kept

    return _json("checkpoints/audit.json", edit)


def _reads_elsewhere(name: str, variable: str) -> Do:
    """A data source that reads a good copy, which lies elsewhere."""

    def do(bench: Bench) -> None:
        other = bench.work_dir.path.parent / "other.sqlite"
        other.write_bytes((bench.work_dir.path / name).read_bytes())
        _text(CONFIGURATION, f"${{{variable}}}", str(other))(bench)

    return do


def _another_register(register: dict[str, Any]) -> None:
    register["dbt"]["test.lotgate.switched_off"] = "0" * 64


_MISTYPED = _check(
    "skus", "product_names_are_real", lambda check: check.update(type="expect_product_name_to_be_real")
)
_NOT_IMPORTED = _do(
    _text(f"{PLUGIN}/__init__.py", "    keys,\n", ""), _text(f"{PLUGIN}/__init__.py", '    "keys",\n', "")
)

SUITES = (
    Tampering("a check deleted", _json("suites/skus.json", _without_check), (f"register.gx.{ids.NAMES}",)),
    Tampering(
        "every check of a suite deleted",
        _json("suites/skus.json", lambda suite: suite.update(expectations=[])),
        (f"register.gx.{ids.NAMES}", f"register.gx.{ids.SKU_CONTRACT}"),
    ),
    Tampering("a suite deleted", _removed("suites/lots.json"), error="UsageError", message="could not run"),
    Tampering(
        "a suite deleted, and left out of the checkpoint",
        _do(_removed("suites/lots.json", "validation_definitions/lots.json"), _left_out("lots")),
        (f"register.gx.{ids.LOTS}", "register.code.expectations/checkpoints/audit.json"),
    ),
    Tampering(
        "a suite left out of the checkpoint, and accepted",
        _do(_left_out("reconciliation"), accepted),
        (ids.EVERY_ROW, ids.RESIDUALS),
        breaks=True,
    ),
    Tampering("a type mistyped", _MISTYPED, (ids.NAMES, f"register.gx.{ids.NAMES}"), breaks=True),
    Tampering("a type mistyped, and accepted", _do(_MISTYPED, accepted), (ids.NAMES,), breaks=True),
    Tampering(
        "an unknown argument, and accepted",
        _do(_kwargs("lots", "sku_exists", colums=["sku_id"]), accepted),
        error="UsageError",
        message="could not run",
    ),
    Tampering(
        "an argument missing, and accepted",
        _do(_check("lots", "sku_exists", lambda check: check["kwargs"].pop("columns")), accepted),
        error="UsageError",
        message="could not run",
    ),
    Tampering(
        "a column that does not exist, and accepted",
        _do(_kwargs("skus", "product_name_is_given", column="product"), accepted),
        ("skus.product_name_is_given",),
        breaks=True,
    ),
    Tampering(
        "a table that does not exist, and accepted",
        _do(_kwargs("lots", "sku_exists", table="lot"), accepted),
        (ids.LOT_SKU,),
        breaks=True,
    ),
    Tampering(
        "a parameter that nobody gives, and accepted",
        _do(_kwargs("skus", "sku_count_is_expected", value={"$PARAMETER": "sku_count"}), accepted),
        error="UsageError",
        message="sku_count",
    ),
    Tampering(
        "a check weakened",
        _kwargs("skus", "product_name_is_given", mostly=0.5),
        ("register.gx.skus.product_name_is_given",),
    ),
    Tampering(
        "a severity lowered",
        _check("shipped_items", "sku_exists", lambda check: check.update(severity="warning")),
        (f"register.gx.{ids.SKU_EXISTS}",),
    ),
    Tampering(
        "a check renamed",
        _check("shipped_items", "sku_exists", lambda check: check["meta"].update(check="a_sku_exists")),
        (f"register.gx.{ids.SKU_EXISTS}",),
    ),
    Tampering(
        "two checks of one name",
        _json("suites/skus.json", lambda suite: suite["expectations"].append(suite["expectations"][0])),
        error="UsageError",
        message="two expectations are named",
    ),
    Tampering(
        "a check without a severity",
        _check("skus", "sku_code_is_given", lambda check: check.pop("severity")),
        error="UsageError",
        message="has no severity",
    ),
    Tampering(
        "a suite that is not JSON",
        _written("suites/skus.json", "{"),
        error="UsageError",
        message="not valid JSON",
    ),
)

CODE = (
    Tampering(
        "a plugin module that is not imported, and accepted",
        _do(_NOT_IMPORTED, accepted),
        (ids.SKU_EXISTS, ids.LOT_SKU, ids.KEY),
        breaks=True,
        alone=True,
    ),
    Tampering(
        "a plugin module that is missing",
        _removed(f"{PLUGIN}/keys.py"),
        error="UsageError",
        message="cannot be opened",
        alone=True,
    ),
    Tampering(
        "no plugin",
        lambda bench: (bench.expectations / PLUGIN).rename(bench.expectations / "plugins" / "other"),
        error="UsageError",
        message="cannot be opened",
        alone=True,
    ),
    Tampering(
        "the code of a check changed",
        _text(f"{PLUGIN}/keys.py", "having count(*) > 1", "having count(*) > 2"),
        (f"register.code.expectations/{PLUGIN}/keys.py",),
    ),
    Tampering(
        "a register that demands nothing",
        _json("register.json", lambda register: register.update(gx={}, dbt={}, code={})),
        ("register.gx", "register.dbt", "register.code"),
        reads_suites=False,
    ),
    Tampering(
        "a register that knows another test of dbt",
        _json("register.json", _another_register),
        ("register.dbt.test.lotgate.switched_off",),
        reads_suites=False,
    ),
    Tampering("no register", _removed("register.json"), error="UsageError", message="no register"),
    Tampering(
        "a register that is not JSON",
        _written("register.json", "{"),
        error="UsageError",
        message="not valid JSON",
    ),
)

SOURCES = (
    Tampering(
        "a data source that reads another candidate",
        _do(_reads_elsewhere("candidate.sqlite", "LOTGATE_GX_CANDIDATE"), accepted),
        ("files.data_source_candidate",),
    ),
    Tampering(
        "a data source that reads another snapshot",
        _do(_reads_elsewhere("legacy.sqlite", "LOTGATE_GX_LEGACY"), accepted),
        ("files.data_source_legacy",),
    ),
    Tampering(
        "two data sources exchanged",
        _do(
            _text(CONFIGURATION, "${LOTGATE_GX_CANDIDATE}", "${LOTGATE_GX_OTHER}"),
            _text(CONFIGURATION, "${LOTGATE_GX_LEGACY}", "${LOTGATE_GX_CANDIDATE}"),
            _text(CONFIGURATION, "${LOTGATE_GX_OTHER}", "${LOTGATE_GX_LEGACY}"),
            accepted,
        ),
        ("files.data_source_candidate", "files.data_source_legacy"),
        breaks=True,
    ),
    Tampering(
        "a candidate that could be written to",
        _do(_text(CONFIGURATION, "CANDIDATE}?mode=ro", "CANDIDATE}?mode=rw"), accepted),
        ("files.data_source_candidate",),
    ),
    Tampering(
        "a snapshot that could be written to",
        _do(_text(CONFIGURATION, "LEGACY}?mode=ro", "LEGACY}?mode=rw"), accepted),
        ("files.data_source_legacy",),
    ),
    Tampering(
        "a data source missing",
        _text(CONFIGURATION, "\n  legacy:\n", "\n  live:\n"),
        error="UsageError",
        message="data source legacy",
    ),
    Tampering(
        "a suite that reads another table, and accepted",
        _do(
            _json(
                "validation_definitions/skus.json",
                lambda definition: definition["data"]["asset"].update(name="lots"),
            ),
            accepted,
        ),
        (ids.SKU_COLUMNS,),
        breaks=True,
    ),
    Tampering(
        "a data source that hides rows",
        _text(
            CONFIGURATION,
            "type: table\n        table_name: lots\n",
            "type: query\n        query: select * from lots where lot_id < 5\n",
        ),
        ("register.code.expectations/great_expectations.yml",),
    ),
)

CONTEXTS = (*SUITES, *CODE, *SOURCES)
